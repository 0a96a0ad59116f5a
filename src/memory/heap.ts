/**
 * `Heap` and `BufferWrapper`: pieces of shared memory for code that lays out its own data, as
 * Python's `multiprocessing.heap`.
 */
export { BufferWrapper } from './heap/buffer-wrapper.js';
export { Heap, type HeapStats } from './heap/heap.js';
export type { HeapArena, HeapBlock } from './heap/heap-arena.js';
