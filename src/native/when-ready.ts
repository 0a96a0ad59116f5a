import { onAbort } from '../util/abort.js';
import { after } from '../util/after.js';
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
export async function whenReady(list: readonly Sought[], timeout = Number.POSITIVE_INFINITY, signal?: AbortSignal): Promise<boolean> {
  signal?.throwIfAborted();
  const polled: Polled[] = list.map(({ fd, events }) => ({ fd, events, happened: 0 }));
  if (polled.length > 0 && pollDescriptors(polled, 0) > 0) return true;
  if (timeout <= 0) return false;
  const ends: (() => void)[] = [];
  try {
    return await new Promise<boolean>((resolve, reject) => {
      for (const { fd, events } of list) {
        const copy = duplicateDescriptor(fd);
        const watch = new Readiness(copy, () => resolve(true));
        ends.push(() => {
          watch.close();
          closeDescriptor(copy);
        });
        watch.want(events);
      }
      if (signal !== undefined) ends.push(onAbort(signal, () => reject(signal.reason)));
      ends.push(after(timeout, () => resolve(false)));
    });
  } finally {
    for (const end of ends) end();
  }
}
