import { brand, MultiprocessError } from './multiprocess-error.js';

/** A primitive was released or waited on by someone who does not hold it. `MP_NOT_OWNER`. */
export class NotOwnerError extends MultiprocessError {}
brand(NotOwnerError, 'MP_NOT_OWNER');

/**
 * The barrier was broken, by a timeout, an abort, a reset or the death of a party.
 * `MP_BROKEN_BARRIER`.
 */
export class BrokenBarrierError extends MultiprocessError {}
brand(BrokenBarrierError, 'MP_BROKEN_BARRIER');
