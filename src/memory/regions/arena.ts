/**
 * An arena: one memory file in which many small shared objects live, so that a thousand locks take
 * one descriptor.
 *
 * Layout (units of 64 bytes, a cache line, or of 4096, a page):
 *
 *     0   magic  u32
 *     4   start  u32   offset of the first unit
 *     8   unit   u32   bytes of a unit
 *    64   table        two words for each unit that begins a block: references, generation
 *   start units
 *
 *   references | meaning
 *       0      | free: only the process that made the arena may give it out again
 *      n > 0   | in use: by n leases, of any thread of any process. It never grows from 0 but by
 *              | the maker.
 *
 * The generation grows each time a block is freed. A handle names it, so that one that arrives late
 * is refused and never attached to what took the block's place.
 *
 * Crash: a process that is killed leaves its references behind. The block they keep is lost until
 * the arena goes, and that is when the last process that has it open ends, however it ends: a
 * memory file has no name.
 */
import { ArgumentError } from '../../errors/index.js';
import { Extents } from './extents.js';
import { Region } from './region.js';
import { acquireRegion, enterRegion, ownerGone, type RegionHandle, regionHandle, releaseRegion } from './registry.js';

/**
 * Bytes of a unit; also the alignment of blocks. Pages are for blocks that are mapped by
 * themselves.
 */
export enum Unit {
  line = 64,
  page = 4096,
}

const MAGIC = 0x6d70_6131;
const TABLE = 64;
const ENTRY = 8;
const MIN_ARENA_BYTES = 1 << 16;
const MAX_ARENA_BYTES = 1 << 22;

/** Where a block is found by another process or thread. Plain data. */
export interface BlockHandle extends RegionHandle {
  /** Byte offset in the region. */
  readonly offset: number;
  /** Bytes of the block. */
  readonly length: number;
  /** Which of the blocks that were at this place one after another. */
  readonly generation: number;
}

/** Arenas made by this thread that it still uses, newest last. */
const made: Arena[] = [];
const arenas = new WeakMap<Region, Arena>();

export class Arena {
  readonly region: Region;
  /** What is free; `null` in an arena that another thread or process made. */
  #extents: Extents | null;
  readonly #table: Int32Array;
  readonly #start: number;
  readonly #unit: number;
  /** Blocks that this thread let go of while others had references: offset to length. */
  readonly #lent = new Map<number, number>();
  /** Up to here memory was given out before and is not zero. */
  #used = 0;

  private constructor(region: Region, mine: boolean) {
    this.region = region;
    const { buffer, size } = region;
    const head = new Int32Array(buffer, 0, 3);
    this.#start = head[1]!;
    this.#unit = head[2]!;
    if (head[0] !== MAGIC || this.#start < TABLE + ENTRY || this.#start >= size || !(this.#unit in Unit)) {
      throw new ArgumentError(
        'The handle names memory that holds no shared objects; it was damaged, or made by another version.',
      );
    }
    this.#table = new Int32Array(buffer, TABLE, (this.#start - TABLE) >> 2);
    this.#extents = mine ? new Extents(this.#start, size, this.#unit) : null;
    arenas.set(region, this);
  }

  /**
   * Finds room for a block, in a new arena if need be, and takes its first reference.
   * @param alone The block gets an arena with nothing else in it, so that whoever owns it may let
   * the file grow behind it.
   */
  static allocate(length: number, unit: Unit, alone = false): { arena: Arena; offset: number } {
    for (const sweep of alone ? [] : [false, true]) {
      for (let i = made.length - 1; i >= 0; i--) {
        const arena = made[i]!;
        if (arena.#unit !== unit) continue;
        if (sweep) arena.#sweep();
        const offset = arena.#take(length);
        if (offset < 0) continue;
        acquireRegion(regionHandle(arena.region));
        return { arena, offset };
      }
    }
    const arena = Arena.#create(length, unit, alone);
    return { arena, offset: arena.#take(length) };
  }

  /**
   * The arena of a handle, with a reference to its block taken.
   * @throws MultiprocessError `MP_OWNER_GONE`.
   */
  static attach(handle: BlockHandle): Arena {
    const region = acquireRegion(handle);
    try {
      const arena = arenas.get(region) ?? new Arena(region, false);
      arena.#check(handle);
      const word = arena.#word(handle.offset);
      for (;;) {
        const references = Atomics.load(arena.#table, word);
        if (references <= 0) throw ownerGone(handle);
        if (Atomics.compareExchange(arena.#table, word, references, references + 1) === references) break;
      }
      if (Atomics.load(arena.#table, word + 1) !== handle.generation) {
        Atomics.sub(arena.#table, word, 1);
        throw ownerGone(handle);
      }
      return arena;
    } catch (error) {
      releaseRegion(region);
      throw error;
    }
  }

  static #create(length: number, unit: Unit, alone: boolean): Arena {
    let size = Math.min(MAX_ARENA_BYTES, MIN_ARENA_BYTES << Math.min(made.length, 6));
    let start = up(TABLE + (size / unit) * ENTRY, unit);
    if (alone || length > (size - start) / 2) {
      // One block of its own, of which the table needs a single entry.
      start = up(TABLE + ENTRY, unit);
      size = start + up(length, unit);
    }
    const region = Region.create(size, 'arena');
    new Int32Array(region.buffer, 0, 3).set([MAGIC, start, unit]);
    enterRegion(region);
    const arena = new Arena(region, true);
    made.push(arena);
    return arena;
  }

  /** The handle of a block in it. */
  handle(offset: number, length: number): BlockHandle {
    return {
      ...regionHandle(this.region),
      offset,
      length,
      generation: Atomics.load(this.#table, this.#word(offset) + 1),
    };
  }

  /** Takes one more reference to a block to which the caller has one. */
  refer(offset: number): void {
    acquireRegion(regionHandle(this.region));
    Atomics.add(this.#table, this.#word(offset), 1);
  }

  /**
   * Counts one more reference to a block for a process that is about to be forked; takes nothing
   * here.
   */
  share(offset: number): void {
    Atomics.add(this.#table, this.#word(offset), 1);
  }

  /** In a forked process: what the parent made stays the parent's to give out again. */
  static disown(): void {
    for (const arena of made.splice(0)) {
      arena.#extents = null;
      arena.#lent.clear();
    }
  }

  /** Gives up one reference; with its last one in this thread the arena itself is closed here. */
  release(offset: number, length: number): void {
    const last = this.drop(offset) === 0;
    if (this.#extents !== null) {
      if (last) this.#recycle(offset, length);
      else this.#lent.set(offset, length);
    }
    releaseRegion(this.region);
    const at = this.region.closed ? made.indexOf(this) : -1;
    if (at >= 0) made.splice(at, 1);
  }

  /**
   * Only counts a reference down: at the end of a process, whose memory goes anyway. Returns how
   * many are left.
   */
  drop(offset: number): number {
    return Atomics.sub(this.#table, this.#word(offset), 1) - 1;
  }

  #take(length: number): number {
    const extents = this.#extents!;
    const offset = extents.take(length);
    if (offset < 0) return -1;
    const end = offset + extents.rounded(length);
    if (offset < this.#used) this.region.clear(offset, Math.min(end, this.#used) - offset);
    this.#used = Math.max(this.#used, end);
    Atomics.store(this.#table, this.#word(offset), 1);
    return offset;
  }

  /** Takes back what others have let go of meanwhile. */
  #sweep(): void {
    for (const [offset, length] of this.#lent) {
      if (Atomics.load(this.#table, this.#word(offset)) === 0) this.#recycle(offset, length);
    }
  }

  #recycle(offset: number, length: number): void {
    this.#lent.delete(offset);
    Atomics.add(this.#table, this.#word(offset) + 1, 1);
    this.#extents!.give(offset, length);
  }

  /** Index in the table of a block's references; its generation follows. */
  #word(offset: number): number {
    return ((offset - this.#start) / this.#unit) * 2;
  }

  #check({ offset, length }: BlockHandle): void {
    const fits =
      Number.isInteger(offset) &&
      Number.isInteger(length) &&
      length > 0 &&
      (offset - this.#start) % this.#unit === 0 &&
      offset >= this.#start;
    if (!fits || offset + length > this.region.size || this.#word(offset) + 2 > this.#table.length) {
      throw new ArgumentError(
        'The handle of a shared object names memory outside its region; it was damaged, or made by another version.',
      );
    }
  }
}

function up(bytes: number, unit: number): number {
  return Math.ceil(bytes / unit) * unit;
}
