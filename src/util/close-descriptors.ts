import { closeSync, realpathSync } from 'node:fs';
import { ArgumentError, UnsupportedError } from '../errors/index.js';
import { descriptorTarget, ownDescriptors } from '../platform/proc-linux.js';
import { describe } from './options.js';

/**
 * What event loops wait on and wake each other by, connections, and this library's shared memory.
 */
const KEPT = /^(anon_inode:|socket:|pipe:|\/memfd:multiprocess)/;

/**
 * Closes every file, directory and device that this process has open, but those given.
 *
 * Semantics: the standard streams, event loops, sockets, pipes, this library's shared memory and
 * the file in `NODE_EXTRA_CA_CERTS` stay open. Node stands on some of them, and from outside nobody can tell which: a socket has a
 * JavaScript object that would fail later, or abort the process; close that object. What holds a
 * closed file (a FileHandle, a ReadStream) fails from here on.
 *
 * Python: `multiprocess.util.close_all_fds_except`, which closes those too.
 *
 * @throws ArgumentError when something is no descriptor; UnsupportedError `MP_UNSUPPORTED` where the
 * system does not list descriptors (other systems than Linux). Nothing was closed.
 * @example
 * import { openSync, readFileSync, writeFileSync } from 'node:fs';
 * import { closeAllFdsExcept } from 'multiprocess/util';
 *
 * writeFileSync('kept.txt', 'still open');
 * const [kept, other] = [openSync('kept.txt', 'r'), openSync('kept.txt', 'r')];
 * closeAllFdsExcept([kept]);
 * let closed = '';
 * try {
 *   readFileSync(other);
 * } catch (error) {
 *   closed = (error as NodeJS.ErrnoException).code!;
 * }
 * console.log(readFileSync(kept, 'utf8'), closed); // still open EBADF
 */
export function closeAllFdsExcept(fds: Iterable<number>): void {
  const kept = new Set([0, 1, 2]);
  for (const fd of fds) {
    if (!Number.isInteger(fd) || fd < 0)
      throw new ArgumentError(`closeAllFdsExcept: a descriptor is an integer of at least 0, not ${describe(fd)}.`);
    kept.add(fd);
  }
  const open = ownDescriptors();
  if (open === null)
    throw new UnsupportedError(
      `closeAllFdsExcept: ${process.platform} does not say which descriptors a process has open; close by itself what was opened.`,
    );
  const certificates = extraCertificates();
  for (const fd of open) {
    if (!kept.has(fd) && closable(fd, certificates)) closeSync(fd);
  }
}

/** The file that Node reads in a thread of its own while the program begins, from version 24 on. */
function extraCertificates(): string | null {
  try {
    return realpathSync(process.env['NODE_EXTRA_CA_CERTS'] ?? '');
  } catch {
    return null;
  }
}

function closable(fd: number, certificates: string | null): boolean {
  try {
    const target = descriptorTarget(fd);
    return target !== certificates && !KEPT.test(target);
  } catch {
    return false; // The descriptor of the listing, closed by now.
  }
}
