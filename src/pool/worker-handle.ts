import type { WorkerCrashError } from '../errors/index.js';
import { Linger } from '../memory/index.js';
import type { LaunchOptions, Popen } from '../process/index.js';
import { PendingValue } from '../reduction/index.js';
import { Deque } from '../util/deque.js';
import { taskSettle } from '../util/diagnostics.js';
import type { Batch, Holder } from './batch.js';
import type { FunctionImage } from './callables.js';
import { crash } from './crash.js';
import { LEAST_BATCHES, Pace } from './pace.js';
import { Flag, KIND, Kind } from './protocol.js';
import { fromWorker } from './remote-error.js';
import { Unreadable, WorkerChannel } from './worker-channel.js';

/** Starts a child, however the pool's workers are started. */
export type Launch = (options: LaunchOptions) => Popen;

/** What a worker tells the pool it belongs to. */
export interface WorkerOwner {
  /** Results were read, or room appeared: deliver and send more. */
  progressed(worker: WorkerHandle): void;
  /** Its initializer is done. */
  ready(worker: WorkerHandle): void;
  /** Its initializer failed. */
  initializerFailed(worker: WorkerHandle, error: unknown): void;
  /** It ended; `lost` are its unfinished batches, `blamed` says whether the first of them was running. */
  exited(worker: WorkerHandle, lost: Batch[], blamed: boolean, error: WorkerCrashError): void;
}

/**
 * One worker process as the parent sees it: the batches it holds, what of them is done, and how it ends.
 *
 * Accounting: `#held` are the batches sent and not finished, oldest first; results arrive in their order.
 * `#results` counts them modulo 2^32 and is compared with the worker's own count of started items when it dies.
 */
export class WorkerHandle implements Holder {
  readonly name: string;
  readonly child: Popen;
  /** Items it may still be given before it is replaced. */
  remaining: number;
  /** `starting` until its initializer is done; `retiring` after a stop was sent. */
  state: 'starting' | 'ready' | 'retiring' | 'ended' = 'starting';
  /** What it was when it ended. */
  left: 'starting' | 'ready' | 'retiring' = 'starting';
  /** Whether it was let go because there was nothing to do: it needs no replacement. */
  idled = false;
  readonly #owner: WorkerOwner;
  readonly #channel: WorkerChannel;
  readonly #held = new Deque<Batch>();
  readonly #pace = new Pace();
  readonly #linger = new Linger();
  #items = 0;
  #results = 0;
  #polling = false;
  /** Milliseconds a cancelled or overdue item has to end. */
  #grace = 0;
  #timer: NodeJS.Timeout | null = null;
  #killer: NodeJS.Timeout | null = null;
  /** Makes a terminated worker end; results do not put it off, unlike the timers of an item. */
  #executioner: NodeJS.Timeout | null = null;

  /** Starts the worker. @throws ProcessError `MP_SPAWN`; MultiprocessError `MP_SYSTEM`. */
  constructor(name: string, launch: Launch, entry: URL, lifetime: number, owner: WorkerOwner) {
    this.name = name;
    this.remaining = lifetime;
    this.#owner = owner;
    this.#channel = new WorkerChannel(name, () => this.#drain());
    try {
      this.child = launch({ entry, name, descriptors: this.#channel.descriptors });
    } catch (error) {
      this.#channel.close();
      throw error;
    }
    this.child.onExit(({ exitCode, signal }, cause) => this.#ended(exitCode, signal, cause));
    this.keepAlive(false);
  }

  /** Process id, or `null` when the process could not be started. */
  get pid(): number | null {
    return this.child.pid;
  }

  /** Process id; of a thread, Node's thread id. */
  get ident(): number | null {
    return this.child.ident;
  }

  /** Items it holds: running or waiting there. */
  get items(): number {
    return this.#items;
  }

  /** Batches it holds. */
  get batches(): number {
    return this.#held.length;
  }

  /** Whether it should be given another batch now. */
  get hasRoom(): boolean {
    return (
      (this.#held.length < LEAST_BATCHES || this.#items < this.#pace.depth) &&
      this.remaining > 0 &&
      this.#channel.writable &&
      (this.state === 'ready' || this.state === 'starting')
    );
  }

  /** Milliseconds since it last gave a sign of progress: with work, how long it may be stuck; without, how long it has been idle. */
  get stillFor(): number {
    return this.#pace.stillFor;
  }

  // ---- sending

  /** Sends the initializer. The worker answers with `ready`. */
  initialize(image: FunctionImage | null, args: readonly unknown[]): void {
    this.#channel.initialize(image, args);
  }

  /**
   * Sends a batch. Call only while it {@link hasRoom}.
   * @returns `false` when the link became busy, or its life is too short: it has no room from here on; keep the batch.
   * @throws SerializationError when its payload cannot be encoded; nothing was sent.
   */
  send(batch: Batch): boolean {
    if (batch.count > this.remaining) {
      this.retire();
      return false;
    }
    if (!this.#channel.send(batch)) return false;
    if (this.#held.length === 0) this.#pace.begin();
    batch.holder = this;
    this.#held.push(batch);
    this.#items += batch.count;
    this.remaining -= batch.count;
    if (this.remaining <= 0) this.retire();
    return true;
  }

  /** Drops the worker's copy of a function. */
  forget(image: FunctionImage): void {
    this.#channel.forget(image);
  }

  /** Lets it end after what it holds. `idle`: because there is nothing to do. */
  retire(idle = false): void {
    if (this.state === 'retiring' || this.state === 'ended') return;
    this.state = 'retiring';
    this.idled = idle;
    this.#channel.stop();
  }

  // ---- taking back

  /** Takes back the batch that was sent last, if the worker has not started it. */
  withdrawLast(): Batch | null {
    const batch = this.#held.last();
    if (batch === undefined || !this.#withdraw(batch)) return null;
    this.#held.pop();
    return batch;
  }

  /** As {@link withdrawLast}, if its priority is below `priority`. */
  withdrawBelow(priority: number): Batch | null {
    const batch = this.#held.last();
    return batch !== undefined && batch.lane.priority < priority ? this.withdrawLast() : null;
  }

  /** Takes `batch` back, if it is here and the worker has not started it. */
  withdraw(batch: Batch): boolean {
    return batch.holder === this && this.#withdraw(batch) && this.#held.remove(batch);
  }

  /**
   * Stops a batch: takes it back if it waits; if it runs, fires the item's AbortSignal, lets the rest of it be, and kills
   * the worker when the item has not ended after `grace` milliseconds.
   * @returns whether the batch is off the worker now.
   */
  stop(batch: Batch, grace: number): boolean {
    batch.cancelled = true;
    this.#grace = grace;
    if (this.withdraw(batch)) return true;
    this.#channel.halt(batch);
    // One that runs while the result of its forerunner is still unread is aborted when that is read, see #abortNext.
    if (this.#held.first() === batch) this.#abortRunning();
    return false;
  }

  /** Fires the AbortSignal of the running item and kills the worker if the item has not ended when its grace is over. */
  #abortRunning(): void {
    this.#channel.abort((this.#results + 1) | 0);
    if (this.#killer !== null) return;
    const killer = setTimeout(() => {
      // The result may be there already: timers come before other events.
      this.#drain();
      if (this.#killer === killer) this.child.kill();
    }, this.#grace);
    this.#killer = killer;
  }

  #withdraw(batch: Batch): boolean {
    if (!this.#channel.withdraw(batch)) return false;
    batch.holder = null;
    this.#items -= batch.count;
    this.remaining += batch.count;
    return true;
  }

  /** The batches it holds, oldest first. */
  held(): Iterable<Batch> {
    return this.#held;
  }

  // ---- receiving

  #drain(): void {
    this.#polling = false;
    if (this.state === 'ended') return;
    const channel = this.#channel;
    const before = this.#results;
    let moved = channel.flush();
    while (channel.receive()) {
      this.#receive();
      moved = true;
    }
    if (before !== this.#results) this.#pace.measure((this.#results - before) | 0);
    if (moved) this.#owner.progressed(this);
    if ((this.state as string) === 'ended') return;
    if (before !== this.#results) this.#linger.busy();
    // Microtasks and other events come first; a record that came meanwhile is read on the loop's next turn.
    if (before !== this.#results || (this.#held.length > 0 && this.#linger.again()) || !channel.sleep()) {
      this.#polling = true;
      setImmediate(this.#poll);
    }
  }

  readonly #poll = (): void => {
    if (this.#polling) this.#drain();
  };

  #receive(): void {
    const channel = this.#channel;
    switch ((channel.kind & KIND) as Kind) {
      case Kind.Value:
      case Kind.Error: {
        const failed = (channel.kind & KIND) === Kind.Error;
        const halted = (channel.kind & Flag.Halted) !== 0;
        const micros = channel.id;
        const value = channel.decode();
        channel.release();
        this.#settle(value, failed, micros);
        if (halted) this.#finish();
        this.#abortNext();
        break;
      }
      case Kind.Broken: {
        const error = channel.decode();
        channel.release();
        const batch = this.#held.first();
        this.#whenLoaded(error, (reason) => {
          if (batch !== undefined) fromWorker(reason, batch.site);
          for (let i = 0; batch !== undefined && i < batch.count; i++) if (!batch.cancelled) batch.error(reason, i);
        });
        this.#finish();
        this.#abortNext();
        break;
      }
      case Kind.Started: {
        channel.release();
        const batch = this.#held.first();
        if (batch === undefined) break;
        batch.started();
        if (batch.timeout > 0) this.#timer = setTimeout(() => this.#expired(batch), batch.timeout);
        break;
      }
      case Kind.Report: {
        const progress = channel.decode();
        channel.release();
        const batch = this.#held.first();
        if (!(progress instanceof Unreadable)) this.#whenLoaded(progress, (loaded) => batch?.report(loaded));
        break;
      }
      case Kind.Ready:
        channel.release();
        if (this.state === 'starting') this.state = 'ready';
        this.#owner.ready(this);
        break;
      case Kind.InitializerFailed: {
        const error = channel.decode();
        channel.release();
        this.#whenLoaded(error, (reason) => this.#owner.initializerFailed(this, reason));
        break;
      }
      default:
        channel.release();
    }
  }

  /** Hands on what was decoded: at once, or when the modules it needs are loaded. What cannot be read is an error itself. */
  #whenLoaded(value: unknown, then: (value: unknown) => void): void {
    if (value instanceof Unreadable) then(value.reason);
    else if (!(value instanceof PendingValue)) then(value);
    else void value.ready.then(then, then).then(() => this.#owner.progressed(this));
  }

  #settle(value: unknown, failed: boolean, micros: number): void {
    const batch = this.#held.first();
    if (batch === undefined) return;
    this.#results = (this.#results + 1) | 0;
    this.#clearTimers();
    if (taskSettle.hasSubscribers) taskSettle.publish({ name: this.name, pid: this.pid, failed });
    const index = batch.received++;
    this.#items--;
    if (batch.received === batch.count) this.#held.shift();
    if (!batch.cancelled && batch.overdue !== index) {
      if (value instanceof Unreadable) batch.error(value.reason, index);
      else if (value instanceof PendingValue) {
        void value.ready
          .then(
            (ready) => (failed ? batch.error(fromWorker(ready, batch.site), index) : batch.value(ready, index, micros)),
            (error) => batch.error(error, index),
          )
          .then(() => this.#owner.progressed(this));
      } else if (failed) batch.error(fromWorker(value, batch.site), index);
      else batch.value(value, index, micros);
    }
    if (batch.received === batch.count) batch.gone();
  }

  /** What runs now was cancelled while the result of the item before it was on its way. */
  #abortNext(): void {
    if (this.#held.first()?.cancelled === true) this.#abortRunning();
  }

  /** The oldest batch is over, though not all of its items ran. */
  #finish(): void {
    const batch = this.#held.shift();
    if (batch === undefined) return;
    this.#items -= batch.count - batch.received;
    this.remaining += batch.count - batch.received;
    batch.gone();
  }

  #expired(batch: Batch): void {
    const results = this.#results;
    // The result may be there already: timers come before other events.
    this.#drain();
    if (results !== this.#results || this.#held.first() !== batch) return;
    this.#timer = null;
    batch.overdue = batch.received;
    this.#grace = batch.expire(batch.received);
    this.#abortRunning();
  }

  #clearTimers(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#killer !== null) clearTimeout(this.#killer);
    this.#timer = null;
    this.#killer = null;
  }

  // ---- life

  /** Whether the event loop must stay alive for it. */
  keepAlive(alive: boolean): void {
    if (this.state === 'ended') return;
    this.#channel.keepAlive(alive);
    if (alive) this.child.ref();
    else this.child.unref();
  }

  /** Ends it now: SIGTERM, then SIGKILL after `grace` milliseconds. */
  terminate(grace: number): void {
    if (this.state === 'ended') return;
    this.child.terminate();
    this.#executioner ??= setTimeout(() => this.child.kill(), grace);
  }

  #ended(exitCode: number | null, signal: NodeJS.Signals | null, cause?: unknown): void {
    if (this.state === 'ended') return;
    // What it published before it died counts; the ring outlives it.
    while (this.#channel.receive()) this.#receive();
    const blamed = this.#held.length > 0 && this.#channel.started !== this.#results;
    this.left = this.state;
    this.state = 'ended';
    this.#clearTimers();
    if (this.#executioner !== null) clearTimeout(this.#executioner);
    this.#channel.close();
    this.child.close();
    const lost = [...this.#held];
    while (this.#held.length > 0) this.#held.shift();
    for (const batch of lost) batch.holder = null;
    this.#items = 0;
    this.#owner.exited(this, lost, blamed, crash(this, exitCode, signal, cause));
  }
}
