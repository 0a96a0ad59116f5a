import { brand, MultiprocessError } from './multiprocess-error.js';

/** A shared map has no room for an entry, or for its value. `MP_MAP_FULL`. */
export class MapFullError extends MultiprocessError {}
brand(MapFullError, 'MP_MAP_FULL');
