/**
 * The time limits of what one worker holds. One timer at a time:
 *
 *   phase      | the timer waits for                                  | when it goes off
 *   IDLE       | nothing: no batch that is held has a limit           |
 *   BEGINNING  | the worker to begin the oldest batch with a limit    | the batch is taken back: the worker is suspect
 *              |                                                      | taken already: its modules have MODULE_LOAD_TIMEOUT_MS
 *   RUNNING    | the item that runs                                   | the item is settled, then told to stop
 *   STOPPING   | the item to end after its AbortSignal                | the worker is killed
 *
 *   arrow                      | made by
 *   IDLE      -> BEGINNING     | awaitBegin
 *   BEGINNING -> RUNNING       | begun
 *   any       -> IDLE          | itemSettled, batchTaken
 *   RUNNING, BEGINNING -> STOPPING | overrun, abortRunning
 *
 * A suspect worker gets nothing more until it gives a sign (`trust`). Without one it is killed when
 * its grace is over.
 *
 * Timers come before other events of the loop, so each reads the results that arrived meanwhile
 * before it acts.
 */
import { clearTimeout, performance, setTimeout } from '../../util/timers.js';
import type { Batch } from '../scheduling/batch.js';
import { Blame } from '../scheduling/blame.js';
import type { BatchLedger } from './batch-ledger.js';
import type { WorkerChannel } from './worker-channel.js';

/**
 * Milliseconds a worker has for loading what an item needs, when the item's own time limit is
 * shorter.
 */
const MODULE_LOAD_TIMEOUT_MS = 10_000;
/** Milliseconds by which a timer is late when this process was busy. */
const TIMER_LATENESS_MS = 10;

/** Why a worker is killed whose item did not end. */
export function didNotStop(grace: number): string {
  return `an item of it had not ended ${grace} ms after it was told to stop`;
}

/** The worker whose limits are kept. */
export interface DeadlineOwner {
  /** Whether the worker is ready: before, its start has a limit of its own. */
  readonly begun: boolean;
  /** Reads the results that arrived. */
  drain(): void;
  /** Takes a batch back. Returns whether the worker had not begun it. */
  withdraw(batch: Batch): boolean;
  /** Calls `look` after so many milliseconds, unless the worker has ended. */
  inspect(after: number, look: () => void): void;
  /** Kills the worker. `reason` completes "it was killed: ". */
  condemn(reason: string): void;
  /** Hands on batches that others may run. */
  returned(batches: Batch[]): void;
  /** Something changed that the pool should look at. */
  progressed(): void;
}

export class ItemDeadlines {
  /** Milliseconds a cancelled or overdue item has to end. */
  grace: number;
  protected readonly ledger: BatchLedger;
  protected readonly channel: WorkerChannel;
  protected readonly owner: DeadlineOwner;
  #suspect = false;
  /** Of BEGINNING and RUNNING. */
  #timer: NodeJS.Timeout | null = null;
  /** Which batch is to begin, while BEGINNING. */
  #watched: Batch | null = null;
  /** Of STOPPING. */
  #killer: NodeJS.Timeout | null = null;

  constructor(ledger: BatchLedger, channel: WorkerChannel, grace: number, owner: DeadlineOwner) {
    this.ledger = ledger;
    this.channel = channel;
    this.grace = grace;
    this.owner = owner;
  }

  /** Whether the worker did not begin what it was handed, and has given no sign since. */
  get suspect(): boolean {
    return this.#suspect;
  }

  /**
   * Bounds the time in which the worker must begin what it holds, if the items of one of its
   * batches have a time limit.
   */
  awaitBegin(): void {
    if (!this.ledger.hasTimed || this.#timer !== null || !this.owner.begun || this.#suspect) return;
    const batch = this.firstTimed();
    if (batch !== undefined) this.#watchBegin(batch, batch.timeout, this.channel.arriving(batch), false);
  }

  /** The worker began an item of `batch`. */
  begun(batch: Batch): void {
    this.batchTaken();
    if (batch.timeout > 0) this.#timer = setTimeout(() => this.#expired(batch), batch.timeout);
  }

  /** The item that ran is settled. */
  itemSettled(): void {
    this.batchTaken();
    if (this.#killer !== null) clearTimeout(this.#killer);
    this.#killer = null;
  }

  /** The batch whose begin was waited for was taken back. */
  batchTaken(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#watched = null;
  }

  /**
   * Fires the AbortSignal of the running item. Kills the worker if the item has not ended when its
   * grace is over.
   */
  abortRunning(): void {
    this.channel.abort((this.ledger.results + 1) | 0, this.ledger.first()?.reason);
    if (this.#killer !== null) return;
    const { grace } = this;
    const killer = setTimeout(() => {
      this.owner.drain();
      if (this.#killer === killer) this.owner.condemn(didNotStop(grace));
    }, grace);
    this.#killer = killer;
  }

  /** The worker gave a sign. */
  trust(): void {
    if (!this.#suspect) return;
    this.#suspect = false;
    this.awaitBegin();
    this.owner.progressed();
  }

  #expired(batch: Batch): void {
    const { results } = this.ledger;
    this.owner.drain();
    if (results !== this.ledger.results || this.ledger.first() !== batch) return;
    this.#timer = null;
    this.overrun(batch, batch.received, true);
  }

  /** Item `index`, which runs or which the worker cannot begin, has had its time. */
  protected overrun(batch: Batch, index: number, begun: boolean): void {
    batch.overdue = index;
    this.grace = batch.expire(index, begun);
    this.abortRunning();
  }

  /** The oldest batch whose items have a time limit, of those that were not begun. */
  protected firstTimed(): Batch | undefined {
    return this.ledger.firstTimed();
  }

  /** Whether a batch waits behind one that is under way. */
  protected waitsBehind(batch: Batch): boolean {
    const first = this.ledger.first();
    return first !== batch && first !== undefined && !this.channel.queued(first);
  }

  /** Whether items run that may keep the worker's thread from beginning another. */
  protected get runsOthers(): boolean {
    return false;
  }

  /** Whether a batch that was taken is the next to begin. */
  protected isNext(batch: Batch): boolean {
    return this.ledger.first() === batch;
  }

  /** Whether the timer is that of a batch that is to begin. */
  protected waitsFor(batch: Batch): boolean {
    return this.#watched === batch;
  }

  /**
   * @param arrived Bytes of the batch's message that were sent in parts before.
   * @param loading Whether its modules are being loaded.
   * @param patient Whether it was not waited for twice yet.
   */
  #watchBegin(batch: Batch, time: number, arrived: number, loading: boolean, patient = true): void {
    const due = performance.now() + time;
    const timer = setTimeout(() => {
      this.owner.drain();
      if (this.#timer !== timer) return;
      this.#timer = null;
      const arriving = this.channel.arriving(batch);
      if (arriving > arrived) this.#watchBegin(batch, time, arriving, false);
      // This process was busy, and may not even have rung: the worker did not have its time.
      else if (patient && performance.now() - due > TIMER_LATENESS_MS)
        this.#watchBegin(batch, time, arriving, loading, false);
      // It waits behind one that is under way.
      else if (this.waitsBehind(batch) || (this.runsOthers && this.channel.queued(batch))) return;
      else if (this.owner.withdraw(batch)) this.#notBegun(batch);
      else if (!this.isNext(batch)) return;
      // Taken: what it needs is being loaded, which takes its time in a worker that is new.
      else if (loading || time >= MODULE_LOAD_TIMEOUT_MS) this.overrun(batch, batch.received, false);
      else this.#watchBegin(batch, MODULE_LOAD_TIMEOUT_MS, 0, true);
    }, time);
    this.#timer = timer;
    this.#watched = batch;
  }

  /**
   * The worker did not look at `batch`, which was taken back. It is killed unless it reads on
   * within its grace.
   */
  #notBegun(batch: Batch): void {
    this.#suspect = true;
    const { read } = this.channel;
    const { results } = this.ledger;
    this.batchTaken();
    batch.overdue = batch.received;
    const grace = batch.expire(batch.received, false);
    // The other items of a chunk have not had their time.
    this.owner.returned(batch.orphaned(Blame.Item, undefined));
    batch.onReleased();
    this.owner.inspect(grace, () => {
      this.owner.drain();
      if (this.channel.read !== read || this.ledger.results !== results) this.trust();
      else this.owner.condemn('it did not begin what it was handed');
    });
    this.owner.progressed();
  }
}
