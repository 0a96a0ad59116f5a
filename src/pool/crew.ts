import { Subject } from 'rxjs';
import type { WorkerCrashError } from '../errors/index.js';
import { addTemplateModule, launch, METHOD_TITLES } from '../process/index.js';
import { inOwnContext } from '../streams/index.js';
import { processCrash } from '../util/diagnostics.js';
import { debug } from '../util/logger.js';
import type { Batch } from './batch.js';
import type { FunctionImage } from './callables.js';
import type { PoolEvent } from './events.js';
import { LONGEST, type PoolSettings } from './options.js';
import type { Scheduler } from './scheduler.js';
import { ThreadHost } from './thread-host.js';
import { type Launch, WorkerHandle, type WorkerOwner } from './worker-handle.js';

/** Workers in a row that die before they are ready, until the pool gives up. */
const STILLBORN = 3;

const ENTRY = new URL('./worker.js', import.meta.url);
addTemplateModule(ENTRY);

/** What the crew tells the pool. */
export interface CrewOwner {
  /** Results were read, or a worker has room. */
  progressed(): void;
  /** No worker can be had: the pool is of no use any more. */
  failed(error: unknown): void;
  /** A worker ended with these batches unfinished. */
  lost(batches: Batch[], blamed: boolean, error: WorkerCrashError): void;
  /** Whether workers are wanted: the pool is open, or work is left. */
  readonly wanted: boolean;
  /** Whether there is work. */
  readonly busy: boolean;
}

/** Starts workers, replaces those that end, and lets them go. */
export class Crew implements WorkerOwner {
  readonly events = new Subject<PoolEvent>();
  /** The same, as users see it. */
  readonly observed = inOwnContext(this.events);
  started = 0;
  crashed = 0;
  readonly #settings: PoolSettings;
  readonly #scheduler: Scheduler;
  readonly #owner: CrewOwner;
  readonly #initializer: FunctionImage | null;
  readonly #threads: ThreadHost | null;
  readonly #launch: Launch;
  #stillborn = 0;
  #alive = false;
  #dismissed = false;
  #idler: NodeJS.Timeout | null = null;
  #empty: (() => void)[] = [];

  constructor(settings: PoolSettings, scheduler: Scheduler, initializer: FunctionImage | null, owner: CrewOwner) {
    this.#settings = settings;
    this.#scheduler = scheduler;
    this.#initializer = initializer;
    this.#owner = owner;
    const { method, env, execArgv } = settings;
    const threads = method === 'thread' ? new ThreadHost({ threads: settings.processes, ...settings }) : null;
    this.#threads = threads;
    this.#launch =
      threads === null
        ? (options) => launch(method, { ...options, env: env as NodeJS.ProcessEnv | undefined, execArgv })
        : (options) => threads.launch(options);
  }

  /** Starts workers until there are as many as the pool was made for. @throws ProcessError, MultiprocessError `MP_SYSTEM`. */
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
  forget(image: FunctionImage): void {
    for (const worker of this.#scheduler.workers) worker.forget(image);
  }

  /** Lets all workers end after what they hold. */
  retire(): void {
    for (const worker of this.#scheduler.workers) worker.retire();
  }

  /** Ends all workers now and starts no more. */
  dismiss(): void {
    this.#dismissed = true;
    if (this.#idler !== null) clearTimeout(this.#idler);
    for (const worker of this.#scheduler.workers) worker.terminate(this.#settings.grace);
  }

  /** Resolves when no worker is left. Keeps the event loop alive until then. */
  async gone(): Promise<void> {
    if (this.#scheduler.workers.length === 0) return;
    this.keepAlive(true);
    await new Promise<void>((resolve) => this.#empty.push(resolve));
  }

  // ---- what workers tell

  progressed(): void {
    this.#owner.progressed();
  }

  ready(worker: WorkerHandle): void {
    this.#stillborn = 0;
    this.events.next({ type: 'worker-ready', name: worker.name, pid: worker.pid, ident: worker.ident });
    this.#watchIdle();
  }

  initializerFailed(_worker: WorkerHandle, error: unknown): void {
    this.#owner.failed(error);
  }

  exited(worker: WorkerHandle, lost: Batch[], blamed: boolean, error: WorkerCrashError): void {
    const { workers } = this.#scheduler;
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
    if (worker.left === 'starting' && !expected) this.#stillborn++;
    if (lost.length > 0) this.#owner.lost(lost, blamed, error);
    if (this.#stillborn >= STILLBORN && !this.#dismissed) this.#owner.failed(error);
    else if (this.#owner.wanted && (!worker.idled || this.#owner.busy)) this.#refill();
    if (workers.length === 0) {
      this.#threads?.release();
      for (const resolve of this.#empty.splice(0)) resolve();
    }
    this.#owner.progressed();
  }

  #refill(): void {
    try {
      this.fill();
    } catch (error) {
      // With other workers left the pool goes on, and tries again when the next one ends.
      if (this.#scheduler.workers.length === 0) this.#owner.failed(error);
    }
  }

  #start(): void {
    const { method } = this.#settings;
    const worker = new WorkerHandle(
      `${METHOD_TITLES[method]}PoolWorker-${nextNumber()}`,
      this.#launch,
      ENTRY,
      this.#settings.lifetime,
      this,
    );
    this.started++;
    this.#scheduler.workers.push(worker);
    worker.initialize(this.#initializer, this.#settings.initArgs);
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
