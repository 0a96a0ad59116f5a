/** Locks and their kin: what users have of them, and what the layers above take beside it. */

// Owners that are asynchronous tasks
export { enterWith, owns, runAs, Token } from './owner/async-owner.js';
export * from './public.js';
// Threads of all processes
export { AgentTable, tableWords } from './state/thread-table.js';
export { timedOut } from './wait-options.js';
// A lock inside a shared object
export { GUARD_WORDS, Guard } from './words/robust-mutex.js';
