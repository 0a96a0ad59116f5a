import { TimeoutError } from '../errors/index.js';
import type { WaitOptions } from '../util/wait-options.js';

export { boundsOf, timeoutOf, type WaitOptions } from '../util/wait-options.js';

/** For the forms that cannot answer `false`. @param other What can. */
export function timedOut(
  actor: string,
  options: WaitOptions | undefined,
  other = 'acquire(), which answers false',
): TimeoutError {
  return new TimeoutError(`${actor}: not acquired within ${options?.timeout} ms; give it more time, or use ${other}.`);
}
