/**
 * The allocator of `Heap`.
 *
 * A heap has arenas (memory files), each twice as large as the one before up to 4 MiB, or as large
 * as what is asked for. Blocks are multiples of 8 bytes; freed neighbours merge; an arena goes when
 * its last block is freed.
 */
import { inspect } from 'node:util';
import { ArgumentError } from '../../errors/index.js';
import { checkNumber, describe } from '../../util/options.js';
import { printedAsShown } from '../../util/printed.js';
import { type HeapArena, type HeapBlock, MappedArena } from './heap-arena.js';

const PAGE_BYTES = 4096;
const MAX_ARENA_BYTES = 1 << 22;

/** What a heap has given out and what it has left. */
export interface HeapStats {
  /** Arenas it has. */
  readonly arenas: number;
  /** Bytes of all arenas: `used + free`. */
  readonly size: number;
  /** Bytes in blocks that are in use. */
  readonly used: number;
  /** Bytes that are free. */
  readonly free: number;
  /** Blocks in use. */
  readonly blocks: number;
  /** Calls of `malloc` so far. */
  readonly mallocs: number;
  /** Calls of `free` so far that freed something. */
  readonly frees: number;
}

/**
 * An allocator over arenas of shared memory.
 *
 * @example
 * import { Heap } from 'multiprocess/heap';
 *
 * const heap = new Heap();
 * const block = heap.malloc(100);
 * console.log(block.stop - block.start); // 104
 * heap.free(block);
 */
export class Heap {
  readonly #arenas: MappedArena[] = [];
  #next: number;
  #mallocs = 0;
  #frees = 0;

  /** @param size Bytes of the first arena, rounded up to pages. Default 4096. */
  constructor(size = PAGE_BYTES) {
    checkNumber('Heap', 'size', size, { integer: true, min: 1 });
    this.#next = pages(size);
  }

  /**
   * Takes at least `size` bytes. They are zero in a new arena only.
   *
   * @throws ArgumentError for a negative size; MultiprocessError `MP_SYSTEM` without memory or
   * descriptors.
   */
  malloc(size: number): HeapBlock {
    checkNumber('Heap.malloc', 'size', size, { integer: true });
    if (size === undefined) throw new ArgumentError('Heap.malloc: `size` is missing; give the number of bytes.');
    const wanted = Math.max(size, 1);
    for (const arena of this.#arenas) {
      const block = this.#take(arena, wanted);
      if (block !== null) return block;
    }
    const arena = new MappedArena(Math.max(this.#next, pages(wanted)));
    if (this.#next < MAX_ARENA_BYTES) this.#next *= 2;
    this.#arenas.push(arena);
    return this.#take(arena, wanted)!;
  }

  /**
   * Gives a block back; with an arena's last block the arena goes, and views of it become empty.
   *
   * @throws ArgumentError `MP_DOUBLE_FREE` for a block that was freed before, `MP_FOREIGN_BLOCK`
   * for one of another heap.
   */
  free(block: HeapBlock): void {
    const arena = block?.arena;
    if (!(arena instanceof MappedArena))
      throw new ArgumentError(`Heap.free: ${describe(block)} is no block of a heap; pass what malloc returned.`, {
        code: 'MP_FOREIGN_BLOCK',
      });
    if (arena.blocks.get(block.start) !== block) {
      throw new ArgumentError('Heap.free: the block was freed before; free each block once.', {
        code: 'MP_DOUBLE_FREE',
      });
    }
    const at = this.#arenas.indexOf(arena);
    if (at < 0)
      throw new ArgumentError('Heap.free: the block is of another heap; free it there.', { code: 'MP_FOREIGN_BLOCK' });
    arena.blocks.delete(block.start);
    if (!arena.memory.sent) arena.extents.give(block.start, block.stop - block.start);
    this.#frees++;
    if (arena.blocks.size > 0) return;
    this.#arenas.splice(at, 1);
    arena.memory.block.close();
  }

  /** The arenas it has now. */
  get arenas(): readonly HeapArena[] {
    return [...this.#arenas];
  }

  /** All blocks in use, in no order. */
  *blocks(): IterableIterator<HeapBlock> {
    for (const { blocks } of this.#arenas) yield* blocks.values();
  }

  /** The free ranges of an arena as `[start, stop]`, in no order. */
  holes(arena: HeapArena): (readonly [start: number, stop: number])[] {
    return arena instanceof MappedArena ? [...arena.extents.ranges()] : [];
  }

  /** Numbers about it. */
  get stats(): HeapStats {
    let [size, free, blocks] = [0, 0, 0];
    for (const arena of this.#arenas) {
      size += arena.size;
      free += arena.extents.free;
      blocks += arena.blocks.size;
    }
    return {
      arenas: this.#arenas.length,
      size,
      used: size - free,
      free,
      blocks,
      mallocs: this.#mallocs,
      frees: this.#frees,
    };
  }

  /** @internal */
  [inspect.custom](): string {
    return `Heap ${inspect(this.stats)}`;
  }

  #take(arena: MappedArena, size: number): HeapBlock | null {
    const start = arena.extents.take(size);
    if (start < 0) return null;
    const block: HeapBlock = { arena, start, stop: start + arena.extents.rounded(size) };
    arena.blocks.set(start, block);
    this.#mallocs++;
    return block;
  }
}
printedAsShown(Heap);

function pages(size: number): number {
  return Math.ceil(size / PAGE_BYTES) * PAGE_BYTES;
}
