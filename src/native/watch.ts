import { addon } from './addon.js';
import { closeDescriptor } from './descriptors.js';
import { Doorbell } from './doorbell.js';
import { systemError } from './system-error.js';

/** A descriptor that is being watched. */
export interface ReadableWatch {
  /** Keeps the event loop alive while watching. The state at the start. */
  ref(): void;
  /** Lets the event loop end. */
  unref(): void;
  /** Stops watching. May be called again, and from the callback. */
  close(): void;
}

/**
 * Calls back on every turn of the event loop on which a descriptor can be read, is at its end or broken; nothing is read. Watches a
 * duplicate: close `fd` when you like.
 *
 * @throws ArgumentError; MultiprocessError `MP_SYSTEM` (EPERM for a plain file).
 */
export function watchReadable(fd: number, onReadable: () => void): ReadableWatch {
  return new Doorbell(fd, onReadable, { peek: true });
}

/** A process that is being watched. */
export interface ProcessWatch {
  /** Stops watching. May be called again, and from the callback. */
  close(): void;
}

/**
 * Calls back once when a process of any parentage has ended (as soon as it is a zombie). Keeps the event loop alive until then.
 *
 * @returns `null` when there is no such process.
 * @throws MultiprocessError `MP_SYSTEM` without a free descriptor.
 */
export function watchProcess(pid: number, onEnd: () => void): ProcessWatch | null {
  const fd = addon().openProcess(pid);
  if (fd === -ESRCH || fd === -EINVAL) return null;
  if (fd < 0) throw systemError(`watchProcess ${pid}`, 'pidfd_open', fd);
  try {
    const bell = new Doorbell(fd, () => {
      bell.close();
      onEnd();
    });
    return bell;
  } finally {
    closeDescriptor(fd);
  }
}

const ESRCH = 3;
/** Not a process but one of its threads. */
const EINVAL = 22;
