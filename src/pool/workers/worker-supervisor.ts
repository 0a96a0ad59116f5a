import { Subject } from 'rxjs';
import { TimeoutError, type WorkerCrashError } from '../../errors/index.js';
import { addTemplateModule, isCovered, launch, METHOD_TITLES } from '../../process/index.js';
import { inOwnContext } from '../../streams/index.js';
import { atExit, type Ending } from '../../util/at-exit.js';
import { processCrash } from '../../util/diagnostics.js';
import { debug } from '../../util/logger.js';
import { entry } from '../../util/package.js';
import { clearTimeout, performance, setTimeout } from '../../util/timers.js';
import type { PoolEvent } from '../events.js';
import { LONGEST, type PoolSettings } from '../options.js';
import { type Batch, Blame } from '../scheduling/batch.js';
import type { EncodedMessage } from '../scheduling/encoded-items.js';
import type { Scheduler } from '../scheduling/scheduler.js';
import type { SerializedFunction } from '../wire/function-registry.js';
import { hopeless } from './crash.js';
import { ThreadHost } from './thread-host.js';
import { keepInitArgs } from './worker-channel.js';
import { type Launch, WorkerHandle, type WorkerOwner } from './worker-handle.js';

/**
 * Workers in a row that die before they are ready, until the pool gives up. One whose workers were
 * ready before is in a storm perhaps: its next workers are started after pauses, from {@link
 * MIN_RESTART_DELAY_MS} milliseconds doubling to {@link MAX_RESTART_DELAY_MS}, and it gives up
 * after {@link MAX_CRASH_STORM_MS} milliseconds without progress.
 */
const MAX_DEATHS_BEFORE_READY = 3;
const MIN_RESTART_DELAY_MS = 25;
const MAX_RESTART_DELAY_MS = 400;
const MAX_CRASH_STORM_MS = 3000;
/**
 * Workers in a row that die though they were ready, and none of them ran anything, until the pool
 * gives up.
 */
const MAX_DEATHS_WITHOUT_PROGRESS = 10;
/** Milliseconds after which the life of a worker counts, whether it ran anything or not. */
const LONG_LIFE_MS = 10_000;

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
  /** Whether there is work. */
  readonly busy: boolean;
}

/** Starts workers, replaces those that end, and lets them go. */
export class WorkerSupervisor implements WorkerOwner {
  readonly events = new Subject<PoolEvent>();
  /** The same, as users see it. */
  readonly observed = inOwnContext(this.events);
  started = 0;
  crashed = 0;
  readonly #settings: PoolSettings;
  readonly #scheduler: Scheduler;
  readonly #owner: WorkerSupervisorOwner;
  readonly #initializer: SerializedFunction | null;
  /** As they were when the pool was made, also for a worker that is started later. */
  readonly #initArgs: EncodedMessage;
  readonly #threads: ThreadHost | null;
  readonly #launch: Launch;
  /** Deaths before ready, and deaths of ready workers, since the last progress. */
  #stillborn = 0;
  #fruitless = 0;
  /** When the first of the stillborn ended. */
  #since = 0;
  /** Whether a worker was ever ready. */
  #proven = false;
  #pause: NodeJS.Timeout | null = null;
  #alive = false;
  #dismissed = false;
  /** Whether no worker needs what the arguments of the initializer refer to. */
  #unloaded = false;
  /** Takes {@link #cover} back. */
  #uncover: (() => void) | null = null;
  #idler: NodeJS.Timeout | null = null;
  #empty: (() => void)[] = [];

  constructor(settings: PoolSettings, scheduler: Scheduler, initializer: SerializedFunction | null, owner: WorkerSupervisorOwner) {
    this.#settings = settings;
    this.#scheduler = scheduler;
    this.#initializer = initializer;
    this.#initArgs = keepInitArgs(settings.initArgs);
    this.#initArgs.freight?.hold();
    this.#owner = owner;
    const { method, env, execArgv } = settings;
    const threads = method === 'thread' ? new ThreadHost({ threads: settings.processes, ...settings }) : null;
    this.#threads = threads;
    this.#launch =
      threads === null
        ? (options) => launch(method, { ...options, env: env as NodeJS.ProcessEnv | undefined, execArgv })
        : (options) => threads.launch(options);
    if (method !== 'thread' && isCovered()) this.#uncover = atExit('last', (ending) => this.#cover(ending));
  }

  /**
   * Starts workers until there are as many as the pool was made for.
   * @throws ProcessError, MultiprocessError `MP_SYSTEM`.
   */
  fill(): void {
    while (!this.#dismissed && this.#scheduler.workers.length < this.#settings.processes) this.#start();
  }

  /** Starts workers if there are none: they were let go while idle. */
  ensure(): void {
    if (this.#scheduler.workers.length < this.#settings.processes) this.#refill();
  }

  /** Whether the event loop must stay alive for the workers. */
  keepAlive(alive: boolean): void {
    // Whoever waits for the workers to end needs the loop until they have.
    if (this.#alive === alive || this.#empty.length > 0) return;
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

  /** Ends all workers now and starts no more. */
  dismiss(): void {
    this.#dismissed = true;
    this.#uncover?.();
    if (this.#idler !== null) clearTimeout(this.#idler);
    if (this.#pause !== null) clearTimeout(this.#pause);
    this.#pause = null;
    for (const worker of this.#scheduler.workers) worker.terminate(this.#settings.grace);
  }

  /**
   * At the end of a program whose coverage is taken: workers write theirs, which they do not when
   * they are killed with it.
   */
  #cover(ending: Ending): void | Promise<void> {
    const children = this.#scheduler.workers.map(({ child }) => child);
    this.dismiss();
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
    if (worker.fruitful) this.#fruitless = 0;
    this.#owner.progressed();
  }

  ready(worker: WorkerHandle): void {
    this.#stillborn = 0;
    this.#proven = true;
    this.events.next({ type: 'worker-ready', name: worker.name, pid: worker.pid, ident: worker.ident });
    this.#watchIdle();
  }

  initializerFailed(_worker: WorkerHandle, error: unknown): void {
    this.#owner.failed(error);
  }

  late(worker: WorkerHandle, initializing: boolean): void {
    const { initTimeout } = this.#settings;
    // One that hangs before that may be bad luck, and counts as one that died; an initializer is
    // the user's, as one that fails is.
    if (!initializing || this.#initializer === null) worker.condemn(`it was not ready within the initTimeout of ${initTimeout} ms`);
    else {
      const message = `Pool: the initializer had not settled ${initTimeout} ms after its worker ${worker.name} was started; see that it ends, or give the pool a longer \`initTimeout\` (Infinity for none).`;
      this.#owner.failed(new TimeoutError(message, { code: 'MP_INIT_TIMEOUT' }));
    }
  }

  returned(batches: Batch[]): void {
    this.#owner.returned(batches);
  }

  exited(worker: WorkerHandle, lost: Batch[], blame: Blame, error: WorkerCrashError): void {
    const expected = worker.left === 'retiring' || this.#dismissed;
    this.#scheduler.remove(worker);
    if (expected && lost.length === 0) this.events.next({ type: 'worker-exit', name: worker.name, pid: worker.pid, ident: worker.ident });
    else {
      this.crashed++;
      debug('worker died: %s', error.message);
      if (processCrash.hasSubscribers) {
        const { name, pid, child } = worker;
        processCrash.publish({ name, pid, method: child.method, exitCode: child.poll(), error });
      }
      this.events.next({ type: 'worker-crash', name: worker.name, pid: worker.pid, ident: worker.ident, lostTasks: lost.length, error });
    }
    const hopelessly = !expected && !this.#count(worker, blame);
    if (lost.length > 0) this.#owner.lost(lost, blame, error);
    if (hopelessly) this.#owner.failed(this.#despair(worker, error));
    else if (this.#owner.wanted && (!worker.idled || this.#owner.busy)) this.#refill();
    this.#checkGone();
    this.#owner.progressed();
  }

  #checkGone(): void {
    if (this.#scheduler.workers.length > 0 || this.#pause !== null) return;
    this.#threads?.release();
    if (!this.#owner.wanted && !this.#unloaded) {
      this.#unloaded = true;
      this.#initArgs.freight?.release();
    }
    for (const resolve of this.#empty.splice(0)) resolve();
  }

  /** Counts a death that nobody meant: whether there is hope that others do better. */
  #count(worker: WorkerHandle, blame: Blame): boolean {
    if (worker.left === 'starting') {
      if (++this.#stillborn === 1) this.#since = performance.now();
      return this.#stillborn < MAX_DEATHS_BEFORE_READY || (this.#proven && performance.now() - this.#since < MAX_CRASH_STORM_MS);
    }
    // What an item did is the item's to answer for.
    const progress = worker.fruitful || blame !== Blame.None || performance.now() - worker.since >= LONG_LIFE_MS;
    this.#fruitless = progress ? 0 : this.#fruitless + 1;
    return this.#fruitless < MAX_DEATHS_WITHOUT_PROGRESS;
  }

  #despair(worker: WorkerHandle, last: WorkerCrashError): WorkerCrashError {
    const ready = worker.left !== 'starting';
    return hopeless(ready ? this.#fruitless : this.#stillborn, ready, last);
  }

  #refill(): void {
    if (this.#pause !== null) return;
    if (this.#stillborn >= MAX_DEATHS_BEFORE_READY) {
      const time = Math.min(
        MAX_RESTART_DELAY_MS,
        MIN_RESTART_DELAY_MS * 2 ** Math.floor((this.#stillborn - MAX_DEATHS_BEFORE_READY) / this.#settings.processes),
      );
      this.#pause = setTimeout(() => this.#goOn(), time);
      return;
    }
    this.#fill();
  }

  #goOn(): void {
    this.#pause = null;
    if (this.#owner.wanted) this.#fill();
    this.#checkGone();
    this.#owner.progressed();
  }

  #fill(): void {
    try {
      this.fill();
    } catch (error) {
      // With other workers left the pool goes on, and tries again when the next one ends.
      if (this.#scheduler.workers.length === 0) this.#owner.failed(error);
    }
  }

  #start(): void {
    const { method } = this.#settings;
    const worker = new WorkerHandle(`${METHOD_TITLES[method]}PoolWorker-${nextNumber()}`, this.#launch, ENTRY, this.#settings, this);
    this.started++;
    this.#scheduler.workers.push(worker);
    worker.initialize(this.#initializer, this.#initArgs);
    if (this.#alive) worker.keepAlive(true);
    debug('added worker %s', worker.name);
    this.events.next({ type: 'worker-start', name: worker.name, pid: worker.pid, ident: worker.ident });
  }

  /** Lets workers go that were idle for `idleTimeout`. */
  #watchIdle(): void {
    const { idleTimeout } = this.#settings;
    if (idleTimeout > LONGEST || this.#idler !== null || this.#dismissed) return;
    this.#idler = setTimeout(() => {
      this.#idler = null;
      for (const worker of [...this.#scheduler.workers]) {
        if (worker.state === 'ready' && worker.batches === 0 && worker.stillFor >= idleTimeout) worker.retire(true);
      }
      if (this.#scheduler.workers.some((worker) => worker.state === 'ready')) this.#watchIdle();
    }, idleTimeout);
    this.#idler.unref();
  }
}

let numbered = 0;

/** Workers are numbered across all pools of a process, as Python's are. */
function nextNumber(): number {
  return ++numbered;
}
