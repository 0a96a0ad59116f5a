import type { WorkerCrashError } from '../errors/index.js';

/** What happens in a pool, as it happens. */
export type PoolEvent =
  /** A worker process was started. */
  | { readonly type: 'worker-start'; readonly name: string; readonly pid: number | null }
  /** A worker ran its initializer and takes tasks. */
  | { readonly type: 'worker-ready'; readonly name: string; readonly pid: number | null }
  /** A worker ended as it should: recycled, idle for long, or the pool closed. */
  | { readonly type: 'worker-exit'; readonly name: string; readonly pid: number | null }
  /** A worker died. `lostTasks` batches were on it; those that had not started go to other workers. */
  | {
      readonly type: 'worker-crash';
      readonly name: string;
      readonly pid: number | null;
      readonly lostTasks: number;
      readonly error: WorkerCrashError;
    };

/** One worker of a pool, in {@link PoolStats}. */
export interface WorkerStats {
  /** Name, such as `SpawnPoolWorker-1`. */
  readonly name: string;
  /** Process id; `null` when it could not be started. */
  readonly pid: number | null;
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
