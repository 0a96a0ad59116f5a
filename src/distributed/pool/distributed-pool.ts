import { inspect } from 'node:util';
import type { Observable } from 'rxjs';
import {
  type AsyncCallOptions,
  AsyncResult,
  CALLBACKS,
  type Callable,
  type CallOptions,
  joined,
  promised,
  type SettleErrors,
  type UnsettledErrors,
} from '../../pool/index.js';
import { inOwnContext, type Source } from '../../streams/index.js';
import { staysHere } from '../../util/local-class.js';
import type { WaitOptions } from '../../util/wait-options.js';
import { Form, type HostInfo } from '../wire/messages.js';
import type { DeadLetter } from './dead-letter.js';
import { deadLettersOf } from './dead-letters.js';
import type { DistributedStream } from './distributed-stream.js';
import { DistributedEngine } from './engine.js';
import type { DistributedPoolEvent, DistributedPoolStats } from './events.js';
import {
  type DistributedAsyncMapOptions,
  type DistributedMapOptions,
  type DistributedPoolOptions,
  type DistributedStreamOptions,
  poolSettings,
  type RunOptions,
} from './options.js';
import type { RunInfo } from './run-info.js';
import { type Collection, RunMaker } from './run-maker.js';

/**
 * A pool of workers on many hosts, over a broker (NATS with JetStream).
 *
 * Semantics: the methods are those of Pool. An item **runs at least once, is delivered to its driver
 * exactly once, and always settles**: with its value, with its own error, with WorkerCrashError when
 * it killed its workers, with RemoteError `MP_HOSTS_LOST` when the hosts that had it died. A host
 * that dies costs its items the lease, then they run elsewhere; `currentTask().key` is the same for
 * each attempt, to make what an item does idempotent. Items that were given up are dead letters.
 *
 * `retries`: an item whose worker dies is run again by its host, at once; `when` and `backoff` are not
 * asked then. One that fails with an error is published again by this driver, by itself.
 *
 * A function that is the export of a file is named by its package, version and file, which every
 * host must have. Others are sent with their code and captures, once to each host, and run where the
 * agent allows functions.
 *
 * Backpressure: as Pool's, and the pool's queue at the broker is bounded: while it is full, sources
 * wait. Calls and streams wait for hosts; bound that by `queueTimeout`.
 *
 * While the broker is away, what was accepted waits; what is under way goes on. `timeout` of an item
 * counts then from the loss. When this process dies, its items are withdrawn after the lease; with
 * `durable: true` its runs go on, and another driver has their results, see {@link resume}.
 *
 * The event loop stays alive until the pool is terminated, or closed and done.
 *
 * @example
 * import { Agent, DistributedPool } from 'multiprocess/distributed';
 *
 * // On each host: npx multiprocess agent --servers nats://localhost:4222 --name numbers --allow-functions
 * const host = { servers: 'nats://localhost:4222', name: 'numbers', processes: 1, allowFunctions: true };
 * await using agent = await Agent.start(host);
 *
 * await using pool = await DistributedPool.connect({ servers: 'nats://localhost:4222', name: 'numbers' });
 * const factor = 3;
 * console.log(await pool.map((x: number) => x * factor, [1, 2, 3])); // [ 3, 6, 9 ]
 * console.log(agent.info().done); // 3
 */
export class DistributedPool implements AsyncDisposable {
  readonly #engine: DistributedEngine;
  readonly #runs: RunMaker;

  private constructor(engine: DistributedEngine) {
    this.#engine = engine;
    this.#runs = new RunMaker(engine);
  }

  /**
   * Connects to the broker.
   *
   * @throws (rejects) ArgumentError `MP_INVALID_ARGUMENT`, `MP_UNKNOWN_OPTION`; ConnectionError
   * `MP_BROKER_UNREACHABLE`, `MP_NO_JETSTREAM`; AuthenticationError `MP_BROKER_CREDENTIALS`;
   * UnsupportedError `MP_NO_NATS`, and `MP_WIRE_VERSION` where another version of this package has
   * made the pool otherwise. A pool that no agent serves is an error of its calls:
   * ConnectionError `MP_UNKNOWN_POOL`, after `poolTimeout`.
   */
  static async connect(options: DistributedPoolOptions): Promise<DistributedPool> {
    const actor = 'DistributedPool.connect';
    return new DistributedPool(await DistributedEngine.connect(actor, poolSettings(actor, options)));
  }

  // ---- calls

  /**
   * Runs `fn(...args)` on some host.
   *
   * @returns its value. Rejects as Pool's `apply` does; besides with RemoteError
   * `MP_FUNCTIONS_NOT_ALLOWED`, `MP_MODULE_MISSING`, `MP_VERSION_SKEW`, `MP_HOSTS_LOST`;
   * ConnectionError `MP_UNKNOWN_POOL`; SerializationError `MP_HOST_BOUND`.
   */
  apply<R>(fn: Callable<[], R>, args?: readonly [], options?: CallOptions & RunOptions): Promise<R>;
  apply<A extends unknown[], R>(
    fn: Callable<A, R>,
    args: readonly [...A],
    options?: CallOptions & RunOptions,
  ): Promise<R>;
  apply<R>(fn: Callable<never, R>, args?: readonly unknown[], options: CallOptions & RunOptions = {}): Promise<R> {
    return this.#runs.apply<R>('DistributedPool.apply', fn, args, options);
  }

  /**
   * As {@link apply}, answering with an AsyncResult that can be waited for, watched and cancelled.
   * Bad options throw at once; all else is its failure.
   */
  applyAsync<R, P = unknown>(
    fn: Callable<[], R>,
    args?: readonly [],
    options?: AsyncCallOptions<R> & RunOptions,
  ): AsyncResult<R, P>;
  applyAsync<A extends unknown[], R, P = unknown>(
    fn: Callable<A, R>,
    args: readonly [...A],
    options?: AsyncCallOptions<R> & RunOptions,
  ): AsyncResult<R, P>;
  applyAsync<R>(
    fn: Callable<never, R>,
    args?: readonly unknown[],
    options: AsyncCallOptions<R> & RunOptions = {},
  ): AsyncResult<R> {
    return this.#runs.applyAsync<R>('DistributedPool.applyAsync', fn, args, options);
  }

  // ---- maps

  /**
   * Runs `fn(item)` for every item and collects the values in order. See Pool's `map`.
   */
  map<T, R>(
    fn: Callable<[T], R>,
    items: Source<T>,
    options: DistributedMapOptions & SettleErrors,
  ): Promise<PromiseSettledResult<R>[]>;
  map<T, R>(fn: Callable<[T], R>, items: Source<T>, options?: DistributedMapOptions & UnsettledErrors): Promise<R[]>;
  map<T, R>(
    fn: Callable<[T], R>,
    items: Source<T>,
    options?: DistributedMapOptions,
  ): Promise<R[] | PromiseSettledResult<R>[]>;
  map<T>(fn: unknown, items: Source<T>, options: DistributedMapOptions = {}): Promise<unknown[]> {
    return promised(() => this.#runs.collect('DistributedPool.map', fn, items, options, Form.items, []).promise);
  }

  /**
   * As {@link map}, answering with an AsyncResult.
   * @throws at once for bad options, a pool that is closed, a function that cannot be sent.
   */
  mapAsync<T, R>(
    fn: Callable<[T], R>,
    items: Source<T>,
    options: DistributedAsyncMapOptions<PromiseSettledResult<R>> & SettleErrors,
  ): AsyncResult<PromiseSettledResult<R>[]>;
  mapAsync<T, R>(
    fn: Callable<[T], R>,
    items: Source<T>,
    options?: DistributedAsyncMapOptions<R> & UnsettledErrors,
  ): AsyncResult<R[]>;
  mapAsync<T>(fn: unknown, items: Source<T>, options: DistributedAsyncMapOptions<never> = {}): AsyncResult<never[]> {
    const work = this.#runs.collect('DistributedPool.mapAsync', fn, items, options, Form.items, CALLBACKS);
    return new AsyncResult(work as Collection<never>, options.callback, options.errorCallback);
  }

  /** Runs `fn(...item)` for every item, an array of arguments. See {@link map}. */
  starmap<A extends unknown[], R>(
    fn: Callable<A, R>,
    items: Source<readonly [...A]>,
    options: DistributedMapOptions & SettleErrors,
  ): Promise<PromiseSettledResult<R>[]>;
  starmap<A extends unknown[], R>(
    fn: Callable<A, R>,
    items: Source<readonly [...A]>,
    options?: DistributedMapOptions & UnsettledErrors,
  ): Promise<R[]>;
  starmap<A extends unknown[], R>(
    fn: Callable<A, R>,
    items: Source<readonly [...A]>,
    options?: DistributedMapOptions,
  ): Promise<R[] | PromiseSettledResult<R>[]>;
  starmap<T>(fn: unknown, items: Source<T>, options: DistributedMapOptions = {}): Promise<unknown[]> {
    return promised(() => this.#runs.collect('DistributedPool.starmap', fn, items, options, Form.spread, []).promise);
  }

  /** As {@link starmap}, answering with an AsyncResult. */
  starmapAsync<A extends unknown[], R>(
    fn: Callable<A, R>,
    items: Source<readonly [...A]>,
    options: DistributedAsyncMapOptions<PromiseSettledResult<R>> & SettleErrors,
  ): AsyncResult<PromiseSettledResult<R>[]>;
  starmapAsync<A extends unknown[], R>(
    fn: Callable<A, R>,
    items: Source<readonly [...A]>,
    options?: DistributedAsyncMapOptions<R> & UnsettledErrors,
  ): AsyncResult<R[]>;
  starmapAsync<T>(
    fn: unknown,
    items: Source<T>,
    options: DistributedAsyncMapOptions<never> = {},
  ): AsyncResult<never[]> {
    const work = this.#runs.collect('DistributedPool.starmapAsync', fn, items, options, Form.spread, CALLBACKS);
    return new AsyncResult(work as Collection<never>, options.callback, options.errorCallback);
  }

  // ---- streams

  /**
   * Streams the results of `fn` over a source, in the order of the source. See TaskStream, and
   * Pool's `imap`.
   * @throws ClosedError `MP_POOL_CLOSED` when the pool is closed already.
   */
  imap<T, R>(
    fn: Callable<[T], R>,
    source: Source<T>,
    options: DistributedStreamOptions<T> & SettleErrors,
  ): DistributedStream<PromiseSettledResult<R>>;
  imap<T, R>(
    fn: Callable<[T], R>,
    source: Source<T>,
    options?: DistributedStreamOptions<T> & UnsettledErrors,
  ): DistributedStream<R>;
  imap<T, R>(
    fn: Callable<[T], R>,
    source: Source<T>,
    options?: DistributedStreamOptions<T>,
  ): DistributedStream<R | PromiseSettledResult<R>>;
  imap<T, R>(
    fn: Callable<[T], R>,
    source: Source<T>,
    options: DistributedStreamOptions<T> = {},
  ): DistributedStream<unknown> {
    return this.#runs.stream('DistributedPool.imap', fn, source, options, true);
  }

  /** As {@link imap}, delivering each result as soon as it is there. */
  imapUnordered<T, R>(
    fn: Callable<[T], R>,
    source: Source<T>,
    options: DistributedStreamOptions<T> & SettleErrors,
  ): DistributedStream<PromiseSettledResult<R>>;
  imapUnordered<T, R>(
    fn: Callable<[T], R>,
    source: Source<T>,
    options?: DistributedStreamOptions<T> & UnsettledErrors,
  ): DistributedStream<R>;
  imapUnordered<T, R>(
    fn: Callable<[T], R>,
    source: Source<T>,
    options?: DistributedStreamOptions<T>,
  ): DistributedStream<R | PromiseSettledResult<R>>;
  imapUnordered<T, R>(
    fn: Callable<[T], R>,
    source: Source<T>,
    options: DistributedStreamOptions<T> = {},
  ): DistributedStream<unknown> {
    return this.#runs.stream('DistributedPool.imapUnordered', fn, source, options, false);
  }

  // ---- durable runs

  /**
   * Picks up a durable run of this pool whose driver has ended: streams the results that were not
   * delivered yet, those that are stored and those still to come, in its order and with its `errors`.
   * Any driver may, that has the pool's serializer.
   *
   * Semantics: an item is delivered once, over all drivers of the run. A result counts as delivered
   * when its consumer is handed it; of a map or a call, when all are. What a driver was handed in the
   * moment before it was killed may come once more, which `enumerate()` shows. Leaving the stream
   * cancels the run, as leaving the first one does; after its last result the run is forgotten.
   * Results are kept for 7 days. Of items that were not published when the driver ended, nothing is
   * known: then the stream ends with `MP_RUN_INCOMPLETE`, after all results there are, and its
   * `itemIndex` is the first item that has none.
   *
   * @param run Its name: what {@link runs} lists, the option `run` gave, a stream has as its `run`.
   * @throws (the stream) ArgumentError `MP_UNKNOWN_RUN`; `MP_RUN_BUSY` while another driver reads it;
   * MultiprocessError `MP_RUN_INCOMPLETE`; ClosedError `MP_RUN_TAKEN` when another driver resumed it,
   * since this one did not answer; what an item failed with.
   *
   * @example
   * import { Agent, DistributedPool } from 'multiprocess/distributed';
   *
   * const options = { servers: 'nats://localhost:4222', name: 'nightly' };
   * await using agent = await Agent.start({ ...options, processes: 1, allowFunctions: true });
   * const first = await DistributedPool.connect({ ...options, durable: true });
   * const pages = first.imap((page: number) => page * 10, [1, 2, 3], { run: 'pages' });
   * for await (const page of pages) {
   *   console.log(page); // 10
   *   await first.terminate(); // as the death of the process would: the run goes on
   *   break;
   * }
   *
   * await using second = await DistributedPool.connect({ ...options, durable: true });
   * console.log(await second.resume<number>('pages').toArray()); // [ 20, 30 ]
   * console.log(agent.info().state); // ready
   */
  resume<R>(run: string): DistributedStream<R> {
    return this.#runs.resume<R>('DistributedPool.resume', run);
  }

  /** The durable runs of the pool that have results to deliver, or items without one. */
  runs(): Promise<RunInfo[]> {
    return this.#engine.kept.list();
  }

  // ---- hosts

  /** Asks the hosts of the pool what they are doing. Resolves within 0.3 s; empty while there are none. */
  hosts(): Promise<HostInfo[]> {
    return this.#engine.hosts.ask();
  }

  /** The pool as this driver sees it now. */
  stats(): DistributedPoolStats {
    return this.#engine.stats();
  }

  /** What happens to hosts and to the broker, as it happens. Hot; completes with the pool. */
  get events(): Observable<DistributedPoolEvent> {
    return inOwnContext(this.#engine.hosts.events);
  }

  /**
   * What the pool has given up, of all drivers, the oldest first: items that killed their workers or
   * hosts `maxAttempts` times. They are kept for 7 days.
   */
  deadLetters(): AsyncIterable<DeadLetter> {
    const { broker, names } = this.#engine;
    return { [Symbol.asyncIterator]: () => deadLettersOf(broker, names) };
  }

  // ---- life

  /** Takes no more work. What was accepted, streams included, is still done; then it disconnects. */
  close(): void {
    this.#engine.close();
  }

  /**
   * Gives up what has not settled, which rejects with ClosedError `MP_POOL_TERMINATED`, withdraws it
   * from the hosts, and disconnects. The agents go on; so do durable runs, see {@link resume}.
   *
   * @returns resolves when it has: at the latest after 5 s.
   */
  terminate(): Promise<void> {
    return this.#engine.terminate();
  }

  /**
   * Waits until the work of a closed pool is done.
   *
   * @param options `timeout` in milliseconds, default: no limit; `signal`. Both end the waiting,
   * not the work.
   * @throws ProcessError `MP_POOL_RUNNING` before `close()` or `terminate()`; TimeoutError
   * `MP_TIMEOUT`; `signal.reason`.
   */
  async join(options?: WaitOptions): Promise<void> {
    return joined('DistributedPool.join', () => this.#engine.join(), options);
  }

  /** Terminates, as Pool's does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#engine.terminate();
  }

  /** Its state, as `console.log` shows it. */
  toString(): string {
    return this.#engine.describe();
  }

  /** @internal */
  [inspect.custom](): string {
    return this.toString();
  }
}

staysHere(
  DistributedPool,
  'connect to it inside the function (`await DistributedPool.connect(…)`), or call it outside and pass the results',
);
