import { inspect } from 'node:util';
import type { Callable, CallOptions, MapOptions, PoolOptions, PoolStats, StreamOptions } from '../../pool/index.js';
import { Pool } from '../../pool/index.js';
import type { Source, TaskStream } from '../../streams/index.js';
import type { WaitOptions } from '../../util/wait-options.js';
import { PoolFeed } from './pool-feed.js';
import { referentOf } from './shared.js';

/**
 * The pool that a manager's `Pool(processes?)` makes: its workers are children of the server.
 *
 * Semantics: as `Pool`; functions are sent as with a pool of one's own. A call whose caller gives
 * up, or dies, is cancelled. The pool is terminated when no client has a proxy of it any more.
 *
 * Python: `SyncManager.Pool`.
 */
export class ManagedPool {
  readonly #pool: Pool;

  /** @param options How many workers, or the options of a `Pool`. @throws ArgumentError. */
  constructor(options?: number | PoolOptions) {
    this.#pool = new Pool(typeof options === 'number' ? { processes: options } : options);
  }

  /** Calls `fn` in a worker. */
  apply<A extends unknown[], R>(fn: Callable<A, R>, args: readonly [...A], options?: CallOptions): Promise<R> {
    return this.#pool.apply(fn, args, options);
  }

  /** Calls `fn` with each item. */
  map<T, R>(fn: Callable<[T], R>, items: Source<T> | object, options?: MapOptions): Promise<R[]> {
    return this.#pool.map(fn, sourceOf<T>(items), options) as Promise<R[]>;
  }

  /** Calls `fn` with each item's elements as arguments. */
  starmap<A extends unknown[], R>(fn: Callable<A, R>, items: Source<A> | object, options?: MapOptions): Promise<R[]> {
    return this.#pool.starmap(fn, sourceOf<A>(items), options) as Promise<R[]>;
  }

  /** Results in the order of the items. */
  imap<T, R>(fn: Callable<[T], R>, items: Source<T> | object, options?: StreamOptions<T>): TaskStream<R> {
    return this.#pool.imap(fn, sourceOf<T>(items), options) as TaskStream<R>;
  }

  /** Results as they come. */
  imapUnordered<T, R>(fn: Callable<[T], R>, items: Source<T> | object, options?: StreamOptions<T>): TaskStream<R> {
    return this.#pool.imapUnordered(fn, sourceOf<T>(items), options) as TaskStream<R>;
  }

  /** Returns what a client's source is pumped into. */
  feed(): PoolFeed<unknown> {
    return new PoolFeed();
  }

  /** No more calls; what was accepted is finished. */
  close(): void {
    this.#pool.close();
  }

  /** Ends the workers at once. */
  terminate(): Promise<void> {
    return this.#pool.terminate();
  }

  /** Waits until the workers have ended. */
  join(options?: WaitOptions): Promise<void> {
    return this.#pool.join(options);
  }

  /** @internal Its text, see `textOf`. */
  [inspect.custom](): string {
    return String(this.#pool);
  }

  /** Returns what the workers do. */
  stats(): PoolStats {
    return this.#pool.stats();
  }
}

/** Returns the items of a client: as they were sent, or of a feed. */
function sourceOf<T>(items: Source<T> | object): Source<T> {
  const feed = referentOf(items);
  return (feed instanceof PoolFeed ? feed : items) as Source<T>;
}
