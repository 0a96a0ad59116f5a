import { inspect } from 'node:util';
import type { Observable } from 'rxjs';
import { ArgumentError, TimeoutError } from '../../errors/index.js';
import {
  type AsyncCallOptions,
  type AsyncMapOptions,
  AsyncResult,
  CALL_OPTIONS,
  type Callable,
  type CallOptions,
  CallProgress,
  type CallSite,
  CallSiteBudget,
  checkCallValues,
  limit,
  type MapOptions,
  type SettleErrors,
  type StreamOptions,
  type UnsettledErrors,
} from '../../pool/index.js';
import {
  type Backend,
  checkFlowOptions,
  collect,
  FLOW_OPTIONS,
  inOwnContext,
  type Job,
  type JobSink,
  runStream,
  type Source,
  type TaskStream,
} from '../../streams/index.js';
import { staysHere } from '../../util/local-class.js';
import { checkOptions, describe } from '../../util/options.js';
import { boundsOf, settles, type WaitOptions } from '../../util/wait-options.js';
import { encodeValue } from '../wire/index.js';
import { Form, type HostInfo } from '../wire/messages.js';
import { CallGroups } from './call-groups.js';
import type { DeadLetter } from './dead-letter.js';
import { deadLettersOf } from './dead-letters.js';
import { DistributedEngine, type TaskForm } from './engine.js';
import type { DistributedPoolEvent, DistributedPoolStats } from './events.js';
import { type DistributedPoolOptions, poolSettings } from './options.js';
import { type CallObserver, RemoteCall } from './remote-call.js';
import { RemoteJob } from './remote-job.js';

/** A map under way. */
type Collection<R> = ReturnType<typeof collect<unknown, R>>;

const CALLBACKS = ['callback', 'errorCallback'];
const MAP_OPTIONS = [...new Set([...CALL_OPTIONS, 'chunkSize', 'errors'])];
const RUN_OPTIONS = CALL_OPTIONS.filter((name) => !FLOW_OPTIONS.includes(name));
/** Milliseconds that earn a captured call, see CallSiteBudget. */
const CALL_SITE_MS = 0.25;
const sites = new CallSiteBudget(CALL_SITE_MS);

/**
 * A pool of workers on many hosts, over a broker (NATS with JetStream).
 *
 * Semantics: the methods are those of Pool. An item **runs at least once, is delivered to its driver
 * exactly once, and always settles**: with its value, with its own error, with WorkerCrashError when
 * it killed its workers, with RemoteError `MP_HOSTS_LOST` when the hosts that had it died. A host
 * that dies costs its items the lease, then they run elsewhere; `currentTask().key` is the same for
 * each attempt, to make what an item does idempotent. Items that were given up are dead letters.
 *
 * A function that is the export of a file is named by its package, version and file, which every
 * host must have. Others are sent with their code and captures, once to each host, and run where the
 * agent allows functions.
 *
 * Backpressure: as Pool's, and the pool's queue at the broker is bounded: while it is full, sources
 * wait. Calls and streams wait for hosts; bound that by `queueTimeout`.
 *
 * While the broker is away, what was accepted waits; what is under way goes on. `timeout` of an item
 * counts then from the loss. When this process dies, its items are withdrawn after the lease.
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
  readonly #groups: CallGroups;

  private constructor(engine: DistributedEngine) {
    this.#engine = engine;
    this.#groups = new CallGroups(engine);
  }

  /**
   * Connects to the broker.
   *
   * @throws (rejects) ArgumentError `MP_INVALID_ARGUMENT`, `MP_UNKNOWN_OPTION`; ConnectionError
   * `MP_BROKER_UNREACHABLE`, `MP_NO_JETSTREAM`; AuthenticationError `MP_BROKER_CREDENTIALS`;
   * UnsupportedError `MP_NO_NATS`. A pool that no agent serves is an error of its calls:
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
  apply<R>(fn: Callable<[], R>, args?: readonly [], options?: CallOptions): Promise<R>;
  apply<A extends unknown[], R>(fn: Callable<A, R>, args: readonly [...A], options?: CallOptions): Promise<R>;
  apply<R>(fn: Callable<never, R>, args?: readonly unknown[], options: CallOptions = {}): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      const actor = 'DistributedPool.apply';
      checkOptions(actor, options, CALL_OPTIONS, { number: 'timeout' });
      checkCallValues(actor, options);
      const observer = { resolve: resolve as (value: unknown) => void, reject };
      const { signal, timeout, queueTimeout, priority } = options;
      if (signal !== undefined || timeout !== undefined || queueTimeout !== undefined) this.#call(actor, fn, args, options, observer);
      else {
        const { form, bytes } = this.#prepare(actor, fn, args, options, observer);
        this.#groups.add(actor, form, priority, { bytes, site: captureSite(), observer });
      }
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
    const actor = 'DistributedPool.applyAsync';
    checkOptions(actor, options, [...CALL_OPTIONS, ...CALLBACKS], { function: 'callback', number: 'timeout' });
    checkCallValues(actor, options);
    const progress = new CallProgress();
    let call: RemoteCall | undefined;
    const promise = new Promise<R>((resolve, reject) => {
      const observer: CallObserver = {
        resolve: (value) => {
          progress.end(false);
          resolve(value as R);
        },
        reject: (error) => {
          progress.end(true);
          reject(error);
        },
        report: (report) => progress.report(report, 0),
      };
      try {
        call = this.#call(actor, fn, args, options, observer);
      } catch (error) {
        observer.reject(error);
      }
    });
    const work = { promise, progress: progress.observable, cancel: (reason: unknown) => call?.cancel(reason) };
    return new AsyncResult(work, options.callback, options.errorCallback);
  }

  // ---- maps

  /**
   * Runs `fn(item)` for every item and collects the values in order. See Pool's `map`.
   */
  map<T, R>(fn: Callable<[T], R>, items: Source<T>, options: MapOptions & SettleErrors): Promise<PromiseSettledResult<R>[]>;
  map<T, R>(fn: Callable<[T], R>, items: Source<T>, options?: MapOptions & UnsettledErrors): Promise<R[]>;
  map<T, R>(fn: Callable<[T], R>, items: Source<T>, options?: MapOptions): Promise<R[] | PromiseSettledResult<R>[]>;
  map<T>(fn: unknown, items: Source<T>, options: MapOptions = {}): Promise<unknown[]> {
    return promised(() => this.#collect('DistributedPool.map', fn, items, options, Form.items, []).promise);
  }

  /**
   * As {@link map}, answering with an AsyncResult.
   * @throws at once for bad options, a pool that is closed, a function that cannot be sent.
   */
  mapAsync<T, R>(
    fn: Callable<[T], R>,
    items: Source<T>,
    options: AsyncMapOptions<PromiseSettledResult<R>> & SettleErrors,
  ): AsyncResult<PromiseSettledResult<R>[]>;
  mapAsync<T, R>(fn: Callable<[T], R>, items: Source<T>, options?: AsyncMapOptions<R> & UnsettledErrors): AsyncResult<R[]>;
  mapAsync<T>(fn: unknown, items: Source<T>, options: AsyncMapOptions<never> = {}): AsyncResult<never[]> {
    const work = this.#collect('DistributedPool.mapAsync', fn, items, options, Form.items, CALLBACKS);
    return new AsyncResult(work as Collection<never>, options.callback, options.errorCallback);
  }

  /** Runs `fn(...item)` for every item, an array of arguments. See {@link map}. */
  starmap<A extends unknown[], R>(
    fn: Callable<A, R>,
    items: Source<readonly [...A]>,
    options: MapOptions & SettleErrors,
  ): Promise<PromiseSettledResult<R>[]>;
  starmap<A extends unknown[], R>(fn: Callable<A, R>, items: Source<readonly [...A]>, options?: MapOptions & UnsettledErrors): Promise<R[]>;
  starmap<A extends unknown[], R>(
    fn: Callable<A, R>,
    items: Source<readonly [...A]>,
    options?: MapOptions,
  ): Promise<R[] | PromiseSettledResult<R>[]>;
  starmap<T>(fn: unknown, items: Source<T>, options: MapOptions = {}): Promise<unknown[]> {
    return promised(() => this.#collect('DistributedPool.starmap', fn, items, options, Form.spread, []).promise);
  }

  /** As {@link starmap}, answering with an AsyncResult. */
  starmapAsync<A extends unknown[], R>(
    fn: Callable<A, R>,
    items: Source<readonly [...A]>,
    options: AsyncMapOptions<PromiseSettledResult<R>> & SettleErrors,
  ): AsyncResult<PromiseSettledResult<R>[]>;
  starmapAsync<A extends unknown[], R>(
    fn: Callable<A, R>,
    items: Source<readonly [...A]>,
    options?: AsyncMapOptions<R> & UnsettledErrors,
  ): AsyncResult<R[]>;
  starmapAsync<T>(fn: unknown, items: Source<T>, options: AsyncMapOptions<never> = {}): AsyncResult<never[]> {
    const work = this.#collect('DistributedPool.starmapAsync', fn, items, options, Form.spread, CALLBACKS);
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
    options: StreamOptions<T> & { readonly errors: 'settle' },
  ): TaskStream<PromiseSettledResult<R>>;
  imap<T, R>(
    fn: Callable<[T], R>,
    source: Source<T>,
    options?: StreamOptions<T> & { readonly errors?: 'fail' | 'skip' | undefined },
  ): TaskStream<R>;
  imap<T, R>(fn: Callable<[T], R>, source: Source<T>, options?: StreamOptions<T>): TaskStream<R | PromiseSettledResult<R>>;
  imap<T, R>(fn: Callable<[T], R>, source: Source<T>, options: StreamOptions<T> = {}): TaskStream<unknown> {
    return this.#stream('DistributedPool.imap', fn, source, options, true);
  }

  /** As {@link imap}, delivering each result as soon as it is there. */
  imapUnordered<T, R>(
    fn: Callable<[T], R>,
    source: Source<T>,
    options: StreamOptions<T> & { readonly errors: 'settle' },
  ): TaskStream<PromiseSettledResult<R>>;
  imapUnordered<T, R>(
    fn: Callable<[T], R>,
    source: Source<T>,
    options?: StreamOptions<T> & { readonly errors?: 'fail' | 'skip' | undefined },
  ): TaskStream<R>;
  imapUnordered<T, R>(fn: Callable<[T], R>, source: Source<T>, options?: StreamOptions<T>): TaskStream<R | PromiseSettledResult<R>>;
  imapUnordered<T, R>(fn: Callable<[T], R>, source: Source<T>, options: StreamOptions<T> = {}): TaskStream<unknown> {
    return this.#stream('DistributedPool.imapUnordered', fn, source, options, false);
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
   * from the hosts, and disconnects. The agents go on.
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
    const bounds = boundsOf('DistributedPool.join', options);
    bounds?.signal?.throwIfAborted();
    const joined = this.#engine.join();
    if (bounds !== undefined && !(await settles(joined, bounds))) {
      throw new TimeoutError(`DistributedPool.join: not over after ${bounds.timeout} ms; the work goes on. Use terminate() to end it.`);
    }
    return joined;
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

  #call(actor: string, fn: unknown, args: readonly unknown[] | undefined, options: CallOptions, observer: CallObserver): RemoteCall {
    const engine = this.#engine;
    const { form, bytes } = this.#prepare(actor, fn, args, options, observer);
    const limits = { timeout: limit(options.timeout), queueTimeout: limit(options.queueTimeout), signal: options.signal };
    const call = new RemoteCall(engine, engine.nameRun(options.priority), captureSite(), limits, observer);
    engine.open(call);
    engine.submit(actor, call, form, { first: 0, count: 1, packed: false, payload: bytes });
    return call;
  }

  #prepare(actor: string, fn: unknown, args: readonly unknown[] | undefined, options: CallOptions, observer: CallObserver) {
    const engine = this.#engine;
    engine.checkOpen(actor);
    if (args !== undefined && !Array.isArray(args))
      throw new ArgumentError(`${actor}: the arguments must be an array, not ${describe(args)}.`);
    options.signal?.throwIfAborted();
    const form = this.#form(actor, fn, options, Form.call, observer.report !== undefined);
    return { form, bytes: encodeValue(actor, engine.serializer, args ?? []).bytes };
  }

  #form(actor: string, fn: unknown, { retries }: CallOptions, form: Form, report: boolean): TaskForm {
    const { settings } = this.#engine;
    const crashes = crashesOf(actor, retries);
    const maxAttempts = crashes === undefined ? settings.maxAttempts : Math.min(Number.MAX_SAFE_INTEGER, crashes + 1);
    return { callable: this.#engine.callable(actor, fn), form, maxAttempts, report };
  }

  #backend<T, R>(actor: string, fn: unknown, options: MapOptions, form: Form): Backend<T, R> {
    const engine = this.#engine;
    engine.checkOpen(actor);
    const task = this.#form(actor, fn, options, form, false);
    const site = captureSite();
    const settings = {
      actor,
      chunkSize: options.chunkSize ?? ('auto' as const),
      timeout: limit(options.timeout),
      queueTimeout: limit(options.queueTimeout),
    };
    return {
      open: (sink: JobSink<R>) => {
        engine.checkOpen(actor);
        const job = new RemoteJob(engine, engine.nameRun(options.priority), site, sink as JobSink<unknown>, task, settings);
        engine.open(job);
        return job as Job<unknown> as Job<T>;
      },
    };
  }

  #collect<T>(
    actor: string,
    fn: unknown,
    items: Source<T>,
    options: AsyncMapOptions<never>,
    form: Form,
    more: readonly string[],
  ): Collection<unknown> {
    checkOptions(actor, options, [...MAP_OPTIONS, ...more], { number: 'chunkSize' });
    checkFlowOptions<T>(actor, options, FLOW_OPTIONS, [...RUN_OPTIONS, ...more]);
    checkCallValues(actor, options);
    return collect<T, unknown>(actor, items, this.#backend<T, unknown>(actor, fn, options, form), options);
  }

  #stream<T, R>(actor: string, fn: unknown, source: Source<T>, options: StreamOptions<T>, ordered: boolean): TaskStream<R> {
    checkFlowOptions<T>(actor, options, FLOW_OPTIONS, RUN_OPTIONS);
    checkCallValues(actor, options);
    const window = options.window ?? this.#engine.settings.window;
    return runStream<T, R>(actor, this.#backend<T, R>(actor, fn, options, Form.items), source, { ...options, window, ordered });
  }
}

function captureSite(): CallSite | null {
  return sites.take();
}

/** @throws ArgumentError for retries after errors: a host knows of deaths only. */
function crashesOf(actor: string, retries: CallOptions['retries']): number | undefined {
  if (typeof retries !== 'object') return retries;
  for (const name of ['errors', 'when', 'backoff'] as const) {
    if (retries[name] === undefined) continue;
    throw new ArgumentError(
      `${actor}: \`retries.${name}\` is not known to pools of many hosts; catch the error in the task and try again there.`,
    );
  }
  return retries.crashes ?? 0;
}

/** Makes a throw of the call itself a rejection: functions that return promises do not throw. */
async function promised<R>(call: () => Promise<R>): Promise<R> {
  return call();
}

staysHere(
  DistributedPool,
  'connect to it inside the function (`await DistributedPool.connect(…)`), or call it outside and pass the results',
);
