import { brand, MultiprocessError } from './multiprocess-error.js';

/**
 * A source that can be read only once was asked for a second time. Make the source inside the call,
 * or collect it into an array. `MP_STREAM_CONSUMED`.
 */
export class StreamConsumedError extends MultiprocessError {}
brand(StreamConsumedError, 'MP_STREAM_CONSUMED');

/**
 * A push source ran ahead of its consumer and its overflow policy is `error`. `MP_STREAM_OVERFLOW`.
 */
export class StreamOverflowError extends MultiprocessError {}
brand(StreamOverflowError, 'MP_STREAM_OVERFLOW');
