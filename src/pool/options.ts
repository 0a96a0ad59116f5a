/** The options of pools and of calls: their contract, their names, and the checks of a call's. */
import type { AsyncLocalStorage } from 'node:async_hooks';
import type { ResourceLimits, SHARE_ENV } from 'node:worker_threads';
import { ArgumentError } from '../errors/index.js';
import type { ContextLike } from '../process/index.js';
import { checkFunction, checkNumber, describe } from '../util/options.js';
import { type RetryOptions, RetryPolicy } from './scheduling/retry-policy.js';

/** Arguments of an initializer that nothing is known about. */
// biome-ignore lint/suspicious/noExplicitAny: anything may be assigned to it, and it to anything
export type AnyArguments = any;

/** Options of a Pool. `I` are the parameters of its initializer. */
export interface PoolOptions<I extends readonly unknown[] | [] = AnyArguments> {
  /**
   * Number of workers, at least 1. Default: the CPUs this process may use, see `cpuCount()`. More
   * than the system has processes for, or memory, are refused.
   */
  readonly processes?: number | undefined;
  /**
   * Workers that are kept though there is nothing to do, and that the pool starts with; more are
   * started while calls or chunks wait, up to `processes`. Default: `processes`, so that all are
   * there from the start; with `idleTimeout` all are started, and none is kept.
   */
  readonly minProcesses?: number | undefined;
  /** Runs in each worker before its first task. When it fails the pool fails with its error. */
  readonly initializer?: ((...args: I) => unknown) | URL | undefined;
  /** Arguments of the initializer. */
  readonly initArgs?: I | undefined;
  /**
   * Runs in each worker that ends in good order: because it had its `maxTasksPerChild` or its
   * `maxMemory`, was idle or is too many, or because the closed pool has no work left. It does not
   * run when a worker crashes or is terminated. What it returns is in `pool.workerResults` after
   * `join()`; its error is an event, `worker-exit-failed`.
   */
  readonly workerExit?: (() => unknown) | URL | undefined;
  /**
   * Milliseconds that `workerExit` may take until its worker is killed. Default: 60,000; `Infinity`
   * for no limit.
   */
  readonly exitTimeout?: number | undefined;
  /**
   * Milliseconds from a worker's start until its initializer has settled; an initializer that takes
   * longer fails the pool with TimeoutError `MP_INIT_TIMEOUT`. Default: 300,000; `Infinity` for no
   * limit.
   */
  readonly initTimeout?: number | undefined;
  /** Items a worker runs before it is replaced by a fresh one, at least 1. Default: no limit. */
  readonly maxTasksPerChild?: number | undefined;
  /**
   * Bytes of memory from which on a worker is replaced: of a process its resident set, of a thread
   * its heap with what its ArrayBuffers hold. Looked at between items, at most once a millisecond.
   * The successor is started first, and the worker goes on until that is ready, so it may come to
   * take more; an event, `worker-memory`, tells of it. Default: no limit.
   */
  readonly maxMemory?: number | undefined;
  /**
   * Pins each worker, and the threads and processes that it starts, to one CPU: `true` to one of
   * those this process may use, an array to one of these. Worker n has the n-th, from the start again
   * where there are more workers than CPUs. A thread is pinned alone. Default: false.
   */
  readonly pin?: boolean | readonly number[] | undefined;
  /**
   * Items a worker runs at once, at least 1. Default 1. For tasks that wait, for a database or other
   * hosts: while one awaits, others run, in the same thread. Time limits, signals, priorities and
   * `currentTask()` are each item's own. A worker that dies, or is killed for an item that did not
   * stop, takes all of them with it: each that had begun fails with WorkerCrashError, or is retried.
   * It holds for all calls of the pool; for tasks that are to run alone in their worker make another
   * one. A `window` bounds how many items of a stream are under way in all.
   *
   * @example
   * import { setTimeout } from 'node:timers/promises';
   * import { Pool } from 'multiprocess';
   *
   * await using pool = new Pool({ processes: 2, concurrency: 16 });
   * const lookUp = async (id: number) => setTimeout(10, `row ${id}`);
   * console.log((await pool.map(lookUp, [1, 2, 3, 4])).length); // 4
   */
  readonly concurrency?: number | undefined;
  /**
   * Stores whose values travel with each call: what `getStore()` gives where a call, a map or a
   * stream is made, it gives in its tasks. Values are sent as arguments are. A task has the store by
   * capturing it, or from the module of the program that exports it. Default: none.
   */
  // biome-ignore lint/suspicious/noExplicitAny: a store of anything
  readonly stores?: readonly AsyncLocalStorage<any>[] | undefined;
  /**
   * How workers are started: a start method, or a context. Default: the process's own, see
   * `getStartMethod()`.
   */
  readonly context?: ContextLike | undefined;
  /**
   * How often an item is run again after its worker died while running it (a number), or after it
   * failed too ({@link RetryOptions}). Default 0.
   */
  readonly retries?: number | RetryOptions | undefined;
  /**
   * Milliseconds that a cancelled or overdue task has to react to its AbortSignal, and a worker
   * that should end to obey, before the worker is killed. Default 1000; at most, as for `Infinity`, the
   * 24 days that a timer holds.
   */
  readonly gracePeriod?: number | undefined;
  /**
   * Most calls that may wait, beyond those that the workers can run at once (`processes` x
   * `concurrency`); one more is refused with QueueFullError. Default: no limit.
   */
  readonly maxQueue?: number | undefined;
  /**
   * Milliseconds after which an idle worker ends, as long as more than `minProcesses` are there;
   * workers are started again when there is work. Default: never.
   */
  readonly idleTimeout?: number | undefined;
  /**
   * Environment of the workers. Default: a copy of this process's; threads may share it by
   * `SHARE_ENV` of `node:worker_threads`.
   */
  readonly env?: NodeJS.ProcessEnv | typeof SHARE_ENV | undefined;
  /** Node options of the workers. Default: those of this process that a worker can use. */
  readonly execArgv?: readonly string[] | undefined;
  /**
   * Memory limits of each thread, as `node:worker_threads` takes them; a thread that exceeds them
   * crashes. Threads only. With `maxOldGenerationSizeMb` give a small `maxYoungGenerationSizeMb`
   * (3, say): V8 ends the whole process if one scavenge moves more than 16 MiB beyond the limit.
   */
  readonly resourceLimits?: ResourceLimits | undefined;
}

/** Options of a ThreadPool. */
export interface ThreadPoolOptions<I extends readonly unknown[] | [] = AnyArguments>
  extends Omit<PoolOptions<I>, 'context'> {}

/** Options of one call. */
export interface CallOptions {
  /** Cancels the call, which then rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds an item may run, from its start. A worker that does nothing else must begin it
   * within as long, or within 10 s more when modules are to be loaded. Default: no limit. Rejects
   * with TimeoutError.
   */
  readonly timeout?: number | undefined;
  /**
   * Milliseconds an item may wait for a worker. Default: no limit. Rejects with TimeoutError
   * `MP_QUEUE_TIMEOUT`.
   */
  readonly queueTimeout?: number | undefined;
  /** Higher goes first. Default 0. */
  readonly priority?: number | undefined;
  /**
   * As `PoolOptions.retries`, in the place of it. An item that is to run again is not settled: it
   * keeps its place in the window and in the order.
   *
   * @example
   * import { Pool } from 'multiprocess';
   *
   * await using pool = new Pool({ processes: 2 });
   * const flaky = (x: number) => {
   *   if (Math.random() < 0.2) throw new Error('busy');
   *   return x;
   * };
   * const backoff = (attempt: number) => 10 * 2 ** attempt;
   * console.log((await pool.map(flaky, [1, 2, 3], { retries: { errors: 20, backoff } })).length); // 3
   */
  readonly retries?: number | RetryOptions | undefined;
}

/** Options of applyAsync. */
export interface AsyncCallOptions<R> extends CallOptions {
  /** Called with the value, before the result is ready. */
  readonly callback?: ((value: R) => void) | undefined;
  /** Called with the error, before the result is ready. */
  readonly errorCallback?: ((error: unknown) => void) | undefined;
}

/** What the options of maps and of streams have in common. */
export interface KeyOptions<T> {
  /**
   * Groups items: those with equal keys run at the same worker, one after the other, in their order,
   * also across retries. It is called with each item when that is read, and gives a string or a
   * number; what it throws is the item's failure. A new key goes to the worker with the least to do;
   * when a worker ends, its keys move to others. Of keys without items the 16,384 that were used last
   * keep their worker. Items that wait for others of their key keep their place in the window: give a
   * larger `window` where a few keys have most of the items. Default: no groups.
   *
   * @example
   * import { Pool } from 'multiprocess';
   *
   * await using pool = new Pool({ processes: 2 });
   * const orders = [{ customer: 'a', sum: 1 }, { customer: 'b', sum: 2 }, { customer: 'a', sum: 3 }];
   * const book = ({ customer, sum }: { customer: string; sum: number }) => `${customer}: ${sum}`;
   * const booked = await pool.map(book, orders, { key: ({ customer }) => customer });
   * console.log(booked); // [ 'a: 1', 'b: 2', 'a: 3' ]
   */
  readonly key?: ((item: T) => string | number) | undefined;
}

/** Options that make each result its outcome, a `PromiseSettledResult`. */
export interface SettleErrors {
  /** What becomes of an item that fails: its outcome is its result. */
  readonly errors: 'settle';
}

/** Options that leave results as they are. */
export interface UnsettledErrors {
  /** What becomes of an item that fails: it fails the whole (default), or is left out. */
  readonly errors?: 'fail' | 'skip' | undefined;
}

/** Options of map and starmap. `T` is an item. */
export interface MapOptions<T = AnyArguments> extends CallOptions, KeyOptions<T> {
  /** Items per message, or `'auto'` (default): about 3 ms of work. */
  readonly chunkSize?: number | 'auto' | undefined;
  /**
   * What a failing item does, when all have settled. `'fail'` (default): the map rejects with the
   * error that occurred first. `'skip'`: nothing stands for it among the values. `'settle'`: each
   * value is a `PromiseSettledResult`, whose `reason` has the `itemIndex` where it is an Error.
   *
   * @example
   * import { Pool } from 'multiprocess';
   *
   * await using pool = new Pool({ processes: 1 });
   * const root = (x: number) => {
   *   if (x < 0) throw new RangeError(`${x} has none`);
   *   return Math.sqrt(x);
   * };
   * console.log(await pool.map(root, [4, -1, 9], { errors: 'skip' })); // [ 2, 3 ]
   */
  readonly errors?: 'fail' | 'skip' | 'settle' | undefined;
}

/** Options of mapAsync and starmapAsync. `R` is what one item gives. */
export interface AsyncMapOptions<R, T = AnyArguments> extends MapOptions<T> {
  /** Called with all values, before the result is ready. */
  readonly callback?: ((values: R[]) => void) | undefined;
  /** Called with the error, before the result is ready. */
  readonly errorCallback?: ((error: unknown) => void) | undefined;
}

export const CALL_OPTIONS = ['signal', 'timeout', 'queueTimeout', 'priority', 'retries'];
export const POOL_OPTIONS = [
  'processes',
  'concurrency',
  'minProcesses',
  'initializer',
  'initArgs',
  'initTimeout',
  'workerExit',
  'exitTimeout',
  'maxTasksPerChild',
  'maxMemory',
  'pin',
  'stores',
  'context',
  'retries',
  'gracePeriod',
  'maxQueue',
  'idleTimeout',
  'env',
  'execArgv',
  'resourceLimits',
];
export const THREAD_POOL_OPTIONS = POOL_OPTIONS.filter((name) => name !== 'context');

/** What to say of an option that a call has not, but its pool. */
const OF_THE_POOL = { 'an option of the pool, for all of its calls: pass it where that is made': POOL_OPTIONS };
/** What to say of one that streams have. */
const OF_STREAMS = { 'an option of streams: pass it to imap() or imapUnordered()': ['window', 'overflow'] };
const OF_ITEMS = {
  'an option of what runs many items: pass it to map(), starmap() or imap()': ['chunkSize', 'errors', 'key'],
  ...OF_STREAMS,
};

/** Options that one might look for at a place where they are not. */
export const ELSEWHERE = {
  call: { ...OF_ITEMS, ...OF_THE_POOL },
  map: { ...OF_STREAMS, ...OF_THE_POOL },
  stream: OF_THE_POOL,
  pool: {
    'an option of calls: pass it to apply(), map() or imap()': ['signal', 'timeout', 'queueTimeout', 'priority'],
    ...OF_ITEMS,
  },
};

/** Checks the `key` of a map or a stream. @throws ArgumentError. */
export function checkKey(actor: string, { key }: KeyOptions<never>): void {
  if (key !== undefined) checkFunction(actor, 'key', key);
}

/** Checks the values of call options; their names are the caller's concern. */
export function checkCallValues(actor: string, options: CallOptions): void {
  const { signal, priority } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new ArgumentError(`${actor}: \`signal\` must be an AbortSignal, not ${describe(signal)}.`);
  checkNumber(actor, 'timeout', options.timeout, { infinite: true });
  checkNumber(actor, 'queueTimeout', options.queueTimeout, { infinite: true });
  RetryPolicy.from(actor, options.retries);
  checkNumber(actor, 'priority', priority, { min: Number.NEGATIVE_INFINITY });
}
