import { mapMemory, unmapMemory } from '../../native/memory.js';
import { checkNumber } from '../../util/options.js';
import { Arena, type BlockHandle, Unit } from './arena.js';
import { endWith, Lease } from './lease.js';
import { Leased } from './leased.js';

/**
 * Shared memory that is mapped by itself: `buffer` has its bytes and no others, so that it may be
 * handed to users. The lease is that of the buffer: a view that outlives the object it came from
 * keeps the memory.
 */
export class MappedBlock extends Leased {
  readonly #buffer: ArrayBufferLike;

  /** @internal */
  constructor(arena: Arena, offset: number, size: number) {
    super(new Lease(arena, offset, size));
    try {
      this.#buffer = mapMemory(arena.region.descriptor, size, { offset });
    } catch (error) {
      this.lease.end();
      throw error;
    }
    endWith(this.#buffer, this.lease);
  }

  /**
   * The bytes. Views of it are empty after {@link close}, but for a SharedArrayBuffer.
   * @throws ClosedError after {@link close}.
   */
  get buffer(): ArrayBufferLike {
    this.check('MappedBlock.buffer');
    return this.#buffer;
  }

  /**
   * A part of the bytes to which writes stay here. It keeps the memory for as long as it, or a view
   * of it, is held, whether or not the block is closed.
   * @param offset In the block, a multiple of 4096.
   * @throws ClosedError after {@link close}; MultiprocessError `MP_SYSTEM`.
   */
  copyOnWrite(offset: number, size: number): ArrayBuffer {
    this.check('MappedBlock.copyOnWrite');
    // Memory of threads is copied: nobody maps it.
    if (this.#buffer instanceof SharedArrayBuffer) return new Uint8Array(this.#buffer, offset, size).slice().buffer;
    const { arena, offset: start, size: whole } = this.lease;
    const buffer = arena.region.copyOnWrite(start + offset, size);
    arena.refer(start);
    endWith(buffer, new Lease(arena, start, whole));
    return buffer;
  }

  protected override afterClose(): void {
    unmapMemory(this.#buffer);
  }
}

/**
 * New zeroed shared memory that users see: at least a page.
 *
 * @param alone Nothing else lies in its memory file, so that it is gone with its last user, however
 * users end. Takes a descriptor.
 * @throws ArgumentError for a bad size; MultiprocessError `MP_SYSTEM` without memory or
 * descriptors.
 */
export function allocateMapped(size: number, alone = false): MappedBlock {
  checkNumber('allocateMapped', 'size', size, { integer: true, min: 1 });
  const { arena, offset } = Arena.allocate(size, Unit.page, alone);
  return new MappedBlock(arena, offset, size);
}

/** The memory of a handle that {@link allocateMapped} made. @throws as `attachBlock`. */
export function attachMapped(handle: BlockHandle): MappedBlock {
  return new MappedBlock(Arena.attach(handle), handle.offset, handle.length);
}
