import { brand, MultiprocessError } from './multiprocess-error.js';

/**
 * A shared map has no room for an entry, or for its value. `MP_MAP_FULL`.
 * @example
 * import { MapFullError, SharedMap } from 'multiprocess';
 *
 * const map = new SharedMap<string, number>({ capacity: 1 });
 * try {
 *   for (let n = 0; ; n++) map.set(`key ${n}`, n);
 * } catch (error) {
 *   console.log(error instanceof MapFullError); // true
 * }
 */
export class MapFullError extends MultiprocessError {}
brand(MapFullError, 'MP_MAP_FULL');
