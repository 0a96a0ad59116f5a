/**
 * Pools, queues and topics over many hosts, by a broker (NATS with JetStream). One machine needs none
 * of this.
 *
 * @packageDocumentation
 */

// Pools

export { type Callable, type CurrentTask, currentTask } from '../pool/index.js';
export { TaskStream } from '../streams/index.js';
export {
  type BrokerEvent,
  type DeadLetter,
  type DistributedAsyncMapOptions,
  type DistributedMapOptions,
  DistributedPool,
  type DistributedPoolEvent,
  type DistributedPoolOptions,
  type DistributedPoolStats,
  DistributedStream,
  type DistributedStreamOptions,
  type HostEvent,
  type RunInfo,
  type RunOptions,
} from './pool/index.js';

// Hosts

export { Agent, type AgentOptions } from './agent/index.js';
export type { HostInfo } from './wire/messages.js';

// Queues

export type { DistributedPutOptions, OnWriterLost } from './channel/options.js';
export { DistributedQueue } from './queue/distributed-queue.js';
export type { DistributedGetOptions, DistributedQueueOptions } from './queue/options.js';

// Topics

export { DistributedTopic } from './topic/distributed-topic.js';
export type { DistributedLag, DistributedReplayOptions, DistributedTopicOptions } from './topic/options.js';

// The broker

export type { BrokerOptions, BrokerTls, Credentials } from './broker/options.js';
