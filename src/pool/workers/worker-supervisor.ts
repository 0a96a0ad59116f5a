import { stat } from 'node:fs';
import { ClosedError, TimeoutError, type WorkerCrashError } from '../../errors/index.js';
import { addTemplateModule, isCovered, launch, METHOD_TITLES } from '../../process/index.js';
import { atExit, type Ending } from '../../util/at-exit.js';
import { processCrash } from '../../util/diagnostics.js';
import { debug } from '../../util/logger.js';
import { entry } from '../../util/package.js';
import { clearTimeout, performance, setTimeout } from '../../util/timers.js';
import type { PoolMeasurements, PoolStats, SlowTask, WorkerEvent } from '../events.js';
import type { Batch } from '../scheduling/batch.js';
import type { Blame } from '../scheduling/blame.js';
import type { Scheduler } from '../scheduling/scheduler.js';
import type { PoolSettings } from '../settings.js';
import { LONGEST } from '../time-limit.js';
import type { SerializedFunction } from '../wire/function-registry.js';
import { DeathTally } from './death-tally.js';
import { EventFeed } from './event-feed.js';
import { type MeasuredWorker, PoolMeasures } from './pool-measures.js';
import { ThreadHost } from './thread-host.js';
import { keepInitArgs } from './worker-channel.js';
import { WorkerHandle, type WorkerOwner } from './worker-handle.js';
import type { Launch, WorkerHookFunctions } from './worker-settings.js';

const ENTRY = entry('pool/worker/worker');
addTemplateModule(ENTRY);

/** What the supervisor tells the pool. */
export interface WorkerSupervisorOwner {
  /** Results were read, or a worker has room. */
  progressed(): void;
  /** No worker can be had: the pool is of no use any more. */
  failed(error: unknown): void;
  /** A worker ended with these batches unfinished. */
  lost(batches: Batch[], blame: Blame, error: WorkerCrashError): void;
  /** Batches that a worker could not run as they were, in parts that others may. */
  returned(batches: Batch[]): void;
  /** Whether workers are wanted: the pool is open, or work is left. */
  readonly wanted: boolean;
  /** Batches that are queued or at a worker. */
  readonly load: number;
}

/**
 * Starts workers, replaces those that end, and lets them go.
 *
 *   floor <= workers <= size      as many as there are batches, between the two
 *
 * Each has a worker number from 0 on, which its successor inherits. What is surplus takes no part in
 * this any more: it was idle, or the pool was made smaller, and ends after what it runs.
 */
export class WorkerSupervisor implements WorkerOwner {
  readonly events = new EventFeed();
  started = 0;
  crashed = 0;
  readonly #settings: PoolSettings;
  readonly #measures = new PoolMeasures();
  #size: number;
  /** Who waits for the pool to have its size. */
  #resizing: { resolve(): void; reject(error: unknown): void }[] = [];
  readonly #scheduler: Scheduler;
  readonly #owner: WorkerSupervisorOwner;
  /** As they were when the pool was made, also for a worker that is started later. */
  readonly #hooks: WorkerHookFunctions;
  /** What `workerExit` returned, and where. */
  readonly #results: { readonly number: number; readonly ordinal: number; readonly value: unknown }[] = [];
  /** Whether users were told that a worker takes more memory than it may before it has run anything. */
  #heavy = false;
  readonly #threads: ThreadHost | null;
  readonly #launch: Launch;
  readonly #deaths = new DeathTally();
  #pause: NodeJS.Timeout | null = null;
  #alive = false;
  #dismissed = false;
  /** Whether no worker needs what the arguments of the initializer refer to. */
  #unloaded = false;
  /** Takes {@link #cover} back. */
  #uncover: (() => void) | null = null;
  #idler: NodeJS.Timeout | null = null;
  #empty: (() => void)[] = [];

  constructor(
    settings: PoolSettings,
    scheduler: Scheduler,
    initializer: SerializedFunction | null,
    exit: SerializedFunction | null,
    owner: WorkerSupervisorOwner,
  ) {
    this.#settings = settings;
    this.#size = settings.processes;
    this.#scheduler = scheduler;
    const args = keepInitArgs(settings.initArgs);
    args.freight?.hold();
    this.#hooks = { initializer, args, exit };
    this.#owner = owner;
    const { method, env, execArgv } = settings;
    const threads = method === 'thread' ? new ThreadHost(settings) : null;
    this.#threads = threads;
    if (threads !== null && settings.cpus !== null) startThreadPool();
    this.#launch =
      threads === null
        ? (options) => launch(method, { ...options, env: env as NodeJS.ProcessEnv | undefined, execArgv })
        : (options) => threads.launch(options);
    if (method !== 'thread' && isCovered()) this.#uncover = atExit('last', (ending) => this.#cover(ending));
  }

  /** Most workers there are. */
  get size(): number {
    return this.#size;
  }

  /**
   * Starts the workers that a pool begins with.
   * @throws ProcessError, MultiprocessError `MP_SYSTEM`.
   */
  open(): void {
    this.events.holdThisTurn();
    this.#fill(this.#settings.minProcesses ?? this.#size);
  }

  /** There is more to do: starts workers, as far as there may be more. */
  ensure(): void {
    if (this.#staff < this.#size && this.#staff < this.#target) this.#refill();
  }

  /**
   * Sets how many workers there may be.
   *
   * @returns resolves when those that are too many have ended and those that were started are ready.
   */
  resize(size: number): Promise<void> {
    this.#size = size;
    for (const worker of this.#scheduler.workers) if (worker.number >= size) this.#letGo(worker);
    this.#refill();
    const resized = new Promise<void>((resolve, reject) => this.#resizing.push({ resolve, reject }));
    this.#checkSize();
    // Who waits needs the event loop until the workers are there, or gone.
    if (this.#resizing.length > 0) this.keepAlive(true);
    this.#owner.progressed();
    return resized;
  }

  /** Workers that are kept though there is nothing to do. */
  get #floor(): number {
    const { minProcesses, idleTimeout } = this.#settings;
    return minProcesses === undefined ? (idleTimeout > LONGEST ? this.#size : 0) : Math.min(minProcesses, this.#size);
  }

  /** Workers that take part: all but the surplus. */
  get #staff(): number {
    let staff = 0;
    for (const worker of this.#scheduler.workers) if (!worker.surplus) staff++;
    return staff;
  }

  /** How many workers there should be. */
  get #target(): number {
    return Math.min(this.#size, Math.max(this.#floor, this.#owner.load));
  }

  /** Lets a worker end that needs no successor. What it has not begun goes to others. */
  #letGo(worker: WorkerHandle): void {
    worker.surplus = true;
    this.#owner.returned(worker.relinquish());
    worker.retire();
  }

  #checkSize(): void {
    if (this.#resizing.length === 0) return;
    for (const { surplus, state } of this.#scheduler.workers) if (surplus || state === 'starting') return;
    for (const { resolve } of this.#resizing.splice(0)) resolve();
    if (this.#owner.load === 0) this.keepAlive(false);
  }

  /** Whether the event loop must stay alive for the workers. */
  keepAlive(alive: boolean): void {
    // Whoever waits for the workers to end needs the loop until they have.
    if (this.#alive === alive || this.#empty.length > 0 || (!alive && this.#resizing.length > 0)) return;
    this.#alive = alive;
    for (const worker of this.#scheduler.workers) worker.keepAlive(alive);
  }

  /** Drops every worker's copy of a function. */
  forget(serialized: SerializedFunction): void {
    for (const worker of this.#scheduler.workers) worker.forget(serialized);
  }

  /** Lets all workers end after what they hold. */
  retire(): void {
    for (const worker of this.#scheduler.workers) worker.retire();
  }

  /**
   * Ends all workers now and starts no more; `reason` is what those learn who wait for others. With
   * `grace` what runs is told to stop, and has so many milliseconds before its worker is killed.
   */
  dismiss(reason: unknown, grace?: number): void {
    this.#dismissed = true;
    for (const { reject } of this.#resizing.splice(0)) reject(reason);
    this.#uncover?.();
    if (this.#idler !== null) clearTimeout(this.#idler);
    if (this.#pause !== null) clearTimeout(this.#pause);
    this.#pause = null;
    for (const worker of this.#scheduler.workers) {
      if (grace === undefined) worker.terminate(this.#settings.grace);
      else worker.wind(grace, reason);
    }
  }

  /**
   * At the end of a program whose coverage is taken: workers write theirs, which they do not when
   * they are killed with it.
   */
  #cover(ending: Ending): void | Promise<void> {
    const children = this.#scheduler.workers.map(({ child }) => child);
    this.dismiss(new ClosedError('Pool.resize: the program ends.', { code: 'MP_POOL_TERMINATED' }));
    if (ending === 'natural') return this.gone();
    const deadline = performance.now() + this.#settings.grace;
    for (const child of children) child.waitSync(Math.max(0, deadline - performance.now()));
    return undefined;
  }

  /** Resolves when no worker is left, and none will be. Keeps the event loop alive until then. */
  async gone(): Promise<void> {
    if (this.#scheduler.workers.length === 0 && this.#pause === null) return;
    this.keepAlive(true);
    await new Promise<void>((resolve) => this.#empty.push(resolve));
  }

  // ---- what workers tell

  progressed(worker: WorkerHandle): void {
    if (worker.fruitful) this.#deaths.progressed();
    this.#owner.progressed();
  }

  ready(worker: WorkerHandle): void {
    this.#deaths.becameReady();
    this.events.tell({ type: 'worker-ready', ...whois(worker) });
    for (const other of this.#scheduler.workers)
      if (other.surplus && other.number === worker.number && other !== worker) this.#replaced(other);
    this.#checkWeight(worker);
    this.#watchIdle();
    this.#checkSize();
  }

  /** One that is too heavy from the start is replaced after each item, by one that is so too. */
  #checkWeight({ name, memory }: WorkerHandle): void {
    const { maxMemory } = this.#settings;
    if (this.#heavy || memory <= maxMemory) return;
    this.#heavy = true;
    process.emitWarning(
      `Pool: ${name} takes ${memory} bytes before its first task, more than the \`maxMemory\` of ${maxMemory}: workers are replaced after each item. Raise \`maxMemory\`.`,
      { type: 'MultiprocessWarning', code: 'MP_MAX_MEMORY' },
    );
  }

  initializerFailed(_worker: WorkerHandle, error: unknown): void {
    this.#owner.failed(error);
  }

  late(worker: WorkerHandle, initializing: boolean): void {
    const { initTimeout } = this.#settings;
    // One that hangs before that may be bad luck, and counts as one that died; an initializer is
    // the user's, as one that fails is.
    if (!initializing || this.#hooks.initializer === null)
      worker.condemn(`it was not ready within the initTimeout of ${initTimeout} ms`);
    else {
      const message = `Pool: the initializer had not settled ${initTimeout} ms after its worker ${worker.name} was started; see that it ends, or give the pool a longer \`initTimeout\` (Infinity for none).`;
      this.#owner.failed(new TimeoutError(message, { code: 'MP_INIT_TIMEOUT' }));
    }
  }

  returned(batches: Batch[]): void {
    this.#owner.returned(batches);
  }

  slow(task: SlowTask): void {
    this.#measures.slow(task);
  }

  measured(measured: MeasuredWorker): void {
    this.#measures.absorb(measured);
  }

  /** What is measured, and the workers there are. */
  measurements(): PoolMeasurements & Pick<PoolStats, 'workers' | 'running'> {
    const workers = this.#scheduler.workers.filter(({ over }) => !over).sort(byNumber);
    const measured = workers.map((worker) => worker.measured);
    const running = workers.reduce((sum, worker) => sum + worker.running, 0);
    return { workers: measured.map(({ stats }) => stats), running, ...this.#measures.with(measured) };
  }

  /** Its successor is started; it goes on until that is ready. */
  overweight(worker: WorkerHandle, memory: number): void {
    if (worker.surplus || this.#dismissed) return;
    const { maxMemory } = this.#settings;
    this.events.tell({ type: 'worker-memory', ...whois(worker), memory, limit: maxMemory });
    worker.surplus = true;
    // Of a pool that is closed only as many are needed as have work.
    if (this.#owner.wanted) this.#refill(this.#staff + 1);
    else this.#replaced(worker);
  }

  /** Lets a worker go whose successor is ready. */
  #replaced(worker: WorkerHandle): void {
    this.#owner.returned(worker.relinquish());
    worker.retire();
  }

  /** What `workerExit` returned, by the number of its worker, the first of each number first. */
  get results(): unknown[] {
    return [...this.#results].sort(byNumber).map(({ value }) => value);
  }

  #keepFarewell(worker: WorkerHandle, error: WorkerCrashError): void {
    const { farewell, number, ordinal } = worker;
    if (this.#hooks.exit === null || worker.left !== 'retiring' || worker.since === 0) return;
    if (farewell?.failed === false) this.#results.push({ number, ordinal, value: farewell.value });
    else if (!this.#dismissed)
      this.events.tell({ type: 'worker-exit-failed', ...whois(worker), error: farewell?.value ?? error });
  }

  exited(worker: WorkerHandle, lost: Batch[], blame: Blame, error: WorkerCrashError): void {
    const expected = worker.left === 'retiring' || this.#dismissed;
    this.#scheduler.remove(worker);
    this.#keepFarewell(worker, error);
    if (expected && lost.length === 0) this.events.tell({ type: 'worker-exit', ...whois(worker) });
    else {
      this.crashed++;
      debug('worker died: %s', error.message);
      if (processCrash.hasSubscribers) {
        const { name, pid, child } = worker;
        processCrash.publish({ name, pid, method: child.method, exitCode: child.poll(), error });
      }
      this.events.tell({ type: 'worker-crash', ...whois(worker), lostTasks: lost.length, error });
    }
    const hopelessly = !expected && !this.#deaths.count(worker, blame);
    if (lost.length > 0) this.#owner.lost(lost, blame, error);
    if (hopelessly) this.#owner.failed(this.#deaths.despair(worker, error));
    else if (this.#owner.wanted) this.#refill(worker.surplus ? 0 : this.#staff + 1);
    this.#checkGone();
    this.#checkSize();
    this.#owner.progressed();
  }

  #checkGone(): void {
    if (this.#scheduler.workers.length > 0 || this.#pause !== null) return;
    this.#threads?.release();
    if (!this.#owner.wanted && !this.#unloaded) {
      this.#unloaded = true;
      this.#hooks.args.freight?.release();
    }
    for (const resolve of this.#empty.splice(0)) resolve();
  }

  /** Starts the workers that are missing, so that there are `least` at least. */
  #refill(least = 0): void {
    if (this.#pause !== null) return;
    const delay = this.#deaths.restartDelay(this.#size);
    if (delay > 0) this.#pause = setTimeout(() => this.#goOn(), delay);
    else this.#tryToFill(least);
  }

  #goOn(): void {
    this.#pause = null;
    if (this.#owner.wanted) this.#tryToFill(0);
    this.#checkGone();
    this.#owner.progressed();
  }

  #tryToFill(least: number): void {
    try {
      this.#fill(Math.max(this.#target, Math.min(least, this.#size)));
    } catch (error) {
      // With other workers left the pool goes on, and tries again when the next one ends.
      if (this.#scheduler.workers.length === 0) this.#owner.failed(error);
    }
  }

  #fill(target: number): void {
    for (let missing = target - this.#staff; missing > 0 && !this.#dismissed; missing--) this.#start(this.#vacancy());
  }

  /** The lowest number that no worker has. */
  #vacancy(): number {
    const taken = new Set(this.#scheduler.workers.filter(({ surplus }) => !surplus).map(({ number }) => number));
    let number = 0;
    while (taken.has(number)) number++;
    return number;
  }

  #start(number: number): void {
    const { method } = this.#settings;
    const name = `${METHOD_TITLES[method]}PoolWorker-${nextNumber()}`;
    const worker = new WorkerHandle(name, number, this.started, this.#launch, ENTRY, this.#settings, this);
    this.started++;
    this.#scheduler.workers.push(worker);
    worker.initialize(this.#hooks);
    if (this.#alive) worker.keepAlive(true);
    debug('added worker %s', worker.name);
    this.events.tell({ type: 'worker-start', ...whois(worker) });
  }

  /** Lets workers go that were idle for `idleTimeout`. */
  #watchIdle(): void {
    const { idleTimeout } = this.#settings;
    if (idleTimeout > LONGEST || this.#idler !== null || this.#dismissed) return;
    this.#idler = setTimeout(() => {
      this.#idler = null;
      // Of those that have been idle for long the ones with the highest numbers go first.
      const idle = this.#scheduler.workers.filter(
        (worker) => worker.state === 'ready' && worker.batches === 0 && !worker.surplus,
      );
      idle.sort((a, b) => b.number - a.number);
      for (const worker of idle) if (worker.stillFor >= idleTimeout && this.#staff > this.#floor) this.#letGo(worker);
      if (this.#scheduler.workers.some((worker) => worker.state === 'ready')) this.#watchIdle();
    }, idleTimeout);
    this.#idler.unref();
  }
}

/**
 * Has libuv start the threads of its pool, which inherit what CPUs the one may use that asks first:
 * it must not be a thread that is pinned.
 */
function startThreadPool(): void {
  stat('/', () => {});
}

/** Workers by their number; of those with the same, the first that was started comes first. */
function byNumber(a: Numbered, b: Numbered): number {
  return a.number - b.number || a.ordinal - b.ordinal;
}

interface Numbered {
  readonly number: number;
  readonly ordinal: number;
}

/** What every event says of its worker. */
function whois({ name, number, pid, ident }: WorkerHandle): WorkerEvent {
  return { name, number, pid, ident };
}

let numbered = 0;

/** Names of workers are numbered across all pools of a process, as Python's are. */
function nextNumber(): number {
  return ++numbered;
}
