import type { Readable, Writable } from 'node:stream';
import { inspect } from 'node:util';
import { threadId as ownThread, Worker } from 'node:worker_threads';
import { ProcessError, UnsupportedError } from '../../errors/index.js';
import { closeDescriptor, duplicateDescriptor, endMember, nativeAvailable, prepareMember } from '../../native/index.js';
import { clause } from '../../util/clause.js';
import { STARTING_KEY } from '../../util/starting.js';
import { INHERITANCE_KEY, type Inheritance, MEMBERSHIP_KEY } from '../child/inherit.js';
import type { StartMethod } from '../start-method.js';
import { registerStartMethod } from './launch.js';
import { PipeSentinel } from './pipe-sentinel.js';
import { type ExitStatus, type LaunchOptions, Popen } from './popen.js';

/** Exit code of a worker thread that was terminated: Node's, and that of an uncaught error. */
const TERMINATED_EXIT_CODE = 1;

/** Exit code of a thread that did not catch an error. */
const UNCAUGHT_EXIT_CODE = 1;

/** What a thread is to become. */
export interface ThreadForm {
  /** Who it is, and what it is given. */
  readonly inheritance: Inheritance;
  /** Address of the module that it runs. */
  readonly entry: string;
}

/**
 * A worker thread of this process.
 *
 * Semantics: `pid` is this process's own. Signals are not delivered: any of them ends the thread at
 * its next instruction of JavaScript, without its exit handlers, and the exit code is that of the
 * signal. `process.exit` in it ends the thread only. The thread is given duplicates of its
 * descriptors, which are closed when it has ended: it must leave them open.
 * @example
 * import { isMainThread } from 'node:worker_threads';
 * import { PopenThread } from 'multiprocess/popen';
 *
 * if (isMainThread) {
 *   const child = new PopenThread({ entry: new URL(import.meta.url), name: 'part' });
 *   console.log(child.pid === process.pid, await child.wait()); // true 3
 * } else process.exit(3); // ends the thread only
 */
export class PopenThread extends Popen {
  readonly method: StartMethod = 'thread';
  readonly #worker: Worker;
  readonly #threadId: number;
  readonly #lent: number[] = [];
  #ending: NodeJS.Signals | null = null;
  #sentinel: PipeSentinel | null = null;

  /** @throws ProcessError `MP_SPAWN`; MultiprocessError `MP_SYSTEM` without a free descriptor. */
  constructor(options: LaunchOptions);
  /** @internal @param host Makes the thread in place of this class; the form must reach it. */
  constructor(options: LaunchOptions, host: (form: ThreadForm) => Worker);
  constructor(options: LaunchOptions, host: (form: ThreadForm) => Worker = (form) => startThread(form, options)) {
    super(options);
    const { entry, name } = options;
    const given = this.collectDescriptors(options);
    try {
      for (const fd of given) this.#lent.push(duplicateDescriptor(fd));
      const inheritance: Inheritance = { name, parentPid: process.pid, descriptors: this.#lent, method: 'thread' };
      this.#worker = host({ inheritance, entry: entry.href });
    } catch (cause) {
      this.#release();
      throw cause instanceof ProcessError ? cause : threadError(name, cause);
    }
    this.#threadId = this.#worker.threadId;
    let begun = false;
    this.#worker.once('online', () => {
      begun = true;
      this.reportStarted();
    });
    // A process prints what it did not catch; Node hands that of a thread to its parent instead.
    let failed = false;
    this.#worker.on('error', (error) => {
      failed = true;
      process.stderr.write(`Uncaught error in thread ${name}:\n${inspect(error)}\n${hint(error)}`);
    });
    this.#worker.once('exit', (given) => {
      // Deno gives 0 whatever ended the thread.
      const code = failed ? given || UNCAUGHT_EXIT_CODE : given;
      // Node gives 0 for one that was terminated before it began.
      const terminated = code === TERMINATED_EXIT_CODE || (code === 0 && !begun);
      const status: ExitStatus =
        this.#ending !== null && terminated
          ? { exitCode: null, signal: this.#ending }
          : { exitCode: code, signal: null };
      // What it wrote comes first: it passes through streams of this thread.
      void Promise.all([
        passedOn(this.#worker.stdout, process.stdout),
        passedOn(this.#worker.stderr, process.stderr),
      ]).then(() => {
        this.#release();
        this.reportEnded(status);
      });
    });
  }

  get pid(): number {
    return process.pid;
  }

  override get ident(): number {
    return this.#threadId;
  }

  /** @internal */
  override get keepsDescriptors(): boolean {
    return false;
  }

  get sentinel(): number {
    if (!nativeAvailable()) {
      throw new UnsupportedError(
        'A thread has no descriptor to wait for without the native addon; give its `sentinel` to wait(), or await `join()`.',
      );
    }
    this.#sentinel ??= new PipeSentinel(this.hasEnded);
    return this.#sentinel.fd;
  }

  signal(name: NodeJS.Signals): void {
    if (this.hasEnded) return;
    this.#ending ??= name;
    void this.#worker.terminate();
  }

  ref(): void {
    this.#worker.ref();
  }

  unref(): void {
    this.#worker.unref();
  }

  close(): void {
    this.#sentinel?.close();
    this.#sentinel = null;
  }

  /**
   * A thread cannot outlive the process, and its end is told by the event loop: there is nothing to
   * block for.
   */
  waitSync(): boolean {
    return this.hasEnded;
  }

  /** @internal */
  protected numberInChild(_index: number, fd: number): number {
    return duplicateDescriptor(fd);
  }

  /** What was lent to the thread goes, and the sentinel becomes readable. */
  #release(): void {
    for (const fd of this.#lent.splice(0)) closeDescriptor(fd);
    this.#sentinel?.end();
  }
}

/** Returns what helps against an error of Node's own. */
function hint(error: unknown): string {
  if ((error as { syscall?: unknown } | null)?.syscall !== 'uv_cwd') return '';
  return 'Node starts no threads where the working directory of the process was removed; call process.chdir() first.\n';
}

/** Key in `workerData` of the thread id of the thread that started this one. */
const PARENT_THREAD_KEY = 'multiprocess.parentThread';

function startThread({ inheritance, entry }: ThreadForm, options: LaunchOptions): Worker {
  const membership = nativeAvailable() ? null : prepareMember();
  const worker = new Worker(new URL(entry), {
    name: inheritance.name,
    workerData: {
      [STARTING_KEY]: true,
      [INHERITANCE_KEY]: inheritance,
      [PARENT_THREAD_KEY]: ownThread,
      ...(membership === null ? {} : { [MEMBERSHIP_KEY]: membership }),
    },
    ...(membership === null ? {} : { transferList: [membership.port] }),
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.execArgv === undefined ? {} : { execArgv: [...options.execArgv] }),
  });
  if (membership !== null) worker.once('exit', () => endMember(membership));
  return worker;
}

/**
 * Resolves when all of a stream was handed to the one it is piped to, or that one takes no more. In
 * Deno, where threads write by themselves, it is piped to none, and has no end.
 */
function passedOn(from: Readable, to: Writable): Promise<void> {
  if (from.readableFlowing === null || from.readableEnded || from.destroyed) return Promise.resolve();
  if (to.destroyed || to.errored !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const unpiped = (source: Readable) => source === from && done();
    const done = () => {
      to.off('unpipe', unpiped);
      resolve();
    };
    from.once('end', done).once('close', done);
    // One listener for each thread is no leak.
    const most = to.getMaxListeners();
    to.setMaxListeners(Number.POSITIVE_INFINITY);
    to.on('unpipe', unpiped);
    to.setMaxListeners(most);
  });
}

function threadError(name: string, cause: unknown): ProcessError {
  const denied = (cause as NodeJS.ErrnoException | null)?.code === 'ERR_ACCESS_DENIED';
  const why = denied
    ? 'Node was started with --permission; add --allow-worker.'
    : `${clause(cause)}. Check free memory and the options given.`;
  return new ProcessError(`Cannot start thread ${name}: ${why}`, { code: 'MP_SPAWN', cause });
}

registerStartMethod('thread', {
  launch: (options) => new PopenThread(options),
  unavailable: () => null,
});
