/**
 * Makes runs of what a distributed pool is asked for: of a call, alone or with others, of a map, of a
 * stream.
 */
import { ArgumentError } from '../../errors/index.js';
import {
  type AsyncCallOptions,
  type AsyncResult,
  asyncCall,
  CALL_OPTIONS,
  CALLBACKS,
  type CallOptions,
  type CallSite,
  CallSiteBudget,
  checkArguments,
  checkCallValues,
  checkSpread,
  limit,
  RetryPolicy,
} from '../../pool/index.js';
import {
  type Backend,
  checkFlowOptions,
  checkSource,
  collect,
  executions,
  FLOW_OPTIONS,
  type Job,
  type JobSink,
  type Source,
  type StreamDefinition,
} from '../../streams/index.js';
import { crypto } from '../../util/crypto.js';
import { checkOptions } from '../../util/options.js';
import { checkName } from '../broker/options.js';
import type { RunKeeper } from '../durable/index.js';
import { encodeValue } from '../wire/index.js';
import { Form } from '../wire/messages.js';
import { CallGroups } from './call-groups.js';
import { DistributedStream } from './distributed-stream.js';
import type { DistributedEngine, TaskForm } from './engine.js';
import { KeptFeed } from './kept-feed.js';
import {
  checkRun,
  type DistributedAsyncMapOptions,
  type DistributedMapOptions,
  type DistributedStreamOptions,
  type RunOptions,
} from './options.js';
import { type CallObserver, RemoteCall } from './remote-call.js';
import { RemoteJob } from './remote-job.js';
import { ResumedRun } from './resumed-run.js';
import type { RunName } from './run.js';

/** A map under way. */
export type Collection<R> = ReturnType<typeof collect<unknown, R>>;

const OWN_CALL_OPTIONS = [...CALL_OPTIONS, 'run'];
const MAP_OPTIONS = [...new Set([...OWN_CALL_OPTIONS, 'chunkSize', 'errors'])];
const RUN_OPTIONS = OWN_CALL_OPTIONS.filter((name) => !FLOW_OPTIONS.includes(name));
/** Milliseconds that earn a captured call, see CallSiteBudget. */
const CALL_SITE_MS = 0.25;
/** Default of `window` for durable streams: what was read of a source survives its driver. */
const DURABLE_WINDOW = 10_000;
const sites = new CallSiteBudget(CALL_SITE_MS);

export class RunMaker {
  readonly #engine: DistributedEngine;
  readonly #groups: CallGroups;

  constructor(engine: DistributedEngine) {
    this.#engine = engine;
    this.#groups = new CallGroups(engine);
  }

  /** A call. */
  apply<R>(
    actor: string,
    fn: unknown,
    args: readonly unknown[] | undefined,
    options: CallOptions & RunOptions,
  ): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      checkSpread(actor, args, options);
      checkOptions(actor, options, OWN_CALL_OPTIONS, { number: 'timeout' });
      checkCallValues(actor, options);
      const observer = { resolve: resolve as (value: unknown) => void, reject };
      const { signal, timeout, queueTimeout, priority } = options;
      const { durable } = this.#engine.settings;
      const retriesErrors = typeof options.retries === 'object' && (options.retries.errors ?? 0) > 0;
      if (
        durable ||
        retriesErrors ||
        signal !== undefined ||
        timeout !== undefined ||
        queueTimeout !== undefined ||
        options.run !== undefined
      )
        this.#call(actor, fn, args, options, observer);
      else {
        const { form, bytes } = this.#prepare(actor, fn, args, options, observer);
        this.#groups.add(actor, form, priority, { bytes, site: captureSite(), observer });
      }
    });
  }

  /** A call that is watched. @throws ArgumentError for its options. */
  applyAsync<R>(
    actor: string,
    fn: unknown,
    args: readonly unknown[] | undefined,
    options: AsyncCallOptions<R> & RunOptions,
  ): AsyncResult<R> {
    checkSpread(actor, args, options);
    checkOptions(actor, options, [...OWN_CALL_OPTIONS, ...CALLBACKS], { function: 'callback', number: 'timeout' });
    checkCallValues(actor, options);
    return asyncCall<R>(options, (watcher) => this.#call(actor, fn, args, options, watcher));
  }

  /** The rest of a durable run. @throws ArgumentError, ClosedError. */
  resume<R>(actor: string, run: string): DistributedStream<R> {
    checkName(actor, run, 'run');
    this.#engine.checkOpen(actor);
    const origin: StreamDefinition = {
      open: (listener, shape) => new ResumedRun(this.#engine, run, listener, shape),
    };
    return new DistributedStream<R>(origin, run);
  }

  #call(
    actor: string,
    fn: unknown,
    args: readonly unknown[] | undefined,
    options: CallOptions & RunOptions,
    observer: CallObserver,
  ): RemoteCall {
    const engine = this.#engine;
    const { form, bytes } = this.#prepare(actor, fn, args, options, observer);
    const limits = {
      timeout: Math.ceil(limit(options.timeout)),
      queueTimeout: Math.ceil(limit(options.queueTimeout)),
      signal: options.signal,
      retries: this.#retries(actor, options),
    };
    const { name, keeper } = this.#begun(options, this.#runName(actor, options), true);
    const call = new RemoteCall(engine, name, captureSite(), limits, observer, keeper);
    engine.open(call);
    call.begin(() => engine.submit(actor, call, form, { first: 0, count: 1, packed: false, payload: bytes }));
    return call;
  }

  /** Name of a durable run; `undefined`: it is none. */
  #runName(actor: string, options: RunOptions): string | undefined {
    const { settings } = this.#engine;
    const given = checkRun(actor, options, settings);
    return settings.durable ? (given ?? crypto().randomUUID()) : undefined;
  }

  #prepare(
    actor: string,
    fn: unknown,
    args: readonly unknown[] | undefined,
    options: CallOptions,
    observer: CallObserver,
  ) {
    const engine = this.#engine;
    engine.checkOpen(actor);
    checkArguments(actor, args);
    options.signal?.throwIfAborted();
    const form = this.#form(actor, fn, options, Form.call, observer.report !== undefined);
    return { form, bytes: encodeValue(actor, engine.serializer, args ?? []).bytes };
  }

  #form(actor: string, fn: unknown, { retries }: CallOptions, form: Form, report: boolean): TaskForm {
    const { settings } = this.#engine;
    const crashes = RetryPolicy.from(actor, retries)?.crashes;
    const maxAttempts = crashes === undefined ? settings.maxAttempts : Math.min(Number.MAX_SAFE_INTEGER, crashes + 1);
    return { callable: this.#engine.callable(actor, fn), form, maxAttempts, report };
  }

  /** @throws ArgumentError for retries that nobody would make. */
  #retries(actor: string, { retries }: CallOptions): RetryPolicy {
    const policy = (RetryPolicy.from(actor, retries) ?? RetryPolicy.NONE).forCaller();
    if (!policy.repeatsErrors || !this.#engine.settings.durable) return policy;
    throw new ArgumentError(
      `${actor}: \`retries.errors\` is decided by the driver, without which a durable run goes on; catch the error in the task and try again there, or connect without \`durable\`.`,
    );
  }

  /** What runs the items of one function: of each execution by itself. */
  #backend<T, R>(
    actor: string,
    fn: unknown,
    options: DistributedMapOptions,
    form: Form,
    atOnce: boolean,
  ): (begin: () => BegunRun) => Backend<T, R> {
    const engine = this.#engine;
    engine.checkOpen(actor);
    const task = this.#form(actor, fn, options, form, false);
    const site = captureSite();
    const settings = {
      actor,
      chunkSize: options.chunkSize ?? ('auto' as const),
      timeout: Math.ceil(limit(options.timeout)),
      queueTimeout: Math.ceil(limit(options.queueTimeout)),
      retries: this.#retries(actor, options),
      errors: options.errors ?? 'fail',
      atOnce,
    } as const;
    return (begin) => ({
      open: (sink: JobSink<R>) => {
        engine.checkOpen(actor);
        const { name, keeper } = begin();
        const job = new RemoteJob(engine, name, site, sink as JobSink<unknown>, task, settings, keeper);
        engine.open(job);
        job.begin();
        return job as Job<unknown> as Job<T>;
      },
    });
  }

  /** A map. */
  collect<T>(
    actor: string,
    fn: unknown,
    items: Source<T>,
    options: DistributedAsyncMapOptions<never>,
    form: Form,
    more: readonly string[],
  ): Collection<unknown> {
    checkOptions(actor, options, [...MAP_OPTIONS, ...more], { number: 'chunkSize' });
    checkFlowOptions<T>(actor, options, FLOW_OPTIONS, [...RUN_OPTIONS, ...more]);
    checkCallValues(actor, options);
    const run = this.#runName(actor, options);
    const backend = this.#backend<T, unknown>(actor, fn, options, form, true);
    const begin = (): BegunRun => this.#begun(options, run, true);
    const window = run === undefined ? {} : { window: DURABLE_WINDOW };
    return collect<T, unknown>(actor, items, backend(begin), { ...options, ...window });
  }

  /** A stream. */
  stream<T, R>(
    actor: string,
    fn: unknown,
    source: Source<T>,
    options: DistributedStreamOptions<T>,
    ordered: boolean,
  ): DistributedStream<R> {
    checkFlowOptions<T>(actor, options, FLOW_OPTIONS, RUN_OPTIONS);
    checkCallValues(actor, options);
    checkSource(actor, source);
    const engine = this.#engine;
    const run = this.#runName(actor, options);
    const backend = this.#backend<T, R>(actor, fn, options, Form.items, false);
    const window = options.window ?? engine.settings.window ?? (run === undefined ? undefined : DURABLE_WINDOW);
    const flow = { ...options, window, ordered };
    const begin = (): BegunRun => this.#begun(options, run, ordered);
    if (run === undefined) return new DistributedStream<R>(executions(backend(begin), source, flow), undefined);
    const origin: StreamDefinition = {
      open: (listener, shape) => {
        const begun = begin();
        return new KeptFeed(
          begun.keeper!,
          executions(
            backend(() => begun),
            source,
            flow,
          ),
          listener,
          shape,
        );
      },
    };
    return new DistributedStream<R>(origin, run);
  }

  /** What an execution begins with. */
  #begun({ priority, errors }: DistributedMapOptions, run: string | undefined, ordered: boolean): BegunRun {
    const engine = this.#engine;
    const name = engine.nameRun(priority, run);
    if (run === undefined) return { name, keeper: null };
    const shape = { ordered, errors: errors ?? 'fail', serializer: engine.settings.serializer } as const;
    return { name, keeper: engine.kept.begin(name, shape) };
  }
}

/** The names of a run, and what keeps it where it is durable. */
interface BegunRun {
  readonly name: RunName;
  readonly keeper: RunKeeper | null;
}

function captureSite(): CallSite | null {
  return sites.take();
}
