/**
 * Pieces of shared memory for code that lays out its own data. Python: `multiprocessing.heap`.
 *
 * @packageDocumentation
 */

export { BufferWrapper } from './heap/buffer-wrapper.js';
export { Heap, type HeapStats } from './heap/heap.js';
export type { HeapArena, HeapBlock } from './heap/heap-arena.js';
