/**
 * The account of one worker: which batches it holds, and how many of their items have a result.
 *
 * Batches are kept oldest first. Results arrive in that order, so each belongs to the next
 * unsettled item of the oldest batch. `results` counts them modulo 2^32. The worker counts the
 * items that it started in the same way: when it dies, the two numbers differ if an item was
 * running.
 */
import { Deque } from '../../util/deque.js';
import type { Batch, BatchHolder } from '../scheduling/batch.js';
import type { ItemAccount } from '../scheduling/item-account.js';
import { Flag } from '../wire/protocol.js';

export class BatchLedger implements Iterable<Batch> {
  /** Items that the worker may still be given before it is replaced. */
  remaining: number;
  /** Results that were errors. */
  failed = 0;
  readonly #batches = new Deque<Batch>();
  #items = 0;
  #results = 0;
  #timed = 0;

  /** @param lifetime Items that the worker may run. */
  constructor(lifetime: number) {
    this.remaining = lifetime;
  }

  /** Batches that are held. */
  get batches(): number {
    return this.#batches.length;
  }

  /** Items that are held: running or waiting at the worker. */
  get items(): number {
    return this.#items;
  }

  /** Results that arrived, modulo 2^32. */
  get results(): number {
    return this.#results;
  }

  /** Whether a batch is held whose items have a time limit. */
  get hasTimed(): boolean {
    return this.#timed > 0;
  }

  /** Returns the oldest batch. */
  first(): Batch | undefined {
    return this.#batches.first();
  }

  /** Returns the batch that was sent last. */
  last(): Batch | undefined {
    return this.#batches.last();
  }

  /** Returns the oldest batch whose items have a time limit. */
  firstTimed(): Batch | undefined {
    if (this.#timed > 0) for (const batch of this.#batches) if (isTimed(batch)) return batch;
    return undefined;
  }

  [Symbol.iterator](): Iterator<Batch> {
    return this.#batches[Symbol.iterator]();
  }

  /** Enters a batch that was sent. */
  enter(batch: Batch, holder: BatchHolder): void {
    batch.holder = holder;
    this.#batches.push(batch);
    this.#items += batch.count;
    this.remaining -= batch.count;
    if (isTimed(batch)) this.#timed++;
  }

  /** Strikes out a batch that was taken back before the worker began it. */
  strikeOut(batch: Batch): void {
    if (this.#batches.last() === batch) this.#batches.pop();
    else this.#batches.remove(batch);
    batch.holder = null;
    this.#items -= batch.count;
    this.remaining += batch.count;
    if (isTimed(batch)) this.#timed--;
  }

  /**
   * Counts a result for the next item of the oldest batch. Returns the index of that item. The
   * batch leaves with its last item.
   */
  settle(batch: Batch): number {
    this.#results = (this.#results + 1) | 0;
    const index = batch.received++;
    this.#items--;
    if (batch.received === batch.count) {
      this.#batches.shift();
      if (isTimed(batch)) this.#timed--;
    }
    return index;
  }

  /** Counts `count` results for the next items of the oldest batch, none of which is its last. */
  settleSome(batch: Batch, count: number): void {
    this.#results = (this.#results + count) | 0;
    batch.received += count;
    this.#items -= count;
  }

  /**
   * Counts a result for an item of any batch, where several run at once. The batch leaves with the
   * last that begins.
   */
  settleAny(batch: Batch, account: ItemAccount, index: number): void {
    this.#results = (this.#results + 1) | 0;
    account.end(index);
    batch.received++;
    this.#items--;
    if (account.complete) this.#leave(batch);
  }

  /** The items of a batch from `limit` on will not begin here. Returns whether it has left. */
  cut(batch: Batch, account: ItemAccount, limit: number): boolean {
    this.#items -= account.limit - limit;
    this.remaining += account.limit - limit;
    account.limit = limit;
    account.begun = limit;
    if (account.complete) this.#leave(batch);
    return account.complete;
  }

  #leave(batch: Batch): void {
    this.#batches.remove(batch);
    if (isTimed(batch)) this.#timed--;
  }

  /** Drops the oldest batch, though not all of its items ran. */
  drop(): Batch | undefined {
    const batch = this.#batches.shift();
    if (batch === undefined) return undefined;
    if (isTimed(batch)) this.#timed--;
    this.#items -= batch.count - batch.received;
    this.remaining += batch.count - batch.received;
    return batch;
  }

  /** Empties the account of a worker that ended. Returns what it held. */
  close(): Batch[] {
    const lost = [...this.#batches];
    while (this.#batches.length > 0) this.#batches.shift();
    for (const batch of lost) batch.holder = null;
    this.#timed = 0;
    this.#items = 0;
    return lost;
  }
}

/** Whether the items of a batch have a time limit. */
function isTimed(batch: Batch): boolean {
  return (batch.kind & Flag.Announce) !== 0 && batch.timeout > 0;
}
