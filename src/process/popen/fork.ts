import { ProcessError } from '../../errors/index.js';
import {
  callFromLoop,
  closeDescriptor,
  createEventfd,
  duplicateDescriptor,
  openProcess,
  pollDescriptor,
  Readiness,
  Ready,
  reapProcess,
  signalProcess,
} from '../../native/index.js';
import { INHERITANCE, type Inheritance } from '../child/inherit.js';
import { programOf } from '../fork/program.js';
import { copyUnavailable } from '../fork/refused-copy.js';
import { startCopy } from '../fork/start-copy.js';
import type { ForkedChild } from '../forked-child.js';
import type { StartMethod } from '../start-method.js';
import { PopenForked } from './forked.js';
import { checkAvailable, registerStartMethod } from './launch.js';
import type { LaunchOptions } from './popen.js';

/**
 * A copy of this process, made by fork(2) at the event loop's next turn: there no function of the
 * program is on the stack. It has all that the program has; what the program waits for does not go
 * on in it (fork/quiesce.ts, native/fork-loop-linux.cc).
 *
 * Its stdin is empty; every other descriptor is inherited. The kernel ends it with this process.
 *
 * Python: `popen_fork.Popen`, where the copy is made before `start()` returns.
 * @example
 * // node --single-threaded --v8-pool-size=1
 * import { PopenFork } from 'multiprocess/popen';
 *
 * const entry = new URL('data:text/javascript,process.exit(3)'); // as well the URL of a file
 * const child = new PopenFork({ entry, name: 'part' });
 * console.log(child.method, await child.wait()); // fork 3
 */
export class PopenFork extends PopenForked {
  readonly method: StartMethod = 'fork';
  /** Duplicates, by the number of the descriptor in the list of what the child is given. */
  readonly #lent: number[] = [];

  /** @throws UnsupportedError for Node options, which a copy cannot have; what `prepare` throws. */
  constructor(options: LaunchOptions) {
    checkAvailable(options.name, 'fork');
    super(options, 'its parent');
    const { prepare: _, ...unprepared } = options;
    const main = options.forkMain?.();
    try {
      // Copies: the caller may close his as soon as this returns, and the fork is made later.
      this.collectDescriptors(main === undefined ? options : unprepared).forEach((fd, i) => {
        this.#lent[i] ??= duplicateDescriptor(fd);
      });
    } catch (error) {
      this.#release();
      throw error;
    }
    void this.begin(options.name, () => this.#make(options, main).finally(() => this.#release()));
  }

  /** @internal */
  protected override cancel(): void {
    // It is looked for where the copy is to be made.
  }

  /** @internal */
  protected numberInChild(index: number, fd: number): number {
    this.#lent[index] ??= duplicateDescriptor(fd);
    return this.#lent[index];
  }

  async #make({ entry, name, env }: LaunchOptions, main: (() => void) | undefined): Promise<ForkedChild> {
    const begin = main ?? this.#programMain(name, await programOf(entry));
    return new Promise((resolve, reject) => {
      callFromLoop(() => {
        let reserved = -1;
        try {
          if (this.cancelled) throw new ProcessError(`The start of ${name} was given up.`, { code: 'MP_SPAWN' });
          // The descriptor by which the copy is known later: one that cannot be watched must not be
          // made.
          reserved = createEventfd();
          const pid = startCopy({ name, env, begin });
          closeDescriptor(reserved);
          reserved = -1;
          // The copy: it has begun, and nobody waits for this promise in it.
          if (pid !== 0) resolve(new ForkedCopy(pid, this.onEnd));
        } catch (error) {
          if (reserved >= 0) closeDescriptor(reserved);
          reject(error);
        }
      });
    });
  }

  /** Returns the steps of a copy that runs a module, as other methods' children do. */
  #programMain(name: string, program: () => void): () => void {
    const inheritance: Inheritance = { name, parentPid: process.pid, descriptors: this.#lent, method: 'fork' };
    return () => {
      (globalThis as { [INHERITANCE]?: Inheritance })[INHERITANCE] = inheritance;
      program();
    };
  }

  #release(): void {
    for (const fd of this.#lent.splice(0)) closeDescriptor(fd);
  }
}

/** This process is its parent, and reaps it. */
class ForkedCopy implements ForkedChild {
  readonly pid: number;
  readonly #onEnd: (status: number) => void;
  readonly #watch: Readiness;
  #sentinel: number;
  #reaped = false;

  constructor(pid: number, onEnd: (status: number) => void) {
    this.pid = pid;
    this.#onEnd = onEnd;
    this.#sentinel = openProcess(pid);
    this.#watch = new Readiness(this.#sentinel, () => this.look());
    this.#watch.want(Ready.readable);
  }

  get sentinel(): number {
    return this.#sentinel;
  }

  signal(number: number): void {
    signalProcess(this.#sentinel, number);
  }

  hold(on: boolean): void {
    if (this.#reaped) return;
    if (on) this.#watch.ref();
    else this.#watch.unref();
  }

  look(): void {
    if (this.#reaped) return;
    const status = reapProcess(this.pid);
    if (status === null) return;
    this.#reaped = true;
    this.#watch.close();
    this.#onEnd(status);
  }

  waitSync(timeout: number): boolean {
    return this.#reaped || (this.#sentinel >= 0 && pollDescriptor(this.#sentinel, Ready.readable, timeout) !== 0);
  }

  close(): void {
    if (this.#sentinel >= 0) closeDescriptor(this.#sentinel);
    this.#sentinel = -1;
  }
}

registerStartMethod('fork', {
  launch: (options) => new PopenFork(options),
  unavailable: copyUnavailable,
});
