import { ArgumentError, TimeoutError } from '../errors/index.js';
import type { Bounds } from '../memory/index.js';
import { checkOptions, describe } from '../util/options.js';

/** What bounds a wait. */
export interface WaitOptions {
  /** Milliseconds; 0 or less: do not wait. Default: no limit. */
  readonly timeout?: number | undefined;
  /** Ends the wait, which then rejects with `signal.reason`; the blocking forms look at it once, before they block. */
  readonly signal?: AbortSignal | undefined;
}

const KNOWN = ['timeout', 'signal'];

/** The options of a wait, checked. `undefined` stays so. @throws ArgumentError; `signal.reason` when it is aborted already. */
export function boundsOf(actor: string, options: WaitOptions | undefined): Bounds | undefined {
  if (options === undefined) return undefined;
  checkOptions(actor, options, KNOWN);
  const { timeout, signal } = options;
  if (timeout !== undefined && (typeof timeout !== 'number' || Number.isNaN(timeout))) {
    throw new ArgumentError(`${actor}: \`timeout\` must be a number of milliseconds, not ${describe(timeout)}.`);
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new ArgumentError(`${actor}: \`signal\` must be an AbortSignal, not ${describe(signal)}.`);
  }
  return { timeout, signal };
}

/** The time limit of a blocking wait. @throws as {@link boundsOf}; `signal.reason`. */
export function timeoutOf(actor: string, options: WaitOptions | undefined): number | undefined {
  const bounds = boundsOf(actor, options);
  bounds?.signal?.throwIfAborted();
  return bounds?.timeout;
}

/** For the forms that cannot answer `false`. */
export function timedOut(actor: string, options: WaitOptions | undefined): TimeoutError {
  return new TimeoutError(
    `${actor}: not acquired within ${options?.timeout} ms; give it more time, or use acquire(), which answers false.`,
  );
}
