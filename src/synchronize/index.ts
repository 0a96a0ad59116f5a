/** Locks and their kin, between processes and threads. */

export { Lock, type LockLike } from './lock.js';
export { nameProcess } from './owner-name.js';
export { RLock } from './rlock.js';
export type { SharedObject } from './shared-object.js';
export type { WaitOptions } from './wait-options.js';
