/**
 * The resource sharer: how descriptors get from one process to others of the same user. Python:
 * `multiprocessing.resource_sharer`.
 *
 * A thread of the native addon serves them, so they can be had while the JavaScript of the process
 * that sent them is busy or blocked. It starts when a descriptor is first sent and ends by itself
 * 30 s after the last one was.
 *
 * @packageDocumentation
 */

import { withdrawOffers } from '../native/index.js';

export { DupFd } from './dup-fd.js';

/** The resource sharer of this process. Python: `multiprocessing.resource_sharer`. */
export const resourceSharer = {
  /**
   * Withdraws every descriptor that was sent and not received yet, and ends the thread. Who
   * receives one later gets `MP_OWNER_GONE`. The next descriptor that is sent starts it again.
   */
  stop(): void {
    withdrawOffers();
  },
} as const;

/**
 * The module's function, as Python has it: that of {@link resourceSharer}.
 * @example
 * import { closeSync, openSync } from 'node:fs';
 * import { Pool } from 'multiprocess';
 * import { DupFd, dumps, loads } from 'multiprocess/reduction';
 * import { stop } from 'multiprocess/resource-sharer';
 *
 * await using pool = new Pool({ processes: 1 });
 * const file = openSync('log.txt', 'a');
 * const sent = dumps(new DupFd(file)); // offered to whoever receives it
 * stop();
 * const late = await pool.apply((bytes: Uint8Array) => void loads(bytes), [sent]).catch((error) => error);
 * console.log(late.code); // MP_OWNER_GONE
 * closeSync(file);
 */
export const stop: (typeof resourceSharer)['stop'] = resourceSharer.stop;
