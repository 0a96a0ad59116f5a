/** A map in shared memory. */
export { SharedMap, type SharedMapOptions } from './shared-map.js';
