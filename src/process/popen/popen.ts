/**
 * A child as the one who started it sees it, however it was started (launch.ts).
 *
 *   starting   begun() -> running; failed(), ended() -> ended
 *   running    ended() -> ended
 *   ended      its status is known, or lost
 */
import { constants } from 'node:os';
import { ArgumentError, type MultiprocessError } from '../../errors/index.js';
import { deferred } from '../../util/deferred.js';
import { processExit, processStart } from '../../util/diagnostics.js';
import { checkNumber, checkOptions } from '../../util/options.js';
import { settles } from '../../util/wait-options.js';
import type { StartMethod } from '../start-method.js';

/** The child that is to be started. */
export interface LaunchOptions {
  /** Module that the child runs. */
  readonly entry: URL;
  /** Name shown by `ps` and in the child's messages. */
  readonly name: string;
  /**
   * Descriptors the child is given; it finds their numbers there, in this order, in
   * `inherit().descriptors`.
   */
  readonly descriptors?: readonly number[];
  /**
   * Called before the child starts: encode what it is sent here, so that {@link
   * Popen.duplicateForChild} can be used; returns further descriptors.
   */
  readonly prepare?: (popen: Popen) => readonly number[];
  /** Environment variables. Default: this process's. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Node options in place of those it would inherit. */
  readonly execArgv?: readonly string[] | undefined;
  /**
   * @internal Returns what a child runs that shares this process's memory (method `fork`), in place
   * of `entry` with what `prepare` would encode. Called when the child is launched.
   */
  readonly forkMain?: (() => () => void) | undefined;
}

/**
 * How a child ended: by `exitCode` or by `signal`; both are `null` when it could not be started or
 * its status was lost.
 */
export interface ExitStatus {
  /** Its exit code, or `null`. */
  readonly exitCode: number | null;
  /** The signal that ended it, or `null`. */
  readonly signal: NodeJS.Signals | null;
}

/** Called when a child has ended, with the cause where it could not be started. */
export type ExitListener = (status: ExitStatus, cause?: unknown) => void;

/** Exit code of a child whose status got lost, as in Python. */
const LOST_STATUS_EXIT_CODE = 255;

/**
 * A child as the one who started it sees it.
 *
 * A subclass starts the child in its constructor's last step and calls `begun` or `failed`, then
 * `ended`, each once.
 *
 * Python: `multiprocessing.popen_*.Popen`.
 * @example
 * import { type Popen, PopenSpawn } from 'multiprocess/popen';
 *
 * async function end(child: Popen) {
 *   child.signal('SIGTERM');
 *   if ((await child.wait({ timeout: 5000 })) === null) child.signal('SIGKILL');
 *   return child.wait();
 * }
 *
 * if (process.env['ROLE'] === 'child') setInterval(() => {}, 1000); // this file is the child's, too
 * else {
 *   const child = new PopenSpawn({ entry: new URL(import.meta.url), name: 'idle', env: { ...process.env, ROLE: 'child' } });
 *   await child.started;
 *   console.log(await end(child)); // -15
 * }
 */
export abstract class Popen implements Disposable {
  /** How it was started. */
  abstract readonly method: StartMethod;
  readonly #started = deferred<void>();
  readonly #listeners: ExitListener[] = [];
  readonly #descriptors: number[];
  readonly #name: string;
  #gathering = true;
  #status: ExitStatus | null = null;
  #cause: unknown;

  constructor(options: LaunchOptions) {
    this.#name = options.name;
    this.#descriptors = [...(options.descriptors ?? [])];
    this.#started.promise.catch(() => {}); // who wants to know asks `started` or `onExit`
  }

  /** Process id; `null` until it runs, and when it could not be started. */
  abstract get pid(): number | null;

  /** What names the child among its parent's: the process id; for a thread, Node's thread id. */
  get ident(): number | null {
    return this.pid;
  }

  /** Resolves when it runs. Rejects with ProcessError `MP_SPAWN` when it cannot be started. */
  get started(): Promise<void> {
    return this.#started.promise;
  }

  /** @internal Whether the child's descriptors are its own. */
  get keepsDescriptors(): boolean {
    return true;
  }

  /** A descriptor that becomes readable when the child has ended. Closed by {@link close}. */
  abstract get sentinel(): number;

  /** Sends it a signal; nothing when it has ended. */
  abstract signal(name: NodeJS.Signals): void;

  /** Keeps the event loop alive until it has ended. The state at the start. */
  abstract ref(): void;

  /** Lets the event loop end before it. */
  abstract unref(): void;

  /** Gives back what the parent holds for it; leaves the child alone. May be called again. */
  abstract close(): void;

  /**
   * Blocks this thread until the child has ended or `timeout` milliseconds are over: whether it has
   * ended. For the end of the process, when no event loop runs any more.
   * @throws UnsupportedError where the method cannot block.
   */
  abstract waitSync(timeout: number): boolean;

  /** Exit code: `n`, `-signal`, 255 when it is lost; `null` while it runs. */
  poll(): number | null {
    const status = this.#status ?? this.pollStatus();
    return status === null ? null : exitCodeOf(status);
  }

  /**
   * Waits until it has ended.
   * @returns its exit code as {@link poll} gives it; `null` when `timeout` milliseconds were over
   * first.
   * @throws what kept it from being started; `signal.reason`.
   */
  async wait(
    options: { readonly timeout?: number | undefined; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<number | null> {
    checkOptions('Popen.wait', options, ['timeout', 'signal'], { number: 'timeout' });
    const { signal } = options;
    const timeout = checkNumber('Popen.wait', 'timeout', options.timeout, {
      min: Number.NEGATIVE_INFINITY,
      infinite: true,
    });
    signal?.throwIfAborted();
    if (this.#status === null && timeout !== undefined && timeout <= 0) return this.poll();
    if (this.#status === null) {
      const ended = deferred<void>();
      const listener = () => ended.resolve();
      this.onExit(listener);
      try {
        await settles(ended.promise, { timeout, signal });
      } finally {
        this.#forget(listener);
      }
    }
    if (this.#cause !== undefined) throw this.#cause;
    return this.poll();
  }

  /** Asks it to end: SIGTERM. */
  terminate(): void {
    this.signal('SIGTERM');
  }

  /** Ends it: SIGKILL. */
  kill(): void {
    this.signal('SIGKILL');
  }

  /** @internal Calls back when it has ended; at once when it has already. */
  onExit(listener: ExitListener): void {
    if (this.#status !== null) listener(this.#status, this.#cause);
    else this.#listeners.push(listener);
  }

  /**
   * Passes a descriptor to the child. Call it from `prepare`: afterwards the child runs already.
   *
   * Python: `duplicate_for_child`.
   * @returns its number in the child.
   */
  duplicateForChild(fd: number): number {
    if (!this.#gathering) {
      throw new ArgumentError(
        'Popen.duplicateForChild: the child was started already; pass descriptors while it is being prepared.',
      );
    }
    return this.numberInChild(this.#descriptors.push(fd) - 1, fd);
  }

  /** As {@link close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  // ---- for the methods

  /**
   * @internal Everything the child is to be given. Calls `prepare`; ends the time of {@link
   * duplicateForChild}.
   */
  protected collectDescriptors({ prepare }: LaunchOptions): readonly number[] {
    const more = prepare?.(this) ?? [];
    this.#gathering = false;
    return [...this.#descriptors, ...more];
  }

  /** @internal Returns the number in the child of the `index`-th descriptor, which is `fd` here. */
  protected abstract numberInChild(index: number, fd: number): number;

  /** @internal Returns how it ended, looked up now; `null` while it runs. */
  protected pollStatus(): ExitStatus | null {
    return null;
  }

  /** @internal Whether its end is known. */
  protected get hasEnded(): boolean {
    return this.#status !== null;
  }

  /** @internal It runs. */
  protected reportStarted(): void {
    if (processStart.hasSubscribers) processStart.publish({ name: this.#name, pid: this.pid, method: this.method });
    this.#started.resolve();
  }

  /** @internal It could not be started. */
  protected reportFailed(cause: MultiprocessError): void {
    this.#started.reject(cause);
    this.reportEnded({ exitCode: null, signal: null }, cause);
  }

  /** @internal It has ended. Only the first call counts. */
  protected reportEnded(status: ExitStatus, cause?: unknown): void {
    if (this.#status !== null) return;
    this.#status = status;
    this.#cause = cause;
    if (processExit.hasSubscribers) {
      const exitCode = this.pid === null ? null : exitCodeOf(status);
      processExit.publish({ name: this.#name, pid: this.pid, method: this.method, exitCode });
    }
    this.#started.resolve();
    for (const listener of this.#listeners.splice(0)) listener(status, cause);
  }

  #forget(listener: ExitListener): void {
    const index = this.#listeners.indexOf(listener);
    if (index >= 0) this.#listeners.splice(index, 1);
  }
}

/** Returns a status as Python's exit code: `n`, `-signal`, or 255. */
function exitCodeOf({ exitCode, signal }: ExitStatus): number {
  return exitCode ?? (signal === null ? LOST_STATUS_EXIT_CODE : -constants.signals[signal]);
}
