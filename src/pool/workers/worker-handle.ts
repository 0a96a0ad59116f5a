import type { WorkerCrashError } from '../../errors/index.js';
import { IdleBackoff } from '../../memory/index.js';
import type { Popen } from '../../process/index.js';
import { performance, setImmediate } from '../../util/timers.js';
import type { SlowTask } from '../events.js';
import type { Batch, BatchHolder } from '../scheduling/batch.js';
import { Blame } from '../scheduling/blame.js';
import { ThroughputEstimator } from '../scheduling/throughput-estimator.js';
import type { SerializedFunction } from '../wire/function-registry.js';
import { Preparing } from '../wire/protocol.js';
import { fromWorker } from '../wire/remote-error.js';
import type { SlowItem } from '../worker/item-clock.js';
import { BatchLedger } from './batch-ledger.js';
import { ConcurrentDeadlines } from './concurrent-deadlines.js';
import { ConcurrentInbox } from './concurrent-inbox.js';
import { crash } from './crash.js';
import { type DeadlineOwner, ItemDeadlines } from './item-deadlines.js';
import type { MeasuredWorker } from './pool-measures.js';
import { ResultDelivery } from './result-delivery.js';
import { WorkerChannel } from './worker-channel.js';
import { causeOfDeath, type Farewell, lastWords } from './worker-death.js';
import { type EndingOwner, WorkerEnding } from './worker-ending.js';
import { type InboxOwner, WorkerInbox } from './worker-inbox.js';
import { measureWorker } from './worker-measures.js';
import type { Launch, WorkerHookFunctions, WorkerSettings } from './worker-settings.js';

/** What a worker tells the pool it belongs to. */
export interface WorkerOwner {
  /** Results were read, or room appeared: deliver and send more. */
  progressed(worker: WorkerHandle): void;
  /** Its initializer is done. */
  ready(worker: WorkerHandle): void;
  /** Its initializer failed. */
  initializerFailed(worker: WorkerHandle, error: unknown): void;
  /**
   * It was not ready after `initTimeout`; `initializing` says whether its initializer was under
   * way.
   */
  late(worker: WorkerHandle, initializing: boolean): void;
  /** It has ended: what was measured of it. */
  measured(measured: MeasuredWorker): void;
  /** An item was among the slowest. */
  slow(task: SlowTask): void;
  /** It takes more memory than it may, for the first time. */
  overweight(worker: WorkerHandle, memory: number): void;
  /** Batches that it could not run as they were, in parts that others may. */
  returned(batches: Batch[]): void;
  /** It ended; `lost` are its unfinished batches, `blame` says what of the first it died of. */
  exited(worker: WorkerHandle, lost: Batch[], blame: Blame, error: WorkerCrashError): void;
}

/**
 * One worker as the parent sees it: what it was sent, what comes back, and how it ends.
 *
 *   state     | meaning                                        | leaves it by
 *   starting  | its initializer is not done                    | Ready -> ready; retire -> retiring; its end
 *   ready     | it takes batches                               | retire, its last item -> retiring; its end
 *   retiring  | a stop was sent: it finishes what it holds     | its end
 *   ended     | the process is gone; what it published counts  |
 *
 * Batches are accounted for in BatchLedger, time limits of items in ItemDeadlines, records in
 * WorkerChannel; what comes is taken in by WorkerInbox, and what does not end is made to by
 * WorkerEnding.
 */
export class WorkerHandle implements BatchHolder, DeadlineOwner, InboxOwner, EndingOwner {
  readonly name: string;
  readonly child: Popen;
  /** `starting` until its initializer is done; `retiring` after a stop was sent. */
  state: 'starting' | 'ready' | 'retiring' | 'ended' = 'starting';
  /** What it was when it ended. */
  left: 'starting' | 'ready' | 'retiring' = 'starting';
  /** `performance.now()` when it was started. */
  readonly startedAt = performance.now();
  /** `performance.now()` when it became ready; 0 before. */
  since = 0;
  /** Whether it died of an item. */
  died = false;
  /** How its `workerExit` ended; `null`: that did not. */
  farewell: Farewell | null = null;
  /** Whether it was let go for good, or has its successor: it needs none any more. */
  surplus = false;
  readonly #owner: WorkerOwner;
  readonly #channel: WorkerChannel;
  readonly #ledger: BatchLedger;
  readonly #deadlines: ItemDeadlines;
  /** Takes in results where several items run at once. */
  readonly #concurrent: ConcurrentInbox | null;
  /** Items it runs at once. */
  readonly concurrency: number;
  readonly #throughput = new ThroughputEstimator();
  readonly #idleBackoff = new IdleBackoff();
  #polling = false;
  readonly #settings: WorkerSettings;
  #exit: SerializedFunction | null = null;
  /** Whether it is to run something of the user's that no item asks for. */
  #hooked = false;
  #overweight = false;
  /** Whether it is terminated as soon as it runs nothing. */
  #winding = false;
  readonly #inbox: WorkerInbox;
  readonly #ending: WorkerEnding;
  /**
   * How far it had read when another one took what it did not begin; `null` since it gave a sign.
   */
  #doubt: number | null = null;

  /** Starts the worker. @throws ProcessError `MP_SPAWN`; MultiprocessError `MP_SYSTEM`. */
  constructor(
    name: string,
    /** Its place among the workers of its pool, from 0 on; its successor has the same. */
    readonly number: number,
    /** How many workers of its pool were started before it. */
    readonly ordinal: number,
    launch: Launch,
    entry: URL,
    settings: WorkerSettings,
    owner: WorkerOwner,
  ) {
    this.name = name;
    this.#ledger = new BatchLedger(settings.lifetime);
    this.#settings = settings;
    this.#owner = owner;
    this.#channel = new WorkerChannel(name, () => this.drain());
    this.concurrency = settings.concurrency;
    const delivery = new ResultDelivery(() => this.progressed());
    if (settings.concurrency === 1) {
      this.#deadlines = new ItemDeadlines(this.#ledger, this.#channel, settings.grace, this);
      this.#concurrent = null;
    } else {
      const deadlines = new ConcurrentDeadlines(
        this.#ledger,
        this.#channel,
        settings.grace,
        this,
        settings.concurrency,
      );
      this.#deadlines = deadlines;
      this.#concurrent = new ConcurrentInbox(this.#channel, this.#ledger, deadlines, delivery, this);
    }
    this.#inbox = new WorkerInbox(this.#channel, this.#ledger, this.#deadlines, delivery, this.#concurrent, this);
    this.#ending = new WorkerEnding(this);
    try {
      this.child = launch({ entry, name, descriptors: this.#channel.descriptors });
    } catch (error) {
      this.#channel.close();
      throw error;
    }
    this.child.onExit(({ exitCode, signal }, cause) => this.#ended(exitCode, signal, cause));
    if (settings.initTimeout > 0) this.#ending.inspect(settings.initTimeout, () => this.#checkReady());
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

  /** Bytes of memory it takes, as of when it looked last; 0 before. */
  get memory(): number {
    return this.#channel.memory;
  }

  /** What is measured of it. */
  get measured(): MeasuredWorker {
    return measureWorker(this, this.#ledger, this.#channel);
  }

  /** Items that run there now. */
  get running(): number {
    return this.state === 'ended' ? 0 : Math.max(0, (this.#channel.started - this.#ledger.results) | 0);
  }

  /** Items it may still be given before it is replaced. */
  get remaining(): number {
    return this.#ledger.remaining;
  }

  /** Items it holds: running or waiting there. */
  get items(): number {
    return this.#ledger.items;
  }

  /** Batches it holds. */
  get batches(): number {
    return this.#ledger.batches;
  }

  /** Items that it could begin at once. */
  get free(): number {
    return Math.max(0, this.concurrency - this.#ledger.items);
  }

  /** Whether it should be given another batch now. */
  get hasRoom(): boolean {
    return (
      (this.#ledger.batches <= this.concurrency || this.#ledger.items < this.#throughput.depth) &&
      this.remaining > 0 &&
      !this.#deadlines.suspect &&
      this.#channel.writable &&
      (this.state === 'ready' || this.state === 'starting')
    );
  }

  /** Another one took the last thing it held, for it did not begin that. */
  doubt(): void {
    this.#doubt = this.#channel.read;
  }

  /**
   * Whether it has not even looked at what was taken from it: it may be stopped, so another one
   * that is idle is preferred.
   */
  get doubtful(): boolean {
    return this.#doubt !== null && this.#doubt === this.#channel.read;
  }

  /** Whether it holds work and has not looked at any. */
  get still(): boolean {
    const batch = this.#ledger.first();
    return batch !== undefined && this.#channel.queued(batch);
  }

  /** Whether it has not looked at what it was sent last. */
  get backlogged(): boolean {
    const batch = this.#ledger.last();
    return batch !== undefined && this.#channel.queued(batch);
  }

  /** Whether an item ever got a result here. */
  get fruitful(): boolean {
    return this.#ledger.results !== 0;
  }

  /**
   * Milliseconds since it last gave a sign of progress: with work, how long it may be stuck;
   * without, how long it has been idle.
   */
  get stillFor(): number {
    return this.#throughput.stillFor;
  }

  // ---- for its deadlines

  /** Whether it became ready. */
  get begun(): boolean {
    return this.since !== 0;
  }

  /** Kills it. `reason` completes "it was killed: ". */
  condemn(reason: string): void {
    this.#ending.condemn(reason);
  }

  /** Calls `look` after so many milliseconds, unless it has ended. */
  inspect(after: number, look: () => void): void {
    this.#ending.inspect(after, look);
  }

  /** Hands on batches that others may run. */
  returned(batches: Batch[]): void {
    this.#owner.returned(batches);
  }

  /** Something changed that the pool should look at. */
  progressed(): void {
    this.#owner.progressed(this);
  }

  // ---- sending

  /** Sends the initializer. The worker answers with `ready`. */
  initialize(hooks: WorkerHookFunctions): void {
    const { cpus, maxMemory } = this.#settings;
    this.#exit = hooks.exit;
    this.#hooked = hooks.initializer !== null || hooks.exit !== null;
    this.#channel.initialize(hooks.initializer, hooks.args, {
      number: this.number,
      cpu: cpus === null ? null : cpus[this.number % cpus.length]!,
      concurrency: this.concurrency,
      limited: maxMemory !== Number.POSITIVE_INFINITY,
    });
  }

  /**
   * Sends a batch. Call only while it {@link hasRoom}.
   * @returns `false` when the link became busy, or its life is too short: it has no room from here
   * on; keep the batch.
   * @throws SerializationError when its payload cannot be encoded; nothing was sent.
   */
  send(batch: Batch): boolean {
    if (batch.count > this.remaining) {
      this.retire();
      return false;
    }
    if (!this.#channel.send(batch)) return false;
    if (this.#ledger.batches === 0) this.#throughput.begin();
    this.#ledger.enter(batch, this);
    this.#concurrent?.sent(batch);
    this.#deadlines.awaitBegin();
    if (this.remaining <= 0) this.retire();
    return true;
  }

  /** Drops the worker's copy of a function. */
  forget(serialized: SerializedFunction): void {
    this.#channel.forget(serialized);
  }

  /** Lets it end after what it holds. */
  retire(): void {
    if (this.state === 'retiring' || this.state === 'ended') return;
    this.state = 'retiring';
    this.#channel.stop(this.#exit);
    this.settled();
  }

  // ---- taking back

  /**
   * Takes back the batch that was sent last, if the worker has not started it. `movable`: only one
   * that any other worker may run.
   */
  withdrawLast(movable = false): Batch | null {
    const batch = this.#ledger.last();
    if (movable && batch !== undefined && batch.queue.target !== null) return null;
    return batch !== undefined && this.withdraw(batch) ? batch : null;
  }

  /** As {@link withdrawLast}, if its priority is below `priority`. */
  withdrawBelow(priority: number): Batch | null {
    const batch = this.#ledger.last();
    return batch !== undefined && batch.queue.priority < priority ? this.withdrawLast() : null;
  }

  /**
   * Takes `batch` back, if it is here and the worker has not started it. Returns whether it did.
   */
  withdraw(batch: Batch): boolean {
    if (batch.holder !== this || !this.#channel.withdraw(batch)) return false;
    const first = this.#ledger.first() === batch;
    this.#ledger.strikeOut(batch);
    this.#concurrent?.withdrawn(batch);
    if (first || this.#concurrent !== null) {
      this.#deadlines.batchTaken();
      this.#deadlines.awaitBegin();
    }
    return true;
  }

  /**
   * Stops a batch: takes it back if it waits; if it runs, fires the item's AbortSignal, lets the
   * rest of it be, and kills the worker when the item has not ended after `grace` milliseconds.
   * @returns whether the batch is off the worker now.
   */
  stop(batch: Batch, grace: number, reason: unknown): boolean {
    batch.cancelled = true;
    batch.reason = reason;
    this.#deadlines.grace = grace;
    if (this.withdraw(batch)) return true;
    if (this.#concurrent !== null) {
      this.#concurrent.stop(batch);
      return false;
    }
    this.#channel.halt(batch);
    // One that runs while the result of its forerunner is still unread is aborted when that is
    // read, see #abortNext.
    if (this.#ledger.first() === batch) this.#deadlines.abortRunning();
    return false;
  }

  /**
   * Takes back all that it has not begun, and has it leave the rest of what it runs to others, see
   * {@link InboxOwner.returned}. Returns what was taken back, in its order.
   */
  relinquish(): Batch[] {
    const back: Batch[] = [];
    for (let batch = this.withdrawLast(); batch !== null; batch = this.withdrawLast()) back.unshift(batch);
    for (const batch of this.#ledger) {
      if (this.#concurrent === null) this.#channel.halt(batch);
      else this.#concurrent.leaveRest(batch);
    }
    return back;
  }

  /** The batches it holds, oldest first. */
  held(): Iterable<Batch> {
    return this.#ledger;
  }

  // ---- receiving

  /** Reads what it sent. */
  drain(): void {
    this.#polling = false;
    if (this.state === 'ended') return;
    const channel = this.#channel;
    const before = this.#ledger.results;
    let moved = channel.flush();
    while (channel.receive()) {
      this.#inbox.take();
      moved = true;
    }
    if (moved) {
      this.#doubt = null;
      this.#deadlines.trust();
    }
    const results = (this.#ledger.results - before) | 0;
    if (results !== 0) {
      this.#throughput.measure(results);
      if (this.#settings.maxMemory !== Number.POSITIVE_INFINITY) this.#weigh();
    }
    if (moved) this.#owner.progressed(this);
    if ((this.state as string) === 'ended') return;
    if (results !== 0) this.#idleBackoff.foundWork();
    // Microtasks and other events come first; a record that came meanwhile is read on the loop's
    // next turn.
    if (results !== 0 || (this.#ledger.batches > 0 && this.#idleBackoff.shouldLookAgain()) || !channel.sleep()) {
      this.#polling = true;
      setImmediate(this.#poll);
    }
  }

  readonly #poll = (): void => {
    if (this.#polling) this.drain();
  };

  #weigh(): void {
    const { memory } = this.#channel;
    if (memory <= this.#settings.maxMemory || this.#overweight || this.state !== 'ready') return;
    this.#overweight = true;
    this.#owner.overweight(this, memory);
  }

  // ---- for its inbox

  slow(batch: Batch, [ms, index, count, preview]: SlowItem): void {
    this.#owner.slow({ index: batch.place(index), ms, count, preview });
  }

  becameReady(): void {
    if (this.state === 'starting') this.state = 'ready';
    this.since = performance.now();
    this.#ending.relax();
    this.#deadlines.awaitBegin();
    this.settled();
    this.#owner.ready(this);
  }

  initializerFailed(error: unknown): void {
    this.#owner.initializerFailed(this, error);
  }

  /**
   * Bounds the time in which a worker that has nothing left to do must end. One that is starting
   * finishes that first where it has an initializer or a `workerExit`, whose effects may be wanted;
   * else it is of no use, and ends at once.
   */
  settled(): void {
    const idle = this.#ledger.batches === 0;
    if (this.#winding && idle) this.terminate(this.#settings.grace);
    if (this.state !== 'retiring' || !idle) return;
    if (this.begun) this.#ending.seeOff(this.#settings, this.#channel);
    else if (!this.#hooked) this.terminate(this.#settings.grace);
  }

  // ---- life

  /** Why this process killed it, if it did. */
  get condemned(): string | null {
    return this.#ending.condemned;
  }

  /** Whether it has ended. */
  get over(): boolean {
    return this.state === 'ended';
  }

  #checkReady(): void {
    this.drain();
    if (!this.begun && this.state !== 'ended')
      this.#owner.late(this, this.#channel.preparing === Preparing.Initializer);
  }

  /** Whether the event loop must stay alive for it. */
  keepAlive(alive: boolean): void {
    if (this.state === 'ended') return;
    this.#channel.keepAlive(alive);
    if (alive) this.child.ref();
    else this.child.unref();
  }

  /** Ends it now: SIGTERM, then SIGKILL after `grace` milliseconds. */
  terminate(grace: number): void {
    if (this.state !== 'ended') this.#ending.terminate(grace);
  }

  /**
   * Ends it when what it runs has ended, which is told to stop; after `grace` milliseconds it is
   * killed.
   */
  wind(grace: number, reason: unknown): void {
    if (this.state === 'ended') return;
    for (const batch of this.relinquish()) batch.onReleased();
    this.#winding = true;
    for (const batch of this.#ledger) this.stop(batch, grace, reason);
    this.settled();
  }

  vanished(): void {
    this.#ended(null, 'SIGKILL');
  }

  #ended(exitCode: number | null, signal: NodeJS.Signals | null, cause?: unknown): void {
    if (this.state === 'ended') return;
    // What it published before it died counts; the ring outlives it.
    while (this.#channel.receive()) this.#inbox.take();
    const { blame, subject } = this.#concurrent?.conclude() ?? causeOfDeath(this.#ledger, this.#channel);
    const { stderr } = this.#channel;
    this.left = this.state;
    this.state = 'ended';
    this.#deadlines.itemSettled();
    this.#ending.over();
    this.died = blame === Blame.Item;
    this.#owner.measured(this.measured);
    for (const batch of this.#ledger) this.#channel.recall(batch);
    this.#channel.close();
    this.child.close();
    const lost = this.#ledger.close();
    lastWords(this.#inbox, (uncaught, farewell) => {
      this.farewell = farewell;
      this.#owner.exited(
        this,
        lost,
        blame,
        crash(this, { exitCode, signal, stderr, subject, cause: cause ?? fromWorker(uncaught, null) }),
      );
    });
  }
}
