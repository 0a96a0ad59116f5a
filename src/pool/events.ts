import type { WorkerCrashError } from '../errors/index.js';

/** What every event about a worker says. */
export interface WorkerEvent {
  /** Name, such as `SpawnPoolWorker-1`. */
  readonly name: string;
  /** Process id, of a thread this process's own; `null` when the process could not be started. */
  readonly pid: number | null;
  /** What tells it from others of its kind: the process id; for a thread, Node's thread id. */
  readonly ident: number | null;
}

/** A worker process was started. */
export interface WorkerStartEvent extends WorkerEvent {
  /** Discriminant. */
  readonly type: 'worker-start';
}

/** A worker ran its initializer and takes tasks. */
export interface WorkerReadyEvent extends WorkerEvent {
  /** Discriminant. */
  readonly type: 'worker-ready';
}

/** A worker ended as it should: recycled, idle for long, or the pool closed. */
export interface WorkerExitEvent extends WorkerEvent {
  /** Discriminant. */
  readonly type: 'worker-exit';
}

/** A worker died. */
export interface WorkerCrashEvent extends WorkerEvent {
  /** Discriminant. */
  readonly type: 'worker-crash';
  /** Batches (calls, chunks) it held; those that had not started go to other workers. */
  readonly lostTasks: number;
  /** How it ended. */
  readonly error: WorkerCrashError;
}

/** An item that failed, or whose worker died, is run again (`retries`). */
export interface ItemRetryEvent {
  /** Discriminant. */
  readonly type: 'item-retry';
  /** Number of the run to come, as `currentTask().attempt` says it there: 1 for the first retry. */
  readonly attempt: number;
  /** How the last run ended. */
  readonly error: unknown;
  /** Milliseconds until it may begin. */
  readonly delay: number;
  /** Which item of its map or stream it is; `null` for a call. */
  readonly itemIndex: number | null;
}

/** What happens in a pool, as it happens. */
export type PoolEvent = ItemRetryEvent | WorkerStartEvent | WorkerReadyEvent | WorkerExitEvent | WorkerCrashEvent;

/** One worker of a pool, in {@link PoolStats}. */
export interface WorkerStats {
  /** Name, such as `SpawnPoolWorker-1`. */
  readonly name: string;
  /** Process id, of a thread this process's own; `null` when it could not be started. */
  readonly pid: number | null;
  /** What tells it from others of its kind: the process id; for a thread, Node's thread id. */
  readonly ident: number | null;
  /** `starting` until its initializer is done, `retiring` when it takes no more tasks. */
  readonly state: 'starting' | 'ready' | 'retiring' | 'ended';
  /** Items it holds: running or waiting there. */
  readonly items: number;
}

/** A pool at one moment. */
export interface PoolStats {
  /** Number of workers asked for. */
  readonly processes: number;
  /** The workers there are. */
  readonly workers: readonly WorkerStats[];
  /** Batches (calls, chunks) that wait for a worker. */
  readonly queued: number;
  /** Batches that are queued or at a worker. */
  readonly active: number;
  /** Workers started since the pool was made. */
  readonly started: number;
  /** Workers that died. */
  readonly crashed: number;
}
