import type { ManagerOptions, SyncManager } from '../managers/index.js';
import { manager } from '../managers/start.js';

/**
 * A started SyncManager whose server is a worker thread of this process.
 *
 * Python: `multiprocessing.dummy.Manager`, which gives the module itself: its threads share objects
 * as they are.
 *
 * @throws (as rejection) what `BaseManager.start` throws.
 * @example
 * import { Manager, Process } from 'multiprocess/dummy';
 *
 * await using m = await Manager();
 * const stock = await m.dict({ apples: 3 });
 * const child = await new Process(() => stock.set('pears', 5)).start(); // a thread
 * await child.join();
 * console.log(await stock.get('pears')); // 5
 */
export function threadManager(options?: Omit<ManagerOptions, 'context'>): Promise<SyncManager> {
  return manager({ ...options, context: 'thread' });
}
