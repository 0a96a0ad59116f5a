import { WorkerCrashError } from '../../errors/index.js';

/**
 * The same death, for another item that it ended: each item that a worker ran has an error of its
 * own, which says which item it is (`itemIndex`).
 */
export function crashCopy(crash: WorkerCrashError): WorkerCrashError {
  const { message, pid, exitCode, signal, cause, stderr, stack } = crash;
  const copy = new WorkerCrashError(message, { pid, exitCode, signal, cause, stderr });
  Reflect.defineProperty(copy, 'stack', { value: stack, writable: true, enumerable: false, configurable: true });
  return copy;
}
