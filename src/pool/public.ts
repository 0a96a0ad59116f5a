/**
 * Pools of workers: calls, maps and streams. Python: `multiprocessing.pool`.
 *
 * @packageDocumentation
 */

// Pools

export type { PoolOptions, ThreadPoolOptions } from './options.js';
export { Pool } from './pool.js';
export type { RetryOptions } from './scheduling/retry-policy.js';
export { ThreadPool } from './thread-pool.js';

// Calls and maps

export type { AnyArguments, CallOptions, KeyOptions, MapOptions, SettleErrors, UnsettledErrors } from './options.js';
export type { Callable } from './pool.js';

// Results

export { type AsyncProgress, AsyncResult } from './async-result.js';
export type { AsyncCallOptions, AsyncMapOptions } from './options.js';

// Streams

export { type Overflow, type Source, TaskStream } from '../streams/index.js';
export type { StreamOptions } from './pool.js';

// Inside a task

export { type CurrentTask, currentTask } from './current-task.js';
export { workerState } from './worker-state.js';

// Functions

export { explain, type TaskFunction, task } from '../reduction/index.js';

// What happens in a pool

export type { Histogram } from '../util/histogram.js';
export type {
  ItemRetryEvent,
  PoolEvent,
  PoolMeasurements,
  PoolStats,
  SlowTask,
  WorkerCrashEvent,
  WorkerEvent,
  WorkerExitEvent,
  WorkerExitFailedEvent,
  WorkerMemoryEvent,
  WorkerReadyEvent,
  WorkerStartEvent,
  WorkerStats,
} from './events.js';
