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
    this.#memory.block.check(actor);
    if (this.#items.length === 0 && (bounds === undefined || bounds.signal?.aborted !== true)) {
      const position = this.#claimOne();
      if (position !== NONE) return this.#deliverAsync(position);
    }
    return this.#wait(actor, bounds);
  }

  /** Takes an item if one is there, else answers NONE. */
  tryTakeItem(actor: string): unknown {
    this.#memory.block.check(actor);
    let position = this.#claimOne();
    if (position === NONE && this.#memory.ring.occupied && this.#memory.returnDeadClaims()) position = this.#claimOne();
    return position === NONE ? NONE : this.#deliver(position, true);
  }

  /** Takes an item, blocking the thread until there is one; NONE when the time ran out. */
  takeItemSync(actor: string, timeout?: number): unknown {
    this.#memory.block.check(actor);
    let position = this.#claimOne();
    if (position === NONE) {
      this.#items.waitSync(() => {
        position = this.#claimUnlessOver(actor);
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
    const start = ring.startOf(position);
    const end = ring.endOf(position);
    if (ring.kindOf(position) !== RecordKind.Large) return decoded(ring.bytes, start, end, sync);
    const total = new Float64Array(ring.bytes.slice(start, end).buffer)[0]!;
    return large.withMemory(ring.idOf(position), total, (memory) => decoded(memory, 0, total, sync));
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
    if (this.#memory.ring.ready) return null;
    const end = endOf(this.#memory);
    return end === null || this.#readyAfterAll() ? null : end;
  }

  /** Whether a look for items is worth while: there are some, or none will come. */
  get ready(): boolean {
    return this.#memory.ring.ready || this.end() !== null;
  }

  /**
   * Whether taking one item would not wait: there is one, or it would say that none will come. A
   * queue whose writers have ended without completing is not: who takes one item waits for the next
   * writer there, so who waits for it must, too.
   */
  get settled(): boolean {
    const { failure, members, ring } = this.#memory;
    return ring.ready || members.closedByWriters || failure.read() !== null;
  }

  /** Resolves when {@link settled}, without taking anything. Rejects with `signal.reason`. */
  async awaitReady(signal: AbortSignal): Promise<void> {
    this.#memory.block.check('wait');
    this.hasRead = true;
    await this.#items.wait(() => this.settled, 'wait', { signal });
  }

  /**
   * Who waits for one item is told only of what was said on purpose: an error, or that all writers
   * have completed.
   */
  throwIfOver(actor: string): void {
    const { failure, members } = this.#memory;
    const failed = failure.read();
    if (failed === null && !members.closedByWriters) return;
    if (!this.#readyAfterAll()) throw failed === null ? drained(actor) : failed.error;
  }

  /** Looks after dead consumers and writers. */
  checkPeers(): void {
    this.#returnDeadClaims();
    this.#memory.members.checkPeers();
  }

  /**
   * Whether there are items though nothing else will come: the last writer may have put one before
   * it completed, and a consumer that died had some. Nobody would look after the dead later.
   */
  #readyAfterAll(): boolean {
    return this.#memory.ring.ready || this.#returnDeadClaims();
  }

  #returnDeadClaims(): boolean {
    if (!this.#memory.returnDeadClaims()) return false;
    this.#items.wake(Number.POSITIVE_INFINITY);
    return true;
  }

  /** Claims an item; NONE while there is none. @throws what ended the queue. */
  #claimUnlessOver(actor: string): number | typeof NONE {
    const position = this.#claimOne();
    if (position !== NONE) return position;
    this.throwIfOver(actor);
    return this.#memory.ring.ready ? this.#claimOne() : NONE;
  }

  async #wait(actor: string, bounds: Bounds | undefined): Promise<unknown> {
    let position: number | typeof NONE = NONE;
    const had = await this.#items.wait(
      () => {
        position = this.#claimUnlessOver(actor);
        return position !== NONE;
      },
      actor,
      bounds,
    );
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
}

function decoded(source: Uint8Array, start: number, end: number, sync: boolean): unknown {
  return sync ? decoder.decodeSync(source, start, end) : decoder.decode(source, start, end);
}
