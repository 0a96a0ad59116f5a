/**
 * What the library tells `node:diagnostics_channel`: subscribe by name, with a monitoring agent or
 * by hand. A channel without subscribers costs one look at a property.
 *
 * @example
 * import { subscribe } from 'node:diagnostics_channel';
 * import { Process } from 'multiprocess';
 * import type { ProcessStartMessage } from 'multiprocess/util';
 *
 * subscribe('multiprocess:process:start', (message) => {
 *   console.log((message as ProcessStartMessage).name); // counter
 * });
 * await new Process(() => {}, { name: 'counter' }).start();
 */
import { type Channel, channel, type TracingChannel, tracingChannel } from 'node:diagnostics_channel';

/** A process or thread was started: `multiprocess:process:start`. */
export interface ProcessStartMessage {
  /** Its name, such as `SpawnPoolWorker-1`. */
  readonly name: string;
  /** Process id, or `null` when it could not be started. */
  readonly pid: number | null;
  /** How it was started: `spawn`, `forkserver`, `fork` or `thread`. */
  readonly method: string;
}

/** A process or thread ended: `multiprocess:process:exit`. */
export interface ProcessExitMessage extends ProcessStartMessage {
  /**
   * Its exit code; below zero the number of the signal that ended it; `null` when it could not be
   * started.
   */
  readonly exitCode: number | null;
}

/**
 * A worker of a pool ended that should not have: `multiprocess:process:crash`. Its
 * `multiprocess:process:exit` comes as well.
 */
export interface ProcessCrashMessage extends ProcessExitMessage {
  /** How it ended. */
  readonly error: unknown;
}

/** A task of a pool begins: `multiprocess:task:start`, in the worker that runs it. */
export interface TaskStartMessage {
  /** 0 for its first run, more after crashes. */
  readonly attempt: number;
}

/** A task of a pool is over: `multiprocess:task:end`, in the worker that ran it. */
export interface TaskEndMessage extends TaskStartMessage {
  /** What it threw; absent when it returned. */
  readonly error?: unknown;
}

/**
 * A pool has the outcome of a task: `multiprocess:task:settle`, in the process that has the pool.
 */
export interface TaskSettleMessage {
  /** Name of the worker that ran it. */
  readonly name: string;
  /** That worker's process id. */
  readonly pid: number | null;
  /** Whether it failed with an error of its own. */
  readonly failed: boolean;
}

/**
 * A task of a pool runs, in the worker that runs it: the tracing channel `multiprocess:task`, whose
 * `start` and `end` stand around the call, `asyncStart` and `asyncEnd` around the end of its promise,
 * and `error` tells what it threw. All have the same object.
 */
export interface TaskTraceMessage {
  /** 0 for its first run, more after crashes and failures. */
  readonly attempt: number;
  /** The worker's place among those of its pool. */
  readonly worker: number | null;
  /** The caller's trace context (`traceparent`, `tracestate`); `null` without a tracer there. */
  readonly trace: Readonly<Record<string, string>> | null;
  /** What it threw, from then on. */
  error?: unknown;
}

/** The tracing channel of {@link TaskTraceMessage}; `null` where Node has none. */
export const taskTrace: TracingChannel | null =
  typeof tracingChannel === 'function' ? (tracingChannel('multiprocess:task') as unknown as TracingChannel) : null;

/** The channel of {@link ProcessStartMessage}. */
export const processStart: Channel = channel('multiprocess:process:start');
/** The channel of {@link ProcessExitMessage}. */
export const processExit: Channel = channel('multiprocess:process:exit');
/** The channel of {@link ProcessCrashMessage}. */
export const processCrash: Channel = channel('multiprocess:process:crash');
/** The channel of {@link TaskStartMessage}. */
export const taskStart: Channel = channel('multiprocess:task:start');
/** The channel of {@link TaskEndMessage}. */
export const taskEnd: Channel = channel('multiprocess:task:end');
/** The channel of {@link TaskSettleMessage}. */
export const taskSettle: Channel = channel('multiprocess:task:settle');
