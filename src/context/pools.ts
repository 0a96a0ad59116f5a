/** `Pool` bound to each start method; that of threads is `ThreadPool`. */

import { type AnyArguments, Pool, type PoolOptions } from '../pool/index.js';
import { bound } from './bound.js';

/** Options of a pool whose start method is given by its class. */
export interface BoundPoolOptions<I extends readonly unknown[] | [] = AnyArguments>
  extends Omit<PoolOptions<I>, 'context'> {}

/**
 * A {@link Pool} of fresh Nodes.
 * @example
 * import { SpawnPool } from 'multiprocess/context';
 *
 * await using pool = new SpawnPool({ processes: 2 });
 * console.log(await pool.map((n: number) => n * n, [1, 2, 3])); // [ 1, 4, 9 ]
 */
export class SpawnPool<I extends readonly unknown[] | [] = AnyArguments> extends Pool<I> {
  constructor(options: BoundPoolOptions<I> & { readonly initArgs: I });
  constructor(options?: BoundPoolOptions<[]>);
  constructor(options: BoundPoolOptions<AnyArguments> = {}) {
    super(bound('Pool', options, 'spawn'));
  }
}

/**
 * A {@link Pool} of processes forked from a template.
 * @example
 * import { ForkServerPool } from 'multiprocess/context';
 *
 * await using pool = new ForkServerPool({ processes: 2 });
 * console.log(await pool.map((n: number) => n * n, [1, 2, 3])); // [ 1, 4, 9 ]
 */
export class ForkServerPool<I extends readonly unknown[] | [] = AnyArguments> extends Pool<I> {
  constructor(options: BoundPoolOptions<I> & { readonly initArgs: I });
  constructor(options?: BoundPoolOptions<[]>);
  constructor(options: BoundPoolOptions<AnyArguments> = {}) {
    super(bound('Pool', options, 'forkserver'));
  }
}

/**
 * A {@link Pool} of processes forked from this one.
 * @example
 * // node --single-threaded --v8-pool-size=1
 * import { ForkPool } from 'multiprocess/context';
 *
 * await using pool = new ForkPool({ processes: 2 });
 * console.log(await pool.map((n: number) => n * n, [1, 2, 3])); // [ 1, 4, 9 ]
 */
export class ForkPool<I extends readonly unknown[] | [] = AnyArguments> extends Pool<I> {
  constructor(options: BoundPoolOptions<I> & { readonly initArgs: I });
  constructor(options?: BoundPoolOptions<[]>);
  constructor(options: BoundPoolOptions<AnyArguments> = {}) {
    super(bound('Pool', options, 'fork'));
  }
}
