/**
 * The names of the root over worker threads. Python: `multiprocessing.dummy`.
 *
 * A `Process` here is a worker thread with a global scope of its own: what its function captures
 * and is given is sent, as to a process, and what is shareable is shared. Python's threads see each
 * other's objects; JavaScript's cannot.
 *
 * @packageDocumentation
 */

// Pools

export { AsyncResult, ThreadPool as Pool } from '../pool/index.js';

// Processes

export { ThreadProcess as Process } from '../context/index.js';
export { activeChildren, cpuCount, currentProcess, freezeSupport, parentProcess } from '../process/index.js';

// Queues and pipes

export { Connection, Pipe, pipe } from '../connection/index.js';
export { JoinableQueue, Queue, SimpleQueue } from '../queues/index.js';

// Locks and their kin

export { Barrier, BoundedSemaphore, Condition, Event, Lock, RLock, RwLock, Semaphore } from '../synchronize/index.js';

// Shared values

export { SharedMap } from '../shared-map/index.js';
export { RawArray, RawValue, SharedArray, SharedArray as Array, Value } from '../sharedctypes/index.js';

// Managers

export { threadManager as Manager, threadManager as manager } from './manager.js';
