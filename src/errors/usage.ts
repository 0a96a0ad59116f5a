import { brand, MultiprocessError } from './multiprocess-error.js';

/**
 * An argument or option was refused; nothing was done. Repair the call. `MP_INVALID_ARGUMENT`,
 * `MP_UNKNOWN_OPTION`, `MP_UNKNOWN_START_METHOD`.
 * @example
 * import { ArgumentError, Pool } from 'multiprocess';
 *
 * try {
 *   new Pool({ processes: 0 });
 * } catch (error) {
 *   console.log(error instanceof ArgumentError); // true
 * }
 */
export class ArgumentError extends MultiprocessError {}
brand(ArgumentError, 'MP_INVALID_ARGUMENT');

/**
 * The time given for a wait or a task ran out. `MP_TIMEOUT`, `MP_QUEUE_TIMEOUT`.
 * @example
 * import { Pool, TimeoutError } from 'multiprocess';
 *
 * await using pool = new Pool({ processes: 1, gracePeriod: 0 });
 * const endless = () => {
 *   for (;;);
 * };
 * const error = await pool.apply(endless, [], { timeout: 20 }).catch((reason) => reason);
 * console.log(error instanceof TimeoutError, error.code); // true MP_TIMEOUT
 */
export class TimeoutError extends MultiprocessError {}
brand(TimeoutError, 'MP_TIMEOUT');

/**
 * The object was closed or terminated before the call. `MP_CLOSED`, `MP_POOL_CLOSED`,
 * `MP_POOL_TERMINATED`.
 * @example
 * import { ClosedError, Pool } from 'multiprocess';
 *
 * const pool = new Pool({ processes: 1 });
 * await pool.terminate();
 * const error = await pool.apply(() => 1).catch((reason) => reason);
 * console.log(error instanceof ClosedError); // true
 */
export class ClosedError extends MultiprocessError {}
brand(ClosedError, 'MP_CLOSED');

/**
 * This host cannot do what was asked; the message names the reason and the alternative.
 * `MP_UNSUPPORTED`, `MP_NO_ADDON`.
 * @example
 * import { Pool, UnsupportedError } from 'multiprocess';
 *
 * try {
 *   new Pool({ context: 'fork' }); // in a Node that was not started for it
 * } catch (error) {
 *   console.log(error instanceof UnsupportedError); // true
 * }
 */
export class UnsupportedError extends MultiprocessError {}
brand(UnsupportedError, 'MP_UNSUPPORTED');
