/**
 * Locks and their kin, between processes and threads. Python: `multiprocessing.synchronize`.
 *
 * @packageDocumentation
 */

// Mutual exclusion

export { Lock, type LockLike } from './lock.js';
export { RLock } from './rlock.js';
export { RwLock } from './rwlock.js';

// Counting

export { BoundedSemaphore } from './bounded-semaphore.js';
export { Semaphore } from './semaphore.js';

// Waiting for each other

export { Barrier, type BarrierOptions } from './barrier.js';
export { Condition } from './condition.js';
export { Event } from './event.js';

// What all of them have

export type { SharedObject } from './state/shared-object.js';
export type { WaitOptions } from './wait-options.js';
