/**
 * Blocks: zeroed shared memory for one small object (a lock, a value), many of them in one arena.
 */
import { checkNumber } from '../../util/options.js';
import { WaitCell } from '../waiting/wait-cell.js';
import { Arena, type BlockHandle, Unit } from './arena.js';
import { endWith, Lease } from './lease.js';
import { Leased } from './leased.js';
import type { Region } from './region.js';

/** Shared memory of one object. Its bytes are zero at first. */
export class Block extends Leased {
  /** The memory it lies in, which it shares with other blocks. */
  readonly region: Region;
  /** Byte offset in the region, a multiple of 64. */
  readonly offset: number;
  readonly #int32: Int32Array;
  /** Those who wait for its words, once anybody could. */
  #waiting: (() => void)[] | null = null;

  /** @internal */
  constructor(arena: Arena, offset: number, size: number) {
    super(new Lease(arena, offset, size));
    this.region = arena.region;
    this.offset = offset;
    this.#int32 = new Int32Array(arena.region.buffer, offset, Math.ceil(size / 4));
    endWith(this, this.lease);
  }

  /**
   * The block as words. Keep the Block reachable as long as the view is used: a view alone does not
   * keep the bytes.
   * @throws ClosedError after {@link close}.
   */
  get int32(): Int32Array {
    this.check('Block.int32');
    return this.#int32;
  }

  /** The block as bytes. @throws ClosedError after {@link close}. */
  get bytes(): Uint8Array {
    this.check('Block.bytes');
    return new Uint8Array(this.region.buffer, this.offset, this.size);
  }

  /** A word to wait on. @throws ClosedError after {@link close}. */
  cell(wordIndex: number): WaitCell {
    this.check('Block.cell');
    return new WaitCell(this.region, this.offset + wordIndex * 4, (then) => {
      this.#waiting ??= [];
      this.#waiting.push(then);
    });
  }

  /** Who waits for its words here gets a ClosedError. */
  protected override beforeClose(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const gone of waiting) gone();
  }
}

/**
 * New zeroed shared memory. @throws ArgumentError for a bad size; MultiprocessError `MP_SYSTEM`
 * without memory or descriptors.
 * @param alone Nothing else lies in its memory file, which its owner may let grow. Takes a
 * descriptor.
 */
export function allocateBlock(size: number, alone = false): Block {
  checkNumber('allocateBlock', 'size', size, { integer: true, min: 1 });
  const { arena, offset } = Arena.allocate(size, Unit.line, alone);
  return new Block(arena, offset, size);
}

/**
 * Whether `value` has the shape of a handle: of what was made by {@link Block.handle}, and of
 * nothing that users write.
 */
export function isBlockHandle(value: unknown): value is BlockHandle {
  return typeof value === 'object' && value !== null && 'ino' in value && 'generation' in value;
}

/**
 * The block of a handle, which another process or thread (or this one) made.
 *
 * @throws MultiprocessError `MP_OWNER_GONE` when the process that made the handle has ended, or
 * closed the block and {@link TRANSIT_MS} is over; ArgumentError for a damaged handle.
 */
export function attachBlock(handle: BlockHandle): Block {
  return new Block(Arena.attach(handle), handle.offset, handle.length);
}

/**
 * Takes a reference to the block of a handle and keeps it for {@link TRANSIT_MS} ms, so that it can
 * be attached later.
 */
export function expectBlock(handle: BlockHandle): void {
  using block = attachBlock(handle);
  void block.handle;
}
