/** The driver's side: a pool of many hosts. */
export type { DeadLetter } from './dead-letter.js';
export { DistributedPool } from './distributed-pool.js';
export { DistributedStream } from './distributed-stream.js';
export type { BrokerEvent, DistributedPoolEvent, DistributedPoolStats, HostEvent } from './events.js';
export type {
  DistributedAsyncMapOptions,
  DistributedMapOptions,
  DistributedPoolOptions,
  DistributedStreamOptions,
  RunOptions,
} from './options.js';
export type { RunInfo } from './run-info.js';
