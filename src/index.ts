/** multiprocess: any function in real processes, with streams, backpressure and shared memory. */

// Errors
export * from './errors/index.js';
// Operators
export { fromQueue, type PoolMapOptions, poolMap, type ToQueueOptions, throughQueue, toQueue } from './operators/index.js';
// Pools
export {
  type AsyncCallOptions,
  type AsyncMapOptions,
  type AsyncProgress,
  AsyncResult,
  type Callable,
  type CallOptions,
  type CurrentTask,
  currentTask,
  type MapOptions,
  Pool,
  type PoolEvent,
  type PoolOptions,
  type PoolStats,
  type StartMethod,
  type StreamOptions,
  type WorkerCrashEvent,
  type WorkerEvent,
  type WorkerExitEvent,
  type WorkerReadyEvent,
  type WorkerStartEvent,
  type WorkerStats,
} from './pool/index.js';
// Queues and topics
export {
  type ConsumeOptions,
  type Gap,
  JoinableQueue,
  type Lag,
  Queue,
  type QueueOptions,
  SimpleQueue,
  StateTopic,
  Topic,
  type TopicOptions,
} from './queues/index.js';
// Functions
export { type TaskFunction, task } from './reduction/index.js';
// Shared memory
export { ShareableList, type ShareableValue, SharedMemory, type SharedMemoryCreateOptions } from './shared-memory/index.js';
// Shared values
export {
  RawArray,
  RawValue,
  SharedArray,
  type SharedOptions,
  type StructType,
  struct,
  type TypeCode,
  Value,
} from './sharedctypes/index.js';
// Streams
export {
  type ForEachOptions,
  type Overflow,
  type Progress,
  type PullReader,
  type PullSource,
  type ReadState,
  type Source,
  type Subscribable,
  TaskStream,
} from './streams/index.js';
// Locks and their kin
export {
  Barrier,
  type BarrierOptions,
  BoundedSemaphore,
  Condition,
  Event,
  Lock,
  type LockLike,
  RLock,
  Semaphore,
  type SharedObject,
  type WaitOptions,
} from './synchronize/index.js';
