import { addon } from './addon.js';
import { Ready } from './channel.js';
import { closeDescriptor } from './descriptors.js';
import { Readiness } from './readiness.js';
import { systemError } from './system-error.js';

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

const ESRCH = 3;
/** Not a process but one of its threads. */
const EINVAL = 22;
