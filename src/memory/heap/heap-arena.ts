/**
 * Arenas of a heap: memory files out of which it gives blocks.
 *
 * A view of an arena that is sent arrives as the same memory. Nobody tells when the receiver is
 * done with it, so from then on what is freed in that arena is not given out again.
 */
import { entry } from '../../util/package.js';
import { Extents } from '../regions/extents.js';
import { allocateMapped, attachMapped, type MappedBlock } from '../regions/mapped-block.js';
import { ATTACH, type BlockOnly, noteMemory, registerShareable } from '../shareable/shareable.js';

const ALIGNMENT = 8;

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
  closed: ({ block }) => block.closed,
});

/** An arena with what is free in it. */
export class MappedArena implements HeapArena {
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
