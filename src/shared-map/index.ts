/**
 * A map in shared memory, of a fixed capacity: strings or numbers to values, for processes and threads.
 *
 * @packageDocumentation
 */

export { SharedMap, type SharedMapOptions } from './shared-map.js';
