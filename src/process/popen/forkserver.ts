import { constants } from 'node:os';
import { ArgumentError, MultiprocessError, ProcessError, UnsupportedError } from '../../errors/index.js';
import { closeDescriptor, createPipe, duplicateDescriptor } from '../../native/index.js';
import type { Applicant } from '../forkserver/applicant.js';
import { forkserver, inheritedNumber } from '../forkserver/forkserver.js';
import { unforkable } from '../forkserver/options.js';
import type { StartMethod } from '../start-method.js';
import { type ExitStatus, type LaunchOptions, Popen, registerStartMethod } from './popen.js';
import { endedSentinel } from './sentinel.js';
import { signalName } from './signal-name.js';

/**
 * A fork of the template (src/process/forkserver). The child's parent, for the kernel, is the template, which reports how it ended;
 * when the template has died the status is lost, and counts as 255.
 *
 * Python: `popen_forkserver.Popen`.
 */
export class PopenForkserver extends Popen {
  readonly method: StartMethod = 'forkserver';
  #child: Applicant | null = null;
  #held = true;
  #closed = false;
  /** Signals that came before there was a child. */
  readonly #early: number[] = [];
  #sentinel: [reads: number, writes: number | null] | null = null;

  /** @throws UnsupportedError for Node options, which a fork cannot have; what `prepare` throws. */
  constructor(options: LaunchOptions) {
    super(options);
    if (options.execArgv !== undefined) {
      throw new UnsupportedError(
        `${options.name}: a forked child has its template's Node options, so \`execArgv\` cannot be given; use start method 'spawn'.`,
      );
    }
    // Copies: the caller may close his as soon as this returns, and the child is asked for later.
    const descriptors: number[] = [];
    try {
      for (const fd of this.gather(options)) descriptors.push(duplicateDescriptor(fd));
    } catch (error) {
      for (const fd of descriptors) closeDescriptor(fd);
      throw error;
    }
    void this.#start(options, descriptors);
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  get sentinel(): number {
    if (this.#child !== null && this.#child.pidfd >= 0) return this.#child.pidfd;
    this.#sentinel ??= this.over ? [endedSentinel(), null] : createPipe();
    return this.#sentinel[0];
  }

  signal(name: NodeJS.Signals): void {
    const number = constants.signals[name];
    if (number === undefined) throw new ArgumentError(`There is no signal ${JSON.stringify(name)}; see os.constants.signals.`);
    if (this.over) return;
    if (this.#child === null) this.#early.push(number);
    else this.#child.signal(number);
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
    if (this.over) this.#child?.close();
    if (this.#sentinel === null) return;
    for (const fd of this.#sentinel) if (fd !== null) closeDescriptor(fd);
    this.#sentinel = null;
  }

  waitSync(timeout: number): boolean {
    return this.over || (this.#child?.waitSync(timeout) ?? false);
  }

  protected passed(index: number): number {
    return inheritedNumber(index);
  }

  protected override look(): ExitStatus | null {
    this.#child?.look();
    return this.#status;
  }

  #status: ExitStatus | null = null;

  async #start({ entry, name, env }: LaunchOptions, descriptors: readonly number[]): Promise<void> {
    try {
      const child = await forkserver.connectToNewProcess({ entry, name, env, descriptors }, (status) => this.#ended(status));
      this.#child = child;
      child.hold(this.#held);
      for (const number of this.#early.splice(0)) child.signal(number);
      // It may have ended before we were told that it had started.
      if (this.#status !== null) this.#over(this.#status);
      else this.begun();
    } catch (cause) {
      this.failed(
        cause instanceof MultiprocessError
          ? cause
          : new ProcessError(`Cannot start ${name}: ${String(cause)}`, { code: 'MP_SPAWN', cause }),
      );
    } finally {
      for (const fd of descriptors) closeDescriptor(fd);
    }
  }

  #ended(status: number | null): void {
    this.#status =
      status === null
        ? { exitCode: null, signal: null }
        : status < 0
          ? { exitCode: null, signal: signalName(-status) }
          : { exitCode: status, signal: null };
    if (this.#child !== null) this.#over(this.#status);
  }

  #over(status: ExitStatus): void {
    this.begun();
    if (this.#sentinel !== null && this.#sentinel[1] !== null) {
      closeDescriptor(this.#sentinel[1]);
      this.#sentinel = [this.#sentinel[0], null];
    }
    if (this.#closed) this.#child?.close();
    this.ended(status);
  }
}

registerStartMethod('forkserver', {
  launch: (options) => new PopenForkserver(options),
  unavailable: unforkable,
});
