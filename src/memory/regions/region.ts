import { closeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { ClosedError } from '../../errors/index.js';
import { nativeAvailable } from '../../native/addon.js';
import { closeDescriptor, duplicateDescriptor, openDescriptorOf } from '../../native/descriptors.js';
import { createMemory, descriptorSize, mapMemory, releasePages, unmapMemory } from '../../native/memory.js';
import { reopenDescriptor } from '../../platform/proc-linux.js';

/**
 * Bytes that several agents see: a mapping of an anonymous memory file (processes) or a
 * SharedArrayBuffer (threads), which without the addon has a number in place of a descriptor.
 *
 * Everything in shared memory (rings, locks, queues) is written once against a Region and runs over
 * both. A memory file has no name: it is gone when its last descriptor and mapping are, however its
 * users end.
 */
export class Region implements Disposable {
  readonly #buffer: ArrayBuffer | SharedArrayBuffer;
  readonly #own: OwnDescriptor | null;
  readonly #size: number;
  #closed = false;

  private constructor(buffer: ArrayBuffer | SharedArrayBuffer, own: OwnDescriptor | null, size: number) {
    this.#buffer = buffer;
    this.#own = own;
    this.#size = size;
  }

  /**
   * New zeroed memory for processes. `name` shows in /proc.
   * @throws MultiprocessError `MP_SYSTEM` without memory or descriptors.
   */
  static create(size: number, name: string): Region {
    const descriptor = createMemory(name, size);
    try {
      return Region.attach(descriptor, size);
    } catch (error) {
      closeDescriptor(descriptor);
      throw error;
    }
  }

  /**
   * Maps the memory behind a descriptor received from another process. The region owns the
   * descriptor from here on.
   * @param size Bytes from the start; default: all there are.
   */
  static attach(descriptor: number, size = descriptorSize(descriptor)): Region {
    const buffer = mapMemory(descriptor, size);
    if (isMainThread || !nativeAvailable()) return new Region(buffer, { fd: descriptor, close: closeDescriptor }, size);
    const own = reopen(process.pid, descriptor);
    closeDescriptor(descriptor);
    return new Region(buffer, own, size);
  }

  /** As {@link attach}, of a descriptor that has been reopened. */
  static over(own: OwnDescriptor, size = descriptorSize(own.fd)): Region {
    return new Region(mapMemory(own.fd, size), own, size);
  }

  /** New zeroed memory for the threads of this process. */
  static local(size: number): Region {
    return new Region(new SharedArrayBuffer(size), null, size);
  }

  /** Wraps the memory that another thread of this process made with {@link local}. */
  static adopt(buffer: SharedArrayBuffer): Region {
    return new Region(buffer, null, buffer.byteLength);
  }

  /**
   * Whether waiting on its words goes through the kernel (processes) or through Atomics (threads).
   */
  get crossesProcesses(): boolean {
    return !(this.#buffer instanceof SharedArrayBuffer);
  }

  /** The bytes. @throws ClosedError after {@link close}. */
  get buffer(): ArrayBuffer | SharedArrayBuffer {
    this.#check();
    return this.#buffer;
  }

  /**
   * Descriptor of the memory file, to hand to a child.
   * @throws ClosedError after {@link close}, and for thread memory.
   */
  get descriptor(): number {
    this.#check();
    if (this.#own === null) throw new ClosedError('Region: thread memory has no descriptor; pass its buffer instead.');
    return this.#own.fd;
  }

  /** Size in bytes. */
  get size(): number {
    return this.#size;
  }

  /** Whether {@link close} was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * A part of the bytes to which writes stay here: nobody else sees them. What others write may or
   * may not be seen, so they must have finished. It outlives {@link close}. Thread memory, which no
   * kernel maps, is copied.
   * @param offset A multiple of 4096.
   * @throws ClosedError after {@link close}; MultiprocessError `MP_SYSTEM`.
   */
  copyOnWrite(offset: number, size: number): ArrayBuffer {
    this.#check();
    if (this.#own !== null && this.crossesProcesses)
      return mapMemory(this.#own.fd, size, { offset, copyOnWrite: true }) as ArrayBuffer;
    return new Uint8Array(this.#buffer, offset, size).slice().buffer as ArrayBuffer;
  }

  /** Makes a part of the bytes zero, also for who maps that part by itself. */
  clear(offset: number, length: number): void {
    this.#check();
    new Uint8Array(this.#buffer, offset, length).fill(0);
    if (this.#own !== null && !this.crossesProcesses) releasePages(this.#own.fd, offset, length);
  }

  /**
   * Unmaps. Every view of the buffer is empty from here on; other processes are not affected.
   * Closing twice does nothing.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#own === null) return;
    unmapMemory(this.#buffer);
    this.#own.close(this.#own.fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #check(): void {
    if (this.#closed) throw new ClosedError('Region: it is closed; its memory cannot be used any more.');
  }
}

/** A descriptor that belongs to this thread, and what closes it. */
export interface OwnDescriptor {
  readonly fd: number;
  readonly close: (fd: number) => void;
}

/**
 * A descriptor of our own for the memory file that a process has under `fd`.
 *
 * Descriptors are the process's: those of a thread that ends would stay open. Node closes what was
 * opened by `fs` in a thread when that ends, be it terminated, so there `fs` opens it, in one step.
 * Without leave to open files it is an ordinary descriptor.
 *
 * @throws MultiprocessError `MP_SYSTEM` (ENOENT, ESRCH, EBADF: the process, or its descriptor, is
 * gone; EPERM: it may not be opened).
 */
export function reopen(pid: number, fd: number): OwnDescriptor {
  if (!isMainThread && nativeAvailable()) {
    try {
      return { fd: reopenDescriptor(pid, fd, 'r+'), close: closeSync };
    } catch {
      // The other way says why.
    }
  }
  return { fd: pid === process.pid ? duplicateDescriptor(fd) : openDescriptorOf(pid, fd), close: closeDescriptor };
}
