import { constants } from 'node:os';
import { MultiprocessError, ProcessError, UnsupportedError } from '../../errors/index.js';
import { clause } from '../../util/clause.js';
import { queueMicrotask } from '../../util/timers.js';
import type { ForkedChild } from '../forked-child.js';
import { PipeSentinel } from './pipe-sentinel.js';
import { type ExitStatus, type LaunchOptions, Popen } from './popen.js';
import { ENDING_SIGNALS, signalName, signalNumber } from './signals.js';

/**
 * A child that is forked some time after it was asked for: until then it has no pid, and what is
 * asked of it waits.
 * @example
 * import { type PopenForked, PopenForkserver } from 'multiprocess/popen';
 *
 * const child: PopenForked = new PopenForkserver({ entry: new URL(import.meta.url), name: 'part' });
 * console.log(child.pid); // null
 * child.signal('SIGTERM'); // it never begins
 * console.log(await child.wait()); // -15
 */
export abstract class PopenForked extends Popen {
  #child: ForkedChild | null = null;
  #status: ExitStatus | null = null;
  #held = true;
  #closed = false;
  /** @internal Whether it was ended before it was made. */
  protected cancelled = false;
  /** Whether that of the child was given out. */
  #sentinelGiven = false;
  /** Signals that came before there was a child. */
  readonly #queuedSignals: number[] = [];
  #sentinel: PipeSentinel | null = null;

  /**
   * @param whose Node options it has.
   * @throws UnsupportedError for Node options, which a fork cannot have.
   */
  constructor(options: LaunchOptions, whose: string) {
    super(options);
    if (options.execArgv !== undefined) {
      throw new UnsupportedError(
        `${options.name}: a forked child has the Node options of ${whose}, so \`execArgv\` cannot be given; use start method 'spawn'.`,
      );
    }
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  get sentinel(): number {
    if (this.#child !== null && this.#child.sentinel >= 0) {
      this.#sentinelGiven = true;
      return this.#child.sentinel;
    }
    this.#sentinel ??= new PipeSentinel(this.hasEnded);
    return this.#sentinel.fd;
  }

  signal(name: NodeJS.Signals): void {
    const number = signalNumber(name);
    if (this.hasEnded || this.cancelled) return;
    if (this.#child !== null) this.#child.signal(number);
    else if (!ENDING_SIGNALS.has(number)) this.#queuedSignals.push(number);
    else {
      // It never begins. What it was to be made by may never answer.
      const status = { exitCode: null, signal: name };
      this.cancelled = true;
      this.#status = status;
      this.cancel();
      queueMicrotask(() => this.reportEnded(status));
    }
  }

  ref(): void {
    this.#held = true;
    this.#child?.hold(true);
  }

  unref(): void {
    this.#held = false;
    this.#child?.hold(false);
  }

  close(): void {
    this.#closed = true;
    if (this.hasEnded) this.#child?.close();
    this.#sentinel?.close();
    this.#sentinel = null;
  }

  waitSync(timeout: number): boolean {
    return this.hasEnded || (this.#child?.waitSync(timeout) ?? false);
  }

  /** @internal */
  protected override pollStatus(): ExitStatus | null {
    this.#child?.look();
    return this.#status;
  }

  /** @internal It is not wanted any more, before it was made. */
  protected abstract cancel(): void;

  /** @internal Has it made. @param make Rejects when that was not possible. */
  protected async begin(name: string, make: () => Promise<ForkedChild>): Promise<void> {
    try {
      const child = await make();
      this.#child = child;
      // It was not wanted any more, and came all the same.
      if (this.cancelled) child.signal(constants.signals.SIGKILL);
      child.hold(this.#held);
      for (const number of this.#queuedSignals.splice(0)) child.signal(number);
      // It may have ended before we were told that it had started.
      if (this.#status !== null && !this.cancelled) this.#over(this.#status);
      else if (!this.cancelled) this.reportStarted();
    } catch (cause) {
      if (this.cancelled) return;
      this.reportFailed(
        cause instanceof MultiprocessError
          ? cause
          : new ProcessError(`Cannot start ${name}: ${clause(cause)}.`, { code: 'MP_SPAWN', cause }),
      );
    }
  }

  /** @internal It has ended: its exit code, minus a signal, or `null` when that is lost. */
  protected readonly onEnd = (status: number | null): void => {
    this.#status =
      status !== null && status < 0
        ? { exitCode: null, signal: signalName(-status) }
        : { exitCode: status, signal: null };
    if (this.#child !== null) this.#over(this.#status);
  };

  #over(status: ExitStatus): void {
    this.reportStarted();
    this.#sentinel?.end();
    // It is reaped: nobody needs its sentinel any more, unless somebody was given it.
    if (this.#closed || !this.#sentinelGiven) this.#child?.close();
    this.reportEnded(status);
  }
}
