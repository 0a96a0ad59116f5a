import { brand, type ErrorDetails, MultiprocessError } from './multiprocess-error.js';

/** A process could not be started or controlled. `MP_PROCESS`, `MP_SPAWN`, `MP_BOOTSTRAPPING`. */
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

/** The worker that ran this item ended before the item had a result. `MP_WORKER_CRASH`. */
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
 */
export class RemoteError extends MultiprocessError {}
brand(RemoteError, 'MP_REMOTE');
