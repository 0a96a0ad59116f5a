/** RxJS operators over pools and queues. */

export { type PoolMapOptions, poolMap } from './pool-map.js';
export { fromQueue, type ToQueueOptions, throughQueue, toQueue } from './queues.js';
