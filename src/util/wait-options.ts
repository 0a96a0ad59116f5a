/** What bounds a wait: `{ timeout, signal }`, the same everywhere. */
import { ArgumentError } from '../errors/index.js';
import { onAbort } from './abort.js';
import { checkOptions, describe } from './options.js';

/** What bounds a wait. */
export interface WaitOptions {
  /** Milliseconds; 0 or less: do not wait. Default: no limit. */
  readonly timeout?: number | undefined;
  /** Ends the wait, which then rejects with `signal.reason`; the blocking forms look at it once, before they block. */
  readonly signal?: AbortSignal | undefined;
}

const KNOWN = ['timeout', 'signal'];
/** Longest time of a timer. */
const LONGEST = 0x7fffffff;

/** The options of a wait, checked. `undefined` stays so. @throws ArgumentError. */
export function boundsOf(actor: string, options: WaitOptions | undefined): WaitOptions | undefined {
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

/** Whether `promise` settles, either way, within the bounds; what it settles with is its own affair. Rejects with `signal.reason`. */
export function settles(promise: Promise<unknown>, { timeout, signal }: WaitOptions = {}): Promise<boolean> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    let timer: NodeJS.Timeout | undefined;
    let forget: (() => void) | undefined;
    const end = (settle: () => void) => {
      clearTimeout(timer);
      forget?.();
      settle();
    };
    const settled = () => end(() => resolve(true));
    promise.then(settled, settled);
    if (timeout !== undefined && timeout <= LONGEST) timer = setTimeout(() => end(() => resolve(false)), Math.max(0, timeout));
    if (signal !== undefined) forget = onAbort(signal, () => end(() => reject(signal.reason)));
  });
}
