/**
 * RxJS operators over pools and queues.
 *
 * @packageDocumentation
 */

// Pools

export { type PoolMapOptions, poolMap } from './pool-map.js';

// Queues

export { fromQueue, type ToQueueOptions, throughQueue, toQueue } from './queues.js';

// Pull-aware: backpressure survives pipe()

export type { PullReader, PullSource, ReadState } from '../streams/index.js';
export {
  batchPull,
  bounded,
  type ConcurrencyOptions,
  concatMapPull,
  filterPull,
  mapPull,
  mergeMapPull,
  takePull,
} from './pull.js';

// A source in a worker

export { type RemoteOptions, type RemoteTarget, remote } from './remote.js';
