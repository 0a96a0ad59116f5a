/** Waiting for the end of processes that are no children of ours. */
import { addon } from './addon.js';
import { pollDescriptor, Ready } from './channel.js';
import { closeDescriptor } from './descriptors.js';
import { Errno } from './errno.js';
import { Readiness } from './readiness.js';
import { systemError } from './system-error.js';

/** A process that is being watched. */
export interface ProcessWatch {
  /** Stops watching. May be called again, and from the callback. */
  close(): void;
}

/**
 * Calls back once when a process of any parentage has ended (as soon as it is a zombie). Keeps the
 * event loop alive until then.
 *
 * @returns `null` when there is no such process.
 * @throws MultiprocessError `MP_SYSTEM` without a free descriptor.
 */
export function watchProcess(pid: number, onEnd: () => void): ProcessWatch | null {
  const fd = addon().openProcess(pid);
  // EINVAL: the id is not a process's but that of one of its threads.
  if (fd === Errno.ESRCH || fd === Errno.EINVAL) return null;
  if (fd < 0) throw systemError(`watchProcess ${pid}`, 'pidfd_open', fd);
  let open = true;
  const close = () => {
    if (!open) return;
    open = false;
    readiness.close();
    closeDescriptor(fd);
  };
  const readiness = new Readiness(fd, () => {
    close();
    onEnd();
  });
  try {
    readiness.want(Ready.readable);
  } catch (error) {
    close();
    throw error;
  }
  return { close };
}

/**
 * Blocks this thread until a process of any parentage has ended (as soon as it is a zombie) or the
 * time is up.
 *
 * @param timeout milliseconds; 0: only looks; `Infinity` waits as long as it takes.
 * @returns whether it has ended.
 */
export function awaitProcess(pid: number, timeout: number): boolean {
  const fd = addon().openProcess(pid);
  if (fd === Errno.ESRCH) return true;
  if (fd < 0) throw systemError(`awaitProcess ${pid}`, 'pidfd_open', fd);
  try {
    return pollDescriptor(fd, Ready.readable, timeout) !== 0;
  } finally {
    closeDescriptor(fd);
  }
}
