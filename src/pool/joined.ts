import { TimeoutError } from '../errors/index.js';
import { boundsOf, settles, type WaitOptions } from '../util/wait-options.js';

/**
 * Waits for the end of a pool's work, as `join()` of every pool does.
 *
 * @param join Begins to wait, and throws when there is nothing to wait for.
 * @throws (rejects) ArgumentError; TimeoutError `MP_TIMEOUT`; `signal.reason`; what `join` throws.
 */
export async function joined(
  actor: string,
  join: () => Promise<void>,
  options: WaitOptions | undefined,
): Promise<void> {
  const bounds = boundsOf(actor, options);
  bounds?.signal?.throwIfAborted();
  const over = join();
  if (bounds !== undefined && !(await settles(over, bounds))) {
    throw new TimeoutError(
      `${actor}: not over after ${bounds.timeout} ms; the work goes on. Use terminate() to end it.`,
    );
  }
  return over;
}
