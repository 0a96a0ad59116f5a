/** Pools of workers. */

// What the methods of a pool take and give
export { explain, type TaskFunction, task } from '../reduction/index.js';
export { type Overflow, type Source, TaskStream } from '../streams/index.js';
export type { Histogram } from '../util/histogram.js';
// Results
export { type AsyncProgress, AsyncResult } from './async-result.js';
// Inside a task
export { type CurrentTask, currentTask } from './current-task.js';
// What happens in a pool
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
export type {
  AnyArguments,
  AsyncCallOptions,
  AsyncMapOptions,
  CallOptions,
  KeyOptions,
  MapOptions,
  PoolOptions,
  SettleErrors,
  ThreadPoolOptions,
  UnsettledErrors,
} from './options.js';
// The pool
export { type Callable, Pool, type StreamOptions } from './pool.js';
export type { RetryOptions } from './scheduling/retry-policy.js';
export { ThreadPool } from './thread-pool.js';
export { workerState } from './worker-state.js';
