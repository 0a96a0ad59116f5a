/**
 * `Heap` and `BufferWrapper`: pieces of shared memory for code that lays out its own data, as
 * Python's `multiprocessing.heap`.
 *
 * A heap has arenas (memory files), each twice as large as the one before up to 4 MiB, or as large
 * as what is asked for. Blocks are multiples of 8 bytes; freed neighbours merge; an arena goes when
 * its last block is freed.
 *
 * A view of an arena that is sent arrives as the same memory. Nobody tells when the receiver is
 * done with it, so from then on what is freed in that arena is not given out again.
 */
import { inspect } from 'node:util';
import { ArgumentError, ClosedError } from '../errors/index.js';
import { checkNumber, describe } from '../util/options.js';
import { entry } from '../util/package.js';
import { printedAsShown } from '../util/printed.js';
import { Extents } from './regions/extents.js';
import { allocateMapped, attachMapped, type MappedBlock } from './regions/mapped-block.js';
import { ATTACH, type BlockOnly, noteMemory, registerShareable } from './shareable/shareable.js';

const ALIGNMENT = 8;
const PAGE_BYTES = 4096;
const MAX_ARENA_BYTES = 1 << 22;

/** A piece of memory that {@link Heap.malloc} gave out. */
export interface HeapBlock {
  /** The arena it lies in. */
  readonly arena: HeapArena;
  /** Where it starts in the arena's buffer. */
  readonly start: number;
  /** Where it ends: the size asked for, rounded up to 8 bytes. */
  readonly stop: number;
}

/** Memory from which a heap takes its blocks. */
export interface HeapArena {
  /** Bytes. */
  readonly size: number;
  /** All of its bytes. @throws ClosedError when its last block was freed. */
  readonly buffer: ArrayBufferLike;
}

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

/** The memory of an arena, here or where a view of it arrived. */
class ArenaMemory {
  /** Whether others may see it. */
  sent = false;

  constructor(readonly block: MappedBlock) {
    noteMemory(block.buffer, this);
  }

  static [ATTACH]({ block }: BlockOnly): ArenaMemory {
    return new ArenaMemory(attachMapped(block));
  }
}

registerShareable<ArenaMemory, BlockOnly>('heap', {
  module: entry('memory/heap'),
  class: ArenaMemory,
  toHandle: (memory) => {
    memory.sent = true;
    return { block: memory.block.handle };
  },
});

class MappedArena implements HeapArena {
  readonly memory: ArenaMemory;
  readonly extents: Extents;
  readonly blocks = new Map<number, HeapBlock>();

  constructor(readonly size: number) {
    this.memory = new ArenaMemory(allocateMapped(size));
    this.extents = new Extents(0, size, ALIGNMENT);
  }

  get buffer(): ArrayBufferLike {
    return this.memory.block.buffer;
  }
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
      throw new ArgumentError('Heap.free: the block was freed before; free each block once.', { code: 'MP_DOUBLE_FREE' });
    }
    const at = this.#arenas.indexOf(arena);
    if (at < 0) throw new ArgumentError('Heap.free: the block is of another heap; free it there.', { code: 'MP_FOREIGN_BLOCK' });
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
    return { arenas: this.#arenas.length, size, used: size - free, free, blocks, mallocs: this.#mallocs, frees: this.#frees };
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

const heap = new Heap();
const collected = new FinalizationRegistry<HeapBlock>((block) => heap.free(block));
/** A view keeps its wrapper. */
const wrappers = new WeakMap<Uint8Array, BufferWrapper>();

/**
 * Zeroed shared memory from the heap of this thread, given back when the wrapper was collected or
 * disposed.
 *
 * @example
 * import { BufferWrapper } from 'multiprocess/heap';
 *
 * using wrapper = new BufferWrapper(100);
 * console.log(wrapper.createMemoryview().length); // 100
 */
export class BufferWrapper implements Disposable {
  /** Bytes. */
  readonly size: number;
  readonly #block: HeapBlock;
  #disposed = false;

  /**
   * @param size Bytes, at least 0.
   * @throws ArgumentError; MultiprocessError `MP_SYSTEM` without memory or descriptors.
   */
  constructor(size: number) {
    checkNumber('BufferWrapper', 'size', size, { integer: true });
    this.#block = heap.malloc(size);
    this.size = size;
    new Uint8Array(this.#block.arena.buffer, this.#block.start, this.#block.stop - this.#block.start).fill(0);
    collected.register(this, this.#block, this);
  }

  /**
   * The bytes. The view keeps the memory; a `subarray` of it does not: hold the view or the wrapper
   * as long as it is used. Sent to another process, it arrives as the same memory.
   * @throws ClosedError after it was disposed.
   */
  createMemoryview(): Uint8Array {
    if (this.#disposed) throw new ClosedError('BufferWrapper: it was disposed; its memory cannot be used any more.');
    const view = new Uint8Array(this.#block.arena.buffer, this.#block.start, this.size);
    wrappers.set(view, this);
    return view;
  }

  /** Gives the memory back now. Its views must not be used any more. */
  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    collected.unregister(this);
    heap.free(this.#block);
  }

  /** @internal */
  [inspect.custom](): string {
    return this.#disposed ? 'BufferWrapper (disposed)' : `BufferWrapper(${this.size})`;
  }
}
printedAsShown(BufferWrapper);
