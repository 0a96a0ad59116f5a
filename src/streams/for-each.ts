/** `forEachAsync`: calls a function with every result, a bounded number at a time. */

import { ArgumentError } from '../errors/index.js';
import { checkNumber, checkOptions, describe } from '../util/options.js';
import type { Feed } from './feeds/feed.js';
import { Pump } from './feeds/pump.js';

/** Options of `forEachAsync`. */
export interface ForEachOptions {
  /** Calls under way at a time, at least 1, `Infinity` allowed. Default 1. */
  readonly concurrency?: number | undefined;
}

/** Runs the execution that `run` makes. A result is taken only when a call may begin. */
export function forEachAsync<R>(
  run: (ready: () => void) => Feed<R>,
  fn: (value: R) => unknown,
  options: ForEachOptions,
): Promise<void> {
  checkOptions('forEachAsync', options, ['concurrency'], { number: 'concurrency' });
  const concurrency =
    checkNumber('forEachAsync', 'concurrency', options.concurrency, { min: 1, integer: true, infinite: true }) ?? 1;
  if (typeof fn !== 'function')
    throw new ArgumentError(`forEachAsync: the first argument must be a function, not ${describe(fn)}.`);
  return new Promise((resolve, reject) => {
    let calls = 0;
    let ended = false;
    const fail = (error: unknown): void => {
      reject(error);
      drain.stop(error).catch(() => {});
    };
    const called = (): void => {
      calls--;
      if (!ended) drain.resume();
      else if (calls === 0) resolve();
    };
    const drain = new Pump<R>(run, {
      next: (value) => {
        try {
          const result = fn(value);
          if (typeof (result as PromiseLike<unknown> | null | undefined)?.then !== 'function') return true;
          calls++;
          (result as PromiseLike<unknown>).then(called, fail);
          return calls < concurrency;
        } catch (error) {
          fail(error);
          return false;
        }
      },
      error: reject,
      complete: () => {
        ended = true;
        if (calls === 0) resolve();
      },
    });
    drain.start();
  });
}
