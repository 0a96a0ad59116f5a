import { inspect } from 'node:util';
import { ClosedError } from '../../errors/index.js';
import { checkNumber } from '../../util/options.js';
import { printedAsShown } from '../../util/printed.js';
import { Heap } from './heap.js';
import type { HeapBlock } from './heap-arena.js';

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
