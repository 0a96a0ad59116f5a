/** Locks and their kin, between processes and threads. */

// Waiting for each other
export { Barrier, type BarrierOptions } from './barrier.js';
// Counting
export { BoundedSemaphore } from './bounded-semaphore.js';
export { Condition } from './condition.js';
export { Event } from './event.js';
// Mutual exclusion
export { Lock, type LockLike } from './lock.js';
export { RLock } from './rlock.js';
export { RwLock } from './rwlock.js';
export { Semaphore } from './semaphore.js';
export type { SharedObject } from './state/shared-object.js';
export type { WaitOptions } from './wait-options.js';
