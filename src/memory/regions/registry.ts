/**
 * Which memory files this thread has mapped, so that each is mapped once however often it arrives.
 *
 * A memory file is known by its device and inode, which no two living files share. A handle says
 * where another process finds it: a descriptor of a process that holds it. The inode is compared
 * after opening, so that a descriptor number that was closed and used again, or a process id that
 * was, is never taken for the region that was meant.
 */
import { MultiprocessError } from '../../errors/index.js';
import { Errno, errnoOf } from '../../native/errno.js';
import { memoryIdentity } from '../../native/memory.js';
import { type OwnDescriptor, Region, reopen } from './region.js';

/** Where a region is found by another process or thread. Plain data. */
export interface RegionHandle {
  /** A process that holds it … */
  readonly pid: number;
  /** … and its descriptor of it. */
  readonly fd: number;
  /** `device:inode` of the memory file; between threads without the addon a name of theirs. */
  readonly ino: string;
  /** Bytes. */
  readonly size: number;
}

interface Known {
  readonly region: Region;
  readonly ino: string;
  users: number;
}

const byInode = new Map<string, Known>();
const byRegion = new WeakMap<Region, Known>();

/**
 * Enters a region that was made here; the caller is its first user. Ends with {@link
 * releaseRegion}.
 */
export function enterRegion(region: Region): void {
  const known = { region, ino: memoryIdentity(region.descriptor), users: 1 };
  byInode.set(known.ino, known);
  byRegion.set(region, known);
}

/** The handle of a region that this thread uses. Valid while this process keeps the region open. */
export function regionHandle(region: Region): RegionHandle {
  return { pid: process.pid, fd: region.descriptor, ino: byRegion.get(region)!.ino, size: region.size };
}

/**
 * The region of a handle: the one this thread has, or mapped now. The caller is a user of it until
 * {@link releaseRegion}.
 *
 * @throws MultiprocessError `MP_OWNER_GONE` when the process that sent the handle has ended or
 * closed the region; `MP_SYSTEM` when this process may not open it.
 */
export function acquireRegion(handle: RegionHandle): Region {
  const found = byInode.get(handle.ino);
  if (found !== undefined) {
    found.users++;
    return found.region;
  }
  const own = open(handle);
  let region: Region;
  try {
    if (memoryIdentity(own.fd) !== handle.ino) throw ownerGone(handle);
    region = Region.over(own, handle.size);
  } catch (error) {
    own.close(own.fd);
    throw error;
  }
  const known = { region, ino: handle.ino, users: 1 };
  byInode.set(known.ino, known);
  byRegion.set(region, known);
  return region;
}

/** Ends one use; the last one closes the region. */
export function releaseRegion(region: Region): void {
  const known = byRegion.get(region);
  if (known === undefined || known.users === 0 || --known.users > 0) return;
  byInode.delete(known.ino);
  region.close();
}

function open(handle: RegionHandle): OwnDescriptor {
  try {
    return reopen(handle.pid, handle.fd);
  } catch (cause) {
    if (OWNER_GONE_ERRORS.has(errnoOf(cause))) throw ownerGone(handle, cause);
    throw cause;
  }
}

/** How the kernel says that the process or its descriptor is gone. */
const OWNER_GONE_ERRORS = new Set<number | undefined>([Errno.ENOENT, Errno.ESRCH, Errno.EBADF]);

/** The error for shared memory whose sender let go of it too early. */
export function ownerGone(handle: RegionHandle, cause?: unknown): MultiprocessError {
  return new MultiprocessError(
    `The shared object cannot be attached: process ${handle.pid}, which sent it, has ended or closed it before it arrived here; keep it open there until the receiver has it.`,
    { code: 'MP_OWNER_GONE', ...(cause === undefined ? {} : { cause }) },
  );
}
