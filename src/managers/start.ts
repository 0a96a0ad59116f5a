/**
 * How a program that needs no manager starts without the code of managers, a third of the library:
 * what the root and the contexts export loads it with the first call.
 */
import type { ManagerOptions } from './manager-options.js';
import type { SyncManager } from './sync-manager.js';

/**
 * Returns a SyncManager whose server runs: `await using m = await manager()`.
 *
 * Python: `multiprocessing.Manager()`.
 *
 * @throws (as rejection) what `BaseManager.start` throws.
 * @example
 * import { manager } from 'multiprocess';
 *
 * await using m = await manager();
 * const stock = await m.dict({ apples: 3 });
 * await stock.set('pears', 5);
 * console.log(await stock.getValue()); // Map(2) { 'apples' => 3, 'pears' => 5 }
 */
export async function manager(options?: ManagerOptions): Promise<SyncManager> {
  const { SyncManager } = await import('./sync-manager.js');
  const made = new SyncManager(options);
  await made.start();
  return made;
}
