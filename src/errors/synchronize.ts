import { brand, MultiprocessError } from './multiprocess-error.js';

/**
 * A primitive was released or waited on by someone who does not hold it. `MP_NOT_OWNER`.
 * @example
 * import { Lock, NotOwnerError } from 'multiprocess';
 *
 * try {
 *   new Lock().release();
 * } catch (error) {
 *   console.log(error instanceof NotOwnerError); // true
 * }
 */
export class NotOwnerError extends MultiprocessError {}
brand(NotOwnerError, 'MP_NOT_OWNER');

/**
 * The barrier was broken, by a timeout, an abort, a reset or the death of a party.
 * `MP_BROKEN_BARRIER`.
 * @example
 * import { Barrier, BrokenBarrierError } from 'multiprocess';
 *
 * const barrier = new Barrier(2);
 * const alone = barrier.wait({ timeout: 10 }).catch((error) => error);
 * console.log((await alone) instanceof BrokenBarrierError); // true
 */
export class BrokenBarrierError extends MultiprocessError {}
brand(BrokenBarrierError, 'MP_BROKEN_BARRIER');
