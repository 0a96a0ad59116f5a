import { constants } from 'node:buffer';
import { ArgumentError, ClosedError, UnsupportedError } from '../errors/usage.js';
import { checkNumber, checkOptions, describe } from '../util/options.js';
import { addon, Refusal } from './addon.js';
import { Errno } from './errno.js';
import { noteName } from './names-log.js';
import { systemError } from './system-error.js';

/** How {@link openSharedMemory} opens a block. */
export interface SharedMemoryOptions {
  /** Make the block when it is not there. Default `false`. */
  readonly create?: boolean | undefined;
  /** Refuse (EEXIST) when it is there; only with `create`. Default `false`. */
  readonly exclusive?: boolean | undefined;
  /** Size in bytes to give it; only with `create`. Default: left as it is, 0 for a new one. */
  readonly size?: number | undefined;
  /** Permissions of a new block. Default `0o600`. */
  readonly mode?: number | undefined;
}

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

const SHM_FOLDER = '/dev/shm/';
const DEFAULT_MODE = 0o600;

/** Buffers of this thread that were mapped here: tells an unmapped one from a foreign one. */
const known = new WeakSet<ArrayBuffer>();

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
    throw new ArgumentError(`createMemory: \`name\` must be a string of at most 236 bytes without NUL, not ${describe(name)}.`);
  }
  const fd = addon().createMemory(`multiprocess-${name}`, size);
  if (fd < 0) throw systemError(`createMemory "${name}" of ${size} bytes`, 'memfd_create', fd);
  return fd;
}

/**
 * Opens a named block (shm_open): `/dev/shm/<name>`, shared with every program that knows the name.
 *
 * @param name with or without the leading slash; no further slash.
 * @returns a close-on-exec descriptor.
 * @throws ArgumentError; MultiprocessError `MP_SYSTEM` with EEXIST, ENOENT, EACCES, or ENOSPC when
 * /dev/shm has no room for `size`.
 */
export function openSharedMemory(name: string, options: SharedMemoryOptions): number {
  checkOptions('openSharedMemory', options, ['create', 'exclusive', 'size', 'mode']);
  const { create = false, exclusive = false, size, mode = DEFAULT_MODE } = options ?? {};
  if (!create && (exclusive || size !== undefined)) {
    throw new ArgumentError('openSharedMemory: `exclusive` and `size` need `create: true`; an existing block keeps its size.');
  }
  checkNumber('openSharedMemory', 'size', size, { integer: true });
  checkNumber('openSharedMemory', 'mode', mode, { integer: true });
  const path = pathOf('openSharedMemory', name);
  if (create) noteName(path.slice(SHM_FOLDER.length));
  const fd = addon().openSharedMemory(path, create, exclusive, size ?? -1, mode);
  if (fd < 0) throw systemError(`openSharedMemory "${name}"`, 'shm_open', fd);
  return fd;
}

/**
 * Makes a block that has no name yet: it goes when its last descriptor and mapping go, unless
 * {@link nameSharedMemory} names it.
 *
 * @param size bytes, at least 1.
 * @returns a close-on-exec descriptor; `null` where the file system of /dev/shm knows no files
 * without names.
 * @throws ArgumentError; MultiprocessError `MP_SYSTEM`, ENOSPC when /dev/shm has no room for
 * `size`.
 */
export function createSharedMemory(size: number): number | null {
  checkBytes('createSharedMemory', size);
  const fd = addon().createSharedMemory(SHM_FOLDER, size, DEFAULT_MODE);
  if (fd === Errno.EOPNOTSUPP) return null;
  if (fd < 0) throw systemError(`createSharedMemory of ${size} bytes`, 'open', fd);
  return fd;
}

/**
 * Names a block of {@link createSharedMemory}.
 * @throws ArgumentError; MultiprocessError `MP_SYSTEM`, EEXIST when the name is taken.
 */
export function nameSharedMemory(fd: number, name: string): void {
  const path = pathOf('nameSharedMemory', name);
  noteName(path.slice(SHM_FOLDER.length));
  const result = addon().nameSharedMemory(fd, path);
  if (result < 0) throw systemError(`nameSharedMemory "${name}"`, 'linkat', result);
}

/**
 * Removes the name of a block; who has it open keeps it.
 * @throws ArgumentError; MultiprocessError `MP_SYSTEM` (ENOENT when there is none).
 */
export function unlinkSharedMemory(name: string): void {
  const result = addon().unlinkSharedMemory(pathOf('unlinkSharedMemory', name));
  if (result < 0) throw systemError(`unlinkSharedMemory "${name}"`, 'shm_unlink', result);
}

/** Size in bytes of what a descriptor refers to. @throws MultiprocessError `MP_SYSTEM`. */
export function descriptorSize(fd: number): number {
  const size = addon().descriptorSize(fd);
  if (size < 0) throw systemError(`descriptorSize of ${fd}`, 'fstat', size);
  return size;
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
 * The bytes stay mapped until {@link unmapMemory}, or until the buffer and all its views are
 * collected. The buffer belongs to this thread: Node refuses to transfer it (20: copies it
 * instead), another thread maps for itself. Node marks it so; never call `markAsUntransferable` on
 * it, since from Node 24 on Node then aborts when the environment ends.
 *
 * @param size bytes, at least 1.
 * @throws ArgumentError when the descriptor holds fewer bytes; UnsupportedError where Node forbids
 * such buffers; MultiprocessError `MP_SYSTEM`.
 */
export function mapMemory(fd: number, size: number, options?: MapOptions): ArrayBuffer {
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
export function unmapMemory(buffer: ArrayBuffer): void {
  const result = addon().unmapMemory(buffer);
  if (result === 0) return;
  if (result === Refusal.notDetachable) {
    throw new ArgumentError(
      'unmapMemory: the buffer was locked by `markAsUntransferable`; leave that out, mappings are never transferred.',
    );
  }
  if (known.has(buffer)) throw new ClosedError('unmapMemory: this buffer was unmapped before; unmap each mapping once.');
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
  if (refusal === Refusal.tooLarge) return new ArgumentError(`mapMemory: this Node.js refused a buffer of ${size} bytes; map it in parts.`);
  if (refusal === Refusal.badArgument) return new ArgumentError(`mapMemory: \`fd\` must be a descriptor, not ${describe(fd)}.`);
  return systemError(`mapMemory of ${size} bytes of descriptor ${fd}`, 'mmap', refusal);
}

function checkBytes(actor: string, size: number): void {
  checkNumber(actor, 'size', size, { integer: true, min: 1 });
  if (size === undefined) throw new ArgumentError(`${actor}: \`size\` is missing; give the number of bytes.`);
}

function pathOf(actor: string, name: string): string {
  const bare = typeof name === 'string' && name.startsWith('/') ? name.slice(1) : name;
  if (typeof bare !== 'string' || bare === '' || bare === '.' || bare === '..' || /[/\0]/.test(bare) || Buffer.byteLength(bare) > 255) {
    throw new ArgumentError(`${actor}: \`name\` must be 1 to 255 bytes without a slash inside, not ${describe(name)}.`);
  }
  return SHM_FOLDER + bare;
}
