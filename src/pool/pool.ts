import { inspect } from 'node:util';
import { Observable } from 'rxjs';
import { ArgumentError } from '../errors/index.js';
import {
  type Backend,
  checkFlowOptions,
  collect,
  FLOW_OPTIONS,
  inOwnContext,
  runStream,
  type Source,
  type StreamFlowOptions,
  type TaskStream,
} from '../streams/index.js';
import { staysHere } from '../util/local-class.js';
import { checkNumber, checkOptions } from '../util/options.js';
import type { WaitOptions } from '../util/wait-options.js';
import { checkWorkers } from '../util/worker-limit.js';
import { AsyncResult, type AsyncWork } from './async-result.js';
import { asyncCall, CALLBACKS, checkSpread, promised } from './call-forms.js';
import type { PoolEvent, PoolStats } from './events.js';
import { joined } from './joined.js';
import {
  type AnyArguments,
  type AsyncCallOptions,
  type AsyncMapOptions,
  CALL_OPTIONS,
  type CallOptions,
  checkCallValues,
  checkKey,
  ELSEWHERE,
  type KeyOptions,
  type MapOptions,
  type PoolOptions,
  type SettleErrors,
  type UnsettledErrors,
} from './options.js';
import { Engine } from './scheduling/engine.js';
import { poolSettings } from './settings.js';
import { LONGEST } from './time-limit.js';

/**
 * What can be run in a worker: a function with its captures, a `task()`, or the URL of a module
 * with a default export.
 */
export type Callable<A extends readonly unknown[], R> = ((...args: A) => R | Promise<R>) | URL;

/** Options of imap and imapUnordered. */
export interface StreamOptions<T> extends CallOptions, KeyOptions<T>, Omit<StreamFlowOptions<T>, 'ordered'> {}

/** `signal` is among both. */
const MAP_OPTIONS = [...new Set([...CALL_OPTIONS, 'chunkSize', 'errors', 'key'])];
const RUN_OPTIONS = [...CALL_OPTIONS.filter((name) => !FLOW_OPTIONS.includes(name)), 'key'];

/**
 * Checks the options of a stream of results; `more` are names the caller understands beside these.
 * @throws ArgumentError `MP_UNKNOWN_OPTION`, `MP_INVALID_ARGUMENT`.
 */
export function checkStreamOptions<T>(actor: string, options: StreamOptions<T>, more: readonly string[] = []): void {
  checkFlowOptions<T>(actor, options, FLOW_OPTIONS, [...RUN_OPTIONS, ...more], ELSEWHERE.stream);
  checkCallValues(actor, options);
  checkKey(actor, options);
}

/**
 * Pools that were dropped while they ran: their workers would stay for as long as the program. An
 * engine that runs is held by its workers; held here it would hold its pool, to which the stack of
 * an error leads by the frames of the pool's methods.
 */
const dropped = new FinalizationRegistry<WeakRef<Engine>>((engine) => engine.deref()?.abandon());

/**
 * A pool of worker processes.
 *
 * Semantics: any function can be run, with its closure; it is sent to each worker once. Every item
 * that is accepted settles: with its value, with its own error, or with WorkerCrashError when its
 * worker died while running it. Items that had not started when a worker died go to others. What is
 * passed counts as it is at the call, and what a source gives as it is when it is read: it may be
 * changed or closed right after, also while it waits. What functions capture is copied, and each
 * worker has its own copy. What waits is kept encoded: bound it by `maxQueue` and `window`.
 *
 * The event loop stays alive while work is under way, and only then.
 *
 * Python: `multiprocessing.Pool`. Differences: map and imap take any source and read it as workers
 * need it; a dead worker fails its item instead of hanging; a failing initializer fails the pool
 * instead of restarting for ever.
 *
 * @example
 * import { Pool } from 'multiprocess';
 *
 * await using pool = new Pool({ processes: 4 });
 * const factor = 3;
 * console.log(await pool.map((x: number) => x * factor, [1, 2, 3])); // [ 3, 6, 9 ]
 */
export class Pool<I extends readonly unknown[] | [] = AnyArguments> implements AsyncDisposable {
  readonly #engine: Engine;

  /**
   * Starts the workers.
   *
   * @throws ArgumentError for bad options; UnsupportedError `MP_NO_ADDON` where the native part is
   * missing; ProcessError
   *   `MP_SPAWN` when no process can be started, `MP_BOOTSTRAPPING` while a worker loads its modules.
   */
  constructor(options: PoolOptions<I> & { readonly initArgs: I });
  constructor(options?: PoolOptions<[]>);
  constructor(options: PoolOptions<AnyArguments> = {}) {
    this.#engine = new Engine(poolSettings('Pool', options));
    dropped.register(this, new WeakRef(this.#engine));
  }

  // ---- calls

  /**
   * Runs `fn(...args)` in a worker.
   *
   * @returns its value. Rejects with its error; SerializationError when it cannot be sent;
   * WorkerCrashError when its worker
   *   died; TimeoutError; `signal.reason`; QueueFullError; ClosedError `MP_POOL_CLOSED`, `MP_POOL_TERMINATED`.
   */
  apply<R>(fn: Callable<[], R>, args?: readonly [], options?: CallOptions): Promise<R>;
  apply<A extends unknown[], R>(fn: Callable<A, R>, args: readonly [...A], options?: CallOptions): Promise<R>;
  apply<R>(fn: Callable<never, R>, args?: readonly unknown[], options?: CallOptions): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      if (options !== undefined) {
        checkSpread('Pool.apply', args, options);
        checkOptions('Pool.apply', options, CALL_OPTIONS, { number: 'timeout' }, ELSEWHERE.call);
        checkCallValues('Pool.apply', options);
      }
      this.#engine.call(
        'Pool.apply',
        fn,
        args,
        options,
        { resolve: resolve as (value: unknown) => void, reject },
        undefined,
      );
    });
  }

  /**
   * As {@link apply}, answering with an AsyncResult that can be waited for, watched and cancelled.
   * Bad options throw at once; all else is its failure.
   */
  applyAsync<R, P = unknown>(fn: Callable<[], R>, args?: readonly [], options?: AsyncCallOptions<R>): AsyncResult<R, P>;
  applyAsync<A extends unknown[], R, P = unknown>(
    fn: Callable<A, R>,
    args: readonly [...A],
    options?: AsyncCallOptions<R>,
  ): AsyncResult<R, P>;
  applyAsync<R>(fn: Callable<never, R>, args?: readonly unknown[], options: AsyncCallOptions<R> = {}): AsyncResult<R> {
    const actor = 'Pool.applyAsync';
    checkSpread(actor, args, options);
    checkOptions(
      actor,
      options,
      [...CALL_OPTIONS, ...CALLBACKS],
      { function: 'callback', number: 'timeout' },
      ELSEWHERE.call,
    );
    checkCallValues(actor, options);
    return asyncCall<R>(options, (watcher) =>
      this.#engine.call(actor, fn, args, options, watcher, (report, dropped) => watcher.report(report, dropped)),
    );
  }

  /**
   * A call as a cold Observable, as `defer` of RxJS: each subscription is a call of its own, which
   * reads `args` then; it emits the value and completes, and unsubscribing cancels it.
   *
   * @returns emits what {@link apply} resolves with, and errors with what it rejects with.
   * @throws ArgumentError at once for bad options.
   *
   * @example
   * import { Pool } from 'multiprocess';
   * import { lastValueFrom, of, switchMap } from 'rxjs';
   *
   * await using pool = new Pool({ processes: 1 });
   * const search = (text: string) => `results for ${text}`;
   * // The newest text wins: the call for the one before it is cancelled.
   * const results = of('p', 'pool').pipe(switchMap((text) => pool.defer(search, [text])));
   * console.log(await lastValueFrom(results)); // results for pool
   */
  defer<R>(fn: Callable<[], R>, args?: readonly [], options?: CallOptions): Observable<R>;
  defer<A extends unknown[], R>(fn: Callable<A, R>, args: readonly [...A], options?: CallOptions): Observable<R>;
  defer<R>(fn: Callable<never, R>, args?: readonly unknown[], options?: CallOptions): Observable<R> {
    const actor = 'Pool.defer';
    checkSpread(actor, args, options);
    checkOptions(actor, options, CALL_OPTIONS, { number: 'timeout' }, ELSEWHERE.call);
    checkCallValues(actor, options ?? {});
    const calls = new Observable<R>((subscriber) => {
      let call: { cancel(reason: unknown): void } | undefined;
      new Promise<R>((resolve, reject) => {
        call = this.#engine.call(
          actor,
          fn,
          args,
          options,
          { resolve: resolve as (value: unknown) => void, reject },
          undefined,
        );
      }).then(
        (value) => {
          subscriber.next(value);
          subscriber.complete();
        },
        (error: unknown) => subscriber.error(error),
      );
      return () => call?.cancel(new DOMException('The call was unsubscribed from.', 'AbortError'));
    });
    return inOwnContext(calls);
  }

  // ---- maps

  /**
   * Runs `fn(item)` for every item and collects the values in order.
   *
   * Semantics: all items settle before the first error is raised, see `errors`. The source is read
   * as workers need it.
   *
   * @returns the values; with `errors: 'settle'` an outcome for each. Rejects as {@link apply} does,
   * with the `itemIndex` of the item that failed, and with the source's own error.
   */
  map<T, R>(
    fn: Callable<[T], R>,
    items: Source<T>,
    options: MapOptions<T> & SettleErrors,
  ): Promise<PromiseSettledResult<R>[]>;
  map<T, R>(fn: Callable<[T], R>, items: Source<T>, options?: MapOptions<T> & UnsettledErrors): Promise<R[]>;
  map<T, R>(fn: Callable<[T], R>, items: Source<T>, options?: MapOptions<T>): Promise<R[] | PromiseSettledResult<R>[]>;
  map<T>(fn: unknown, items: Source<T>, options: MapOptions<T> = {}): Promise<unknown[]> {
    return promised(() => this.#collect('Pool.map', fn, items, options, false, []).promise);
  }

  /**
   * As {@link map}, answering with an AsyncResult.
   * @throws at once for bad options, a pool that is closed, a function that cannot be sent.
   */
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
  mapAsync<T>(fn: unknown, items: Source<T>, options: AsyncMapOptions<never, T> = {}): AsyncResult<never[]> {
    const work: AsyncWork<unknown[]> = this.#collect('Pool.mapAsync', fn, items, options, false, CALLBACKS);
    return new AsyncResult(work as AsyncWork<never[]>, options.callback, options.errorCallback);
  }

  /**
   * Runs `fn(...item)` for every item, an array of arguments, and collects the values in order. See
   * {@link map}.
   */
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
  starmap<T>(fn: unknown, items: Source<T>, options: MapOptions<T> = {}): Promise<unknown[]> {
    return promised(() => this.#collect('Pool.starmap', fn, items, options, true, []).promise);
  }

  /** As {@link starmap}, answering with an AsyncResult. */
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
  starmapAsync<T>(fn: unknown, items: Source<T>, options: AsyncMapOptions<never, T> = {}): AsyncResult<never[]> {
    const work: AsyncWork<unknown[]> = this.#collect('Pool.starmapAsync', fn, items, options, true, CALLBACKS);
    return new AsyncResult(work as AsyncWork<never[]>, options.callback, options.errorCallback);
  }

  // ---- streams

  /**
   * Streams the results of `fn` over a source, in the order of the source. See TaskStream. A stream
   * fails if the pool is closed when it is executed. @throws ClosedError `MP_POOL_CLOSED` when the
   * pool is closed already.
   */
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
  imap<T, R>(fn: Callable<[T], R>, source: Source<T>, options: StreamOptions<T> = {}): TaskStream<unknown> {
    return this.#stream('Pool.imap', fn, source, options, true);
  }

  /** As {@link imap}, delivering each result as soon as it is there. */
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
  imapUnordered<T, R>(fn: Callable<[T], R>, source: Source<T>, options: StreamOptions<T> = {}): TaskStream<unknown> {
    return this.#stream('Pool.imapUnordered', fn, source, options, false);
  }

  // ---- life

  /**
   * Takes no more work. What was accepted, streams included, is still done; then the workers end.
   */
  close(): void {
    this.#engine.close();
  }

  /**
   * Ends the workers now. What has not settled rejects with ClosedError `MP_POOL_TERMINATED`.
   *
   * @param options `grace`: milliseconds that what runs has to end: the `signal` of each task fires
   * first, and a worker is killed when its tasks have not ended by then. Without it nothing is
   * waited for.
   * @returns resolves when no worker is left.
   * @throws (as rejection) ArgumentError.
   */
  async terminate(options: { readonly grace?: number | undefined } = {}): Promise<void> {
    const actor = 'Pool.terminate';
    checkOptions(actor, options, ['grace'], { number: 'grace' });
    const grace = checkNumber(actor, 'grace', options.grace, { infinite: true });
    await this.#engine.terminate(grace === undefined ? undefined : Math.min(grace, LONGEST));
  }

  /**
   * Sets how many workers there may be, as `processes` does when a pool is made.
   *
   * Semantics: with fewer, the workers with the highest numbers take no more work and end after the
   * items that they run; what else they held goes to the others. With more, workers are started: all
   * at once, or with `minProcesses` or `idleTimeout` when there is work for them. Nothing is lost or
   * run twice.
   *
   * @param processes At least 1.
   * @returns resolves when those that are too many have ended and those that were started are ready.
   * @throws (as rejection) ArgumentError; ClosedError `MP_POOL_CLOSED`, `MP_POOL_TERMINATED`.
   * @example
   * import { Pool } from 'multiprocess';
   *
   * await using pool = new Pool({ processes: 1 });
   * await pool.resize(3);
   * console.log(pool.stats().workers.map((worker) => worker.number)); // [ 0, 1, 2 ]
   */
  async resize(processes: number): Promise<void> {
    const actor = 'Pool.resize';
    if (processes === undefined) throw new ArgumentError(`${actor}: pass the number of workers, at least 1.`);
    checkNumber(actor, 'processes', processes, { min: 1, integer: true });
    checkWorkers(actor, 'processes', processes);
    await this.#engine.resize(processes);
  }

  /**
   * What `workerExit` returned in the workers that have ended so far: all of them after {@link join}.
   * In the order of the workers' numbers; of those with the same, the first that was started comes
   * first.
   *
   * @example
   * import { Pool, workerState } from 'multiprocess';
   *
   * const pool = new Pool({
   *   processes: 1,
   *   initializer: () => ({ sum: 0 }),
   *   workerExit: () => workerState<{ sum: number }>().sum,
   * });
   * await pool.map((x: number) => { workerState<{ sum: number }>().sum += x; }, [1, 2, 3]);
   * pool.close();
   * await pool.join();
   * console.log(pool.workerResults); // [ 6 ]
   */
  get workerResults(): unknown[] {
    return this.#engine.workerResults;
  }

  /**
   * Waits until the work of a closed pool is done and its workers have ended. A stream whose
   * consumer has stopped reading does not hold it up; workers are started again should that
   * consumer go on.
   *
   * @param options `timeout` in milliseconds, default: no limit; `signal`. Both end the waiting,
   * not the work.
   * @throws ProcessError `MP_POOL_RUNNING` before `close()` or `terminate()`; TimeoutError
   * `MP_TIMEOUT`; `signal.reason`.
   */
  async join(options?: WaitOptions): Promise<void> {
    return joined('Pool.join', () => this.#engine.join(), options);
  }

  /** Terminates, as Python's `with` does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#engine.terminate();
  }

  /** The pool as it is now. */
  stats(): PoolStats {
    return this.#engine.stats();
  }

  /**
   * What happens to workers, as it happens. Hot; never ends by itself. Who subscribes right after the
   * pool was made, before anything is awaited, is told of the start of its first workers too.
   */
  get events(): Observable<PoolEvent> {
    return this.#engine.events;
  }

  /** Its state, as `console.log` shows it. */
  toString(): string {
    return this.#engine.describe(this.constructor.name);
  }

  /** @internal */
  [inspect.custom](): string {
    return this.toString();
  }

  #backend<T, R>(
    actor: string,
    fn: unknown,
    options: MapOptions<T>,
    form?: { spread: boolean; together: boolean },
  ): Backend<T, R> {
    // A stream that was not begun yet keeps its pool, see `dropped`.
    return Object.assign(this.#engine.backend<T, R>(actor, fn, options, form), { pool: this });
  }

  #collect<T>(
    actor: string,
    fn: unknown,
    items: Source<T>,
    options: AsyncMapOptions<never, T>,
    spread: boolean,
    more: readonly string[],
  ) {
    checkOptions(actor, options, [...MAP_OPTIONS, ...more], { number: 'chunkSize' }, ELSEWHERE.map);
    checkFlowOptions<T>(actor, options, FLOW_OPTIONS, [...RUN_OPTIONS, ...more]);
    checkCallValues(actor, options);
    checkKey(actor, options);
    // Those that answer with an AsyncResult show how far they are.
    const together = more.length === 0;
    return collect<T, unknown>(
      actor,
      items,
      this.#backend<T, unknown>(actor, fn, options, { spread, together }),
      options,
    );
  }

  #stream<T, R>(
    actor: string,
    fn: unknown,
    source: Source<T>,
    options: StreamOptions<T>,
    ordered: boolean,
  ): TaskStream<R> {
    checkStreamOptions(actor, options);
    return runStream<T, R>(actor, this.#backend<T, R>(actor, fn, options), source, { ...options, ordered });
  }
}

staysHere(
  Pool,
  'call it outside of the function and pass the results (`await pool.apply(…)`), or make a pool inside the function (`const pool = new Pool()`)',
);
