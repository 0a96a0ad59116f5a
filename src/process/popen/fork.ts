import { constants } from 'node:os';
import { ArgumentError, MultiprocessError, ProcessError, UnsupportedError } from '../../errors/index.js';
import {
  atRest,
  closeDescriptor,
  createPipe,
  duplicateDescriptor,
  openProcess,
  pollDescriptor,
  Readiness,
  Ready,
  reapProcess,
  signalProcess,
} from '../../native/index.js';
import { programOf } from '../fork/program.js';
import { uncopyable } from '../fork/refused-copy.js';
import { startCopy } from '../fork/start-copy.js';
import { INHERITANCE, type Inheritance } from '../inherit.js';
import type { StartMethod } from '../start-method.js';
import { type ExitStatus, type LaunchOptions, Popen, registerStartMethod } from './popen.js';
import { endedSentinel } from './sentinel.js';
import { signalName } from './signal-name.js';

/**
 * A copy of this process, made by fork(2) at the event loop's next turn: there no function of the program is on the stack. It has
 * all that the program has; what the program waits for does not go on in it (fork/still.ts, native/fork-loop-linux.cc).
 *
 * Its stdin is empty; every other descriptor is inherited. The kernel ends it with this process.
 *
 * Python: `popen_fork.Popen`, where the copy is made before `start()` returns.
 */
export class PopenFork extends Popen {
  readonly method: StartMethod = 'fork';
  /** Duplicates, by the number of the descriptor in the list of what the child is given. */
  readonly #lent: number[] = [];
  #pid: number | null = null;
  #pidfd = -1;
  #watch: Readiness | null = null;
  #held = true;
  #closed = false;
  #status: ExitStatus | null = null;
  /** Signals that came before there was a child. */
  readonly #early: number[] = [];
  #sentinel: [reads: number, writes: number | null] | null = null;

  /** @throws UnsupportedError for Node options, which a copy cannot have; what `prepare` throws. */
  constructor(options: LaunchOptions) {
    super(options);
    if (options.execArgv !== undefined) {
      throw new UnsupportedError(
        `${options.name}: a fork has the Node options of its parent, so \`execArgv\` cannot be given; use start method 'spawn'.`,
      );
    }
    try {
      // Copies: the caller may close his as soon as this returns, and the fork is made later.
      const { prepare, ...rest } = options;
      this.gather(options.copy === undefined && prepare !== undefined ? options : rest).forEach((fd, i) => {
        this.#lent[i] ??= duplicateDescriptor(fd);
      });
    } catch (error) {
      this.#release();
      throw error;
    }
    void this.#start(options);
  }

  get pid(): number | null {
    return this.#pid;
  }

  get sentinel(): number {
    if (this.#pidfd >= 0) return this.#pidfd;
    this.#sentinel ??= this.over ? [endedSentinel(), null] : createPipe();
    return this.#sentinel[0];
  }

  signal(name: NodeJS.Signals): void {
    const number = constants.signals[name];
    if (number === undefined) throw new ArgumentError(`There is no signal ${JSON.stringify(name)}; see os.constants.signals.`);
    if (this.over) return;
    if (this.#pidfd < 0) this.#early.push(number);
    else signalProcess(this.#pidfd, number);
  }

  ref(): void {
    this.#held = true;
    this.#watch?.ref();
  }

  unref(): void {
    this.#held = false;
    this.#watch?.unref();
  }

  close(): void {
    this.#closed = true;
    if (this.over) this.#letGo();
    if (this.#sentinel === null) return;
    for (const fd of this.#sentinel) if (fd !== null) closeDescriptor(fd);
    this.#sentinel = null;
  }

  waitSync(timeout: number): boolean {
    return this.over || (this.#pidfd >= 0 && pollDescriptor(this.#pidfd, Ready.readable, timeout) !== 0);
  }

  protected passed(index: number, fd: number): number {
    this.#lent[index] ??= duplicateDescriptor(fd);
    return this.#lent[index];
  }

  protected override look(): ExitStatus | null {
    this.#reap();
    return this.#status;
  }

  async #start({ entry, name, env, copy }: LaunchOptions): Promise<void> {
    try {
      const begin = copy ?? this.#beginning(name, await programOf(entry));
      await new Promise<void>((resolve, reject) => {
        atRest(() => {
          try {
            const pid = startCopy({ name, env, begin });
            if (pid === 0) return; // The copy: it has begun, and nobody waits for this promise in it.
            this.#born(pid);
            resolve();
          } catch (error) {
            reject(error);
          }
        });
      });
    } catch (cause) {
      this.failed(
        cause instanceof MultiprocessError
          ? cause
          : new ProcessError(`Cannot start ${name}: ${String(cause)}`, { code: 'MP_SPAWN', cause }),
      );
    }
    this.#release();
  }

  /** The steps of a copy that runs a module, as other methods' children do. */
  #beginning(name: string, program: () => void): () => void {
    const inheritance: Inheritance = { name, parentPid: process.pid, descriptors: this.#lent, method: 'fork' };
    return () => {
      (globalThis as { [INHERITANCE]?: Inheritance })[INHERITANCE] = inheritance;
      program();
    };
  }

  #born(pid: number): void {
    this.#pid = pid;
    this.#pidfd = openProcess(pid);
    this.#watch = new Readiness(this.#pidfd, () => this.#reap());
    if (!this.#held) this.#watch.unref();
    this.#watch.want(Ready.readable);
    for (const number of this.#early.splice(0)) signalProcess(this.#pidfd, number);
    this.begun();
  }

  /** Looks whether it has ended; if so, it is gone. */
  #reap(): void {
    if (this.#pid === null || this.#status !== null) return;
    const status = reapProcess(this.#pid);
    if (status === null) return;
    this.#status = status < 0 ? { exitCode: null, signal: signalName(-status) } : { exitCode: status, signal: null };
    this.#watch?.close();
    if (this.#sentinel !== null && this.#sentinel[1] !== null) {
      closeDescriptor(this.#sentinel[1]);
      this.#sentinel = [this.#sentinel[0], null];
    }
    if (this.#closed) this.#letGo();
    this.ended(this.#status);
  }

  #letGo(): void {
    if (this.#pidfd >= 0) closeDescriptor(this.#pidfd);
    this.#pidfd = -1;
  }

  #release(): void {
    for (const fd of this.#lent.splice(0)) closeDescriptor(fd);
  }
}

registerStartMethod('fork', {
  launch: (options) => new PopenFork(options),
  unavailable: uncopyable,
});
