/** What the methods of every pool have in common, of one host and of many. */
import { ArgumentError } from '../errors/index.js';
import { describe } from '../util/options.js';
import { AsyncResult, CallProgress } from './async-result.js';
import type { AsyncCallOptions } from './options.js';

/** Options of the Async forms beside those of a call. */
export const CALLBACKS: readonly string[] = ['callback', 'errorCallback'];

/** Who is told how a call ended. */
export interface CallOutcome {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** Who is told of a call, while it runs too. */
export interface CallWatcher extends CallOutcome {
  /** What the task reports, and how many reports were dropped. */
  report(progress: unknown, dropped: number): void;
}

/** @throws ArgumentError `MP_INVALID_ARGUMENT` unless the arguments of a call are an array, or absent. */
export function checkArguments(actor: string, args: unknown): void {
  if (args === undefined || Array.isArray(args)) return;
  const method = actor.slice(actor.lastIndexOf('.') + 1);
  throw new ArgumentError(
    `${actor}: the arguments must be an array, not ${describe(args)}. Write \`${method}(fn, [a, b])\`.`,
  );
}

/**
 * Refuses arguments that were given one by one, of which the second stands where the options do.
 * @throws ArgumentError `MP_INVALID_ARGUMENT`.
 */
export function checkSpread(actor: string, args: unknown, options: unknown): void {
  if (options !== undefined && (typeof options !== 'object' || options === null)) checkArguments(actor, args);
}

/** The result of a call that `begin` makes; what that throws is its failure. */
export function asyncCall<R>(
  options: AsyncCallOptions<R>,
  begin: (watcher: CallWatcher) => { cancel(reason: unknown): void },
): AsyncResult<R> {
  const progress = new CallProgress();
  let call: { cancel(reason: unknown): void } | undefined;
  const promise = new Promise<R>((resolve, reject) => {
    const watcher: CallWatcher = {
      resolve: (value) => {
        progress.end(false);
        resolve(value as R);
      },
      reject: (error) => {
        progress.end(true);
        reject(error);
      },
      report: (report, dropped) => progress.report(report, dropped),
    };
    try {
      call = begin(watcher);
    } catch (error) {
      watcher.reject(error);
    }
  });
  const work = { promise, progress: progress.observable, cancel: (reason: unknown) => call?.cancel(reason) };
  return new AsyncResult<R>(work, options.callback, options.errorCallback);
}

/** Makes a throw of the call itself a rejection: functions that return promises do not throw. */
export async function promised<R>(call: () => Promise<R>): Promise<R> {
  return call();
}
