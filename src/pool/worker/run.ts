import type { TracingChannel } from 'node:diagnostics_channel';
import { ArgumentError } from '../../errors/index.js';
import { type TaskTraceMessage, taskTrace } from '../../util/diagnostics.js';
import { describe } from '../../util/options.js';
import type { CallContext } from '../wire/call-context.js';
import { workerSlot } from '../worker-state.js';
import type { TaskFunction } from './function-table.js';
import type { PackedItems } from './packed-items.js';

/** A batch that can be run: what it needs is loaded and decoded. */
export interface Run {
  readonly fn: TaskFunction;
  /** Decoded, or to be decoded one by one. */
  readonly items: readonly unknown[] | PackedItems;
  /** The first of the items that are this batch's, and how many they are. */
  readonly first: number;
  readonly count: number;
  /** What travelled with it beside its items. */
  readonly context: CallContext | null;
  readonly spread: boolean;
  /** Values of fast items need not wake the parent, but for the last. */
  readonly quiet: boolean;
  readonly attempt: number;
  /** `performance.now()` when a chunk was taken; 0 for a call, which is not timed. */
  readonly began: number;
  /** Item to run next. */
  index: number;
  /**
   * Items are announced up to here; from the start, those of a batch that wants no announcements.
   */
  announced: number;
}

/** Calls the function of a run: its value, or a promise of this realm. @throws what the call throws. */
export function callItem(run: Run, item: unknown): unknown {
  if (taskTrace !== null && isTraced(taskTrace)) return traced(taskTrace, run, item);
  return run.context === null ? call(run, item) : run.context.run(() => call(run, item));
}

function call({ fn, spread }: Run, item: unknown): unknown {
  // Not as a method of the run: the function's `this` is nobody's business.
  const value = spread ? fn(...argumentsOf(item)) : fn(item);
  // Thenables of other makes may call back at once, twice, or throw.
  return !(value instanceof Promise) && isThenable(value) ? Promise.resolve(value) : value;
}

/** As TracingChannel's `tracePromise`, which needs to know before whether there will be a promise. */
function traced(channel: TracingChannel, run: Run, item: unknown): unknown {
  const message: TaskTraceMessage = {
    attempt: run.attempt,
    worker: workerSlot.number,
    trace: run.context?.trace ?? null,
  };
  const failed = (error: unknown): never => {
    message.error = error;
    channel.error.publish(message);
    throw error;
  };
  // What subscribers bind to the message (bindStore) is there for the task, and for what it begins.
  return channel.start.runStores(message, () => {
    try {
      const value = run.context === null ? call(run, item) : run.context.run(() => call(run, item));
      if (!(value instanceof Promise)) return value;
      const settled = (): void => {
        channel.asyncStart.publish(message);
        channel.asyncEnd.publish(message);
      };
      return value.catch(failed).finally(settled);
    } catch (error) {
      return failed(error);
    } finally {
      channel.end.publish(message);
    }
  });
}

function isTraced({ start, end, asyncStart, asyncEnd, error }: TracingChannel): boolean {
  return (
    start.hasSubscribers ||
    end.hasSubscribers ||
    asyncStart.hasSubscribers ||
    asyncEnd.hasSubscribers ||
    error.hasSubscribers
  );
}

/** The arguments of an item of starmap. @throws ArgumentError when it is no list. */
function argumentsOf(item: unknown): Iterable<unknown> {
  if (typeof (item as Iterable<unknown> | null | undefined)?.[Symbol.iterator] === 'function')
    return item as Iterable<unknown>;
  throw new ArgumentError(
    `Pool.starmap: each item must be an array of arguments, not ${describe(item)}. For one argument each use map().`,
  );
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
