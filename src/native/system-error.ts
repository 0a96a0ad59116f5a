import { getSystemErrorMap } from 'node:util';
import { MultiprocessError } from '../errors/multiprocess-error.js';
import { Errno } from './errno.js';

const repairs: Readonly<Record<string, string>> = {
  EMFILE: 'this process has no descriptor left: close some, or raise the limit with `ulimit -n`',
  ENFILE: 'the system has no descriptor left: close some, or raise fs.file-max',
  ENOMEM:
    'the kernel refused the memory: ask for less, free some, or raise vm.max_map_count or the memory limit of the container',
  ENOSPC:
    '/dev/shm has no room left: ask for less, unlink blocks that are not used, or mount it larger (docker run --shm-size)',
  EACCES: 'this user may not do that: check the owner and the mode',
  EPERM: 'this user may not do that: check the owner, ptrace_scope and the system call filter of the container',
  EBADF: 'the descriptor is not open: it was closed before, or belongs to another process',
  EEXIST: 'the name is taken: choose another one, open it without `exclusive`, or unlink it first',
  ENOENT: 'there is no such name: it was never created, or was unlinked',
  ESRCH: 'the process has ended',
  EAGAIN: 'a limit was reached: check the number of threads and processes (`ulimit -u`)',
};

/**
 * Returns the error of a failed system call: `MultiprocessError`, code `MP_SYSTEM`, with `syscall`
 * and (as in Node's own errors: negative) `errno`.
 *
 * @param subject what the call was made for, to start the message with: `createMemory "jobs" of
 * 4096 bytes`.
 */
export function systemError(subject: string, syscall: string, errno: number): MultiprocessError {
  const [name, text] = describeErrno(errno);
  const repair = repairs[name];
  const error = new MultiprocessError(
    `${subject}: ${syscall} failed with ${name} (${text})${repair === undefined ? '' : `; ${repair}`}.`,
    {
      code: 'MP_SYSTEM',
    },
  );
  return Object.assign(error, { errno, syscall });
}

/**
 * Returns the name of a negated errno of Linux. Node's own table is that of the system it runs on,
 * and others have other numbers.
 */
export function errorName(errno: number): string {
  const found = Object.entries(Errno).find(([, value]) => value === errno);
  return found?.[0] ?? getSystemErrorMap().get(errno)?.[0] ?? `errno ${-errno}`;
}

function describeErrno(errno: number): readonly [name: string, text: string] {
  const name = errorName(errno);
  for (const entry of getSystemErrorMap().values()) if (entry[0] === name) return entry;
  return [name, 'unknown error'];
}
