/** The options of calls that wait, checked. */
import { ArgumentError } from '../errors/index.js';
import { checkNumber, checkOptions, describe } from '../util/options.js';

/** What bounds a wait. */
export interface WaitOptions {
  /** Milliseconds; 0 or less: do not wait. Default: no limit. */
  readonly timeout?: number | undefined;
  /** Ends the wait, which then rejects with `signal.reason`; nothing is lost. The blocking forms look at it once, before they block. */
  readonly signal?: AbortSignal | undefined;
}

/** What bounds `Connection.recvBytes`. */
export interface RecvBytesOptions extends WaitOptions {
  /** Most bytes of a message; a longer one is an error, after which nothing can be received. Default: no limit. */
  readonly maxLength?: number | undefined;
}

const WAIT = ['timeout', 'signal'];

/** The options, checked; `known` are further names. @throws ArgumentError `MP_UNKNOWN_OPTION`, `MP_INVALID_ARGUMENT`. */
export function waitOptions<O extends WaitOptions>(actor: string, options: O | undefined, known: readonly string[] = []): O | undefined {
  if (options === undefined) return undefined;
  checkOptions(actor, options, [...WAIT, ...known]);
  const { timeout, signal } = options;
  if (timeout !== undefined && (typeof timeout !== 'number' || Number.isNaN(timeout))) {
    throw new ArgumentError(`${actor}: \`timeout\` must be a number of milliseconds, not ${describe(timeout)}.`);
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new ArgumentError(`${actor}: \`signal\` must be an AbortSignal, not ${describe(signal)}.`);
  }
  return options;
}

/** The most bytes that a message may have. @throws ArgumentError, also for the other options. */
export function mostOf(actor: string, options: RecvBytesOptions | undefined): number {
  waitOptions(actor, options, ['maxLength']);
  return checkNumber(actor, 'maxLength', options?.maxLength, { integer: true, infinite: true }) ?? Number.POSITIVE_INFINITY;
}
