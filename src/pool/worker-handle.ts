import type { ChildProcess } from 'node:child_process';
import { SerializationError, WorkerCrashError } from '../errors/index.js';
import { Link, type LinkBells, LinkSide, linkBytes, type Payload, Region } from '../memory/index.js';
import { spawnNode } from '../process/index.js';
import { Decoder, Encoder, PendingValue } from '../reduction/index.js';
import { Deque } from '../util/deque.js';
import type { Batch, Holder } from './batch.js';
import type { FunctionImage } from './callables.js';
import { ABORT_ITEM, Flag, KIND, Kind, LINK_CAPACITY, STARTED_ITEMS, STATUS, Status } from './protocol.js';

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

/** Milliseconds of work that a worker should hold, so that it never waits for a round trip. */
const BACKLOG = 4;
const MIN_DEPTH = 2;
const MAX_DEPTH = 1024;

/** Records in a burst after which a sleeping worker is woken without waiting for the burst's end. */
const BURST = 32;

/** The encoded message of the batch being sent. One for all workers: sending is synchronous. */
const encoder = new Encoder();
const encoded: Payload & { total: number } = {
  total: 0,
  layout: (target, offset) => void encoder.layout(target, offset),
};
const decoder = new Decoder();

/**
 * The parent's side of one worker process: its link, the batches it holds, and what is known of its pace.
 *
 * Accounting: `#held` are the batches sent and not finished, oldest first; results arrive in their order.
 * `#results` counts them modulo 2^32 and is compared with the worker's own count of started items when it dies.
 */
export class WorkerHandle implements Holder {
  readonly name: string;
  readonly child: ChildProcess;
  /** Items it may still be given before it is replaced. */
  remaining: number;
  /** `starting` until its initializer is done; `retiring` after a stop was sent. */
  state: 'starting' | 'ready' | 'retiring' | 'ended' = 'starting';
  /** What it was when it ended. */
  left: 'starting' | 'ready' | 'retiring' = 'starting';
  /** Whether it was let go because there was nothing to do: it needs no replacement. */
  idled = false;
  /** When it last became idle, in `performance.now()` milliseconds. */
  idleSince = 0;

  readonly #owner: WorkerOwner;
  readonly #region: Region;
  readonly #bells: LinkBells;
  readonly #link: Link;
  readonly #held = new Deque<Batch>();
  readonly #known = new Set<number>();
  /** The batch whose record follows in parts. */
  #transferring: Batch | null = null;
  #items = 0;
  #results = 0;
  #depth = MIN_DEPTH;
  /** Average time of an item as seen from here, in milliseconds; 0 before the first. */
  #pace = 0;
  #mark = 0;
  #polling = false;
  /** Records sent since the worker was last woken. */
  #unrung = 0;
  /** Milliseconds a cancelled or overdue item has to end. */
  #grace = 0;
  #timer: NodeJS.Timeout | null = null;
  #killer: NodeJS.Timeout | null = null;
  /** Makes a terminated worker end; results do not put it off, unlike the timers of an item. */
  #executioner: NodeJS.Timeout | null = null;

  constructor(name: string, entry: URL, lifetime: number, owner: WorkerOwner) {
    this.name = name;
    this.remaining = lifetime;
    this.#owner = owner;
    this.#region = Region.create(linkBytes(LINK_CAPACITY), name);
    try {
      this.#bells = Link.createBells();
    } catch (error) {
      this.#region.close();
      throw error;
    }
    try {
      this.child = spawnNode({ entry, name, descriptors: [this.#region.descriptor, this.#bells.parent, this.#bells.worker] });
    } catch (error) {
      this.#region.close();
      Link.closeBells(this.#bells);
      throw error;
    }
    this.#link = new Link(this.#region, LINK_CAPACITY, LinkSide.Parent, this.#bells, () => this.#drain());
    this.child.once('exit', (code, signal) => this.#ended(code, signal));
    this.child.once('error', (cause) => this.child.pid === undefined && this.#ended(null, null, cause));
    this.keepAlive(false);
    this.#link.sleep();
  }

  /** Process id, or `null` when the process could not be started. */
  get pid(): number | null {
    return this.child.pid ?? null;
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
      (this.#held.length < MIN_DEPTH || this.#items < this.#depth) &&
      this.remaining > 0 &&
      this.#link.writable &&
      (this.state === 'ready' || this.state === 'starting')
    );
  }

  // ---- sending

  /** Sends the initializer. The worker answers with `ready`. */
  initialize(image: FunctionImage | null, args: readonly unknown[]): void {
    if (image !== null) this.#define(image);
    encoded.total = encoder.encode(args).total;
    this.#link.send(Kind.Initialize, image?.id ?? 0, 0, encoded);
    this.#wakeSoon();
  }

  /**
   * Sends a batch, with its function if the worker does not know it.
   * @returns `false` when the link is busy: keep it and try again on `progressed`.
   * @throws SerializationError when its payload cannot be encoded; nothing was sent.
   */
  send(batch: Batch): boolean {
    if (!this.#known.has(batch.image.id)) {
      this.#define(batch.image);
      if (!this.#link.writable) return false;
    }
    encoded.total = encoder.encode(batch.payload()).total;
    batch.weighed(encoded.total);
    batch.position = this.#link.send(batch.kind, batch.image.id, batch.state, encoded);
    if (!this.#link.writable) this.#transferring = batch;
    this.#wakeSoon();
    if (this.#held.length === 0) this.#mark = performance.now();
    batch.holder = this;
    this.#held.push(batch);
    this.#items += batch.count;
    this.remaining -= batch.count;
    if (this.remaining <= 0) this.retire();
    return true;
  }

  /** Drops the worker's copy of a function. */
  forget(image: FunctionImage): void {
    if (!this.#known.delete(image.id) || this.state === 'ended') return;
    // A busy link only delays the worker's copy going: its table is bounded by the cache of images all the same.
    if (!this.#link.writable) return;
    this.#link.send(Kind.Forget, image.id, 0, NOTHING);
    this.#wakeSoon();
  }

  /** Lets it end after what it holds. `idle`: because there is nothing to do. */
  retire(idle = false): void {
    if (this.state === 'retiring' || this.state === 'ended') return;
    this.state = 'retiring';
    this.idled = idle;
    // The stop follows a message that still waits for room.
    if (this.#link.writable) this.#sendStop();
    else this.#stopWhenWritable = true;
  }

  #stopWhenWritable = false;

  #sendStop(): void {
    this.#link.send(Kind.Stop, 0, 0, NOTHING);
    this.#wakeSoon();
  }

  /** Wakes the worker at the end of the running burst of microtasks: one system call for many records. */
  #wakeSoon(): void {
    if (this.#unrung === 0) process.nextTick(this.#wake);
    else if (this.#unrung % BURST === 0) this.#link.wake();
    this.#unrung++;
  }

  readonly #wake = (): void => {
    this.#unrung = 0;
    if (this.state !== 'ended') this.#link.wake();
  };

  #define(image: FunctionImage): void {
    this.#link.send(Kind.Define, image.id, image.reusable ? 0 : 1, image);
    this.#known.add(image.id);
  }

  // ---- taking back

  /** Takes back the batch that was sent last, if the worker has not started it. */
  withdrawLast(): Batch | null {
    const batch = this.#held.last();
    if (batch === undefined || !this.#withdraw(batch)) return null;
    this.#held.pop();
    return batch;
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
    if (batch.position >= 0) {
      const started = (batch.attempt << 2) | Status.Started;
      this.#link.amend(batch.position, started, (batch.attempt << 2) | Status.Stopped);
    }
    // One that runs while the result of its forerunner is still unread is aborted when that is read, see #abortNext.
    if (this.#held.first() === batch) this.#abortRunning();
    return false;
  }

  /** Fires the AbortSignal of the running item and kills the worker if the item has not ended when its grace is over. */
  #abortRunning(): void {
    Atomics.store(this.#link.control, ABORT_ITEM, (this.#results + 1) | 0);
    this.#link.ring();
    if (this.#killer !== null) return;
    const killer = setTimeout(() => {
      // The result may be there already: timers come before other events.
      this.#drain();
      if (this.#killer === killer) this.child.kill('SIGKILL');
    }, this.#grace);
    this.#killer = killer;
  }

  #withdraw(batch: Batch): boolean {
    const state = batch.state;
    if (batch === this.#transferring) {
      this.#transferring = null;
      this.#link.abandon(Kind.Void);
    } else if (batch.position < 0 || !this.#link.amend(batch.position, state, (state & ~STATUS) | Status.Withdrawn)) return false;
    batch.position = -1;
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
    const link = this.#link;
    if (!link.writable && link.flush()) {
      if (this.#transferring !== null) this.#transferring.position = link.position;
      this.#transferring = null;
      if (this.#stopWhenWritable) this.#sendStop();
      this.#stopWhenWritable = false;
    }
    const before = this.#results;
    while (link.receive()) this.#receive();
    this.#measure((this.#results - before) | 0);
    this.#owner.progressed(this);
    // Microtasks and other events come first; a record that came meanwhile is read on the loop's next turn.
    if ((this.state as string) === 'ended') return;
    if (before !== this.#results || !link.sleep()) {
      this.#polling = true;
      setImmediate(() => this.#polling && this.#drain());
    }
  }

  #receive(): void {
    const link = this.#link;
    switch ((link.kind & KIND) as Kind) {
      case Kind.Value:
      case Kind.Error: {
        const failed = (link.kind & KIND) === Kind.Error;
        const halted = (link.kind & Flag.Halted) !== 0;
        const micros = link.id;
        const value = this.#decode();
        link.release();
        this.#settle(value, failed, micros);
        if (halted) this.#finish();
        this.#abortNext();
        break;
      }
      case Kind.Broken: {
        const error = this.#decode();
        link.release();
        const batch = this.#held.first();
        this.#whenLoaded(error, (reason) => {
          for (let i = 0; batch !== undefined && i < batch.count; i++) if (!batch.cancelled) batch.error(reason, i);
        });
        this.#finish();
        this.#abortNext();
        break;
      }
      case Kind.Started: {
        link.release();
        const batch = this.#held.first();
        if (batch === undefined) break;
        batch.started();
        if (batch.timeout > 0) this.#timer = setTimeout(() => this.#expired(batch), batch.timeout);
        break;
      }
      case Kind.Report: {
        const progress = this.#decode();
        link.release();
        const batch = this.#held.first();
        if (!(progress instanceof Unreadable)) this.#whenLoaded(progress, (loaded) => batch?.report(loaded));
        break;
      }
      case Kind.Ready:
        link.release();
        if (this.state === 'starting') this.state = 'ready';
        this.#owner.ready(this);
        break;
      case Kind.InitializerFailed: {
        const error = this.#decode();
        link.release();
        this.#whenLoaded(error, (reason) => this.#owner.initializerFailed(this, reason));
        break;
      }
      default:
        link.release();
    }
  }

  #decode(): unknown {
    const link = this.#link;
    try {
      return decoder.decode(link.source, link.start, link.end, link.owned);
    } catch (error) {
      return new Unreadable(error);
    }
  }

  /** Hands on what was decoded: at once, or when the modules it needs are loaded. What cannot be read is an error itself. */
  #whenLoaded(value: unknown, then: (value: unknown) => void): void {
    if (value instanceof Unreadable) then(value.reason);
    else if (!(value instanceof PendingValue)) then(value);
    else value.ready.then(then, then).then(() => this.#owner.progressed(this));
  }

  #settle(value: unknown, failed: boolean, micros: number): void {
    const batch = this.#held.first();
    if (batch === undefined) return;
    this.#results = (this.#results + 1) | 0;
    this.#clearTimers();
    const index = batch.received++;
    this.#items--;
    if (batch.received === batch.count) this.#held.shift();
    if (!batch.cancelled && batch.overdue !== index) {
      if (value instanceof Unreadable) batch.error(value.reason, index);
      else if (value instanceof PendingValue) {
        value.ready
          .then(
            (ready) => (failed ? batch.error(ready, index) : batch.value(ready, index, micros)),
            (error) => batch.error(error, index),
          )
          .then(() => this.#owner.progressed(this));
      } else if (failed) batch.error(value, index);
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

  /** Milliseconds since it last gave a sign of progress, while it holds something. */
  stuckFor(): number {
    return performance.now() - this.#mark;
  }

  /** Adapts the depth to the pace: about {@link BACKLOG} milliseconds of work. */
  #measure(results: number): void {
    if (results === 0) return;
    const now = performance.now();
    const pace = (now - this.#mark) / results;
    this.#mark = now;
    this.#pace = this.#pace === 0 ? pace : (this.#pace + pace) / 2;
    this.#depth = Math.min(MAX_DEPTH, Math.max(MIN_DEPTH, Math.round(BACKLOG / this.#pace)));
    if (this.#held.length === 0) this.idleSince = now;
  }

  // ---- life

  /** Whether the event loop must stay alive for it. */
  keepAlive(alive: boolean): void {
    if (this.state === 'ended') return;
    this.#link.ref(alive);
    if (alive) this.child.ref();
    else this.child.unref();
  }

  /** Ends it now: SIGTERM, then SIGKILL after `grace` milliseconds. */
  terminate(grace: number): void {
    if (this.state === 'ended') return;
    this.child.kill('SIGTERM');
    this.#executioner ??= setTimeout(() => this.child.kill('SIGKILL'), grace);
  }

  #ended(exitCode: number | null, signal: NodeJS.Signals | null, cause?: unknown): void {
    if (this.state === 'ended') return;
    // What it published before it died counts; the ring outlives it.
    while (this.#link.receive()) this.#receive();
    const blamed = this.#held.length > 0 && Atomics.load(this.#link.control, STARTED_ITEMS) !== this.#results;
    this.left = this.state;
    this.state = 'ended';
    this.#clearTimers();
    if (this.#executioner !== null) clearTimeout(this.#executioner);
    this.#link.close();
    this.#region.close();
    Link.closeBells(this.#bells);
    const lost = [...this.#held];
    while (this.#held.length > 0) this.#held.shift();
    for (const batch of lost) batch.holder = null;
    this.#transferring = null;
    this.#items = 0;
    this.#owner.exited(this, lost, blamed, crash(this, exitCode, signal, cause));
  }
}

const NOTHING: Payload = { total: 0, layout: () => {} };

/** A result that could not be decoded. */
class Unreadable {
  readonly reason: SerializationError;

  constructor(cause: unknown) {
    this.reason =
      cause instanceof SerializationError
        ? cause
        : new SerializationError(`A result could not be read: ${String(cause)}`, { code: 'MP_BAD_PAYLOAD', cause });
  }
}

function crash(worker: WorkerHandle, exitCode: number | null, signal: NodeJS.Signals | null, cause: unknown): WorkerCrashError {
  const pid = worker.pid;
  const how =
    pid === null
      ? 'could not be started'
      : signal !== null
        ? `was ended by ${signal}${signal === 'SIGKILL' ? ' (by hand, or by the kernel when memory ran out)' : ''}`
        : `exited with code ${exitCode}`;
  const when = worker.left === 'starting' ? 'while it was starting; what it wrote to stderr says why' : 'before the task had a result';
  return new WorkerCrashError(`${worker.name}${pid === null ? '' : ` (pid ${pid})`} ${how} ${when}.`, {
    pid,
    exitCode,
    signal,
    cause,
  });
}
