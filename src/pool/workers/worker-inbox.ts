import { PendingValue } from '../../reduction/index.js';
import { taskSettle } from '../../util/diagnostics.js';
import type { Batch } from '../scheduling/batch.js';
import { Blame } from '../scheduling/blame.js';
import { Flag, KIND, MessageKind } from '../wire/protocol.js';
import { fromWorker } from '../wire/remote-error.js';
import type { SlowItem } from '../worker/item-clock.js';
import type { BatchLedger } from './batch-ledger.js';
import type { ConcurrentInbox } from './concurrent-inbox.js';
import type { ItemDeadlines } from './item-deadlines.js';
import type { ResultDelivery } from './result-delivery.js';
import { Unreadable, type WorkerChannel } from './worker-channel.js';
import type { Farewell } from './worker-death.js';

/** Results after which their room is given back. */
const MOST_AT_ONCE = 256;

/** The worker whose records are taken in. */
export interface InboxOwner {
  /** Its name, as messages have it. */
  readonly name: string;
  /** Its process id. */
  readonly pid: number | null;
  /** Its initializer is done. */
  becameReady(): void;
  /** Its initializer failed. */
  initializerFailed(error: unknown): void;
  /** An item of a batch is among the slowest so far, or several together. */
  slow(batch: Batch, slow: SlowItem): void;
  /** A batch may have left it. */
  settled(): void;
  /** Hands on batches that others may run. */
  returned(batches: Batch[]): void;
  /** Something arrived after its record was read. */
  progressed(): void;
}

/**
 * What a worker sends, taken in record by record: results go to the batches that they belong to,
 * signs of its life to its owner.
 */
export class WorkerInbox {
  /** The error that the worker did not catch. */
  uncaught: unknown;
  /** How the worker's `workerExit` ended; a promise while what that takes is loaded. */
  farewell: Farewell | Promise<Farewell> | null = null;
  readonly #channel: WorkerChannel;
  readonly #ledger: BatchLedger;
  readonly #deadlines: ItemDeadlines;
  readonly #owner: InboxOwner;
  readonly #delivery: ResultDelivery;
  readonly #concurrent: ConcurrentInbox | null;

  /** @param concurrent Takes in what is about items, where several run at once. */
  constructor(
    channel: WorkerChannel,
    ledger: BatchLedger,
    deadlines: ItemDeadlines,
    delivery: ResultDelivery,
    concurrent: ConcurrentInbox | null,
    owner: InboxOwner,
  ) {
    this.#delivery = delivery;
    this.#concurrent = concurrent;
    this.#channel = channel;
    this.#ledger = ledger;
    this.#deadlines = deadlines;
    this.#owner = owner;
  }

  /** Takes in the record that the channel shows. */
  take(): void {
    const channel = this.#channel;
    if (this.#concurrent?.take() === true) return;
    if (channel.kind === MessageKind.Value && this.#takeValues()) return;
    switch ((channel.kind & KIND) as MessageKind) {
      case MessageKind.Value:
      case MessageKind.Error: {
        const failed = (channel.kind & KIND) === MessageKind.Error;
        const halted = (channel.kind & Flag.Halted) !== 0;
        const micros = channel.id;
        const value = channel.decode();
        channel.release();
        this.#settle(value, failed, micros);
        if (halted) this.#leave();
        this.#abortNext();
        break;
      }
      case MessageKind.Broken: {
        const whole = channel.id === 1;
        const error = channel.decode();
        channel.release();
        const batch = this.#drop();
        this.#delivery.whenLoaded(error, (reason) => {
          if (batch === undefined) return;
          fromWorker(reason, batch.site);
          if (!batch.cancelled && !whole) this.#owner.returned(batch.unreadable(reason));
          for (let i = 0; whole && i < batch.count; i++) if (!batch.cancelled) batch.error(reason, i);
          batch.onReleased();
        });
        this.#abortNext();
        break;
      }
      case MessageKind.Started: {
        channel.release();
        const batch = this.#ledger.first();
        if (batch === undefined) break;
        batch.started();
        this.#deadlines.begun(batch);
        break;
      }
      case MessageKind.Report: {
        const dropped = channel.id;
        const progress = channel.decode();
        channel.release();
        const batch = this.#ledger.first();
        if (!(progress instanceof Unreadable))
          this.#delivery.whenLoaded(progress, (loaded) => batch?.report(loaded, dropped));
        break;
      }
      case MessageKind.Slow: {
        const slow = channel.decode();
        channel.release();
        const batch = this.#ledger.first();
        if (batch !== undefined && Array.isArray(slow)) this.#owner.slow(batch, slow as unknown as SlowItem);
        break;
      }
      case MessageKind.Exited:
      case MessageKind.ExitFailed: {
        const failed = (channel.kind & KIND) === MessageKind.ExitFailed;
        const value = channel.decode();
        channel.release();
        if (value instanceof Unreadable) this.farewell = { failed: true, value: value.reason };
        else if (!(value instanceof PendingValue))
          this.farewell = { failed, value: failed ? fromWorker(value, null) : value };
        else {
          this.farewell = value.ready.then(
            (loaded) => ({ failed, value: failed ? fromWorker(loaded, null) : loaded }),
            (error: unknown) => ({ failed: true, value: error }),
          );
        }
        break;
      }
      case MessageKind.Uncaught:
        this.uncaught = channel.decode();
        channel.release();
        break;
      case MessageKind.Ready:
        channel.release();
        this.#owner.becameReady();
        break;
      case MessageKind.InitializerFailed: {
        const error = channel.decode();
        channel.release();
        this.#delivery.whenLoaded(error, (reason) => this.#owner.initializerFailed(reason));
        break;
      }
      default:
        channel.release();
    }
  }

  /**
   * Takes in values that lie there one behind the other: the usual results, whose room is given
   * back for all of them at once. Returns whether there were any; the record that the channel shows
   * then is another.
   */
  #takeValues(): boolean {
    const channel = this.#channel;
    if (!channel.passable) return false;
    let taken = 0;
    do {
      const micros = channel.id;
      const value = channel.decode();
      if (value instanceof PendingValue || value instanceof Unreadable) break;
      channel.pass();
      this.#settle(value, false, micros);
      this.#abortNext();
    } while (++taken < MOST_AT_ONCE && channel.receiveKind(MessageKind.Value));
    if (taken > 0) channel.free();
    return taken > 0;
  }

  #settle(value: unknown, failed: boolean, micros: number): void {
    const batch = this.#ledger.first();
    if (batch === undefined) return;
    batch.fn.progressed();
    const index = this.#ledger.settle(batch);
    this.#deadlines.itemSettled();
    if (failed) this.#ledger.failed++;
    if (taskSettle.hasSubscribers) taskSettle.publish({ name: this.#owner.name, pid: this.#owner.pid, failed });
    if (batch.received === batch.count) this.#owner.settled();
    this.#deadlines.awaitBegin();
    if (batch.overdue === index) batch.overdueEnded(index);
    else if (!batch.cancelled) {
      // The usual result at once: it is received more often than all else.
      if (failed || value instanceof PendingValue || value instanceof Unreadable)
        this.#delivery.deliver(batch, index, value, failed, micros);
      else batch.value(value, index, micros);
    }
    if (batch.received === batch.count && batch.loading === 0) batch.onReleased();
  }

  /** What runs now was cancelled while the result of the item before it was on its way. */
  #abortNext(): void {
    if (this.#ledger.first()?.cancelled === true) this.#deadlines.abortRunning();
  }

  /** The worker lets the rest of its oldest batch be: others run it, unless it was cancelled. */
  #leave(): void {
    const batch = this.#drop();
    if (batch === undefined) return;
    if (!batch.cancelled) this.#owner.returned(batch.orphaned(Blame.None, undefined));
    batch.onReleased();
  }

  /** The oldest batch is off the worker, though not all of its items ran. */
  #drop(): Batch | undefined {
    const batch = this.#ledger.drop();
    if (batch === undefined) return undefined;
    this.#deadlines.itemSettled();
    this.#deadlines.awaitBegin();
    this.#owner.settled();
    return batch;
  }
}
