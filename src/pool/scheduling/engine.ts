import type { Observable } from 'rxjs';
import { ClosedError, ProcessError, QueueFullError, type WorkerCrashError } from '../../errors/index.js';
import { holdUntil } from '../../memory/index.js';
import { checkNotBootstrapping } from '../../process/index.js';
import type { Backend, Job, JobSink } from '../../streams/index.js';
import { registerAfterFork } from '../../util/after-fork.js';
import { setImmediate } from '../../util/timers.js';
import { type CallOutcome, checkArguments } from '../call-forms.js';
import type { PoolEvent, PoolStats } from '../events.js';
import type { CallOptions, MapOptions } from '../options.js';
import type { PoolSettings } from '../settings.js';
import { limit } from '../time-limit.js';
import { FunctionRegistry, type SerializedFunction } from '../wire/function-registry.js';
import { NO_ARGUMENTS } from '../wire/protocol.js';
import type { WorkerHandle } from '../workers/worker-handle.js';
import { WorkerSupervisor, type WorkerSupervisorOwner } from '../workers/worker-supervisor.js';
import type { Batch } from './batch.js';
import { Blame } from './blame.js';
import { Call, type CallOwner, type CallSettings } from './call.js';
import { captureCallSite } from './call-site.js';
import { callerValues } from './caller-values.js';
import type { Chunk } from './chunk.js';
import { DelayedBatches } from './delayed-batches.js';
import { type JobOwner, PoolJob } from './job.js';
import { TaskQueue } from './ready-queue.js';
import { type Retry, RetryPolicy } from './retry-policy.js';
import { Scheduler } from './scheduler.js';

/**
 * What is behind a Pool: it admits calls and jobs, counts what is under way, and decides when
 * workers start and end.
 *
 *   Pool -> Engine -> Scheduler (who runs what) -> WorkerHandle (one process) -> Link
 *                  -> WorkerSupervisor (how many processes)
 *                  -> FunctionRegistry (functions as bytes)
 */
export class Engine implements CallOwner, JobOwner, WorkerSupervisorOwner {
  readonly #settings: PoolSettings;
  readonly #scheduler: Scheduler;
  readonly #functions: FunctionRegistry;
  readonly #supervisor: WorkerSupervisor;
  readonly #jobs = new Set<PoolJob>();
  /** Jobs whose sinks wait for a flush. */
  #touched: PoolJob[] = [];
  /** A queue of calls for each priority in use. */
  readonly #callQueues = new Map<number, TaskQueue<Batch>>();
  /** Calls in all of them. */
  #calls = 0;
  #state: 'open' | 'closed' | 'ended' = 'open';
  #foreign = false;
  /** Why the pool ended. */
  #reason: unknown;
  /** Whether `terminate()` ended it: who calls later is told so, and not that a result is lost. */
  #terminated = false;
  /** Batches that are queued or at a worker. */
  #active = 0;
  /** Those that wait for their next run. */
  readonly #delayed = new DelayedBatches((batch) => this.#resumed(batch));
  #joining = false;
  #resting: NodeJS.Immediate | null = null;

  constructor(settings: PoolSettings) {
    checkNotBootstrapping('Pool', 'starts a pool');
    this.#settings = settings;
    this.#scheduler = new Scheduler();
    this.#functions = new FunctionRegistry((serialized) => this.#supervisor.forget(serialized));
    const initializer = this.#hook('initializer', settings.initializer);
    const exit = this.#hook('workerExit', settings.workerExit);
    this.#supervisor = new WorkerSupervisor(settings, this.#scheduler, initializer, exit, this);
    registerAfterFork(this, (engine) => engine.#disown());
    try {
      this.#supervisor.open();
    } catch (error) {
      this.#supervisor.dismiss(error);
      throw error;
    }
  }

  /** A function that runs in each worker beside the items. */
  #hook(name: string, hook: unknown): SerializedFunction | null {
    if (hook === undefined) return null;
    const serialized = this.#functions.serialize(`Pool: \`${name}\``, hook);
    serialized.uses++;
    // Workers that are started later are told of it too.
    if (serialized.freight !== null) holdUntil(serialized.freight, () => this.#over);
    return serialized;
  }

  // ---- calls

  /** Admits a call. @throws what keeps it from being admitted. */
  call(
    actor: string,
    fn: unknown,
    args: readonly unknown[] | undefined,
    options: CallOptions | undefined,
    observer: CallOutcome,
    onReport: ((progress: unknown, dropped: number) => void) | undefined,
  ): Call {
    this.#checkOpen(actor);
    checkArguments(actor, args);
    options?.signal?.throwIfAborted();
    const context = callerValues(actor, this.#settings.stores);
    const serialized = this.#functions.serialize(actor, fn);
    this.#checkQueue(actor);
    const queue = this.#callQueue(options?.priority ?? 0);
    queue.calls++;
    this.#calls++;
    const settings =
      options === undefined && this.#settings.retries === RetryPolicy.NONE && onReport === undefined
        ? null
        : this.#callSettings(actor, options ?? {}, onReport);
    const call = new Call(queue, serialized, args ?? NO_ARGUMENTS, observer, this, settings);
    call.site = captureCallSite();
    if (context !== null) call.carry(context);
    call.actor = actor;
    this.#enter(serialized);
    this.#scheduler.submit(call);
    return call;
  }

  #retries(actor: string, { retries }: CallOptions): RetryPolicy {
    return (RetryPolicy.from(actor, retries) ?? this.#settings.retries).forCaller();
  }

  #callSettings(actor: string, options: CallOptions, onReport: CallSettings['onReport']): CallSettings {
    return {
      signal: options.signal,
      timeout: limit(options.timeout),
      queueTimeout: limit(options.queueTimeout),
      retries: this.#retries(actor, options),
      grace: this.#settings.grace,
      onReport,
    };
  }

  stopCall(call: Call, reason: unknown): void {
    this.#stop(call, reason);
  }

  callGone(call: Call): void {
    const { queue } = call;
    // The usual queue stays: a caller that sends one task after the other would remake it each
    // time.
    this.#calls--;
    if (--queue.calls === 0 && queue.priority !== 0) {
      this.#callQueues.delete(queue.priority);
      this.#scheduler.ready.remove(queue);
    }
    this.#leave(call.fn);
  }

  // ---- jobs

  /**
   * What the pull core runs the items of one function through. Each execution of a stream opens a
   * job of its own.
   *
   * @param spread Items are argument lists.
   * @param together Results are wanted together, when all are there.
   */
  backend<T, R>(
    actor: string,
    fn: unknown,
    options: MapOptions,
    { spread = false, together = false }: { spread?: boolean; together?: boolean } = {},
  ): Backend<T, R> {
    this.#checkOpen(actor);
    // Captures are read now; each execution sends them as they were at the call.
    const serialized = this.#functions.serialize(actor, fn);
    const site = captureCallSite();
    const context = callerValues(actor, this.#settings.stores);
    const settings = {
      actor,
      chunkSize: options.chunkSize ?? 'auto',
      timeout: limit(options.timeout),
      queueTimeout: limit(options.queueTimeout),
      retries: this.#retries(actor, options),
      grace: this.#settings.grace,
      priority: options.priority ?? 0,
      spread,
      together,
      key: options.key,
      maxChunk: this.#settings.lifetime,
    } as const;
    return {
      open: (sink: JobSink<R>) => {
        this.#checkOpen(actor);
        const job = new PoolJob(
          this.#functions.forJob(serialized),
          sink as JobSink<unknown>,
          settings,
          this,
          site,
          context,
        );
        this.#jobs.add(job);
        if (serialized.freight !== null) holdUntil(serialized.freight, () => !this.#jobs.has(job));
        this.#scheduler.ready.add(job.queue);
        return job as Job<unknown> as Job<T>;
      },
    };
  }

  get parallelism(): number {
    return this.#supervisor.size * this.#settings.concurrency;
  }

  get hungry(): boolean {
    return this.#scheduler.hungry;
  }

  submit(chunk: Chunk): void {
    this.#scheduler.submit(chunk);
  }

  chunkEntered(chunk: Chunk): void {
    this.#enter(chunk.fn);
  }

  chunkLeft(chunk: Chunk): void {
    this.#leave(chunk.fn);
  }

  withdraw(batch: Batch): boolean {
    if (batch.queue.batches.remove(batch)) this.#scheduler.ready.removed(1);
    else if (!this.#delayed.remove(batch) && batch.holder?.withdraw(batch) !== true) return false;
    batch.onReleased();
    return true;
  }

  get workers(): readonly WorkerHandle[] {
    return this.#scheduler.workers;
  }

  get concurrent(): boolean {
    return this.#settings.concurrency > 1;
  }

  addQueue(queue: TaskQueue<Batch>): void {
    this.#scheduler.ready.add(queue);
  }

  removeQueue(queue: TaskQueue<Batch>): Batch[] {
    this.#scheduler.ready.remove(queue);
    const waiting: Batch[] = [];
    for (let batch = queue.batches.shift(); batch !== undefined; batch = queue.batches.shift()) waiting.push(batch);
    return waiting;
  }

  itemsWait(job: PoolJob, waiting: boolean): void {
    if (waiting) this.#enter(job.fn);
    else this.#leave(job.fn);
  }

  jobTouched(job: PoolJob): void {
    this.#touched.push(job);
  }

  #flush(): void {
    if (this.#touched.length === 0) return;
    const touched = this.#touched;
    this.#touched = [];
    for (const job of touched) job.flush();
  }

  stopJob(job: PoolJob, reason: unknown): void {
    for (const queue of job.queues) for (const batch of this.removeQueue(queue)) batch.onReleased();
    for (const batch of this.#delayed.take(job.queue)) batch.onReleased();
    for (const worker of this.#scheduler.workers) {
      for (const batch of [...worker.held()]) {
        if (batch.queue.family === job.queue.family && worker.stop(batch, this.#settings.grace, reason))
          batch.onReleased();
      }
    }
    this.#scheduler.dispatch();
  }

  jobGone(job: PoolJob): void {
    if (!this.#jobs.delete(job)) return;
    for (const queue of job.queues) this.#scheduler.ready.remove(queue);
    this.#functions.release(job.fn);
    this.#retireIfDone();
  }

  retry(batch: Batch, { attempt, error, delay }: Retry, itemIndex: number | null): void {
    if (this.#state !== 'ended') this.#supervisor.events.tell({ type: 'item-retry', attempt, error, delay, itemIndex });
    if (this.#state === 'ended') this.#drop(batch);
    else if (delay === 0) {
      if (batch.reclaim()) return;
      batch.waits();
      this.#scheduler.resume([batch]);
    } else this.#delayed.add(batch, delay);
  }

  /** The pause of a batch is over. */
  #resumed(batch: Batch): void {
    this.#supervisor.ensure();
    if (batch.reclaim()) {
      for (const job of this.#jobs) job.proceed();
      return;
    }
    batch.waits();
    this.#scheduler.submit(batch);
  }

  // ---- what workers tell

  get wanted(): boolean {
    return this.#state === 'open' || (this.#state === 'closed' && this.#active > 0);
  }

  get load(): number {
    return this.#active - this.#delayed.size;
  }

  progressed(): void {
    this.#flush();
    this.#scheduler.dispatch();
    for (const job of this.#jobs) job.proceed();
  }

  lost(batches: Batch[], blame: Blame, error: WorkerCrashError): void {
    const again = batches.flatMap((batch, i) => {
      const own = batch.account?.blame ?? (i === 0 ? blame : Blame.None);
      const rest = batch.cancelled ? [] : batch.orphaned(own, error);
      if (!rest.includes(batch)) batch.onReleased();
      return rest;
    });
    this.returned(again);
  }

  returned(again: Batch[]): void {
    if (this.#state !== 'ended') this.#scheduler.resume(again);
    else for (const batch of again) this.#drop(batch);
  }

  failed(error: unknown): void {
    this.#end(error);
  }

  // ---- life

  close(): void {
    if (this.#state !== 'open') return;
    this.#state = 'closed';
    this.#retireIfDone();
  }

  /** In a fork: the workers are its parent's. */
  #disown(): void {
    this.#foreign = true;
    this.#delayed.take();
    this.#state = 'ended';
    this.#reason = new ProcessError(
      'Pool: only the process that made a pool can use it, and this is a fork of it; make a pool of its own here.',
      {
        code: 'MP_NOT_PARENT',
      },
    );
    this.#jobs.clear();
  }

  /** Nobody can reach the pool any more: it is closed, with a warning if that was forgotten. */
  abandon(): void {
    if (this.#state !== 'open') return;
    process.emitWarning(
      'Pool: unclosed running pool; its workers end now. Hold it with `await using`, or call terminate(), or close() and join().',
      { type: 'ResourceWarning', code: 'MP_UNCLOSED_POOL' },
    );
    this.#joining = true;
    this.close();
  }

  async terminate(grace?: number): Promise<void> {
    if (this.#foreign) return;
    const first = this.#state !== 'ended';
    if (first) this.#terminated = true;
    this.#end(
      new ClosedError('The pool was terminated before this had a result.', { code: 'MP_POOL_TERMINATED' }),
      grace,
    );
    // Whoever does so again does not want to wait for the grace of before.
    if (!first && grace === undefined) this.#supervisor.dismiss(this.#reason);
    await this.#supervisor.gone();
  }

  async join(): Promise<void> {
    if (this.#foreign) throw this.#reason;
    if (this.#state === 'open') {
      throw new ProcessError('Pool.join: the pool is still running; call close() or terminate() first.', {
        code: 'MP_POOL_RUNNING',
      });
    }
    this.#joining = true;
    this.#retireIfDone();
    await this.#supervisor.gone();
  }

  /** Sets how many workers there may be; resolves when there are so many. */
  async resize(size: number): Promise<void> {
    this.#checkOpen('Pool.resize');
    await this.#supervisor.resize(size);
  }

  /** What `workerExit` returned in workers that have ended. */
  get workerResults(): unknown[] {
    return this.#supervisor.results;
  }

  stats(): PoolStats {
    return {
      processes: this.#supervisor.size,
      ...this.#supervisor.measurements(),
      queued: this.#scheduler.ready.waiting,
      active: this.#active,
      started: this.#supervisor.started,
      crashed: this.#supervisor.crashed,
    };
  }

  get events(): Observable<PoolEvent> {
    return this.#supervisor.events.observed;
  }

  /**
   * Ends everything now: what has not settled gets `reason`. With `grace` what runs is told to stop
   * first, and has so many milliseconds for it.
   */
  #end(reason: unknown, grace?: number): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#reason = reason;
    for (const job of [...this.#jobs]) {
      job.drop();
      this.#jobs.delete(job);
      job.sink.fail(reason);
    }
    for (const worker of this.#scheduler.workers) {
      for (const batch of worker.held()) {
        if (!batch.cancelled) batch.error(reason, batch.received);
        batch.cancelled = true;
      }
    }
    for (const batch of this.#scheduler.ready.drain()) this.#drop(batch);
    for (const batch of this.#delayed.take()) this.#drop(batch);
    this.#supervisor.dismiss(reason, grace);
  }

  /** Whether no worker will be started any more. */
  get #over(): boolean {
    return (
      this.#state === 'ended' ||
      (this.#state === 'closed' && this.#active === 0 && this.#scheduler.workers.length === 0)
    );
  }

  /** A batch that no worker will have: the pool ended. */
  #drop(batch: Batch): void {
    if (!batch.cancelled) batch.error(this.#reason, batch.received);
    batch.onReleased();
  }

  /** Lets the workers go when a closed pool has nothing left to do. */
  #retireIfDone(): void {
    if (this.#state !== 'closed' || this.#active > 0) return;
    if (this.#jobs.size === 0 || this.#joining) this.#supervisor.retire();
  }

  #enter(serialized: SerializedFunction): void {
    serialized.enter();
    this.#active++;
    this.#supervisor.keepAlive(true);
    this.#supervisor.ensure();
  }

  #leave(serialized: SerializedFunction): void {
    serialized.leave();
    this.#active--;
    if (this.#active > 0) return;
    this.#retireIfDone();
    // Not at once: a caller that sends one task after the other would switch at every one.
    this.#resting ??= setImmediate(() => {
      this.#resting = null;
      if (this.#active === 0) this.#supervisor.keepAlive(false);
    });
  }

  #stop(batch: Batch, reason: unknown): void {
    if (!this.withdraw(batch)) batch.holder?.stop(batch, this.#settings.grace, reason);
    this.#scheduler.dispatch();
  }

  /** `<Pool open, 2 workers>` */
  describe(name: string): string {
    const { size: processes } = this.#supervisor;
    return `<${name} ${this.#state}, ${processes} worker${processes === 1 ? '' : 's'}>`;
  }

  /** @throws QueueFullError when no call may wait any more. */
  #checkQueue(actor: string): void {
    const { maxQueue } = this.#settings;
    if (maxQueue === Number.POSITIVE_INFINITY) return;
    // Each worker runs one; what it was handed besides waits there.
    const waiting = this.#calls - this.parallelism;
    if (waiting < maxQueue) return;
    throw new QueueFullError(
      `${actor}: ${waiting} calls wait already, and maxQueue is ${maxQueue}; await some of them first.`,
    );
  }

  #callQueue(priority: number): TaskQueue<Batch> {
    let queue = this.#callQueues.get(priority);
    if (queue === undefined) {
      queue = new TaskQueue<Batch>(priority);
      this.#callQueues.set(priority, queue);
      this.#scheduler.ready.add(queue);
    }
    return queue;
  }

  #checkOpen(actor: string): void {
    if (this.#state === 'open') return;
    if (this.#terminated)
      throw new ClosedError(`${actor}: Pool not running: it was terminated; make another one.`, {
        code: 'MP_POOL_TERMINATED',
      });
    if (this.#state === 'ended') throw this.#reason;
    throw new ClosedError(`${actor}: Pool not running: it was closed; make another one.`, { code: 'MP_POOL_CLOSED' });
  }
}
