import { ProcessError, SerializationError } from '../errors/index.js';
import { closeDescriptor } from '../native/index.js';
import { checkBoolean, checkNumber, checkOptions } from '../util/options.js';
import { entry } from '../util/package.js';
import { printedAsShown } from '../util/printed.js';
import { ownKey, toKey } from './authkey.js';
import { checkNotBootstrapping } from './child/bootstrapping.js';
import { encodeWork } from './child/encode-work.js';
import { addChild } from './children.js';
import { copyMain } from './fork/copy.js';
import { identity, nextPath, ownIdent } from './identity.js';
import { launch, type Popen } from './popen/index.js';
import { checkName, checkProcess, type JoinOptions, type ProcessOptions, type Target } from './process-options.js';
import { fresh, startedOf, stateOf, states, waitFor } from './process-state.js';
import { Sentinel } from './sentinel.js';
import { METHOD_TITLES, startMethodOf } from './start-method.js';

const ENTRY = entry('process/child/child');

/**
 * A child process (or, with the start method `thread`, a worker thread) that runs one function.
 *
 * Semantics: `start()` sends the target with its captures and arguments; what it returns is
 * ignored. The child ends when its event loop is empty: by code 0, by that of `process.exit`, or by
 * 1 after an error it did not catch, which is on its stderr. Its stdout and stderr are this
 * process's own. It is killed when this process ends in whatever way without waiting for it.
 *
 * When this process's event loop runs empty, its children are waited for, whom daemons may serve
 * until then; daemons get SIGTERM after that, and SIGKILL two seconds later. `process.exit()` does
 * the same, blocking; threads it ends at once.
 *
 * Python: `multiprocessing.Process`. A subclass overrides `run`; its instance is sent to the child,
 * where `this` is that child.
 *
 * @example
 * import { Process } from 'multiprocess';
 *
 * const greet = (name: string) => console.log(`hello ${name}`); // hello world
 * const child = await new Process(greet, { args: ['world'] }).start();
 * await child.join();
 * console.log(child.exitCode); // 0
 */
export class Process<A extends unknown[] = unknown[]> implements AsyncDisposable {
  /** @throws ArgumentError; UnsupportedError only when it is started. */
  constructor(target: Target<A, unknown> | undefined, options: ProcessOptions<A> & { readonly args: readonly [...A] });
  constructor(target?: Target<[], unknown>, options?: ProcessOptions<[]>);
  constructor(target?: Target<never, unknown>, options: ProcessOptions<A> | ProcessOptions<[]> = {}) {
    checkProcess(target, options);
    const { args, name, daemon, context, env, execArgv } = options;
    const prefix = context === undefined ? '' : METHOD_TITLES[startMethodOf('Process', context)];
    const own = identity();
    const path = nextPath();
    const type = new.target.name;
    states.set(this, {
      ...fresh(
        name ?? `${type === 'Process' || type === '' ? `${prefix}Process` : type}-${path}`,
        daemon ?? own.daemon,
        path,
      ),
      target: target as Target<never, unknown> | undefined,
      args: args ?? [],
      options: { context, env, execArgv },
    });
  }

  /** What the child does: calls the target with its arguments. Override it in a subclass. */
  run(): unknown | Promise<unknown> {
    const state = states.get(this);
    const target = state?.target;
    return typeof target === 'function'
      ? (target as (...args: readonly unknown[]) => unknown)(...state!.args)
      : undefined;
  }

  /**
   * Starts the child. Resolves when it runs; `pid` is set, with most start methods at once.
   *
   * @throws ProcessError `MP_ALREADY_STARTED`, `MP_NOT_PARENT`, `MP_DAEMON`, `MP_BOOTSTRAPPING`,
   * `MP_SPAWN`; SerializationError when target or
   *   arguments cannot be sent; UnsupportedError when the start method cannot be used; ClosedError.
   */
  async start(): Promise<this> {
    const state = stateOf(this, 'start');
    if (state.popen !== null) {
      throw new ProcessError(`${state.name} was started already; a process runs once: make a new one.`, {
        code: 'MP_ALREADY_STARTED',
      });
    }
    if (identity().daemon) {
      throw new ProcessError(
        `${state.name} cannot be started: this process is a daemon, and daemons may have no children, which would outlive it. Pass \`daemon: false\` where it is made.`,
        { code: 'MP_DAEMON' },
      );
    }
    checkNotBootstrapping(state.name, 'starts a process');
    const { env, execArgv, context } = state.options;
    const method = startMethodOf('Process', context);
    const payload: number[] = [];
    const subclass = Object.getPrototypeOf(this) !== Process.prototype && this.run !== Process.prototype.run;
    const prepare = (preparing: Popen) => {
      payload.push(encodeWork(subclass ? this : null, state, preparing));
      return payload;
    };
    const forkMain = () => copyMain(this, state, subclass);
    let popen: Popen;
    try {
      popen = launch(method, { entry: ENTRY, name: state.name, env, execArgv, prepare, forkMain });
    } finally {
      for (const fd of payload) closeDescriptor(fd);
    }
    state.popen = popen;
    // Nothing of what was sent is needed here any more.
    state.target = undefined;
    state.args = [];
    addChild(this, { popen, daemon: state.daemon });
    await popen.started;
    if (state.waits === 0 && popen.poll() === null) popen.unref();
    return this;
  }

  /**
   * Waits until the child has ended.
   *
   * @returns whether it has; `false` when the time was over first.
   * @throws ProcessError `MP_NOT_PARENT`, `MP_NOT_STARTED`; ClosedError; `signal.reason`.
   */
  async join(options: JoinOptions = {}): Promise<boolean> {
    checkOptions('Process.join', options, ['timeout', 'signal'], { number: 'timeout' });
    checkNumber('Process.join', 'timeout', options.timeout, { min: Number.NEGATIVE_INFINITY, infinite: true });
    const state = stateOf(this, 'join');
    return waitFor(state, startedOf(state, 'join'), options);
  }

  /**
   * Asks it to end: SIGTERM; exit code -15 unless it does something else.
   * @throws ProcessError `MP_NOT_STARTED`, `MP_NOT_PARENT`; ClosedError.
   */
  terminate(): void {
    startedOf(stateOf(this, 'terminate'), 'terminate').terminate();
  }

  /** Ends it: SIGKILL. @throws as {@link terminate}. */
  kill(): void {
    startedOf(stateOf(this, 'kill'), 'kill').kill();
  }

  /**
   * Interrupts it as Ctrl-C does: SIGINT, which ends a child that does not listen for it with exit
   * code -2.
   * @throws as {@link terminate}.
   */
  interrupt(): void {
    startedOf(stateOf(this, 'interrupt'), 'interrupt').signal('SIGINT');
  }

  /**
   * Gives back what is held for a child that has ended; every other method throws from here on. May
   * be called again.
   * @throws ProcessError `MP_STILL_RUNNING` while it runs.
   */
  close(): void {
    const state = states.get(this);
    if (state === undefined || state.closed) return;
    if (state.popen !== null) {
      if (state.popen.poll() === null) {
        throw new ProcessError(`${state.name} cannot be closed while it runs; join() or terminate() it first.`, {
          code: 'MP_STILL_RUNNING',
        });
      }
      state.popen.close();
    }
    state.closed = true;
    state.target = undefined;
    state.args = [];
  }

  /** Terminates the child if it runs, waits for its end and closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    const state = states.get(this);
    if (state === undefined || state.closed) return;
    if (state.popen !== null) {
      state.popen.terminate();
      await waitFor(state, state.popen, {});
    }
    this.close();
  }

  /** Returns whether it runs. */
  isAlive(): boolean {
    if (identity().self === this) return true;
    const { popen } = stateOf(this, 'isAlive');
    return popen !== null && popen.pid !== null && popen.poll() === null;
  }

  /** Its process id; `null` before it is started. A thread has that of the process. */
  get pid(): number | null {
    if (identity().self === this) return process.pid;
    return stateOf(this, 'pid').popen?.pid ?? null;
  }

  /** What names it among its siblings: the process id, or Node's id of a thread. */
  get ident(): number | null {
    if (identity().self === this) return ownIdent();
    return stateOf(this, 'ident').popen?.ident ?? null;
  }

  /**
   * How it ended: `n`, `-signal`, 255 when its status was lost; `null` while it runs and before.
   */
  get exitCode(): number | null {
    if (identity().self === this) return null;
    return stateOf(this, 'exitCode').popen?.poll() ?? null;
  }

  /**
   * Resolves with the exit code when it has ended. Keeps the event loop alive until then. Rejects
   * with ProcessError `MP_NOT_STARTED` before the start.
   */
  get exited(): Promise<number> {
    return (async () => {
      const state = stateOf(this, 'exited');
      const popen = startedOf(state, 'exited');
      await waitFor(state, popen, {});
      return popen.poll() as number;
    })();
  }

  /**
   * Ready when the child has ended: for `connection.wait()`.
   * @throws ProcessError `MP_NOT_STARTED` before the start; ClosedError.
   */
  get sentinel(): Sentinel {
    const state = stateOf(this, 'sentinel');
    startedOf(state, 'sentinel');
    state.sentinel ??= new Sentinel(() => startedOf(stateOf(this, 'sentinel'), 'sentinel'));
    return state.sentinel;
  }

  /** Its name: for people, and in messages. */
  get name(): string {
    return identity().self === this ? identity().name : stateOf(this, 'name', true).name;
  }

  /** Renames it. */
  set name(value: string) {
    checkName(value);
    if (identity().self === this) identity().name = value;
    else stateOf(this, 'name', true).name = value;
  }

  /** Whether it ends with this process. Set it before the start. */
  get daemon(): boolean {
    return identity().self === this ? identity().daemon : stateOf(this, 'daemon').daemon;
  }

  /** @throws ProcessError `MP_ALREADY_STARTED`. */
  set daemon(value: boolean) {
    checkBoolean('Process', 'daemon', value, { required: true });
    const state = stateOf(this, 'daemon');
    if (state.popen !== null) {
      throw new ProcessError(`${state.name} was started already; set \`daemon\` before.`, {
        code: 'MP_ALREADY_STARTED',
      });
    }
    state.daemon = value;
  }

  /** The key it shares with its family: by default this process's. Cannot be sent. */
  get authkey(): Uint8Array {
    if (identity().self === this) return ownKey();
    return stateOf(this, 'authkey').authkey ?? ownKey();
  }

  /** Gives it another key: bytes or text. */
  set authkey(value: Uint8Array | string) {
    const key = toKey('Process', value);
    if (identity().self === this) identity().authkey = key;
    else stateOf(this, 'authkey').authkey = key;
  }

  /**
   * Asked by the codec: a Process goes nowhere but to its own child.
   * @throws SerializationError `MP_PROCESS_OBJECT`.
   */
  get [Symbol.for('multiprocess.reduce')](): undefined {
    if (states.get(this)?.encoding === true) return undefined;
    throw new SerializationError(
      'A Process cannot be sent: only the process that made it can start and join it. Send its pid or name, or what the other side needs of it.',
      { code: 'MP_PROCESS_OBJECT' },
    );
  }

  /** What `console.log` shows. */
  get [Symbol.for('nodejs.util.inspect.custom')](): () => string {
    return () => describeProcess(this);
  }
}
printedAsShown(Process);

function describeProcess(of: Process): string {
  const type = of.constructor.name;
  const state = states.get(of);
  if (state === undefined) return `<${type} name='${of.name}' pid=${of.pid} started>`;
  if (state.closed) return `<${type} name='${state.name}' closed>`;
  const { popen } = state;
  if (popen === null) return `<${type} name='${state.name}' initial>`;
  const code = popen.poll();
  const daemon = state.daemon ? ' daemon' : '';
  return `<${type} name='${state.name}' pid=${popen.pid} ${code === null ? 'started' : `stopped exitCode=${code}`}${daemon}>`;
}
