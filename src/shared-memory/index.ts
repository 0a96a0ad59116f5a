/** Named shared memory, mixed freely with Python's, and lists in it. */

export type { ShareableValue } from './list-format.js';
export { ShareableList } from './shareable-list.js';
export { SharedMemory, type SharedMemoryCreateOptions } from './shared-memory.js';
