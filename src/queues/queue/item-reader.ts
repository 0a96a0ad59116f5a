/**
 * Taking: an item is claimed under the consumers' lock, decoded where it lies, and done with by one
 * store.
 *
 * A consumer that dies in between leaves the claim, and the item goes to another one. So an item is
 * delivered exactly once, unless its consumer dies after decoding it.
 */
import { type Bounds, currentAgent } from '../../memory/index.js';
import { Decoder, PendingValue } from '../../reduction/index.js';
import { CooperativeBudget } from '../../util/cooperative-budget.js';
import { setImmediate } from '../../util/timers.js';
import { type End, endOf } from '../shared/end.js';
import { RecordKind } from '../shared/item-memory.js';
import { drained, queueEmpty } from '../shared/messages.js';
import type { Waiters } from '../shared/waiters.js';
import type { QueueMemory } from './queue-memory.js';

/** What {@link ItemReader.claim} answers when there is nothing. */
export const NONE = Symbol('none');

const decoder = new Decoder();

export class ItemReader {
  readonly #memory: QueueMemory;
  readonly #items: Waiters;
  readonly #roomMade: () => void;
  readonly #claimed: number[] = [];
  readonly #budget = new CooperativeBudget();
  /** Whether this thread has ever tried to take something. */
  hasRead = false;

  /**
   * @param items Those who wait for items.
   * @param roomMade Called when an item was claimed or done with.
   */
  constructor(memory: QueueMemory, items: Waiters, roomMade: () => void) {
    this.#memory = memory;
    this.#items = items;
    this.#roomMade = roomMade;
  }

  /** Those who wait for items. */
  get items(): Waiters {
    return this.#items;
  }

  /**
   * Takes an item, waiting for it without blocking.
   * @throws (rejects) QueueEmptyError, `signal.reason`, what ended the queue.
   */
  takeItem(actor: string, bounds?: Bounds): Promise<unknown> {
    this.#memory.block.check();
    if (this.#items.length === 0 && (bounds === undefined || bounds.signal?.aborted !== true)) {
      const position = this.#claimOne();
      if (position !== NONE) return this.#deliverAsync(position);
    }
    return this.#wait(actor, bounds);
  }

  /** Takes an item if one is there, else answers NONE. */
  tryTakeItem(): unknown {
    this.#memory.block.check();
    let position = this.#claimOne();
    if (position === NONE && this.#memory.ring.occupied && this.#memory.returnDeadClaims()) position = this.#claimOne();
    return position === NONE ? NONE : this.#deliver(position, true);
  }

  /** Takes an item, blocking the thread until there is one; NONE when the time ran out. */
  takeItemSync(actor: string, timeout?: number): unknown {
    this.#memory.block.check();
    let position = this.#claimOne();
    if (position === NONE) {
      this.#items.waitSync(() => {
        position = this.#claimOne();
        if (position === NONE) this.#throwIfOver(actor);
        return position !== NONE;
      }, timeout);
    }
    return position === NONE ? NONE : this.#deliver(position, true);
  }

  // ---- for streams

  /** Claims up to `max` items and appends their positions. */
  claim(max: number, into: number[]): void {
    this.hasRead = true;
    const { ring } = this.#memory;
    if (ring.ready)
      this.#memory.consuming(() => {
        ring.sweep(this.#memory.onSwept);
        ring.claim(currentAgent(), max, into);
      });
  }

  /**
   * How many of up to `most` items one batch should claim: a quarter of what is there, so that
   * others find some too.
   */
  share(most: number): number {
    return Math.max(1, Math.min(most, this.#memory.ring.size >> 2));
  }

  /** Decodes a claimed item. It stays claimed. */
  decode(position: number, sync: boolean): unknown {
    const { ring, large } = this.#memory;
    const [start, end] = [ring.startOf(position), ring.endOf(position)];
    const read = (source: Uint8Array, from: number, to: number) =>
      sync ? decoder.decodeSync(source, from, to) : decoder.decode(source, from, to);
    if (ring.kindOf(position) !== RecordKind.Large) return read(ring.bytes, start, end);
    const total = new Float64Array(ring.bytes.slice(start, end).buffer)[0]!;
    return large.withMemory(ring.idOf(position), total, (memory) => read(memory, 0, total));
  }

  /** Items that were claimed have been delivered. */
  finish(position: number): void {
    this.#memory.ring.finish(position);
    this.#roomMade();
  }

  /** Items that were claimed were not delivered. */
  giveBack(positions: readonly number[]): void {
    if (positions.length === 0) return;
    this.#memory.consuming(() => this.#memory.ring.giveBack(positions));
    this.#items.wake(positions.length);
  }

  /** Whether and how streams of the queue end now; `null`: they do not. */
  end(): End | null {
    const { ring } = this.#memory;
    if (ring.ready) return null;
    const end = endOf(this.#memory);
    // Asked again for items, since the last writer may have put one before it completed.
    return ring.ready ? null : end;
  }

  /** Whether a look for items is worth while: there are some, or none will come. */
  get ready(): boolean {
    return this.#memory.ring.ready || this.end() !== null;
  }

  /** Resolves when {@link ready}, without taking anything. Rejects with `signal.reason`. */
  async awaitReady(signal: AbortSignal): Promise<void> {
    this.#memory.block.check();
    this.hasRead = true;
    await this.#items.wait(() => this.ready, { signal });
  }

  /** Looks after dead consumers and writers. */
  checkPeers(): void {
    if (this.#memory.returnDeadClaims()) this.#items.wake(Number.POSITIVE_INFINITY);
    this.#memory.members.checkPeers();
  }

  async #wait(actor: string, bounds: Bounds | undefined): Promise<unknown> {
    let position: number | typeof NONE = NONE;
    const had = await this.#items.wait(() => {
      position = this.#claimOne();
      if (position === NONE) this.#throwIfOver(actor);
      return position !== NONE;
    }, bounds);
    if (!had) throw queueEmpty(actor, bounds?.timeout);
    return await this.#deliverAsync(position as unknown as number);
  }

  #deliverAsync(position: number): Promise<unknown> {
    try {
      const value = this.#deliver(position, false);
      if (value instanceof PendingValue) return value.ready;
      this.#budget.spend();
      if (!this.#budget.exhausted) return Promise.resolve(value);
      this.#budget.renew();
      return new Promise((resolve) => setImmediate(() => resolve(value)));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #deliver(position: number, sync: boolean): unknown {
    try {
      return this.decode(position, sync);
    } finally {
      this.finish(position);
    }
  }

  #claimOne(): number | typeof NONE {
    const claimed = this.#claimed;
    claimed.length = 0;
    this.claim(1, claimed);
    return claimed.length === 0 ? NONE : claimed[0]!;
  }

  /**
   * Who waits for one item is told only of what was said on purpose: an error, or that all writers
   * have completed.
   */
  #throwIfOver(actor: string): void {
    const { members, ring } = this.#memory;
    const failure = this.#memory.failure.read();
    if (failure !== null && !ring.ready) throw failure.error;
    if (members.closedByWriters && !ring.ready) throw drained(actor);
  }
}
