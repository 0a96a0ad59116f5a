import { constants } from 'node:buffer';
import { fstatSync, ftruncateSync } from 'node:fs';
import { ArgumentError, ClosedError, UnsupportedError } from '../errors/usage.js';
import { checkNumber, checkOptions, describe } from '../util/options.js';
import { addon, nativeAvailable, provideStandIn } from './addon.js';
import { Refusal } from './calls.js';
import { checkBytes } from './check-bytes.js';
import { systemError } from './system-error.js';
import { threadCalls } from './threads/calls.js';
import { familyName } from './threads/family.js';

// Whoever shares anything begins here.
provideStandIn(threadCalls);

/** How {@link mapMemory} maps. */
export interface MapOptions {
  /** Get all pages now instead of one by one when first touched. Default `false`. */
  readonly populate?: boolean | undefined;
  /** Byte in the file to start at: a multiple of the page size (4096). Default 0. */
  readonly offset?: number | undefined;
  /**
   * Writes stay in this mapping: a page that is written to becomes a copy of its own. Default
   * `false`: everybody sees them.
   */
  readonly copyOnWrite?: boolean | undefined;
}

/** Buffers of this thread that were mapped here: tells an unmapped one from a foreign one. */
const known = new WeakSet<ArrayBufferLike>();

/**
 * Makes an anonymous block that lives while a descriptor or a mapping of it does; it shows as
 * `/memfd:multiprocess-<name>`. It can grow but never shrink, so that no process can take memory
 * away under another one.
 *
 * @param name for people who read /proc; at most 236 bytes.
 * @param size bytes, at least 1.
 * @returns a close-on-exec descriptor.
 * @throws ArgumentError for a bad name or size; MultiprocessError `MP_SYSTEM`.
 */
export function createMemory(name: string, size: number): number {
  checkBytes('createMemory', size);
  if (typeof name !== 'string' || name.includes('\0') || Buffer.byteLength(name) > 236) {
    throw new ArgumentError(
      `createMemory: \`name\` must be a string of at most 236 bytes without NUL, not ${describe(name)}.`,
    );
  }
  const fd = addon().createMemory(`multiprocess-${name}`, size);
  if (fd < 0) throw systemError(`createMemory "${name}" of ${size} bytes`, 'memfd_create', fd);
  return fd;
}

/** Size in bytes of what a descriptor refers to. @throws MultiprocessError `MP_SYSTEM`. */
export function descriptorSize(fd: number): number {
  const size = addon().descriptorSize(fd);
  if (size < 0) throw systemError(`descriptorSize of ${fd}`, 'fstat', size);
  return size;
}

/**
 * Makes a block larger. Its users may map the new bytes, which are zero.
 * @throws Error of Node's file system when the kernel refuses.
 */
export function growMemory(fd: number, size: number): void {
  // Memory of threads grows with what is mapped of it.
  if (nativeAvailable()) ftruncateSync(fd, size);
}

/** Returns what tells the memory behind a descriptor from all other that lives. */
export function memoryIdentity(fd: number): string {
  if (!nativeAvailable()) return `${familyName()}:${fd}`;
  const { dev, ino } = fstatSync(fd, { bigint: true });
  return `${dev}:${ino}`;
}

/**
 * Gives the pages of a part of a block back to the system. The block keeps its size, and whoever
 * reads them finds zeros.
 *
 * @param offset a multiple of the page size (4096), as is `length`.
 * @throws ArgumentError; MultiprocessError `MP_SYSTEM`, EOPNOTSUPP where the block lies in a file
 * system that cannot.
 */
export function releasePages(fd: number, offset: number, length: number): void {
  checkNumber('releasePages', 'offset', offset, { integer: true, min: 0 });
  checkBytes('releasePages', length);
  const result = addon().releasePages(fd, offset, length);
  if (result < 0) throw systemError(`releasePages of ${length} bytes at ${offset}`, 'fallocate', result);
}

/**
 * Maps `size` bytes of a descriptor, readable and writable. The descriptor may be closed
 * afterwards.
 *
 * Without the addon it is the SharedArrayBuffer that all threads have, which nobody can unmap.
 *
 * The bytes stay mapped until {@link unmapMemory}, or until the buffer and all its views are
 * collected. The buffer belongs to this thread: Node refuses to transfer it (20: copies it
 * instead), another thread maps for itself. Node marks it so; never call `markAsUntransferable` on
 * it, since from Node 24 on Node then aborts when the environment ends.
 *
 * @param size bytes, at least 1.
 * @throws ArgumentError when the descriptor holds fewer bytes; UnsupportedError where Node forbids
 * such buffers; MultiprocessError `MP_SYSTEM`.
 */
export function mapMemory(fd: number, size: number, options?: MapOptions): ArrayBufferLike {
  checkOptions('mapMemory', options, ['populate', 'offset', 'copyOnWrite']);
  const offset = checkNumber('mapMemory', 'offset', options?.offset, { integer: true }) ?? 0;
  checkBytes('mapMemory', size);
  if (size > constants.MAX_LENGTH) {
    throw new ArgumentError(
      `mapMemory: ${size} bytes are more than this Node.js allows one buffer (${constants.MAX_LENGTH}); map it in parts.`,
    );
  }
  const buffer = addon().mapMemory(fd, size, options?.populate === true, offset, options?.copyOnWrite === true);
  if (typeof buffer === 'number') throw mapError(fd, size, buffer);
  known.add(buffer);
  return buffer;
}

/**
 * Ends a mapping now. The buffer and every view of it have length 0 afterwards. Waits of
 * `futexWaitAsync` on it go on; the memory is returned when they end.
 *
 * @throws ClosedError when it was unmapped before; ArgumentError when it is no mapping of this
 * library.
 */
export function unmapMemory(buffer: ArrayBufferLike): void {
  const result = addon().unmapMemory(buffer);
  if (result === 0) return;
  if (result === Refusal.notDetachable) {
    throw new ArgumentError(
      'unmapMemory: the buffer was locked by `markAsUntransferable`; leave that out, mappings are never transferred.',
    );
  }
  if (known.has(buffer))
    throw new ClosedError('unmapMemory: this buffer was unmapped before; unmap each mapping once.');
  throw new ArgumentError(
    `unmapMemory: ${describe(buffer)} was not made by mapMemory of this thread; pass the ArrayBuffer itself, not a view.`,
  );
}

function mapError(fd: number, size: number, refusal: number): Error {
  if (refusal === Refusal.beyondEnd) {
    const actual = descriptorSize(fd);
    return new ArgumentError(
      `mapMemory: descriptor ${fd} holds ${actual} bytes, fewer than the ${size} asked for; map at most its descriptorSize.`,
    );
  }
  if (refusal === Refusal.noExternalBuffers) {
    return new UnsupportedError(
      'mapMemory: this build of Node.js forbids external ArrayBuffers (V8 sandbox); use the official build, or SharedArrayBuffers between threads.',
    );
  }
  if (refusal === Refusal.tooLarge)
    return new ArgumentError(`mapMemory: this Node.js refused a buffer of ${size} bytes; map it in parts.`);
  if (refusal === Refusal.badArgument)
    return new ArgumentError(`mapMemory: \`fd\` must be a descriptor, not ${describe(fd)}.`);
  return systemError(`mapMemory of ${size} bytes of descriptor ${fd}`, 'mmap', refusal);
}
