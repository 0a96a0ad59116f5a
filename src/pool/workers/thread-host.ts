/**
 * The threads of a pool are piscina's: it makes them, hands each its one task, and takes leave of
 * those that ended.
 *
 *   launch -> piscina.run(blank) -> piscina adds a Worker   -> the Worker has a form: what it is to become
 *          -> the balancer meets a Worker whose form is open -> the blank that is next becomes that form -> thread-entry.ts
 *
 * Blanks are alike, so it does not matter which of them piscina gives to which Worker. The task
 * answers at once and leaves the worker loop running: a task under way would keep this process's
 * event loop alive, and that is the pool's to decide.
 */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { ResourceLimits, Worker } from 'node:worker_threads';
import type { Piscina, PiscinaTask } from 'piscina';
import { ProcessError } from '../../errors/index.js';
import { endMember, type Membership, nativeAvailable, prepareMember } from '../../native/index.js';
import { type LaunchOptions, type Popen, PopenThread, type ThreadForm } from '../../process/index.js';
import { entry } from '../../util/package.js';
import { STARTING_KEY } from '../../util/starting.js';
import { queueMicrotask } from '../../util/timers.js';

/** Options of the threads of one pool. */
export interface ThreadOptions {
  /** Memory limits of each. */
  readonly resourceLimits: ResourceLimits | undefined;
  /** Environment of each. */
  readonly env: NodeJS.ProcessEnv | typeof import('node:worker_threads').SHARE_ENV | undefined;
  /** Node options of each. */
  readonly execArgv: readonly string[] | undefined;
}

type PiscinaModule = typeof import('piscina');

/** What a task becomes when a thread takes it. */
interface Blank {
  form?: ThreadForm;
  /** Its place among threads without the addon. */
  readonly membership: Membership | null;
  [marks: symbol]: unknown;
}

/** Starts threads through a piscina instance of its own. */
export class ThreadHost {
  readonly #options: ThreadOptions;
  #piscina: Piscina | null = null;
  #mark: symbol = Symbol();
  /** What each thread is to become, until it was told. */
  readonly #open = new WeakMap<Worker, ThreadForm>();
  /** Threads that were told, or wait for it. */
  readonly #taken = new WeakSet<Worker>();
  /** Tasks that no thread has. */
  readonly #blanks = new Map<Blank, AbortController>();

  constructor(options: ThreadOptions) {
    this.#options = options;
  }

  /** Starts a thread. @throws ProcessError `MP_SPAWN`; MultiprocessError `MP_SYSTEM`. */
  launch(options: LaunchOptions): Popen {
    return new PopenThread(options, (form) => this.#host(form));
  }

  /** Ends threads that were made and never used. */
  release(): void {
    void this.#piscina?.destroy();
    this.#piscina = null;
  }

  #host(form: ThreadForm): Worker {
    this.#piscina ??= this.#make();
    const piscina = this.#piscina;
    // Room for this one: how many there are is the supervisor's to decide. With more, piscina would
    // add threads of its own accord.
    (piscina.options as { maxThreads: number }).maxThreads = piscina.threads.length + 1;
    const spare = piscina.threads.find((thread) => !this.#taken.has(thread));
    if (spare !== undefined) this.#engage(spare, form);
    const ticket = new AbortController();
    const membership = nativeAvailable() ? null : prepareMember();
    const blank: Blank = { membership };
    blank[this.#mark] = blank;
    this.#blanks.set(blank, ticket);
    // Rejects when the thread ends first, which its Popen tells.
    const transferList = membership === null ? [] : [membership.port];
    piscina.run(blank, { signal: ticket.signal, transferList }).catch(() => {});
    const worker = spare ?? piscina.threads.find((thread) => !this.#taken.has(thread));
    if (worker === undefined) {
      this.#withdraw();
      throw new ProcessError(
        `Cannot start thread ${form.inheritance.name}: piscina has no room for it; close the pool and make another.`,
        {
          code: 'MP_SPAWN',
        },
      );
    }
    if (spare === undefined) this.#engage(worker, form);
    else queueMicrotask(() => worker.emit('online')); // It may have come online before anybody listened.
    return worker;
  }

  #engage(worker: Worker, form: ThreadForm): void {
    this.#taken.add(worker);
    this.#open.set(worker, form);
    // A thread that ends before it was told leaves a task that nobody needs.
    worker.once('exit', () => this.#open.has(worker) && this.#withdraw());
  }

  #withdraw(): void {
    for (const [blank, ticket] of this.#blanks) {
      this.#blanks.delete(blank);
      blank.membership?.port.close();
      ticket.abort();
      return;
    }
  }

  #make(): Piscina {
    // Loaded by the first pool of threads: others do without.
    const { Piscina: PiscinaClass, queueOptionsSymbol } = createRequire(import.meta.url)('piscina') as PiscinaModule;
    this.#mark = queueOptionsSymbol as unknown as symbol;
    const { resourceLimits, env, execArgv } = this.#options;
    if (resourceLimits?.maxOldGenerationSizeMb !== undefined) warnOfProcessLimit();
    const piscina: Piscina = new PiscinaClass({
      filename: fileURLToPath(entry('pool/worker/thread-entry')),
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      // With atomics a thread without a piscina task sleeps in Atomics.wait, and its event loop
      // with it.
      atomics: 'disabled',
      recordTiming: false,
      workerData: { [STARTING_KEY]: true },
      loadBalancer: (task, workers) => this.#balance(piscina, task, workers),
      ...(resourceLimits === undefined ? {} : { resourceLimits }),
      ...(env === undefined ? {} : { env: env as never }),
      ...(execArgv === undefined ? {} : { execArgv: [...execArgv] }),
    });
    // What a thread did not catch is printed by its Popen, and told to the pool as its end.
    piscina.on('error', () => {});
    return piscina;
  }

  /** The thread that takes a task: any that waits to be told what it is. */
  #balance<W extends { readonly id: number }>(piscina: Piscina, task: PiscinaTask, workers: readonly W[]): W | null {
    const blank = (task as unknown as Record<symbol, Blank>)[this.#mark]!;
    for (const worker of workers) {
      const thread = piscina.threads.find(({ threadId }) => threadId === worker.id);
      const form = thread === undefined ? undefined : this.#open.get(thread);
      if (form === undefined) continue;
      this.#open.delete(thread!);
      this.#blanks.delete(blank);
      blank.form = form;
      const { membership } = blank;
      if (membership !== null) thread!.once('exit', () => endMember(membership));
      return worker;
    }
    return null;
  }
}

/**
 * V8's options are the process's: a limit of the old generation given there counts in every thread,
 * whatever its own says.
 */
const PROCESS_LIMIT = /--max[-_]old[-_]space[-_]size/;
let warned = false;

function warnOfProcessLimit(): void {
  if (warned || !PROCESS_LIMIT.test([...process.execArgv, process.env['NODE_OPTIONS']].join(' '))) return;
  warned = true;
  process.emitWarning(
    'ThreadPool: `resourceLimits.maxOldGenerationSizeMb` has no effect, since this program was started with --max-old-space-size, which counts in every thread; start it without.',
    { type: 'MultiprocessWarning', code: 'MP_RESOURCE_LIMITS' },
  );
}
