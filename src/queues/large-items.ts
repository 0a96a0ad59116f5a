/**
 * Items that are larger than half of the ring: they lie behind it in the same memory file, which grows as needed, and the ring
 * carries only where. Everybody who has the queue has the file, so such an item outlives its producer.
 *
 *   slot: owner | page | pages | position        (64 slots; pages count from the end of the ring)
 *
 *   owner  | position | meaning
 *   0      |    -     | free
 *   agent  | UNSENT   | being written by that agent, or written and waiting for room; free when the agent has ended
 *   agent  | p        | the item of the record at p; free when that record has been swept up
 *
 * Slots are taken under the producers' lock. Who sweeps a record up frees its slot first; a death in between repeats that, and the
 * position tells then whether the slot is still that record's.
 *
 * Memory: pages are used again but not given back to the system while the queue lives.
 */
import { ftruncateSync } from 'node:fs';
import { BEAT, type Block, hasEnded, self } from '../memory/index.js';
import { descriptorSize, mapMemory, unmapMemory } from '../native/index.js';

const SLOTS = 64;
const FIELDS = 4;
const PAGE_FIELD = 1;
const PAGES_FIELD = 2;
const POSITION_FIELD = 3;
/** Positions of records are multiples of 16. */
const UNSENT = 1;
const PAGE = 4096;

/** Words the slots take. */
export const LARGE_ITEM_WORDS = SLOTS * FIELDS;

export class LargeItems {
  readonly #words: Int32Array;
  readonly #at: number;
  readonly #descriptor: number;
  readonly #base: number;

  /** @param at Index in the block of the first of its words. The block is alone in its file. */
  constructor(block: Block, at: number) {
    this.#words = block.int32;
    this.#at = at;
    this.#descriptor = block.region.descriptor;
    this.#base = Math.ceil((block.offset + block.size) / PAGE);
  }

  /** Takes a slot for so many bytes: -1 when all are taken. Under the producers' lock. */
  take(bytes: number): number {
    const pages = Math.ceil(bytes / PAGE);
    const used: [start: number, end: number][] = [];
    let free = -1;
    for (let slot = 0; slot < SLOTS; slot++) {
      const owner = this.#load(slot, 0);
      if (owner !== 0 && this.#load(slot, POSITION_FIELD) === UNSENT && hasEnded(owner, BEAT)) this.release(slot);
      if (this.#load(slot, 0) === 0) free = free < 0 ? slot : free;
      else used.push([this.#load(slot, PAGE_FIELD), this.#load(slot, PAGE_FIELD) + this.#load(slot, PAGES_FIELD)]);
    }
    if (free < 0) return -1;
    let start = 0;
    for (const [from, to] of used.sort((a, b) => a[0] - b[0])) {
      if (from - start >= pages) break;
      start = to;
    }
    const end = (this.#base + start + pages) * PAGE;
    if (descriptorSize(this.#descriptor) < end) ftruncateSync(this.#descriptor, end);
    this.#store(free, PAGE_FIELD, start);
    this.#store(free, PAGES_FIELD, pages);
    this.#store(free, POSITION_FIELD, UNSENT);
    this.#store(free, 0, self());
    return free;
  }

  /** Runs `use` with the memory of a slot. */
  with<R>(slot: number, bytes: number, use: (memory: Uint8Array) => R): R {
    const offset = (this.#base + this.#load(slot, PAGE_FIELD)) * PAGE;
    const buffer = mapMemory(this.#descriptor, bytes, { offset });
    try {
      return use(new Uint8Array(buffer));
    } finally {
      unmapMemory(buffer);
    }
  }

  /** The slot's item is that of the record which is about to be published at `position`. Under the producers' lock. */
  send(slot: number, position: number): void {
    this.#store(slot, POSITION_FIELD, position);
  }

  /** The record at `position` is about to be swept up. */
  swept(slot: number, position: number): void {
    if (this.#load(slot, POSITION_FIELD) === position) this.release(slot);
  }

  /** A producer died under the lock: what it was about to publish behind `tail` never came. Under the producers' lock. */
  recover(tail: number): void {
    for (let slot = 0; slot < SLOTS; slot++) {
      const position = this.#load(slot, POSITION_FIELD);
      if (this.#load(slot, 0) !== 0 && position !== UNSENT && ((position - tail) | 0) >= 0) this.release(slot);
    }
  }

  /** Frees a slot that was not sent. */
  release(slot: number): void {
    this.#store(slot, POSITION_FIELD, UNSENT);
    this.#store(slot, 0, 0);
  }

  #load(slot: number, field: number): number {
    return Atomics.load(this.#words, this.#at + slot * FIELDS + field);
  }

  #store(slot: number, field: number, value: number): void {
    Atomics.store(this.#words, this.#at + slot * FIELDS + field, value);
  }
}
