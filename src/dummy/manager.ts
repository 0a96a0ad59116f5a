import type { ManagerOptions, SyncManager } from '../managers/index.js';
import { manager } from '../managers/start.js';

/**
 * A started SyncManager whose server is a worker thread of this process.
 *
 * Python: `multiprocessing.dummy.Manager`, which gives the module itself: its threads share objects
 * as they are.
 *
 * @throws (as rejection) what `BaseManager.start` throws.
 */
export function threadManager(options?: Omit<ManagerOptions, 'context'>): Promise<SyncManager> {
  return manager({ ...options, context: 'thread' });
}
