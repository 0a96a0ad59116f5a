/**
 * Values that are encoded once and read by any number of processes.
 *
 * @packageDocumentation
 */

export { share } from './share.js';
export { Shared } from './shared.js';
