/**
 * Queues and topics between processes, threads and tasks. Python: `multiprocessing.queues`.
 *
 * @packageDocumentation
 */

// Each item to one consumer

export { JoinableQueue } from './joinable-queue.js';
export { Queue } from './queue.js';
export type { ConsumeOptions, QueueOptions } from './queue-options.js';
export { SimpleQueue } from './simple-queue.js';

// Each item to everybody

export { StateTopic } from './state-topic.js';
export type { Gap } from './topic/topic-memory.js';
export { Topic } from './topic.js';
export type { Lag, TopicOptions } from './topic-options.js';
