import {
  type AsyncCallOptions,
  type AsyncMapOptions,
  AsyncResult,
  type Callable,
  type CallOptions,
  CallProgress,
  type MapOptions,
  type PoolStats,
  type SettleErrors,
  type StreamOptions,
  type UnsettledErrors,
} from '../../pool/index.js';
import {
  checkSource,
  DONE,
  FAILED,
  openSource,
  PULL,
  type Source,
  streamOf,
  type TaskStream,
  WAIT,
} from '../../streams/index.js';
import { deferred } from '../../util/deferred.js';
import type { WaitOptions } from '../../util/wait-options.js';
import type { RemoteCall } from '../client/remote-call.js';
import { BaseProxy } from '../proxy.js';

/** Most items of a batch on its way to the server. */
const BATCH_ITEMS = 64;

/**
 * A manager's `Pool`, in a client: its workers are children of the server, so clients share them.
 *
 * Semantics: as `Pool`. Functions travel with what they capture. Sources are read here, a batch
 * ahead of what the pool wants, so endless ones work; arrays are sent whole. A call that is
 * cancelled, or whose caller dies, is cancelled in its worker.
 *
 * Python: `SyncManager.Pool`.
 *
 * @example
 * import { manager } from 'multiprocess';
 *
 * await using m = await manager();
 * await using pool = await m.Pool(2);
 * console.log(await pool.map((n: number) => n * n, [1, 2, 3])); // [ 1, 4, 9 ]
 */
export class PoolProxy extends BaseProxy implements AsyncDisposable {
  /** Calls `fn` with `args` in a worker. See `Pool.apply`. */
  apply<A extends unknown[], R>(fn: Callable<A, R>, args?: A, options?: CallOptions): Promise<R> {
    return this.callMethod<R>('apply', [fn, args ?? [], options]);
  }

  /** As {@link apply}, as a result that can be asked. */
  applyAsync<A extends unknown[], R>(fn: Callable<A, R>, args?: A, options?: AsyncCallOptions<R>): AsyncResult<R> {
    return this.#async(options, (rest) => this.apply(fn, args, rest as CallOptions));
  }

  /** Calls `fn` with each item. See `Pool.map`. */
  map<T, R>(
    fn: Callable<[T], R>,
    items: Source<T>,
    options: MapOptions<T> & SettleErrors,
  ): Promise<PromiseSettledResult<R>[]>;
  map<T, R>(fn: Callable<[T], R>, items: Source<T>, options?: MapOptions<T> & UnsettledErrors): Promise<R[]>;
  map<T, R>(fn: Callable<[T], R>, items: Source<T>, options?: MapOptions<T>): Promise<R[] | PromiseSettledResult<R>[]>;
  map<T>(fn: unknown, items: Source<T>, options?: MapOptions<T>): Promise<unknown[]> {
    return this.#mapped('map', fn, items, options);
  }

  /** As {@link map}, as a result that can be asked. */
  mapAsync<T, R>(
    fn: Callable<[T], R>,
    items: Source<T>,
    options: AsyncMapOptions<PromiseSettledResult<R>, T> & SettleErrors,
  ): AsyncResult<PromiseSettledResult<R>[]>;
  mapAsync<T, R>(
    fn: Callable<[T], R>,
    items: Source<T>,
    options?: AsyncMapOptions<R, T> & UnsettledErrors,
  ): AsyncResult<R[]>;
  mapAsync<T>(fn: unknown, items: Source<T>, options?: AsyncMapOptions<never, T>): AsyncResult<never[]> {
    return this.#async(options, (rest) => this.#mapped('map', fn, items, rest as MapOptions<T>) as Promise<never[]>);
  }

  /** Calls `fn` with each item's elements as arguments. See `Pool.starmap`. */
  starmap<A extends unknown[], R>(
    fn: Callable<A, R>,
    items: Source<readonly [...A]>,
    options: MapOptions<readonly [...A]> & SettleErrors,
  ): Promise<PromiseSettledResult<R>[]>;
  starmap<A extends unknown[], R>(
    fn: Callable<A, R>,
    items: Source<readonly [...A]>,
    options?: MapOptions<readonly [...A]> & UnsettledErrors,
  ): Promise<R[]>;
  starmap<A extends unknown[], R>(
    fn: Callable<A, R>,
    items: Source<readonly [...A]>,
    options?: MapOptions<readonly [...A]>,
  ): Promise<R[] | PromiseSettledResult<R>[]>;
  starmap<T>(fn: unknown, items: Source<T>, options?: MapOptions<T>): Promise<unknown[]> {
    return this.#mapped('starmap', fn, items, options);
  }

  /** As {@link starmap}, as a result that can be asked. */
  starmapAsync<A extends unknown[], R>(
    fn: Callable<A, R>,
    items: Source<readonly [...A]>,
    options: AsyncMapOptions<PromiseSettledResult<R>, readonly [...A]> & SettleErrors,
  ): AsyncResult<PromiseSettledResult<R>[]>;
  starmapAsync<A extends unknown[], R>(
    fn: Callable<A, R>,
    items: Source<readonly [...A]>,
    options?: AsyncMapOptions<R, readonly [...A]> & UnsettledErrors,
  ): AsyncResult<R[]>;
  starmapAsync<T>(fn: unknown, items: Source<T>, options?: AsyncMapOptions<never, T>): AsyncResult<never[]> {
    return this.#async(
      options,
      (rest) => this.#mapped('starmap', fn, items, rest as MapOptions<T>) as Promise<never[]>,
    );
  }

  /** Results in the order of the items, as a stream. See `Pool.imap`. */
  imap<T, R>(
    fn: Callable<[T], R>,
    source: Source<T>,
    options: StreamOptions<T> & SettleErrors,
  ): TaskStream<PromiseSettledResult<R>>;
  imap<T, R>(fn: Callable<[T], R>, source: Source<T>, options?: StreamOptions<T> & UnsettledErrors): TaskStream<R>;
  imap<T, R>(
    fn: Callable<[T], R>,
    source: Source<T>,
    options?: StreamOptions<T>,
  ): TaskStream<R | PromiseSettledResult<R>>;
  imap<T>(fn: unknown, source: Source<T>, options?: StreamOptions<T>): TaskStream<unknown> {
    return this.#stream('imap', fn, source, options);
  }

  /** Results as they come, as a stream. See `Pool.imapUnordered`. */
  imapUnordered<T, R>(
    fn: Callable<[T], R>,
    source: Source<T>,
    options: StreamOptions<T> & SettleErrors,
  ): TaskStream<PromiseSettledResult<R>>;
  imapUnordered<T, R>(
    fn: Callable<[T], R>,
    source: Source<T>,
    options?: StreamOptions<T> & UnsettledErrors,
  ): TaskStream<R>;
  imapUnordered<T, R>(
    fn: Callable<[T], R>,
    source: Source<T>,
    options?: StreamOptions<T>,
  ): TaskStream<R | PromiseSettledResult<R>>;
  imapUnordered<T>(fn: unknown, source: Source<T>, options?: StreamOptions<T>): TaskStream<unknown> {
    return this.#stream('imapUnordered', fn, source, options);
  }

  /** Takes no more calls; what was accepted is finished. */
  close(): Promise<void> {
    return this.callMethod<void>('close');
  }

  /** Ends the workers at once. */
  terminate(): Promise<void> {
    return this.callMethod<void>('terminate');
  }

  /**
   * Waits until the workers have ended, after `close` or `terminate`.
   * @throws (rejects) TimeoutError `MP_TIMEOUT`; `signal.reason`.
   */
  join(options?: WaitOptions): Promise<void> {
    return this.callMethod<void>('join', [options]);
  }

  /** Returns what the workers do. */
  stats(): Promise<PoolStats> {
    return this.callMethod<PoolStats>('stats');
  }

  /** As {@link terminate}, as `Pool`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.terminate();
  }

  async #mapped<T>(
    method: string,
    fn: unknown,
    items: Source<T>,
    options: MapOptions<T> | undefined,
  ): Promise<unknown[]> {
    checkSource(`Pool.${method}`, items);
    if (Array.isArray(items)) return this.callMethod<unknown[]>(method, [fn, items, options]);
    const feed = await this.callMethod<BaseProxy>('feed');
    const pumping = pump(feed, items);
    try {
      return await this.callMethod<unknown[]>(method, [fn, feed, options]);
    } finally {
      await pumping.stop();
      feed[Symbol.dispose]();
    }
  }

  #stream<T>(
    method: string,
    fn: unknown,
    source: Source<T>,
    options: StreamOptions<T> | undefined,
  ): TaskStream<unknown> {
    checkSource(`Pool.${method}`, source);
    if (Array.isArray(source)) {
      return streamOf<unknown>((wake) =>
        (this.callMethod(method, [fn, source, options]) as RemoteCall<AsyncIterable<unknown>>)[PULL](wake),
      );
    }
    const run = async function* (pool: PoolProxy): AsyncGenerator<unknown, void, undefined> {
      const feed = await pool.callMethod<BaseProxy>('feed');
      const pumping = pump(feed, source);
      try {
        yield* pool.callMethod<AsyncIterable<unknown>>(method, [fn, feed, options]) as RemoteCall<
          AsyncIterable<unknown>
        >;
      } finally {
        await pumping.stop();
        feed[Symbol.dispose]();
      }
    };
    const context = { capacity: () => BATCH_ITEMS, overflow: undefined };
    return streamOf<unknown>((wake) => openSource<unknown>(run(this), { ...context, wake }));
  }

  #async<R>(
    options:
      | {
          readonly signal?: AbortSignal | undefined;
          readonly callback?: ((value: R) => void) | undefined;
          readonly errorCallback?: ((error: unknown) => void) | undefined;
        }
      | undefined,
    run: (rest: object) => Promise<R>,
  ): AsyncResult<R> {
    const { callback, errorCallback, signal, ...rest } = options ?? {};
    const cancelled = new AbortController();
    const progress = new CallProgress();
    const promise = run({
      ...rest,
      signal: signal === undefined ? cancelled.signal : AbortSignal.any([signal, cancelled.signal]),
    });
    promise.then(
      () => progress.end(false),
      () => progress.end(true),
    );
    return new AsyncResult<R>(
      { promise, progress: progress.observable, cancel: (reason) => cancelled.abort(reason) },
      callback,
      errorCallback,
    );
  }
}

/** Pours a source of this process into a feed of the server. */
function pump(feed: BaseProxy, source: Source<unknown>): { stop(): Promise<void> } {
  let woken = deferred<void>();
  let over = false;
  const reader = openSource(source, { wake: () => woken.resolve(), capacity: () => BATCH_ITEMS, overflow: undefined });
  const pushed = async (items: unknown[]): Promise<boolean> => {
    try {
      return await feed.callMethod<boolean>('push', [items]);
    } catch (error) {
      // Items that cannot be sent: the pool would wait for them for ever.
      await feed.callMethod('fail', [error]);
      return false;
    }
  };
  const pumped = (async () => {
    for (let started = false; !over; ) {
      const items: unknown[] = [];
      const state = reader.read(items, BATCH_ITEMS);
      if (!started) reader.start?.();
      started = true;
      if (items.length > 0 && !(await pushed(items))) break;
      if (state === DONE || state === FAILED) {
        over = true;
        await (state === DONE ? feed.callMethod('end') : feed.callMethod('fail', [reader.error]));
        return;
      }
      if (state === WAIT && !over) {
        await woken.promise;
        woken = deferred<void>();
      }
    }
    if (!over) {
      over = true;
      await reader.cancel();
    }
  })();
  // What goes wrong on the way shows in the call that reads the feed.
  pumped.catch(() => {});
  return {
    stop: async () => {
      if (over) return;
      over = true;
      await reader.cancel();
      woken.resolve();
    },
  };
}
