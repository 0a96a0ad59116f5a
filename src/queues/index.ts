/** Queues and topics between processes, threads and tasks. */

export { JoinableQueue } from './joinable-queue.js';
export { type ConsumeOptions, Queue } from './queue.js';
export type { QueueOptions } from './queue-options.js';
export { SimpleQueue } from './simple-queue.js';
