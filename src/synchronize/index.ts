/** Locks and their kin: what users have of them, and what the layers above take beside it. */

// Owners that are asynchronous tasks
export { enterWith, owns, runAs, Token } from './owner/async-owner.js';
export { HeldContexts } from './owner/held-contexts.js';
export { RwCallers } from './owner/rw-callers.js';
export * from './public.js';
export { TRY_READ, TRY_WRITE } from './rwlock.js';
// Threads of all processes
export { AgentTable, tableWords } from './state/agent-table.js';
// What is in shared memory
export { SharedObject } from './state/shared-object.js';
export { timedOut } from './wait-options.js';
// A lock inside a shared object
export { MUTEX_WORDS, Mutex } from './words/mutex.js';
export { ROBUST_MUTEX_WORDS, RobustMutex } from './words/robust-mutex.js';
