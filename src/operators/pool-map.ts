import type { OperatorFunction } from 'rxjs';
import { type Callable, checkCallable, checkStreamOptions, type Pool, type StreamOptions } from '../pool/index.js';
import { checkSource } from '../streams/index.js';
import { checkBoolean } from '../util/options.js';
import { checkPool } from './check-pool.js';

/** How a pool maps a stream. */
export interface PoolMapOptions<T> extends StreamOptions<T> {
  /**
   * Whether results come in the order of the source (as `imap`) or as they finish (as
   * `imapUnordered`). Default `true`.
   */
  readonly ordered?: boolean | undefined;
}

/**
 * Runs every item of the source in a pool: `pool.imap` or `pool.imapUnordered` as an operator.
 *
 * Backpressure: a source that can be pulled is pulled, and what this returns can be pulled in turn;
 * for others see `overflow`. Cancellation: unsubscribing returns the source and cancels the tasks.
 *
 * @throws ArgumentError `MP_INVALID_ARGUMENT`, `MP_UNKNOWN_OPTION`.
 * @example
 * import { Pool } from 'multiprocess';
 * import { poolMap } from 'multiprocess/operators';
 * import { from } from 'rxjs';
 *
 * await using pool = new Pool({ processes: 2 });
 * const squares = from([1, 2, 3]).pipe(poolMap(pool, (n) => n * n));
 * await squares.forEach((square) => console.log(square)); // 1 4 9
 */
export function poolMap<T, R>(
  pool: Pool,
  fn: Callable<[T], R>,
  options: PoolMapOptions<T> & { readonly errors: 'settle' },
): OperatorFunction<T, PromiseSettledResult<R>>;
export function poolMap<T, R>(
  pool: Pool,
  fn: Callable<[T], R>,
  options?: PoolMapOptions<T> & { readonly errors?: 'fail' | 'skip' | undefined },
): OperatorFunction<T, R>;
export function poolMap<T, R>(
  pool: Pool,
  fn: Callable<[T], R>,
  options?: PoolMapOptions<T>,
): OperatorFunction<T, R | PromiseSettledResult<R>>;
export function poolMap<T, R>(
  pool: Pool,
  fn: Callable<[T], R>,
  options: PoolMapOptions<T> = {},
): OperatorFunction<T, unknown> {
  checkPool('poolMap', pool);
  checkCallable('poolMap', fn);
  checkStreamOptions('poolMap', options, ['ordered']);
  checkBoolean('poolMap', 'ordered', options.ordered);
  const { ordered = true, ...rest } = options;
  return (source) => {
    checkSource('poolMap', source);
    return ordered ? pool.imap<T, R>(fn, source, rest) : pool.imapUnordered<T, R>(fn, source, rest);
  };
}
