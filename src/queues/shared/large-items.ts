/**
 * Items that are larger than half of the ring: they lie behind it in the same memory file, which
 * grows as needed, and the ring carries only where. Everybody who has the queue has the file, so
 * such an item outlives its producer.
 *
 *   USES  how many were written or read, mod 2^32
 *   slot: owner | page | pages | position        (64 slots; pages count from the end of the ring)
 *
 *   owner  | position | meaning
 *   0      |    -     | free
 *   agent  | UNSENT   | being written by that agent, or written and waiting for room; free when the
 *          |          | agent has ended
 *   agent  | p        | the item of the record at p; free when that record has been swept up
 *
 * Slots are taken under the producers' lock. Who sweeps a queue's record up frees its slot first; a
 * death in between repeats that, and the position tells then whether the slot is still that
 * record's. A topic's record may be read until it has been swept up, so its slot is freed after
 * that, if need be by who finds that the other one died ({@link recover}).
 *
 * Memory: pages are used again, the lowest first, and stay as long as large items come. Each thread
 * that had one looks after {@link IDLE_BEFORE_SHRINK_MS} ms whether there were more, by USES, and
 * when it leaves; if there were none, all pages that no slot in use has go back to the system. The
 * file keeps its size. Nobody reads or writes them: who does has a slot, and slots are taken under
 * the same lock.
 */
import { type Block, currentAgent, hasEnded, LIVENESS_CHECK_MS } from '../../memory/index.js';
import { descriptorSize, growMemory, mapMemory, releasePages, unmapMemory } from '../../native/index.js';
import { clearTimeout, setTimeout } from '../../util/timers.js';

const USES = 0;
const TABLE = 1;
const SLOTS = 64;
const FIELDS = 4;
const PAGE_FIELD = 1;
const PAGES_FIELD = 2;
const POSITION_FIELD = 3;
/** Positions of records are multiples of 16. */
const UNSENT = 1;
const PAGE = 4096;
/**
 * Milliseconds without a large item after which its memory goes back: far longer than between two
 * of a stream, which find their pages warm.
 */
const IDLE_BEFORE_SHRINK_MS = 1_000;

/** Words the large items take. */
export const LARGE_ITEM_WORDS = TABLE + SLOTS * FIELDS;

export class LargeItems {
  readonly #words: Int32Array;
  readonly #at: number;
  readonly #block: Block;
  readonly #descriptor: number;
  readonly #base: number;
  readonly #rest: () => void;
  #timer: NodeJS.Timeout | null = null;
  /** Whose timer it is: a forked child has this object too, but not its timer. */
  #agent = 0;
  #seen = 0;

  /**
   * @param at Index in the block of the first of its words. The block is alone in its file.
   * @param rest Frees the slots of what was read and calls {@link shrink}, each under its lock.
   * Called when no large item came for a while.
   */
  constructor(block: Block, at: number, rest: () => void) {
    this.#block = block;
    this.#rest = rest;
    this.#words = block.int32;
    this.#at = at;
    const { region, offset, size } = block;
    this.#descriptor = region.descriptor;
    this.#base = Math.ceil((offset + size) / PAGE);
  }

  /** Takes a slot for so many bytes: -1 when all are taken. Under the producers' lock. */
  takeSlot(bytes: number): number {
    this.#noteUse();
    const pages = Math.ceil(bytes / PAGE);
    const { used, free } = this.#extents(LIVENESS_CHECK_MS);
    if (free < 0) return -1;
    let start = 0;
    for (const [from, to] of used) {
      if (from - start >= pages) break;
      start = to;
    }
    const end = (this.#base + start + pages) * PAGE;
    if (descriptorSize(this.#descriptor) < end) growMemory(this.#descriptor, end);
    this.#store(free, PAGE_FIELD, start);
    this.#store(free, PAGES_FIELD, pages);
    this.#store(free, POSITION_FIELD, UNSENT);
    this.#store(free, 0, currentAgent());
    return free;
  }

  /** Runs `use` with the memory of a slot. */
  withMemory<R>(slot: number, bytes: number, use: (memory: Uint8Array) => R): R {
    this.#noteUse();
    const offset = (this.#base + this.#load(slot, PAGE_FIELD)) * PAGE;
    const buffer = mapMemory(this.#descriptor, bytes, { offset });
    try {
      return use(new Uint8Array(buffer));
    } finally {
      unmapMemory(buffer);
    }
  }

  /**
   * The slot's item is that of the record which is about to be published at `position`. Under the
   * producers' lock.
   */
  bindSlot(slot: number, position: number): void {
    this.#store(slot, POSITION_FIELD, position);
  }

  /** The record at `position` is about to be swept up. */
  releaseSwept(slot: number, position: number): void {
    // In this order: a slot that was taken anew had its position changed before it had an owner.
    if (this.#load(slot, 0) !== 0 && this.#load(slot, POSITION_FIELD) === position) this.releaseSlot(slot);
  }

  /**
   * A producer died under the lock: what it was about to publish behind `tail` never came. Under
   * the producers' lock.
   * @param head Items before it are over; given where that lock is the only one.
   */
  recover(tail: number, head?: number): void {
    for (let slot = 0; slot < SLOTS; slot++) {
      const position = this.#load(slot, POSITION_FIELD);
      if (this.#load(slot, 0) === 0 || position === UNSENT) continue;
      if (((position - tail) | 0) >= 0 || (head !== undefined && ((position - head) | 0) < 0)) this.releaseSlot(slot);
    }
  }

  /** Frees a slot. One store, so that nobody dies in between. */
  releaseSlot(slot: number): void {
    this.#store(slot, 0, 0);
  }

  // ---- giving memory back

  /** Gives back all pages that no slot in use has. Under the producers' lock. */
  shrink(): void {
    const used = this.#extents(0).used;
    used.push([descriptorSize(this.#descriptor) / PAGE - this.#base, 0]);
    let start = 0;
    for (const [from, to] of used) {
      if (from > start) releasePages(this.#descriptor, (this.#base + start) * PAGE, (from - start) * PAGE);
      start = Math.max(start, to);
    }
  }

  /** The pages in use, in order, and a slot that is not. What ended agents had not sent is free. */
  #extents(age: number): { readonly used: [from: number, to: number][]; readonly free: number } {
    const used: [from: number, to: number][] = [];
    let free = -1;
    for (let slot = 0; slot < SLOTS; slot++) {
      const owner = this.#load(slot, 0);
      if (owner !== 0 && this.#load(slot, POSITION_FIELD) === UNSENT && hasEnded(owner, age)) this.releaseSlot(slot);
      if (this.#load(slot, 0) === 0) free = free < 0 ? slot : free;
      else used.push([this.#load(slot, PAGE_FIELD), this.#load(slot, PAGE_FIELD) + this.#load(slot, PAGES_FIELD)]);
    }
    return { used: used.sort((a, b) => a[0] - b[0]), free };
  }

  /** This thread leaves: it will not look any more. */
  leave(): void {
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#agent === currentAgent()) this.#rest();
  }

  /** There is a large item: sees to it that somebody looks later. */
  #noteUse(): void {
    Atomics.add(this.#words, this.#at + USES, 1);
    if (this.#timer !== null && this.#agent === currentAgent()) return;
    this.#agent = currentAgent();
    this.#scheduleShrink();
  }

  #scheduleShrink(): void {
    this.#seen = Atomics.load(this.#words, this.#at + USES);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (this.#block.closed) return;
      if (Atomics.load(this.#words, this.#at + USES) === this.#seen) this.#rest();
      else this.#scheduleShrink();
    }, IDLE_BEFORE_SHRINK_MS).unref();
  }

  #load(slot: number, field: number): number {
    return Atomics.load(this.#words, this.#at + TABLE + slot * FIELDS + field);
  }

  #store(slot: number, field: number, value: number): void {
    Atomics.store(this.#words, this.#at + TABLE + slot * FIELDS + field, value);
  }
}
