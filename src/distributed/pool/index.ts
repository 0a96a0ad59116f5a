/** The driver's side: a pool of many hosts. */
export type { DeadLetter } from './dead-letter.js';
export { DistributedPool } from './distributed-pool.js';
export type { BrokerEvent, DistributedPoolEvent, DistributedPoolStats, HostEvent } from './events.js';
export type { DistributedPoolOptions } from './options.js';
