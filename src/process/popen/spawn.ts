import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import {
  awaitProcess,
  childStatus,
  closeDescriptor,
  Errno,
  errnoOf,
  keepChild,
  nativeError,
  openProcess,
  signalChild,
} from '../../native/index.js';
import { executable, startingEnvironment, unusableExecutable } from '../../util/executable.js';
import { FIRST_DESCRIPTOR } from '../child/inherit.js';
import type { StartMethod } from '../start-method.js';
import { checkAvailable, registerStartMethod } from './launch.js';
import { inheritedArguments, inheritedEnvironment } from './node-arguments.js';
import { PipeSentinel } from './pipe-sentinel.js';
import { type ExitStatus, type LaunchOptions, Popen } from './popen.js';
import { signalName, signalNumber } from './signals.js';
import { startFailure } from './start-failure.js';

/**
 * A fresh Node. Its stdout and stderr are this process's own, so nothing written there is lost; its
 * stdin is empty. The child learns its parent's pid and its own name from its arguments (see
 * inherit.ts).
 *
 * Where the system has no process or descriptor left (EAGAIN, EMFILE, ENFILE) or cannot run Node,
 * `started` rejects soon.
 * @example
 * import { PopenSpawn } from 'multiprocess/popen';
 *
 * if (process.env['ROLE'] === 'child') process.exit(3);
 * else {
 *   const env = { ...process.env, ROLE: 'child' };
 *   const child = new PopenSpawn({ entry: new URL(import.meta.url), name: 'part', env });
 *   console.log(child.method, await child.wait()); // spawn 3
 * }
 */
export class PopenSpawn extends Popen {
  readonly method: StartMethod = 'spawn';
  readonly #child: ChildProcess;
  #sentinel: number | null = null;

  /**
   * @throws ProcessError `MP_SPAWN` when the system refuses for any other reason; UnsupportedError
   * where there are no processes.
   */
  constructor(options: LaunchOptions) {
    checkAvailable(options.name, 'spawn');
    super(options);
    const { entry, name } = options;
    const descriptors = this.collectDescriptors(options);
    const env = startingEnvironment(inheritedEnvironment(options.env ?? process.env));
    const args = [
      ...(options.execArgv ?? inheritedArguments(process.execArgv)),
      fileURLToPath(entry),
      String(process.pid),
      name,
      String(descriptors.length),
    ];
    try {
      this.#child = spawn(executable(), args, { env, stdio: ['ignore', 'inherit', 'inherit', ...descriptors] });
    } catch (cause) {
      throw startFailure(name, cause, { args, env });
    }
    keepChild(this.#child, true);
    this.#child.once('spawn', () => this.reportStarted());
    this.#child.once('exit', (exitCode, signal) => this.reportEnded({ exitCode, signal }));
    this.#child.once(
      'error',
      (cause) => this.#child.pid === undefined && this.reportFailed(startFailure(name, cause, { args, env })),
    );
  }

  get pid(): number | null {
    return this.#child.pid ?? null;
  }

  get sentinel(): number {
    if (this.#sentinel !== null) return this.#sentinel;
    const { pid } = this;
    try {
      // Only while the child is there, be it as a zombie, the number is surely its own.
      this.#sentinel = this.hasEnded || pid === null ? new PipeSentinel(true).fd : openProcess(pid);
    } catch (error) {
      if (errnoOf(error) !== Errno.ESRCH) throw error;
      this.#sentinel = new PipeSentinel(true).fd;
    }
    return this.#sentinel;
  }

  signal(name: NodeJS.Signals): void {
    const number = signalNumber(name);
    // Not by ChildProcess.kill: after a start that failed it takes a number that was never set for
    // the pid, and 0 is our own process group.
    if (!this.hasEnded) signalChild(this.pid, number);
  }

  ref(): void {
    this.#child.ref();
  }

  unref(): void {
    this.#child.unref();
  }

  close(): void {
    if (this.#sentinel !== null) closeDescriptor(this.#sentinel);
    this.#sentinel = null;
  }

  waitSync(timeout: number): boolean {
    return this.hasEnded || this.pid === null || awaitProcess(this.pid, timeout);
  }

  /** @internal */
  protected numberInChild(index: number): number {
    return FIRST_DESCRIPTOR + index;
  }

  /** @internal */
  protected override pollStatus(): ExitStatus | null {
    const { pid } = this;
    const status = pid === null ? null : childStatus(pid);
    return status === null
      ? null
      : { exitCode: status.exitCode, signal: status.signal === null ? null : signalName(status.signal) };
  }
}

registerStartMethod('spawn', {
  launch: (options) => new PopenSpawn(options),
  unavailable: () => nativeError()?.message ?? unusableExecutable(),
});
