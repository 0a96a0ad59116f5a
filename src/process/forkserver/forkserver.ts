/**
 * The forkserver: a template process that has loaded what children need, and forks them.
 *
 *   this process                        template                          child
 *   ensureRunning  -- spawn ----------> loads modules, blocks in poll
 *   connectToNewProcess -- key, request --> fork ------------------------> waits for the word
 *                  <-- pid, pidfd -----
 *                  -- the word, through the lifeline --------------------> runs
 *                  <-- exit status ---- waitpid <------------------------ ends
 *
 * Each thread of a program has a template of its own: the kernel ends a template with the thread
 * that started it. Children live as long as they like, but no longer than the process that asked
 * for them (native/fork-linux.cc: lifeline).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { ArgumentError, MultiprocessError, ProcessError, UnsupportedError } from '../../errors/index.js';
import { closeDescriptor, createPipe, Family, keepChild, listenSocket } from '../../native/index.js';
import { registerAfterFork } from '../../util/after-fork.js';
import { clause } from '../../util/clause.js';
import { executable, startingEnvironment } from '../../util/executable.js';
import { checkOptions, describe } from '../../util/options.js';
import { entry } from '../../util/package.js';
import { performance } from '../../util/timers.js';
import { forkableArguments, TEMPLATE_OPTIONS, untemplatable } from '../fork/options.js';
import type { ForkedChild } from '../forked-child.js';
import { mainPath } from '../main.js';
import { inheritedArguments, inheritedEnvironment } from '../popen/node-arguments.js';
import { startFailure } from '../popen/start-failure.js';
import { templateModules } from '../template-modules.js';
import { type PreloadErrors, Preloading } from './preloading.js';
import { INHERITED, KEY, MOST_DESCRIPTORS, type TemplateConfig } from './protocol.js';
import { Applicant, TemplateLost } from './template-client.js';

/** What {@link Forkserver.connectToNewProcess} starts. */
export interface NewProcess {
  /** Module that the child runs. */
  readonly entry: URL;
  /** Name shown by `ps` and in messages. */
  readonly name: string;
  /**
   * What it is given; it finds them from 512 on, or from half of the descriptors that a process may
   * have where these are fewer than 765. They stay yours. Default: none. At most 252.
   */
  readonly descriptors?: readonly number[] | undefined;
  /** Environment. Default: this process's at the moment. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Gives the start up, which rejects. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@link Forkserver.setForkserverPreload}. */
export interface PreloadOptions {
  /**
   * What becomes of a module that cannot be loaded. `'ignore'`: nothing but a line in the log
   * (debug); children that need it load it themselves. `'warn'`, the default: that, with a warning
   * `MP_PRELOAD_FAILED`. `'fail'`: no child starts.
   */
  readonly onError?: PreloadErrors | undefined;
}

/** A running template. */
interface Template {
  readonly process: ChildProcess;
  readonly address: string;
  readonly env: NodeJS.ProcessEnv;
  readonly argv: readonly string[];
  readonly preload: readonly string[];
  /** How many modules of this library it was told to load. */
  readonly modules: number;
  readonly onError: PreloadErrors;
  /** Whose it is: {@link credentials}. */
  readonly credentials: string;
  /** What it says while it loads; `null` where it could not be started. */
  readonly preloading: Preloading | null;
  /** The end of the pipe that it lives by; -1 when it was closed. */
  lifeline: number;
  /** Children that it will report. */
  users: number;
  /** A newer one has taken its place. */
  retired: boolean;
  /** Connected for the child that comes next. */
  introduced: Applicant | null;
  /** Why it could not be started; `null` when it was. */
  readonly failure: Promise<Error> | null;
}

/** What it is called in messages. */
const TITLE = 'the template of the forkserver';
const TEMPLATE = fileURLToPath(entry('process/forkserver/server/template'));
/** Children that may be asked for before the template has loaded. */
const BACKLOG = 4096;
/** How often a start is tried again because the template died under it. */
const TRIES = 3;
/** Milliseconds for which the failure of a template to load its modules holds for other starts. */
const RETRY = 5_000;
/** Number of the first descriptor that a child is given, where there is room. */
const FORKED_DESCRIPTOR = 512;

/**
 * A thread's forkserver. There is one, {@link forkserver}; it starts nothing before it is needed.
 */
export class Forkserver {
  #template: Template | null = null;
  #preload: readonly string[] = [];
  #onError: PreloadErrors = 'warn';
  /** Why the last template was of no use, and when. */
  #last: { readonly failure: ProcessError; readonly at: number } | null = null;
  #key: Uint8Array = randomBytes(KEY);
  #serial = 0;

  constructor() {
    registerAfterFork(this, (self) => {
      self.#forget();
      self.#key = randomBytes(KEY);
    });
  }

  /** In a fork: the template is its parent's, which lives by an end that the fork has too. */
  #forget(): void {
    if (this.#template !== null && this.#template.lifeline >= 0) closeDescriptor(this.#template.lifeline);
    this.#template = null;
    this.#last = null;
  }

  /** The key that the template demands of whoever connects. */
  get authkey(): Uint8Array {
    return this.#key;
  }

  /**
   * Replaces the key this process shows. A template that runs keeps the one it was started with.
   */
  set authkey(key: Uint8Array) {
    if (!(key instanceof Uint8Array) || key.length < 16)
      throw new ArgumentError(`forkserver.authkey must be a Uint8Array of at least 16 bytes, not ${describe(key)}.`);
    this.#key = Uint8Array.from(key);
    this.#template?.introduced?.leave();
  }

  /**
   * Name, in the abstract name space of local sockets, under which the template listens; `null`
   * while there is none.
   */
  get address(): string | null {
    return this.#template?.address ?? null;
  }

  /** Process id of the template; `null` while there is none. */
  get pid(): number | null {
    return this.#template?.process.pid ?? null;
  }

  /**
   * Starts the template unless it runs. It is started by itself when first needed, and again when
   * it has died.
   *
   * Semantics: returns at once; the template takes requests as soon as it has loaded its modules.
   *
   * @throws UnsupportedError with the reason, where a Node cannot be forked on this host;
   * ProcessError `MP_SPAWN`.
   */
  ensureRunning(): void {
    this.#ensure();
  }

  /**
   * Names modules that the template loads before it forks, so that no child has to.
   *
   * Semantics: specifiers as in `import`, relative to the working directory, or `'__main__'` for
   * this program's main module, which then must guard what it starts. Holds for children that are
   * started from here on: a template that runs with other modules is replaced at the next start,
   * and ends after the last of its children. One that waits for ten seconds while it loads, or
   * computes for sixty, fails all starts (ProcessError `MP_PRELOAD_TIMEOUT`).
   *
   * Python: `set_forkserver_preload`, which ignores what cannot be loaded.
   *
   * @param options what becomes of a module that cannot be loaded: see {@link PreloadOptions}.
   * @throws ArgumentError when something is no string, or for an unknown `onError`.
   */
  setForkserverPreload(names: readonly string[], options: PreloadOptions = {}): void {
    checkOptions('setForkserverPreload', options, ['onError']);
    const { onError = 'warn' } = options;
    if (onError !== 'ignore' && onError !== 'warn' && onError !== 'fail')
      throw new ArgumentError(`setForkserverPreload: \`onError\` must be 'ignore', 'warn' or 'fail', not ${describe(onError)}.`);
    if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) {
      const culprit = Array.isArray(names) ? names.find((name) => typeof name !== 'string') : names;
      throw new ArgumentError(`setForkserverPreload: modules are named by an array of strings; ${describe(culprit)} is none.`);
    }
    this.#preload = [...names];
    this.#onError = onError;
    this.#last = null;
  }

  /**
   * The descriptors that this process was given when it was forked by a template; `null` in any
   * other. Python: `get_inherited_fds`.
   */
  getInheritedFds(): readonly number[] | null {
    return (globalThis as { [INHERITED]?: readonly number[] })[INHERITED] ?? null;
  }

  /**
   * Forks a child from the template, which is started if need be.
   *
   * @param onEnd called once when the child has ended, with its exit code, minus the number of a
   * signal, or `null` when the
   *   template died before it could tell.
   * @returns the child, which runs. Keeps the event loop alive until its end.
   * @throws ProcessError `MP_PRELOAD_FAILED`, `MP_PRELOAD_TIMEOUT`; AuthenticationError when the
   * template refuses `authkey`; ProcessError `MP_SPAWN`; UnsupportedError; ArgumentError.
   */
  async connectToNewProcess(options: NewProcess, onEnd: (status: number | null) => void = () => {}): Promise<ForkedChild> {
    for (let tries = 1; ; tries++) {
      const template = this.#ensure();
      template.users++;
      const done = (): void => {
        template.users--;
        this.#retire(template);
      };
      try {
        return await this.#ask(template, options, (status) => {
          done();
          onEnd(status);
        });
      } catch (error) {
        done();
        options.signal?.throwIfAborted();
        const gone = error instanceof TemplateLost || isRefusedConnection(error);
        if (!gone) throw error;
        if (this.#template === template) this.#template = null;
        if (template.failure !== null) throw await template.failure;
        template.preloading?.read();
        const failure = template.preloading?.failure ?? null;
        if (failure !== null) {
          this.#last = { failure, at: performance.now() };
          throw failure;
        }
        if (tries === TRIES) throw error instanceof TemplateLost ? error : this.#neverCame(template, error);
      }
    }
  }

  /** Ends the template. Children go on; how they end is lost. The next start makes a new one. */
  async stop(): Promise<void> {
    const template = this.#template;
    this.#template = null;
    template?.introduced?.leave();
    if (template === null || !runs(template)) return;
    template.process.ref();
    const gone = new Promise((resolve) => template.process.once('exit', resolve));
    end(template);
    await gone;
  }

  async #ask(template: Template, options: NewProcess, onEnd: (status: number | null) => void): Promise<Applicant> {
    options.signal?.throwIfAborted();
    const [reads, writes] = createPipe();
    let applicant: Applicant;
    try {
      const request = {
        entry: options.entry.href,
        name: options.name,
        parentPid: process.pid,
        cwd: workingFolder(),
        first: inheritedNumber(0),
        env: difference(template.env, inheritedEnvironment(options.env ?? process.env)),
        execArgv: inheritedArguments(process.execArgv),
        ...(sameWords(process.argv, template.argv) ? {} : { argv: process.argv }),
      };
      applicant = this.#introduced(template);
      applicant.ask(request, options.descriptors ?? [], { reads, writes }, onEnd);
    } catch (error) {
      closeDescriptor(reads);
      closeDescriptor(writes);
      throw error;
    }
    const cancel = (): void => applicant.cancel();
    options.signal?.addEventListener('abort', cancel);
    try {
      await applicant.started;
    } finally {
      options.signal?.removeEventListener('abort', cancel);
      closeDescriptor(reads);
    }
    this.#introduce(template);
    return applicant;
  }

  /** A connection to the template: the one that was made ahead, or a new one. */
  #introduced(template: Template): Applicant {
    const { introduced } = template;
    template.introduced = null;
    return introduced?.usable === true ? introduced : new Applicant(template.address, this.#key);
  }

  /**
   * Connects ahead for the next child, which is then asked for without waiting for challenges and
   * answers.
   */
  #introduce(template: Template): void {
    if (template.introduced?.usable === true || template.retired || this.#template !== template) return;
    try {
      template.introduced = new Applicant(template.address, this.#key);
    } catch {
      // Whoever asks next finds out.
    }
  }

  #ensure(): Template {
    const current = this.#template;
    if (current !== null && runs(current)) {
      const same = sameWords(current.preload, this.#preload) && current.onError === this.#onError;
      if (same && current.modules === templateModules.size && current.credentials === credentials()) return current;
      current.retired = true;
      this.#retire(current);
    }
    // All that wait for a module that does not load are told at once, and not one after the other.
    if (this.#last !== null && performance.now() - this.#last.at < RETRY) throw this.#last.failure;
    this.#last = null;
    this.#template = this.#start();
    return this.#template;
  }

  #retire(template: Template): void {
    if (!template.retired || template.users > 0) return;
    template.introduced?.leave();
    end(template);
  }

  #start(): Template {
    const reason = untemplatable();
    if (reason !== null)
      throw new UnsupportedError(`forkserver: a Node cannot be forked here: ${clause(reason)}; use start method 'spawn'.`);
    const address = `multiprocess-forkserver-${process.pid}-${this.#serial++}-${randomBytes(8).toString('hex')}`;
    const listener = listenSocket({ family: Family.AF_UNIX, host: `\0${address}`, port: 0 }, BACKLOG);
    const env = inheritedEnvironment(process.env);
    const argv = [...process.argv];
    const config: TemplateConfig = {
      key: Buffer.from(this.#key).toString('hex'),
      parentPid: process.pid,
      argv,
      main: mainPath(),
      preload: this.#preload,
      onError: this.#onError,
      modules: [...templateModules],
    };
    const args = [...forkableArguments(inheritedArguments(process.execArgv)), ...TEMPLATE_OPTIONS, TEMPLATE];
    // What goes to the template, and what stays here until it is known that it was started.
    const lent = [listener];
    const kept: number[] = [];
    try {
      const [statusReads, statusWrites] = createPipe();
      kept.push(statusReads);
      lent.push(statusWrites);
      const [lifelineReads, lifeline] = createPipe();
      kept.push(lifeline);
      lent.push(lifelineReads);
      const child = spawn(executable(), args, {
        env: startingEnvironment(env),
        stdio: ['ignore', 'inherit', 'inherit', 'pipe', ...lent],
      });
      child.on('error', () => {}); // whoever connects finds out
      const started = child.pid !== undefined;
      const template: Template = {
        process: child,
        address,
        env,
        argv,
        preload: this.#preload,
        onError: this.#onError,
        modules: templateModules.size,
        credentials: credentials(),
        preloading: started ? new Preloading(statusReads, this.#onError, () => end(template)) : null,
        lifeline: started ? lifeline : -1,
        users: 0,
        retired: false,
        introduced: null,
        failure: started ? null : once(child, 'error').then(([cause]) => startFailure(TITLE, cause, { args, env })),
      };
      if (!started) {
        // Without a descriptor there are no streams either.
        for (const stream of (child.stdio as ChildProcess['stdio'] | undefined) ?? []) stream?.destroy();
        return template;
      }
      kept.length = 0;
      child.once('exit', () => end(template));
      keepChild(child, true);
      child.unref();
      const pipe = child.stdio[3] as Writable & { unref?(): void };
      pipe.on('error', () => {}); // it died while it was being told
      pipe.end(JSON.stringify(config));
      pipe.unref?.();
      return template;
    } catch (cause) {
      throw cause instanceof MultiprocessError ? cause : startFailure(TITLE, cause, { args, env });
    } finally {
      for (const fd of [...lent, ...kept]) closeDescriptor(fd);
    }
  }

  #neverCame(template: Template, cause: unknown): ProcessError {
    const { exitCode, signalCode } = template.process;
    return new ProcessError(
      `The template of the forkserver ended ${TRIES} times before it could fork (last with ${signalCode ?? `exit code ${exitCode}`}); look at what it printed, and at the modules given to setForkserverPreload.`,
      { code: 'MP_SPAWN', cause },
    );
  }
}

/** Whether it runs: not where it could not be started. */
function runs({ process: { pid, exitCode, signalCode } }: Template): boolean {
  return pid !== undefined && exitCode === null && signalCode === null;
}

/**
 * Ends it, by the pipe that it lives by: the kernel sends the signal, whoever this process is by
 * now. Reads what it has said.
 */
function end(template: Template): void {
  template.preloading?.read();
  if (template.lifeline < 0) return;
  closeDescriptor(template.lifeline);
  template.lifeline = -1;
}

/** Whose children this process would have: a template goes on with what it was started with. */
function credentials(): string {
  const { getuid, geteuid, getgid, getegid, getgroups } = process;
  return [getuid!(), geteuid!(), getgid!(), getegid!(), ...getgroups!()].join(' ');
}

/** `null` where it was removed. */
function workingFolder(): string | null {
  try {
    return process.cwd();
  } catch {
    return null;
  }
}

/** The forkserver of this thread. */
export const forkserver = new Forkserver();

let first: number | undefined;

/** Number in a child of the `index`-th descriptor it is given. */
export function inheritedNumber(index: number): number {
  first ??= firstDescriptor();
  return first + index;
}

/** Below are Node's own. */
function firstDescriptor(): number {
  const limits = readFileSync('/proc/self/limits', 'latin1');
  const allowed = Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
  return allowed >= FORKED_DESCRIPTOR + MOST_DESCRIPTORS ? FORKED_DESCRIPTOR : Math.floor(allowed / 2);
}

/** What must be set, or removed (`null`), to make `from` into `to`. */
function difference(from: NodeJS.ProcessEnv, to: NodeJS.ProcessEnv): Record<string, string | null> {
  const changes: Record<string, string | null> = {};
  for (const [name, value] of Object.entries(to)) if (value !== undefined && from[name] !== value) changes[name] = String(value);
  for (const name of Object.keys(from)) if (to[name] === undefined) changes[name] = null;
  return changes;
}

function sameWords(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((word, i) => word === b[i]);
}

function isRefusedConnection(error: unknown): boolean {
  const { code, errno } = error as { code?: unknown; errno?: number };
  return code === 'MP_SYSTEM' && errno === -ECONNREFUSED;
}

const ECONNREFUSED = 111;
