import { availableParallelism } from 'node:os';
import { ArgumentError } from '../errors/index.js';
import { type ContextLike, checkAvailable, type StartMethod, startMethodOf } from '../process/index.js';
import { checkNumber, checkOptions, describe } from '../util/options.js';

/** Options of a Pool. */
export interface PoolOptions {
  /** Number of workers, at least 1. Default: the CPUs this process may use. */
  readonly processes?: number;
  /** Runs in each worker before its first task. When it fails the pool fails with its error. */
  // biome-ignore lint/suspicious/noExplicitAny: any parameter list
  readonly initializer?: ((...args: any[]) => unknown) | URL;
  /** Arguments of the initializer. */
  readonly initArgs?: readonly unknown[];
  /** Items a worker runs before it is replaced by a fresh one, at least 1. Default: no limit. */
  readonly maxTasksPerChild?: number;
  /** How workers are started: a start method, or a context. Default: the process's own, see `getStartMethod()`. */
  readonly context?: ContextLike;
  /** How often an item is run again after its worker died while running it. Default 0. */
  readonly retries?: number;
  /** Milliseconds a cancelled or overdue task has to react to its AbortSignal before its worker is killed. Default 1000. */
  readonly gracePeriod?: number;
  /** Most calls that may wait for a worker; one more is refused with QueueFullError. Default: no limit. */
  readonly maxQueue?: number;
  /** Milliseconds after which an idle worker ends; it is started again when there is work. Default: never. */
  readonly idleTimeout?: number;
}

/** Options of one call. */
export interface CallOptions {
  /** Cancels the call, which then rejects with `signal.reason`. */
  readonly signal?: AbortSignal;
  /** Milliseconds an item may run, from its start. Default: no limit. Rejects with TimeoutError. */
  readonly timeout?: number;
  /** Milliseconds an item may wait for a worker. Default: no limit. Rejects with TimeoutError `MP_QUEUE_TIMEOUT`. */
  readonly queueTimeout?: number;
  /** Higher goes first. Default 0. */
  readonly priority?: number;
  /** As `PoolOptions.retries`, for this call. */
  readonly retries?: number;
}

/** Options of applyAsync. */
export interface AsyncCallOptions<R> extends CallOptions {
  /** Called with the value, before the result is ready. */
  readonly callback?: (value: R) => void;
  /** Called with the error, before the result is ready. */
  readonly errorCallback?: (error: unknown) => void;
}

/** Options of map and starmap. */
export interface MapOptions extends CallOptions {
  /** Items per message, or `'auto'` (default): about 3 ms of work. */
  readonly chunkSize?: number | 'auto';
}

/** Options of mapAsync and starmapAsync. */
export interface AsyncMapOptions<R> extends MapOptions {
  /** Called with all values, before the result is ready. */
  readonly callback?: (values: R[]) => void;
  /** Called with the error, before the result is ready. */
  readonly errorCallback?: (error: unknown) => void;
}

export const CALL_OPTIONS = ['signal', 'timeout', 'queueTimeout', 'priority', 'retries'];
const POOL_OPTIONS = [
  'processes',
  'initializer',
  'initArgs',
  'maxTasksPerChild',
  'context',
  'retries',
  'gracePeriod',
  'maxQueue',
  'idleTimeout',
];

/** Pool options with their defaults filled in. */
export interface PoolSettings {
  readonly processes: number;
  readonly method: StartMethod;
  readonly initializer: unknown;
  readonly initArgs: readonly unknown[];
  readonly lifetime: number;
  readonly retries: number;
  readonly grace: number;
  readonly maxQueue: number;
  readonly idleTimeout: number;
}

/** Checks pool options. @throws ArgumentError; UnsupportedError for a start method this version does not have. */
export function poolSettings(actor: string, options: PoolOptions): PoolSettings {
  checkOptions(actor, options, POOL_OPTIONS);
  const { context, initializer, initArgs } = options;
  const method = startMethodOf(actor, context);
  checkAvailable(actor, method);
  if (initializer !== undefined && typeof initializer !== 'function' && !((initializer as unknown) instanceof URL)) {
    throw new ArgumentError(`${actor}: \`initializer\` must be a function or a module URL, not ${describe(initializer)}.`);
  }
  if (initArgs !== undefined && !Array.isArray(initArgs))
    throw new ArgumentError(`${actor}: \`initArgs\` must be an array, not ${describe(initArgs)}.`);
  const whole = { integer: true };
  return {
    processes: checkNumber(actor, 'processes', options.processes, { min: 1, integer: true }) ?? availableParallelism(),
    method,
    initializer,
    initArgs: initArgs ?? [],
    lifetime:
      checkNumber(actor, 'maxTasksPerChild', options.maxTasksPerChild, { min: 1, ...whole, infinite: true }) ?? Number.POSITIVE_INFINITY,
    retries: checkNumber(actor, 'retries', options.retries, { ...whole, infinite: true }) ?? 0,
    grace: Math.min(LONGEST, checkNumber(actor, 'gracePeriod', options.gracePeriod) ?? 1000),
    maxQueue: checkNumber(actor, 'maxQueue', options.maxQueue, { ...whole, infinite: true }) ?? Number.POSITIVE_INFINITY,
    idleTimeout: checkNumber(actor, 'idleTimeout', options.idleTimeout, { infinite: true }) ?? Number.POSITIVE_INFINITY,
  };
}

/** Checks the values of call options; their names are the caller's concern. */
export function checkCallValues(actor: string, options: CallOptions): void {
  const { signal, priority } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new ArgumentError(`${actor}: \`signal\` must be an AbortSignal, not ${describe(signal)}.`);
  checkNumber(actor, 'timeout', options.timeout, { infinite: true });
  checkNumber(actor, 'queueTimeout', options.queueTimeout, { infinite: true });
  checkNumber(actor, 'retries', options.retries, { integer: true, infinite: true });
  checkNumber(actor, 'priority', priority, { min: Number.NEGATIVE_INFINITY });
}

/** The longest time a timer can be set to, 24.8 days; beyond it Node's timers fire at once. */
export const LONGEST = 2 ** 31 - 1;

/** A time limit as a timer takes it: 0 for none. */
export function limit(milliseconds: number | undefined): number {
  return milliseconds === undefined || milliseconds > LONGEST ? 0 : Math.max(1, milliseconds);
}
