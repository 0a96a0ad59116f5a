/**
 * Named blocks of shared memory, mixed freely with Python's, and lists in them. Python:
 * `multiprocessing.shared_memory`.
 *
 * @packageDocumentation
 */

export type { ShareableValue } from './list-format.js';
export { ShareableList } from './shareable-list.js';
export { SharedMemory, type SharedMemoryCreateOptions } from './shared-memory.js';
