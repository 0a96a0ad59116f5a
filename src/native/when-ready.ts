import { limitWait } from '../util/limit-wait.js';
import { type Polled, pollDescriptors } from './channel.js';
import { closeDescriptor, duplicateDescriptor } from './descriptors.js';
import { Readiness } from './readiness.js';

/** What to look for at a descriptor: events of `Ready`. */
export interface Sought {
  readonly fd: number;
  readonly events: number;
}

/**
 * Resolves with `true` when one of the descriptors is ready (or broken, or at its end), with
 * `false` when the time is over first.
 *
 * It watches duplicates: whoever watches, uses or closes the descriptors meanwhile is not
 * disturbed.
 *
 * @param timeout milliseconds; 0 or less: only looks; `Infinity` for ever.
 * @throws (as rejection) `signal.reason`; MultiprocessError `MP_SYSTEM`.
 */
export async function whenReady(
  list: readonly Sought[],
  timeout = Number.POSITIVE_INFINITY,
  signal?: AbortSignal,
): Promise<boolean> {
  signal?.throwIfAborted();
  const polled: Polled[] = list.map(({ fd, events }) => ({ fd, events, happened: 0 }));
  if (polled.length > 0 && pollDescriptors(polled, 0) > 0) return true;
  if (timeout <= 0) return false;
  const ends: (() => void)[] = [];
  try {
    return await new Promise<boolean>((resolve, reject) => {
      for (const { fd, events } of list) ends.push(watchReady(fd, events, () => resolve(true)));
      ends.push(limitWait({ timeout, signal }, () => resolve(false), reject));
    });
  } finally {
    for (const end of ends) end();
  }
}

/**
 * Calls back while a descriptor is ready. Watches a duplicate, so that whoever uses the descriptor
 * meanwhile is not disturbed. Returns what ends that.
 * @throws MultiprocessError `MP_SYSTEM` without a free descriptor.
 */
export function watchReady(fd: number, events: number, onReady: () => void): () => void {
  const copy = duplicateDescriptor(fd);
  const readiness = new Readiness(copy, onReady);
  const end = () => {
    readiness.close();
    closeDescriptor(copy);
  };
  try {
    readiness.want(events);
  } catch (error) {
    end();
    throw error;
  }
  return end;
}
