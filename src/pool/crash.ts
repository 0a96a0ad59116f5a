import { WorkerCrashError } from '../errors/index.js';
import type { WorkerHandle } from './worker-handle.js';

/** What is said of a worker that ended before its work was done. */
export function crash(worker: WorkerHandle, exitCode: number | null, signal: NodeJS.Signals | null, cause: unknown): WorkerCrashError {
  const pid = worker.pid;
  const how =
    pid === null
      ? 'could not be started'
      : worker.condemned !== null
        ? `was killed by the pool, for ${worker.condemned},`
        : signal !== null
          ? `was ended by ${signal}${signal === 'SIGKILL' ? ' (by hand, or by the kernel when memory ran out)' : ''}`
          : `exited with code ${exitCode}`;
  const when = worker.left === 'starting' ? 'while it was starting; what it wrote to stderr says why' : 'before the task had a result';
  return new WorkerCrashError(`${worker.name}${pid === null ? '' : ` (pid ${pid})`} ${how} ${when}.`, {
    pid,
    exitCode,
    signal,
    cause,
  });
}

/** What a pool fails with when one worker after the other ended and nothing got done. */
export function hopeless(deaths: number, ready: boolean, last: WorkerCrashError): WorkerCrashError {
  const { pid, exitCode, signal, cause } = last;
  const when = ready ? 'without having run anything' : 'before they were ready';
  const message = `The pool gives up: ${deaths} workers in a row ended ${when}. The last one: ${last.message}`;
  return new WorkerCrashError(message, { pid, exitCode, signal, cause });
}
