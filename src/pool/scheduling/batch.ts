import type { Freight, Payload } from '../../memory/index.js';
import type { CodeRecord } from '../../reduction/index.js';
import { burstTime } from '../../util/monotonic.js';
import type { SerializedFunction } from '../wire/function-registry.js';
import { ATTEMPT_SHIFT, type Flag, type MessageKind, Status } from '../wire/protocol.js';
import { Blame } from './blame.js';
import type { CallSite } from './call-site.js';
import { EncodedMessage, encodeListNow, NO_CODES } from './encoded-items.js';
import type { ItemAccount } from './item-account.js';
import type { TaskQueue } from './ready-queue.js';
import type { RetryPolicy } from './retry-policy.js';

/** Workers in a row that die while they load the modules of a call, until it is given up. */
const MAX_LOADING_DEATHS = 3;

/** Workers in a row that die while they run an item that is to run again without end. */
const MAX_FRUITLESS_DEATHS = 10;

/**
 * Counts a death by what it died of. Returns whether the next workers would die of it too: loading
 * what the function or its items need, or an item whose retries have no end, has ended so many that
 * running them again is hopeless.
 */
export function isHopeless(fn: SerializedFunction, blame: Blame, retries: RetryPolicy): boolean {
  if (blame === Blame.Item) return retries.isEndless && fn.crashed() >= MAX_FRUITLESS_DEATHS;
  return (blame === Blame.Function || blame === Blame.Items) && ++fn.deaths >= MAX_LOADING_DEATHS;
}

/** The worker a batch is at. */
export interface BatchHolder {
  /** Takes it back if it has not been started; whether it was. */
  withdraw(batch: Batch): boolean;
  /**
   * As {@link withdraw}; otherwise stops it, killing the worker when that takes longer than `grace`
   * milliseconds.
   */
  stop(batch: Batch, grace: number, reason: unknown): boolean;
}

/**
 * What goes to a worker as one record: a call, or a chunk of a job's items.
 *
 *   queued in its queue -> sent to a worker (queued there) -> started -> each item gets a result -> gone
 *          ^                      |                            |
 *          +--- withdrawn --------+---- its worker died -------+
 *
 * Items get their results in order: `received` of them have one.
 */
export abstract class Batch {
  /** Who has it now. */
  holder: BatchHolder | null = null;
  /** When it was made, as all processes of this machine tell the time. */
  readonly made = burstTime();
  /** Results received so far. */
  received = 0;
  /** Where the record's state word is in the worker's link; -1 while it has none. */
  position = -1;
  /** Earlier runs that failed: that ended with an error, or with their worker's death. */
  attempt = 0;
  /** Those of them that ended with an error. */
  failures = 0;
  /** Nobody waits for its results any more. */
  cancelled = false;
  /** Why it, or the item whose time ran out, is told to stop. */
  reason: unknown;
  /**
   * Index of the item that was settled before its result came (its time ran out); the result is
   * dropped.
   */
  overdue = -1;
  /** Which of its items have begun and ended, at a worker that runs several at once. */
  account: ItemAccount | null = null;
  /** Whether an item that fails may be run again: its message must outlast the record. */
  mayRepeat = false;
  /** Errors of items that came and whose modules are being loaded, while it {@link mayRepeat}. */
  loading = 0;
  /** What travels with it beside its items. */
  context: EncodedMessage | null = null;
  /** Its message, where that must not be made again of what it was made of. */
  encoded: EncodedMessage | null = null;
  /** The code records that its message names. */
  codes: readonly CodeRecord[] = NO_CODES;
  /** Where it was called from, if that was captured. */
  site: CallSite | null = null;
  /** Which method was called. */
  actor = 'Pool';

  /**
   * @param count Number of items.
   * @param kind {@link MessageKind} with its flags.
   */
  constructor(
    readonly queue: TaskQueue<Batch>,
    readonly fn: SerializedFunction,
    readonly count: number,
    public kind: number,
  ) {}

  /** Whether all of its items that begin at its worker have a result. */
  get over(): boolean {
    return this.account === null ? this.received === this.count : this.account.complete;
  }

  /** First value of the record's state word. */
  get state(): number {
    return (this.attempt << ATTEMPT_SHIFT) | Status.Queued;
  }

  /**
   * What is encoded into the record: the argument list of a call, the items of a chunk. Not asked
   * for once it is {@link kept}.
   */
  abstract payload(): readonly unknown[];
  /** Its message, where that is there already. */
  message(): (Payload & { readonly codes?: readonly CodeRecord[] }) | null {
    return this.encoded;
  }
  /**
   * Makes it independent of what the caller may change, without encoding it: whether that could be
   * done. Only as long as it is as it was passed.
   */
  abstract own(): boolean;
  /** Whether nobody else can change what it is made of. */
  abstract get owned(): boolean;
  /** Its message was copied out of the ring. */
  recalled(bytes: Uint8Array): void {
    this.encoded = new EncodedMessage(bytes, this.codes);
  }
  /** Encodes it now, unless that is not needed. @throws SerializationError. */
  encode(): void {
    if (this.message() !== null || this.own()) return;
    const kept = encodeListNow(this.payload());
    if (kept.freight !== null) this.addFreight(kept.freight);
    this.encoded = kept;
  }
  /** What its message refers to: kept until it is {@link onReleased}. */
  freights: Freight[] | null = null;
  /** Its message refers to this. */
  addFreight(freight: Freight): void {
    this.freights ??= [];
    this.freights.push(freight.hold());
  }
  /** Something travels with it beside its items. */
  carry(context: EncodedMessage): void {
    this.context = context;
    if (context.freight !== null) this.addFreight(context.freight);
  }
  /** For {@link onReleased}. */
  protected releaseFreights(): void {
    for (const freight of this.freights ?? []) freight.release();
    this.freights = null;
  }
  /** Takes it back to what it was made of, if it is not to be queued. Returns whether it did. */
  reclaim(): boolean {
    return false;
  }
  /** It waits for a worker from here on. */
  abstract waits(): void;
  /** It was encoded into `bytes` bytes. */
  weighed(_bytes: number): void {}
  /**
   * Time limit of an item in milliseconds from its start, and of its wait at a worker that does
   * nothing else; 0 for none.
   */
  abstract get timeout(): number;
  /**
   * Item `index` has this value. `micros`: microseconds since the record started, with a chunk's
   * last item.
   */
  abstract value(value: unknown, index: number, micros: number): void;
  /** Item `index` failed for good. */
  abstract error(error: unknown, index: number): void;
  /** Item `index` ran and failed: it may be run again. */
  abstract failed(error: unknown, index: number): void;
  /** Item `index`, which was {@link overdue}, has ended. */
  abstract overdueEnded(index: number): void;
  /** The worker runs the next item now (only with {@link Flag.Announce}). */
  abstract started(): void;
  /**
   * Item `index` ran longer than {@link timeout}, or was not `begun` for as long: settles it, and
   * returns how many milliseconds it has to react to its signal.
   */
  abstract expire(index: number, begun: boolean): number;
  /** The running item reported something, after `dropped` reports that were lost. */
  abstract report(progress: unknown, dropped: number): void;
  /** Which item of its map or stream item `index` is; `null` for a call. */
  abstract place(index: number): number | null;
  /** What item `index` is called in messages. */
  abstract subject(index: number): string;
  /**
   * The payload cannot be encoded: settles what cannot be sent and returns batches for the rest.
   */
  abstract refused(error: unknown): Batch[];
  /**
   * None of its items can be decoded together: settles what is to blame, and returns batches for
   * what may be good.
   */
  abstract unreadable(error: unknown): Batch[];
  /**
   * Its worker died. Settles the item to blame if it may not be retried.
   * @returns batches for what is to run again.
   */
  abstract orphaned(blame: Blame, error: unknown): Batch[];
  /** It has left its worker, or its queue, for good. */
  abstract onReleased(): void;
}
