/** Values that are encoded once and read by any number of processes. */

export { share } from './share.js';
export { Shared } from './shared.js';
