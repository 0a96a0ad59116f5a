import type { WorkerCrashError } from '../errors/index.js';

/** What every event about a worker says. */
export interface WorkerEvent {
  /** Name, such as `SpawnPoolWorker-1`. */
  readonly name: string;
  /** Its place among the workers of the pool, from 0 on; its successor has the same. */
  readonly number: number;
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

/** A worker takes more memory than `maxMemory`: its successor is started, then it ends. */
export interface WorkerMemoryEvent extends WorkerEvent {
  /** Discriminant. */
  readonly type: 'worker-memory';
  /** Bytes that it takes. */
  readonly memory: number;
  /** The pool's `maxMemory`. */
  readonly limit: number;
}

/** `workerExit` failed in a worker, or did not end in time. */
export interface WorkerExitFailedEvent extends WorkerEvent {
  /** Discriminant. */
  readonly type: 'worker-exit-failed';
  /** What it threw; WorkerCrashError when the worker ended before it had settled. */
  readonly error: unknown;
}

/** What happens in a pool, as it happens. */
export type PoolEvent =
  | ItemRetryEvent
  | WorkerStartEvent
  | WorkerReadyEvent
  | WorkerExitEvent
  | WorkerCrashEvent
  | WorkerMemoryEvent
  | WorkerExitFailedEvent;

/** One worker of a pool, in {@link PoolStats}. */
export interface WorkerStats {
  /** Name, such as `SpawnPoolWorker-1`. */
  readonly name: string;
  /** Its place among the workers of the pool, from 0 on; its successor has the same. */
  readonly number: number;
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
  /** Most workers there may be: the `processes` of the pool, or of its last `resize()`. */
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
