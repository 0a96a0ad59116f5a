/**
 * `class Process`. Its state is kept beside the objects, not in them: an instance of a subclass is sent to its child, and what
 * the parent knows of the child stays at home.
 */
import { threadId } from 'node:worker_threads';
import { ArgumentError, ClosedError, ProcessError, SerializationError } from '../errors/index.js';
import { closeDescriptor, processStartTime } from '../native/index.js';
import { dumps } from '../reduction/index.js';
import { checkNumber, checkOptions, describe } from '../util/options.js';
import { collectPreparations } from '../util/preparation.js';
import { whileSpawning } from '../util/spawning.js';
import { randomKey, toKey } from './authkey.js';
import { checkNotBootstrapping } from './bootstrapping.js';
import { addChild } from './children.js';
import { identity, nextPath } from './identity.js';
import { mainPath, programArguments } from './main.js';
import type { Head, Work } from './payload.js';
import { launch, type Popen } from './popen/index.js';
import { Sentinel } from './sentinel.js';
import { type ContextLike, METHOD_TITLES, startMethodOf } from './start-method.js';
import { writePayload } from './write-payload.js';

const ENTRY = new URL('./child.js', import.meta.url);
const OPTIONS = ['args', 'name', 'daemon', 'context', 'env', 'execArgv'];

/** What a Process runs: a function with its captures, or the URL of a module with a function as its default export. */
export type Target<A extends unknown[], R> = ((...args: A) => R | Promise<R>) | URL;

/** Options of a Process. */
export interface ProcessOptions<A extends unknown[] = unknown[]> {
  /** Arguments of the target: anything that can be sent. Read when the process is started. */
  readonly args?: A;
  /** Default: `Process-1`, counted by this process; `Process-1:2` in a child; `SpawnProcess-1` with a context. */
  readonly name?: string;
  /** Whether it is ended when this process ends, and may have no children. Default: as this process. */
  readonly daemon?: boolean;
  /** How it is started. Default: the process's own, see `getStartMethod()`. */
  readonly context?: ContextLike | undefined;
  /** Its environment variables. Default: this process's at the start. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Node options in place of those it would inherit. */
  readonly execArgv?: readonly string[] | undefined;
}

/** What {@link Process.join} takes. */
export interface JoinOptions {
  /** Milliseconds to wait at most; 0 or less only looks. Default: no limit. */
  readonly timeout?: number;
  /** Ends the wait, which rejects with `signal.reason`. */
  readonly signal?: AbortSignal;
}

interface State {
  target: Target<never, unknown> | undefined;
  args: readonly unknown[];
  name: string;
  daemon: boolean;
  authkey: Uint8Array | null;
  readonly path: string;
  readonly options: Pick<ProcessOptions, 'context' | 'env' | 'execArgv'>;
  popen: Popen | null;
  sentinel: Sentinel | null;
  /** While the instance itself is being encoded for its child. */
  encoding: boolean;
  closed: boolean;
  /** Waits under way; the last one lets the event loop end before the child again. */
  waits: number;
}

const states = new WeakMap<object, State>();

/**
 * A child process (or, with the start method `thread`, a worker thread) that runs one function.
 *
 * Semantics: `start()` sends the target with its captures and arguments; what it returns is ignored. The child ends when its
 * event loop is empty: by code 0, by that of `process.exit`, or by 1 after an error it did not catch, which is on its stderr. Its
 * stdout and stderr are this process's own. It is killed when this process ends in whatever way without waiting for it.
 *
 * When this process's event loop runs empty, daemons get SIGTERM and the others are waited for. `process.exit()` does the same, blocking;
 * threads it ends at once.
 *
 * Python: `multiprocessing.Process`. A subclass overrides `run`; its instance is sent to the child, where `this` is that child.
 *
 * @example
 * ```ts
 * const child = await new Process((name: string) => console.log(`hello ${name}`), { args: ['world'] }).start();
 * await child.join();
 * console.log(child.exitCode); // 0
 * ```
 */
export class Process<A extends unknown[] = unknown[]> implements AsyncDisposable {
  /** @throws ArgumentError; UnsupportedError only when it is started. */
  constructor(target?: Target<A, unknown>, options: ProcessOptions<A> = {}) {
    checkOptions('Process', options, OPTIONS);
    if (target !== undefined && typeof target !== 'function' && !((target as unknown) instanceof URL)) {
      throw new ArgumentError(`Process: the target must be a function or a module URL, not ${describe(target)}.`);
    }
    const { args, name, daemon, context, env, execArgv } = options;
    if (args !== undefined && !Array.isArray(args)) {
      throw new ArgumentError(`Process: \`args\` must be an array, not ${describe(args)}.`);
    }
    if (name !== undefined) checkName(name);
    if (daemon !== undefined) checkFlag(daemon);
    const prefix = context === undefined ? '' : METHOD_TITLES[startMethodOf('Process', context)];
    const own = identity();
    const path = nextPath();
    const type = new.target.name;
    states.set(this, {
      ...fresh(name ?? `${type === 'Process' || type === '' ? `${prefix}Process` : type}-${path}`, daemon ?? own.daemon, path),
      target: target as Target<never, unknown> | undefined,
      args: args ?? [],
      options: { context, env, execArgv },
    });
  }

  /** What the child does: calls the target with its arguments. Override it in a subclass. */
  run(): unknown | Promise<unknown> {
    const state = states.get(this);
    const target = state?.target;
    return typeof target === 'function' ? (target as (...args: readonly unknown[]) => unknown)(...state!.args) : undefined;
  }

  /**
   * Starts the child. Resolves when it runs; `pid` is set, with most start methods at once.
   *
   * @throws ProcessError `MP_ALREADY_STARTED`, `MP_NOT_PARENT`, `MP_DAEMON`, `MP_BOOTSTRAPPING`, `MP_SPAWN`; SerializationError when target or
   *   arguments cannot be sent; UnsupportedError when the start method cannot be used; ClosedError.
   */
  async start(): Promise<this> {
    const state = stateOf(this, 'start');
    if (state.popen !== null) {
      throw new ProcessError(`${state.name} was started already; a process runs once: make a new one.`, { code: 'MP_ALREADY_STARTED' });
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
    const prepare = (preparing: Popen) => {
      payload.push(encode(this, state, preparing));
      return payload;
    };
    let popen: Popen;
    try {
      popen = launch(method, { entry: ENTRY, name: state.name, env, execArgv, prepare });
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
    checkOptions('Process.join', options, ['timeout', 'signal']);
    checkNumber('Process.join', 'timeout', options.timeout, { min: Number.NEGATIVE_INFINITY, infinite: true });
    const state = stateOf(this, 'join');
    return waitFor(state, startedOf(state, 'join'), options);
  }

  /** Asks it to end: SIGTERM; exit code -15 unless it does something else. @throws ProcessError `MP_NOT_STARTED`, `MP_NOT_PARENT`; ClosedError. */
  terminate(): void {
    startedOf(stateOf(this, 'terminate'), 'terminate').terminate();
  }

  /** Ends it: SIGKILL. @throws as {@link terminate}. */
  kill(): void {
    startedOf(stateOf(this, 'kill'), 'kill').kill();
  }

  /** Interrupts it as Ctrl-C does: SIGINT, which ends a child that does not listen for it with exit code -2. @throws as {@link terminate}. */
  interrupt(): void {
    startedOf(stateOf(this, 'interrupt'), 'interrupt').signal('SIGINT');
  }

  /**
   * Gives back what is held for a child that has ended; every other method throws from here on. May be called again.
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

  /** Whether it runs. */
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

  /** How it ended: `n`, `-signal`, 255 when its status was lost; `null` while it runs and before. */
  get exitCode(): number | null {
    if (identity().self === this) return null;
    return stateOf(this, 'exitCode').popen?.poll() ?? null;
  }

  /** Resolves with the exit code when it has ended. Keeps the event loop alive until then. Rejects with ProcessError `MP_NOT_STARTED` before the start. */
  get exited(): Promise<number> {
    return (async () => {
      const state = stateOf(this, 'exited');
      const popen = startedOf(state, 'exited');
      await waitFor(state, popen, {});
      return popen.poll() as number;
    })();
  }

  /** Ready when the child has ended: for `connection.wait()`. @throws ProcessError `MP_NOT_STARTED` before the start; ClosedError. */
  get sentinel(): Sentinel {
    const state = stateOf(this, 'sentinel');
    startedOf(state, 'sentinel');
    state.sentinel ??= new Sentinel(() => startedOf(stateOf(this, 'sentinel'), 'sentinel').sentinel);
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
    checkFlag(value);
    const state = stateOf(this, 'daemon');
    if (state.popen !== null) {
      throw new ProcessError(`${state.name} was started already; set \`daemon\` before.`, { code: 'MP_ALREADY_STARTED' });
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

  /** Asked by the codec: a Process goes nowhere but to its own child. @throws SerializationError `MP_PROCESS_OBJECT`. */
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

/** Makes an instance that arrived in its child stand for this process, with the target that its own `run` may call. */
export function adopt(instance: Process, target: Target<never, unknown> | undefined, args: readonly unknown[]): void {
  const own = identity();
  own.self = instance;
  states.set(instance, { ...fresh(own.name, own.daemon, own.path), target, args });
}

function fresh(name: string, daemon: boolean, path: string): State {
  return {
    target: undefined,
    args: [],
    name,
    daemon,
    authkey: null,
    path,
    options: {},
    popen: null,
    sentinel: null,
    encoding: false,
    closed: false,
    waits: 0,
  };
}

/** This process's key. */
export function ownKey(): Uint8Array {
  const own = identity();
  own.authkey ??= randomKey();
  return own.authkey;
}

/** What names this process or thread. */
export function ownIdent(): number {
  return threadId === 0 ? process.pid : threadId;
}

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

/** The state of a process that was made here. @throws ProcessError `MP_NOT_PARENT`; ClosedError. */
function stateOf(of: Process, member: string, closedToo = false): State {
  const state = states.get(of);
  if (state === undefined || identity().self === of) {
    throw new ProcessError(`Process.${member}: only the parent of a process can do this, and this is not its parent.`, {
      code: 'MP_NOT_PARENT',
    });
  }
  if (state.closed && !closedToo) throw new ClosedError(`Process.${member}: process object is closed (${state.name}).`);
  return state;
}

function startedOf(state: State, member: string): Popen {
  if (state.popen === null) {
    throw new ProcessError(`Process.${member}: ${state.name} was not started; call start() first.`, { code: 'MP_NOT_STARTED' });
  }
  return state.popen;
}

async function waitFor(state: State, popen: Popen, options: JoinOptions): Promise<boolean> {
  if (state.waits++ === 0) popen.ref();
  try {
    return (await popen.wait(options)) !== null;
  } finally {
    if (--state.waits === 0) popen.unref();
  }
}

/** Writes what the child is sent. The descriptor is the caller's to close. */
function encode(of: Process, state: State, popen: Popen): number {
  const own = identity();
  const subclass = Object.getPrototypeOf(of) !== Process.prototype && of.run !== Process.prototype.run;
  const { target, args } = state;
  const url = !subclass && target instanceof URL ? target.href : null;
  const plain = url !== null && args.every(isPlain);
  const work: Work = subclass ? { kind: 'instance' } : url === null ? { kind: 'target' } : { kind: 'module', url };
  const body = subclass ? [of, target, args] : target === undefined || plain ? null : [url === null ? target : null, args];
  let bytes: Uint8Array | null = null;
  try {
    state.encoding = true;
    if (body !== null) bytes = whileSpawning(popen, () => dumps(body));
  } finally {
    state.encoding = false;
  }
  const head: Head = {
    name: state.name,
    daemon: state.daemon,
    path: state.path,
    authkey: Buffer.from(state.authkey ?? ownKey()).toString('hex'),
    parent: {
      name: own.name,
      pid: process.pid,
      startTime: String(processStartTime(process.pid) ?? ''),
      threadId: threadId === 0 ? null : threadId,
    },
    argv: programArguments(),
    main: mainPath(),
    work,
    args: plain ? args : null,
    prepared: collectPreparations(),
  };
  return writePayload(head, bytes);
}

/** What JSON carries as it is. */
function isPlain(value: unknown): boolean {
  const type = typeof value;
  return (
    value === null || type === 'string' || type === 'boolean' || (type === 'number' && Number.isFinite(value) && !Object.is(value, -0))
  );
}

function checkName(name: unknown): void {
  if (typeof name !== 'string') throw new ArgumentError(`Process: \`name\` must be a string, not ${describe(name)}.`);
}

function checkFlag(daemon: unknown): void {
  if (typeof daemon !== 'boolean') throw new ArgumentError(`Process: \`daemon\` must be true or false, not ${describe(daemon)}.`);
}
