/**
 * The subscriptions of a topic: a table in shared memory.
 *
 *   slot: agent (0: free) | position | count      what it reads next
 *
 * Slots are taken under the topic's lock. Only their subscriber moves them, and needs no lock for it.
 * Whoever finds that the agent has ended frees the slot, so nobody waits for the dead.
 *
 * The position moves before the count, and is read after it. So a count is never ahead of the
 * position that it is found with, and beside the least position no subscriber's count is lower.
 */
import { currentAgent, hasEnded, LIVENESS_CHECK_MS } from '../../memory/index.js';

const SLOTS = 128;
const FIELDS = 3;

/** Words the table takes. */
export const SUBSCRIBER_WORDS = SLOTS * FIELDS;

/** How many there may be. */
export const MAX_SUBSCRIBERS = SLOTS;

export type ReadPosition = readonly [position: number, count: number];

export class Subscribers {
  readonly #words: Int32Array;
  readonly #at: number;
  readonly #end: number;

  /** @param at Index in `words` of the first of its words. */
  constructor(words: Int32Array, at: number) {
    this.#words = words;
    this.#at = at;
    this.#end = at + SUBSCRIBER_WORDS;
  }

  /** Takes a slot that begins at a place: -1 when there is none. Under the lock. */
  take(place: () => ReadPosition): number {
    let slot = this.#free();
    if (slot < 0 && this.reapDead()) slot = this.#free();
    if (slot < 0) return -1;
    const [position, count] = place();
    this.move(slot, position, count);
    Atomics.store(this.#words, slot, currentAgent());
    return slot;
  }

  /** Gives a slot back. */
  leave(slot: number): void {
    Atomics.store(this.#words, slot, 0);
  }

  /** Where a slot's subscriber reads next. */
  place(slot: number): ReadPosition {
    const count = Atomics.load(this.#words, slot + 2);
    return [Atomics.load(this.#words, slot + 1), count];
  }

  /** How many items that one has read, of all that were ever published, mod 2^32. */
  count(slot: number): number {
    return Atomics.load(this.#words, slot + 2);
  }

  /** A subscriber goes on. */
  move(slot: number, position: number, count: number): void {
    Atomics.store(this.#words, slot + 1, position);
    Atomics.store(this.#words, slot + 2, count);
  }

  /** Where the one stands that is furthest behind; `null`: there is none. */
  slowest(): ReadPosition | null {
    let slowest: ReadPosition | null = null;
    for (let slot = this.#at; slot < this.#end; slot += FIELDS) {
      if (Atomics.load(this.#words, slot) === 0) continue;
      const place = this.place(slot);
      if (slowest === null || ((place[0] - slowest[0]) | 0) < 0) slowest = place;
    }
    return slowest;
  }

  /** How many live. */
  get living(): number {
    this.reapDead();
    let count = 0;
    for (let slot = this.#at; slot < this.#end; slot += FIELDS) if (Atomics.load(this.#words, slot) !== 0) count++;
    return count;
  }

  /** Frees the slots of those that have ended. Returns whether there were any. */
  reapDead(): boolean {
    let found = false;
    for (let slot = this.#at; slot < this.#end; slot += FIELDS) {
      const agent = Atomics.load(this.#words, slot);
      if (agent === 0 || !hasEnded(agent, LIVENESS_CHECK_MS / 2)) continue;
      found = Atomics.compareExchange(this.#words, slot, agent, 0) === agent || found;
    }
    return found;
  }

  #free(): number {
    for (let slot = this.#at; slot < this.#end; slot += FIELDS) if (Atomics.load(this.#words, slot) === 0) return slot;
    return -1;
  }
}
