/**
 * The time limits of a worker that runs several items at once, and how its items are told to stop.
 *
 *   an item    | running -> its time is over: settled, told to stop -> its grace is over: the worker is killed
 *   a batch    | cancelled: what runs of it is told to stop, the rest does not begin -> its grace is over: the worker is killed
 *
 * One thing at a time is named to the worker (ABORT_TICKET in protocol.ts); the others wait here
 * until it has said that it knows.
 */
import { clearTimeout, setTimeout } from '../../util/timers.js';
import type { Batch } from '../scheduling/batch.js';
import type { ItemAccount } from '../scheduling/item-account.js';
import { AbortScope } from '../wire/protocol.js';
import type { BatchLedger } from './batch-ledger.js';
import { type DeadlineOwner, didNotStop, ItemDeadlines } from './item-deadlines.js';
import type { WorkerChannel } from './worker-channel.js';

/** What is to be named to the worker. */
interface Stop {
  readonly sequence: number;
  readonly index: number;
  readonly reason: unknown;
}

/** The timers of a batch, by item; those of the whole batch by {@link AbortScope}. */
interface BatchTimers {
  /** Until the item's time is over. */
  readonly limits: Map<number, NodeJS.Timeout>;
  /** Until the worker is killed. */
  readonly killers: Map<number, NodeJS.Timeout>;
}

export class ConcurrentDeadlines extends ItemDeadlines {
  readonly #limit: number;
  readonly #timers = new Map<ItemAccount, BatchTimers>();
  #stops: Stop[] = [];
  /** Whether the worker has not said that it knows what was named last. */
  #named = false;

  /** @param limit Items that the worker runs at once. */
  constructor(ledger: BatchLedger, channel: WorkerChannel, grace: number, owner: DeadlineOwner, limit: number) {
    super(ledger, channel, grace, owner);
    this.#limit = limit;
  }

  /** Item `index` of `batch` has begun. */
  itemBegun(batch: Batch, account: ItemAccount, index: number): void {
    account.begun = Math.max(account.begun, index + 1);
    if (this.waitsFor(batch)) this.batchTaken();
    this.awaitBegin();
    if (batch.timeout <= 0) return;
    const timers = this.#timersOf(account);
    const timer = setTimeout(() => {
      this.owner.drain();
      if (timers.limits.get(index) !== timer) return;
      timers.limits.delete(index);
      this.overrun(batch, index, true);
    }, batch.timeout);
    timers.limits.set(index, timer);
  }

  /** Item `index` has ended. */
  itemEnded(account: ItemAccount, index: number): void {
    const timers = this.#timers.get(account);
    if (timers === undefined) return;
    clear(timers.limits, index);
    clear(timers.killers, index);
    if (account.complete) this.batchLeft(account);
  }

  /** Nothing of a batch runs any more. */
  batchLeft(account: ItemAccount): void {
    const timers = this.#timers.get(account);
    if (timers === undefined) return;
    for (const index of [...timers.limits.keys()]) clear(timers.limits, index);
    for (const index of [...timers.killers.keys()]) clear(timers.killers, index);
    this.#timers.delete(account);
  }

  /** The worker is gone. */
  close(): void {
    this.batchTaken();
    for (const account of [...this.#timers.keys()]) this.batchLeft(account);
    this.#stops = [];
  }

  /** Stops what runs of a batch, and has the rest not begin. */
  stopBatch(batch: Batch): void {
    this.#stop(batch.account!, AbortScope.Batch, batch.reason, this.grace);
  }

  /** Has the items of a batch not begin that have not begun. */
  leaveRest({ sequence }: ItemAccount): void {
    this.#stops.push({ sequence, index: AbortScope.Rest, reason: undefined });
    this.#name();
  }

  /** The worker knows what was named to it. */
  stopTaken(): void {
    this.#named = false;
    this.#name();
  }

  protected override overrun(batch: Batch, index: number, begun: boolean): void {
    const account = batch.account!;
    if (account.ended(index) || account.overdue.has(index) || batch.cancelled) return;
    account.overdue.add(index);
    const grace = batch.expire(index, begun);
    this.#stop(account, index, batch.reason, grace);
  }

  protected override firstTimed(): Batch | undefined {
    for (const batch of this.ledger) if (batch.timeout > 0 && batch.account!.begun === 0) return batch;
    return undefined;
  }

  /** Its turn comes when all before it have begun, and fewer items run than may. */
  protected override waitsBehind(batch: Batch): boolean {
    if (this.channel.started - this.ledger.results >= this.#limit) return true;
    for (const before of this.ledger) {
      if (before === batch) return false;
      if (before.account!.begun < before.account!.limit) return true;
    }
    return false;
  }

  /** One of them may block the thread: that is its fault, and its time limit ends it. */
  protected override get runsOthers(): boolean {
    return this.channel.started !== this.ledger.results;
  }

  protected override isNext(batch: Batch): boolean {
    return batch.account!.begun === 0 && !this.waitsBehind(batch);
  }

  #stop(account: ItemAccount, index: number, reason: unknown, grace: number): void {
    this.#stops.push({ sequence: account.sequence, index, reason });
    this.#name();
    const { killers } = this.#timersOf(account);
    if (killers.has(index)) return;
    const killer = setTimeout(() => {
      this.owner.drain();
      if (killers.get(index) === killer) this.owner.condemn(didNotStop(grace));
    }, grace);
    killers.set(index, killer);
  }

  #name(): void {
    if (this.#named) return;
    const stop = this.#stops.shift();
    if (stop === undefined) return;
    this.#named = true;
    this.channel.nameStop(stop.sequence, stop.index, stop.reason);
  }

  #timersOf(account: ItemAccount): BatchTimers {
    const known = this.#timers.get(account);
    if (known !== undefined) return known;
    const timers = { limits: new Map(), killers: new Map() };
    this.#timers.set(account, timers);
    return timers;
  }
}

function clear(timers: Map<number, NodeJS.Timeout>, index: number): void {
  const timer = timers.get(index);
  if (timer !== undefined) clearTimeout(timer);
  timers.delete(index);
}
