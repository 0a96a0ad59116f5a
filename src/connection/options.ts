/** The options of calls that receive, checked. */
import { checkNumber } from '../util/options.js';
import { checkWaitOptions, type WaitOptions } from '../util/wait-options.js';

/** What bounds `Connection.recvBytes`. */
export interface RecvBytesOptions extends WaitOptions {
  /**
   * Most bytes of a message; a longer one is an error, after which nothing can be received.
   * Default: no limit.
   */
  readonly maxLength?: number | undefined;
}

/**
 * Returns the most bytes that a message may have. @throws ArgumentError, also for the other
 * options.
 */
export function maxLengthOf(actor: string, options: RecvBytesOptions | undefined): number {
  checkWaitOptions(actor, options, ['maxLength']);
  return (
    checkNumber(actor, 'maxLength', options?.maxLength, { integer: true, infinite: true }) ?? Number.POSITIVE_INFINITY
  );
}
