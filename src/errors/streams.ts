import { brand, MultiprocessError } from './multiprocess-error.js';

/**
 * A source that can be read only once was asked for a second time. Make the source inside the call,
 * or collect it into an array. `MP_STREAM_CONSUMED`.
 * @example
 * import { Pool, StreamConsumedError } from 'multiprocess';
 *
 * await using pool = new Pool({ processes: 1 });
 * const stream = pool.imap((n: number) => n, [1, 2].values()); // an iterator, which is read once
 * await stream.toArray();
 * console.log((await stream.toArray().catch((error) => error)) instanceof StreamConsumedError); // true
 */
export class StreamConsumedError extends MultiprocessError {}
brand(StreamConsumedError, 'MP_STREAM_CONSUMED');

/**
 * A push source ran ahead of its consumer and its overflow policy is `error`. `MP_STREAM_OVERFLOW`.
 * @example
 * import { Pool, StreamOverflowError } from 'multiprocess';
 * import { range } from 'rxjs';
 *
 * await using pool = new Pool({ processes: 1 });
 * const stream = pool.imap((n: number) => n, range(1, 10_000), { window: 4 });
 * console.log((await stream.toArray().catch((error) => error)) instanceof StreamOverflowError); // true
 */
export class StreamOverflowError extends MultiprocessError {}
brand(StreamOverflowError, 'MP_STREAM_OVERFLOW');
