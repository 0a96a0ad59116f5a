/**
 * Any function in real processes, with streams, backpressure and shared memory: all that most programs
 * need.
 *
 * Parts that fewer programs need are imported from the other modules. What a module and this one both
 * have is the same object.
 *
 * @packageDocumentation
 */

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
  type Histogram,
  type MapOptions,
  Pool,
  type PoolEvent,
  type PoolMeasurements,
  type PoolOptions,
  type PoolStats,
  type SettleErrors,
  type SlowTask,
  type StreamOptions,
  ThreadPool,
  type ThreadPoolOptions,
  type UnsettledErrors,
  type WorkerCrashEvent,
  type WorkerEvent,
  type WorkerExitEvent,
  type WorkerExitFailedEvent,
  type WorkerMemoryEvent,
  type WorkerReadyEvent,
  type WorkerStartEvent,
  type WorkerStats,
  workerState,
} from './pool/index.js';

// Streams

export {
  type ForEachOptions,
  type Overflow,
  type Progress,
  type ResultIterator,
  type Source,
  type Subscribable,
  TaskStream,
} from './streams/index.js';

// Functions

export { type Capture, Explanation, explain, type Problem, type TaskFunction, task } from './reduction/index.js';

// Processes

export {
  activeChildren,
  type ContextLike,
  type CurrentProcess,
  cpuCount,
  currentProcess,
  getAllStartMethods,
  getStartMethod,
  type JoinOptions,
  type MethodHolder,
  ParentProcess,
  Process,
  type ProcessOptions,
  parentProcess,
  Sentinel,
  type StartMethod,
  setStartMethod,
  type Target,
} from './process/index.js';

// Contexts

export { Context, getContext, setForkserverPreload } from './context/index.js';

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

// Operators

export {
  fromQueue,
  type PoolMapOptions,
  poolMap,
  type ToQueueOptions,
  throughQueue,
  toQueue,
} from './operators/index.js';

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
  RwLock,
  Semaphore,
  type SharedObject,
  type WaitOptions,
} from './synchronize/index.js';

// Shared values

export {
  RawArray,
  RawValue,
  SharedArray,
  type SharedArrayConstructor,
  type SharedOptions,
  type StructType,
  struct,
  type TypeCode,
  Value,
  type ValueConstructor,
} from './sharedctypes/index.js';

// Shared maps

export { SharedMap, type SharedMapOptions } from './shared-map/index.js';

// Values that are read everywhere

export { Shared, share } from './share/index.js';

// Shared memory

export {
  ShareableList,
  type ShareableValue,
  SharedMemory,
  type SharedMemoryCreateOptions,
} from './shared-memory/index.js';

// Connections

export {
  type Address,
  Client,
  type ClientOptions,
  Connection,
  type ConnectionOptions,
  Listener,
  type ListenerOptions,
  Pipe,
  type PipeOptions,
  pipe,
  type Waitable,
  wait,
} from './connection/index.js';

// Managers

// Their classes are in `multiprocess/managers`, so that who needs none does not load them.
export type { ManagerOptions, Remote, SyncManager } from './managers/index.js';
export { manager, manager as Manager } from './managers/start.js';

// Errors

export * from './errors/index.js';
