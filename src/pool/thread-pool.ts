import { checkOptions } from '../util/options.js';
import { type AnyArguments, ELSEWHERE, THREAD_POOL_OPTIONS, type ThreadPoolOptions } from './options.js';
import { Pool } from './pool.js';

/**
 * A pool of worker threads of this process, hosted by piscina.
 *
 * Semantics: everything is as in a {@link Pool}, which `new Pool({ context: 'thread' })` makes as
 * well: functions and arguments are copied, results and crashes are told in the same way. A thread
 * starts sooner than a process and takes less memory, and it shares this process's fate: what ends
 * the process (`process.abort()`, a fault in an addon) ends all. `process.exit()` in a task ends
 * its thread only. A thread that is terminated runs no exit handlers. `pid` is this process's own;
 * `ident` tells threads apart.
 *
 * Python: `multiprocessing.pool.ThreadPool`, whose threads share memory.
 *
 * @example
 * import { ThreadPool } from 'multiprocess';
 *
 * await using pool = new ThreadPool({ processes: 2, resourceLimits: { maxOldGenerationSizeMb: 256 } });
 * console.log(await pool.map((x: number) => x * x, [1, 2, 3])); // [ 1, 4, 9 ]
 */
export class ThreadPool<I extends readonly unknown[] | [] = AnyArguments> extends Pool<I> {
  /**
   * Starts the threads.
   *
   * @throws ArgumentError for bad options; UnsupportedError `MP_NO_ADDON`; ProcessError `MP_SPAWN`.
   */
  constructor(options: ThreadPoolOptions<I> & { readonly initArgs: I });
  constructor(options?: ThreadPoolOptions<[]>);
  constructor(options: ThreadPoolOptions<AnyArguments> = {}) {
    checkOptions('ThreadPool', options, THREAD_POOL_OPTIONS, { number: 'processes' }, ELSEWHERE.pool);
    super({ ...options, context: 'thread' });
  }
}
