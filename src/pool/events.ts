import type { WorkerCrashError } from '../errors/index.js';
import type { Histogram } from '../util/histogram.js';

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
  /** Runs of items there that gave a value. */
  readonly done: number;
  /** Runs that gave an error, or that it died of. */
  readonly failed: number;
  /**
   * Bytes of memory it takes: of a process its resident set, of a thread its heap with what its
   * ArrayBuffers hold, as of a quarter of a second ago at most while it works. 0 before it is known.
   */
  readonly memory: number;
  /** Milliseconds from its start until it was ready, its initializer included; so far, before that. */
  readonly startTime: number;
  /** Milliseconds since then in which it had nothing to run. */
  readonly waitTime: number;
  /** Milliseconds in which an item ran, or was awaited. */
  readonly workTime: number;
  /** Milliseconds for encoding and sending results; of items of some microseconds one in 16 is measured. */
  readonly encodeTime: number;
}

/** One of the slowest items, in {@link PoolStats}. */
export interface SlowTask {
  /** Which item of its map or stream it is, from 0 on; `null` for a call. */
  readonly index: number | null;
  /** Milliseconds it ran. */
  readonly ms: number;
  /**
   * 1; more where items that take a few microseconds were timed together and one of them was slow:
   * `ms` is what so many took, from `index` on.
   */
  readonly count: number;
  /** What it was called with, shortened. */
  readonly preview: string;
}

/** What a pool measures of its items, in {@link PoolStats}. Workers that have ended count too. */
export interface PoolMeasurements {
  /** Runs of items that gave a value. */
  readonly done: number;
  /** Runs that gave an error, or that a worker died of. */
  readonly failed: number;
  /** How long items ran. Of items that take a few microseconds some are timed together. */
  readonly runTime: Histogram;
  /** How long calls and chunks waited from when they were passed, or read, until they began. */
  readonly waitTime: Histogram;
  /** Which part of the time workers ran something, from 0 to 1, since each was ready. */
  readonly utilisation: number;
  /** The ten slowest items, the slowest first. */
  readonly slowest: readonly SlowTask[];
}

/** A pool at one moment. */
export interface PoolStats extends PoolMeasurements {
  /** Most workers there may be: the `processes` of the pool, or of its last `resize()`. */
  readonly processes: number;
  /** The workers there are, by their number. */
  readonly workers: readonly WorkerStats[];
  /** Items that run now. */
  readonly running: number;
  /** Batches (calls, chunks) that wait for a worker. */
  readonly queued: number;
  /** Batches that are queued or at a worker. */
  readonly active: number;
  /** Workers started since the pool was made. */
  readonly started: number;
  /** Workers that died. */
  readonly crashed: number;
}
