/** RxJS operators over pools and queues. */

export type { PullReader, PullSource, ReadState } from '../streams/index.js';

// Pools
export { type PoolMapOptions, poolMap } from './pool-map.js';
// Pull-aware: backpressure survives pipe()
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
// Queues
export { fromQueue, type ToQueueOptions, throughQueue, toQueue } from './queues.js';
export { type RemoteOptions, type RemoteTarget, remote } from './remote.js';
