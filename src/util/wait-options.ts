/** What bounds a wait: `{ timeout, signal }`, the same everywhere. */
import { ArgumentError } from '../errors/index.js';
import { limitWait } from './limit-wait.js';
import { type BareValues, checkOptions, describe } from './options.js';

/** What bounds a wait. */
export interface WaitOptions {
  /** Milliseconds; 0 or less: do not wait. Default: no limit. */
  readonly timeout?: number | undefined;
  /**
   * Ends the wait, which then rejects with `signal.reason`; the blocking forms look at it once,
   * before they block.
   */
  readonly signal?: AbortSignal | undefined;
}

const WAIT_OPTIONS = ['timeout', 'signal'];

/**
 * The options of a wait, checked; `known` are further names.
 * @throws ArgumentError `MP_UNKNOWN_OPTION`, `MP_INVALID_ARGUMENT`.
 */
export function checkWaitOptions(
  actor: string,
  options: WaitOptions | undefined,
  known: readonly string[] = [],
  bare: BareValues = { number: 'timeout' },
): void {
  if (options === undefined) return;
  if ((options as unknown) === false) {
    throw new ArgumentError(
      `${actor}: options must be an object, not false. Pass \`{ timeout: 0 }\` so that it does not wait.`,
    );
  }
  checkOptions(actor, options, [...WAIT_OPTIONS, ...known], bare);
  const { timeout, signal } = options;
  if (timeout !== undefined && (typeof timeout !== 'number' || Number.isNaN(timeout))) {
    throw new ArgumentError(`${actor}: \`timeout\` must be a number of milliseconds, not ${describe(timeout)}.`);
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new ArgumentError(`${actor}: \`signal\` must be an AbortSignal, not ${describe(signal)}.`);
  }
}

/**
 * What bounds a wait that has no other options, checked; `undefined` stays so.
 * @throws as {@link checkWaitOptions}.
 */
export function boundsOf(actor: string, options: WaitOptions | undefined): WaitOptions | undefined {
  checkWaitOptions(actor, options);
  return options === undefined ? undefined : { timeout: options.timeout, signal: options.signal };
}

/** The time limit of a blocking wait. @throws as {@link checkWaitOptions}; `signal.reason`. */
export function timeoutOf(actor: string, options: WaitOptions | undefined): number | undefined {
  const bounds = boundsOf(actor, options);
  bounds?.signal?.throwIfAborted();
  return bounds?.timeout;
}

/**
 * Whether `promise` settles, either way, within the bounds; what it settles with is its own affair.
 * Rejects with `signal.reason`.
 */
export function settles(promise: Promise<unknown>, { timeout, signal }: WaitOptions = {}): Promise<boolean> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const end = (settle: () => void) => {
      unlimit();
      settle();
    };
    const settled = () => end(() => resolve(true));
    promise.then(settled, settled);
    const unlimit = limitWait(
      { timeout, signal },
      () => end(() => resolve(false)),
      (reason) => end(() => reject(reason)),
    );
  });
}
