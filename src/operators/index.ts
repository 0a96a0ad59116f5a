/** RxJS operators over pools and queues. */

export { type PoolMapOptions, poolMap } from './pool-map.js';
export { fromQueue, throughQueue, type ToQueueOptions, toQueue } from './queues.js';
