/**
 * What a worker sends that runs several items at once. Results come in any order and name their
 * item: the number of its record and its index, see ItemAccount.
 *
 * Items begin in the order of their records, so when the worker dies the count of those that it
 * started says which have begun: those without a result are the first of the oldest batches.
 */
import { taskSettle } from '../../util/diagnostics.js';
import { performance } from '../../util/timers.js';
import type { Batch } from '../scheduling/batch.js';
import { Blame } from '../scheduling/blame.js';
import { ItemAccount } from '../scheduling/item-account.js';
import { KIND, MessageKind, Preparing } from '../wire/protocol.js';
import { fromWorker } from '../wire/remote-error.js';
import type { SlowItem } from '../worker/item-clock.js';
import type { BatchLedger } from './batch-ledger.js';
import type { ConcurrentDeadlines } from './concurrent-deadlines.js';
import type { ResultDelivery } from './result-delivery.js';
import { Unreadable, type WorkerChannel } from './worker-channel.js';
import type { CauseOfDeath } from './worker-death.js';

/** The worker whose records are taken in. */
export interface ConcurrentInboxOwner {
  readonly name: string;
  readonly pid: number | null;
  /** An item of a batch is among the slowest so far. */
  slow(batch: Batch, slow: SlowItem): void;
  /** A batch may have left it. */
  settled(): void;
  /** Hands on batches that others may run. */
  returned(batches: Batch[]): void;
}

export class ConcurrentInbox {
  readonly #batches = new Map<number, Batch>();

  constructor(
    private readonly channel: WorkerChannel,
    private readonly ledger: BatchLedger,
    private readonly deadlines: ConcurrentDeadlines,
    private readonly delivery: ResultDelivery,
    private readonly owner: ConcurrentInboxOwner,
  ) {}

  /** A batch was sent just now. */
  sent(batch: Batch): void {
    const { sequence } = this.channel;
    batch.account = new ItemAccount(sequence, batch.count, this.ledger.results);
    this.#batches.set(sequence, batch);
  }

  /** A batch was taken back. */
  withdrawn(batch: Batch): void {
    this.#forget(batch);
    batch.account = null;
  }

  /** Stops a batch: what runs is told, the rest does not begin. */
  stop(batch: Batch): void {
    this.deadlines.stopBatch(batch);
  }

  /** Has the items of a batch not begin that have not begun: they come back. */
  leaveRest(batch: Batch): void {
    this.deadlines.leaveRest(batch.account!);
  }

  /** Takes in the record that the channel shows, if it is about items. Returns whether it is. */
  take(): boolean {
    const { channel } = this;
    const { id, state } = channel;
    switch ((channel.kind & KIND) as MessageKind) {
      case MessageKind.Value:
      case MessageKind.Error: {
        const failed = (channel.kind & KIND) === MessageKind.Error;
        const value = channel.decode();
        channel.release();
        const batch = this.#batches.get(id);
        if (batch !== undefined) this.#settle(batch, batch.account!, state, value, failed);
        return true;
      }
      case MessageKind.Broken: {
        const error = channel.decode();
        channel.release();
        const batch = this.#batches.get(state);
        if (batch !== undefined) this.#broken(batch, batch.account!, error, id === 1);
        return true;
      }
      case MessageKind.Started: {
        channel.release();
        const batch = this.#batches.get(id);
        if (batch === undefined) return true;
        batch.started();
        this.deadlines.itemBegun(batch, batch.account!, state);
        return true;
      }
      case MessageKind.Report: {
        const report = channel.decode();
        channel.release();
        const batch = this.#batches.get(id);
        if (batch === undefined || report instanceof Unreadable) return true;
        this.delivery.whenLoaded(report, (loaded) => {
          // One that could not be sent is an error in the place of the pair.
          const [dropped, progress] = Array.isArray(loaded) ? (loaded as [number, unknown]) : [0, loaded];
          batch.report(progress, dropped);
        });
        return true;
      }
      case MessageKind.Cut: {
        channel.release();
        const batch = this.#batches.get(id);
        if (batch !== undefined) this.#cut(batch, batch.account!, state);
        return true;
      }
      case MessageKind.Slow: {
        const slow = channel.decode();
        channel.release();
        const batch = this.#batches.get(id);
        if (batch !== undefined && Array.isArray(slow)) this.owner.slow(batch, slow as unknown as SlowItem);
        return true;
      }
      case MessageKind.AbortTaken:
        channel.release();
        this.deadlines.stopTaken();
        return true;
      default:
        return false;
    }
  }

  /**
   * The worker is dead, and all that it sent was read: says of each batch which of its items ran,
   * and returns what of them the worker died of, and how messages call it.
   */
  conclude(): CauseOfDeath {
    this.deadlines.close();
    let running = (this.channel.started - this.ledger.results) | 0;
    let first: Batch | undefined;
    let preparing = this.#preparing();
    for (const batch of this.ledger) {
      const account = batch.account!;
      const ran = Math.min(account.limit - account.ends, running);
      running -= ran;
      account.begun = account.ends + ran;
      if (ran > 0) account.blame = Blame.Item;
      else if (account.begun === 0) {
        account.blame = this.channel.arriving(batch) > 0 ? Blame.Items : preparing;
        preparing = Blame.None;
      }
      if (account.blame !== Blame.None) first ??= batch;
    }
    if (first === undefined) return { blame: Blame.None, subject: null };
    const account = first.account!;
    return { blame: account.blame, subject: first.subject(Math.max(0, account.running)) };
  }

  /** What the worker did with the record that it took last. */
  #preparing(): Blame {
    const { preparing } = this.channel;
    if (preparing === Preparing.Function) return Blame.Function;
    return preparing === Preparing.Items ? Blame.Items : Blame.None;
  }

  #settle(batch: Batch, account: ItemAccount, index: number, value: unknown, failed: boolean): void {
    if (account.ended(index)) return;
    batch.fn.progressed();
    this.ledger.settleAny(batch, account, index);
    this.deadlines.itemEnded(account, index);
    const { name, pid } = this.owner;
    if (failed) this.ledger.failed++;
    if (taskSettle.hasSubscribers) taskSettle.publish({ name, pid, failed });
    if (account.complete) {
      this.#forget(batch);
      this.owner.settled();
    }
    this.deadlines.awaitBegin();
    if (account.overdue.has(index)) batch.overdueEnded(index);
    else if (!batch.cancelled) {
      // Results come in bursts: what counts is how many its worker gave while it had the batch.
      const each = (performance.now() - account.since) / ((this.ledger.results - account.resultsBefore) | 0);
      this.delivery.deliver(batch, index, value, failed, Math.round(each * batch.count * 1000));
    }
    if (account.complete && batch.loading === 0) batch.onReleased();
  }

  /** The items from `limit` on do not begin: others run them, unless nobody waits for them. */
  #cut(batch: Batch, account: ItemAccount, limit: number): void {
    if (this.ledger.cut(batch, account, limit)) {
      this.#forget(batch);
      this.deadlines.batchLeft(account);
    }
    const rest = batch.cancelled ? [] : batch.orphaned(Blame.None, undefined);
    if (rest.includes(batch)) {
      batch.account = null;
      batch.holder = null;
    } else if (account.complete && batch.loading === 0) batch.onReleased();
    this.owner.returned(rest);
    this.owner.settled();
    this.deadlines.awaitBegin();
  }

  /** None of the batch's items can run. */
  #broken(batch: Batch, account: ItemAccount, error: unknown, whole: boolean): void {
    this.ledger.cut(batch, account, 0);
    this.#forget(batch);
    this.deadlines.batchLeft(account);
    this.owner.settled();
    this.deadlines.awaitBegin();
    this.delivery.whenLoaded(error, (reason) => {
      fromWorker(reason, batch.site);
      if (!batch.cancelled && !whole) this.owner.returned(batch.unreadable(reason));
      for (let i = 0; whole && i < batch.count; i++) if (!batch.cancelled) batch.error(reason, i);
      batch.onReleased();
    });
  }

  #forget(batch: Batch): void {
    if (batch.account !== null) this.#batches.delete(batch.account.sequence);
  }
}
