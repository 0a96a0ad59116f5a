/** Shared memory with names: blocks in /dev/shm, which every program that knows the name may open. */
import { ArgumentError } from '../errors/usage.js';
import { checkNumber, checkOptions, describe } from '../util/options.js';
import { addon } from './addon.js';
import { checkBytes } from './check-bytes.js';
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

const SHM_FOLDER = '/dev/shm/';
const DEFAULT_MODE = 0o600;

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
    throw new ArgumentError(
      'openSharedMemory: `exclusive` and `size` need `create: true`; an existing block keeps its size.',
    );
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

function pathOf(actor: string, name: string): string {
  const bare = typeof name === 'string' && name.startsWith('/') ? name.slice(1) : name;
  if (
    typeof bare !== 'string' ||
    bare === '' ||
    bare === '.' ||
    bare === '..' ||
    /[/\0]/.test(bare) ||
    Buffer.byteLength(bare) > 255
  ) {
    throw new ArgumentError(`${actor}: \`name\` must be 1 to 255 bytes without a slash inside, not ${describe(name)}.`);
  }
  return SHM_FOLDER + bare;
}
