import { brand, type ErrorDetails, MultiprocessError } from './multiprocess-error.js';

/**
 * A process could not be started or controlled. `MP_PROCESS`, `MP_SPAWN`, `MP_BOOTSTRAPPING`.
 * @example
 * import { Process, ProcessError } from 'multiprocess';
 *
 * const child = await new Process(() => {}).start();
 * const error = await child.start().catch((reason) => reason);
 * console.log(error instanceof ProcessError, error.code); // true MP_ALREADY_STARTED
 * await child.join();
 */
export class ProcessError extends MultiprocessError {}
brand(ProcessError, 'MP_PROCESS');

/** How a worker ended. */
export interface WorkerCrashDetails extends ErrorDetails {
  /** Process id of the worker, or `null` where it never had one. */
  readonly pid: number | null;
  /** Exit code, or `null` when a signal ended it. */
  readonly exitCode: number | null;
  /** Name of the signal that ended it, or `null` when it exited. */
  readonly signal: NodeJS.Signals | null;
  /** The end of what it wrote to stderr. Default: nothing. */
  readonly stderr?: string;
}

/**
 * The worker that ran this item ended before the item had a result. `MP_WORKER_CRASH`.
 * @example
 * import { Pool, WorkerCrashError } from 'multiprocess';
 *
 * await using pool = new Pool({ processes: 1 });
 * const error = await pool.apply(() => process.exit(3)).catch((reason) => reason);
 * console.log(error instanceof WorkerCrashError, error.exitCode); // true 3
 */
export class WorkerCrashError extends MultiprocessError {
  /** Process id of the worker. */
  readonly pid: number | null;
  /** Exit code, or `null` when a signal ended it. */
  readonly exitCode: number | null;
  /** Signal that ended it, or `null`. */
  readonly signal: NodeJS.Signals | null;
  /**
   * The end of what it wrote to stderr by `process.stderr` or `console`, at most 2,040 bytes; what
   * it did not catch is in `cause`, too.
   */
  readonly stderr: string;

  constructor(message: string, details: WorkerCrashDetails) {
    super(message, details);
    this.pid = details.pid;
    this.exitCode = details.exitCode;
    this.signal = details.signal;
    this.stderr = details.stderr ?? '';
  }
}
brand(WorkerCrashError, 'MP_WORKER_CRASH');

/**
 * Something failed on the other side that has no better class here; `cause` holds what is known of
 * it. `MP_REMOTE`.
 * @example
 * import { manager, RemoteError } from 'multiprocess';
 *
 * await using m = await manager();
 * const stock = await m.dict({ apples: 3 });
 * const error = await stock.callMethod('peel').catch((reason) => reason);
 * console.log(error instanceof RemoteError, error.code); // true MP_NOT_EXPOSED
 */
export class RemoteError extends MultiprocessError {}
brand(RemoteError, 'MP_REMOTE');
