import { brand, MultiprocessError } from './multiprocess-error.js';

/**
 * An argument or option was refused; nothing was done. Repair the call. `MP_INVALID_ARGUMENT`,
 * `MP_UNKNOWN_OPTION`, `MP_UNKNOWN_START_METHOD`.
 */
export class ArgumentError extends MultiprocessError {}
brand(ArgumentError, 'MP_INVALID_ARGUMENT');

/** The time given for a wait or a task ran out. `MP_TIMEOUT`, `MP_QUEUE_TIMEOUT`. */
export class TimeoutError extends MultiprocessError {}
brand(TimeoutError, 'MP_TIMEOUT');

/**
 * The object was closed or terminated before the call. `MP_CLOSED`, `MP_POOL_CLOSED`,
 * `MP_POOL_TERMINATED`.
 */
export class ClosedError extends MultiprocessError {}
brand(ClosedError, 'MP_CLOSED');

/**
 * This host cannot do what was asked; the message names the reason and the alternative.
 * `MP_UNSUPPORTED`, `MP_NO_ADDON`.
 */
export class UnsupportedError extends MultiprocessError {}
brand(UnsupportedError, 'MP_UNSUPPORTED');
