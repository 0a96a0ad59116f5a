import { closeSync, openSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { ClosedError } from '../errors/index.js';
import { closeDescriptor } from '../native/descriptors.js';
import { createMemory, descriptorSize, mapMemory, unmapMemory } from '../native/memory.js';

/**
 * Bytes that several agents see: a mapping of an anonymous memory file (processes) or a SharedArrayBuffer (threads).
 *
 * Everything in shared memory (rings, locks, queues) is written once against a Region and runs over both.
 * A memory file has no name: it is gone when its last descriptor and mapping are, however its users end.
 */
export class Region implements Disposable {
  readonly #buffer: ArrayBuffer | SharedArrayBuffer;
  readonly #descriptor: number | null;
  readonly #release: (descriptor: number) => void;
  readonly #size: number;
  #closed = false;

  private constructor(buffer: ArrayBuffer | SharedArrayBuffer, given: number | null, size: number) {
    const [descriptor, release] = given === null ? [null, closeDescriptor] : owned(given);
    this.#buffer = buffer;
    this.#descriptor = descriptor;
    this.#release = release;
    this.#size = size;
  }

  /** New zeroed memory for processes. `name` shows in /proc. @throws MultiprocessError `MP_SYSTEM` without memory or descriptors. */
  static create(size: number, name: string): Region {
    const descriptor = createMemory(name, size);
    try {
      return new Region(mapMemory(descriptor, size), descriptor, size);
    } catch (error) {
      closeDescriptor(descriptor);
      throw error;
    }
  }

  /**
   * Maps the memory behind a descriptor received from another process. The region owns the descriptor from here on.
   * @param size Bytes from the start; default: all there are.
   */
  static attach(descriptor: number, size = descriptorSize(descriptor)): Region {
    return new Region(mapMemory(descriptor, size), descriptor, size);
  }

  /** New zeroed memory for the threads of this process. */
  static local(size: number): Region {
    return new Region(new SharedArrayBuffer(size), null, size);
  }

  /** Wraps the memory that another thread of this process made with {@link local}. */
  static adopt(buffer: SharedArrayBuffer): Region {
    return new Region(buffer, null, buffer.byteLength);
  }

  /** Whether waiting on its words goes through the kernel (processes) or through Atomics (threads). */
  get crossesProcesses(): boolean {
    return this.#descriptor !== null;
  }

  /** The bytes. @throws ClosedError after {@link close}. */
  get buffer(): ArrayBuffer | SharedArrayBuffer {
    this.#check();
    return this.#buffer;
  }

  /** Descriptor of the memory file, to hand to a child. @throws ClosedError after {@link close}, and for thread memory. */
  get descriptor(): number {
    this.#check();
    if (this.#descriptor === null) throw new ClosedError('Region: thread memory has no descriptor; pass its buffer instead.');
    return this.#descriptor;
  }

  /** Size in bytes. */
  get size(): number {
    return this.#size;
  }

  /** Whether {@link close} was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Unmaps. Every view of the buffer is empty from here on; other processes are not affected. Closing twice does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#descriptor === null) return;
    unmapMemory(this.#buffer as ArrayBuffer);
    this.#release(this.#descriptor);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #check(): void {
    if (this.#closed) throw new ClosedError('Region: it is closed; its memory cannot be used any more.');
  }
}

/**
 * Descriptors are the process's: those of a thread that ends would stay open. Node closes what was opened by `fs` in a thread when
 * that ends, be it terminated, so there the descriptor is replaced by one of fs. Without leave to open files it is kept as it is.
 */
function owned(descriptor: number): [descriptor: number, release: (descriptor: number) => void] {
  if (isMainThread) return [descriptor, closeDescriptor];
  let replacement: number;
  try {
    replacement = openSync(`/proc/self/fd/${descriptor}`, 'r+');
  } catch {
    return [descriptor, closeDescriptor];
  }
  closeDescriptor(descriptor);
  return [replacement, closeSync];
}
