/**
 * A template as the process that started it sees it.
 *
 *   state     meaning                                   left by
 *   serving   forks children for whoever asks           retire() -> retired; end(), its exit -> ended
 *   retired   a newer one has taken its place           release() of its last child, end(), its exit -> ended
 *   ended     the pipe that it lives by is closed: the kernel kills it
 *   failed    it could not be started; `failure` says why
 *
 * Its descriptors: the listening socket and the reading end of its lifeline go to it; the writing
 * end of the lifeline, and the pipe through which it tells of preloading (preloading.ts), stay.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { MultiprocessError, type ProcessError } from '../../errors/index.js';
import { closeDescriptor, createPipe, Family, keepChild, listenSocket } from '../../native/index.js';
import { abstractAddress } from '../../platform/sockets-linux.js';
import { credentials } from '../../platform/users-linux.js';
import { executable, startingEnvironment } from '../../util/executable.js';
import { entry } from '../../util/package.js';
import { forkableArguments, TEMPLATE_OPTIONS } from '../fork/options.js';
import { mainPath } from '../main.js';
import { inheritedArguments, inheritedEnvironment } from '../popen/node-arguments.js';
import { startFailure } from '../popen/start-failure.js';
import { templateModules } from '../template-modules.js';
import { sameWords } from './child-request.js';
import { type PreloadErrors, PreloadMonitor } from './preloading.js';
import type { TemplateConfig } from './protocol.js';
import { TemplateClient } from './template-client.js';

/** What it is called in messages. */
const TEMPLATE_TITLE = 'the template of the forkserver';
const TEMPLATE_FILE = fileURLToPath(entry('process/forkserver/server/template'));
/** Children that may be asked for before the template has loaded. */
const LISTEN_BACKLOG = 4096;

/** What a template loads for its children. */
export interface TemplateSettings {
  readonly key: Uint8Array;
  /** The user's modules, as specifiers. */
  readonly preload: readonly string[];
  readonly onError: PreloadErrors;
}

let serial = 0;

export class TemplateProcess {
  /** Its name in the abstract name space of local sockets, under which it listens. */
  readonly address: string;
  readonly env: NodeJS.ProcessEnv;
  readonly argv: readonly string[];
  /** Why it could not be started; `null` when it was. */
  readonly failure: Promise<Error> | null;
  readonly #process: ChildProcess;
  readonly #preload: readonly string[];
  readonly #onError: PreloadErrors;
  /** How many modules of this library it was told to load. */
  readonly #modules = templateModules.size;
  readonly #credentials = credentials();
  /** What it says while it loads; `null` where it could not be started. */
  readonly #preloading: PreloadMonitor | null;
  #state: 'serving' | 'retired' | 'ended' | 'failed';
  /** The writing end of the pipe that it lives by. */
  readonly #lifeline: number;
  /** Children that it will report. */
  #children = 0;
  /** Connected for the child that comes next. */
  #ahead: TemplateClient | null = null;

  /**
   * Starts one. It takes requests as soon as it has loaded its modules.
   * @throws ProcessError `MP_SPAWN`; MultiprocessError `MP_SYSTEM` without a free descriptor.
   */
  constructor({ key, preload, onError }: TemplateSettings) {
    this.address = `multiprocess-forkserver-${process.pid}-${serial++}-${randomBytes(8).toString('hex')}`;
    const listener = listenSocket(
      { family: Family.AF_UNIX, host: abstractAddress(this.address), port: 0 },
      LISTEN_BACKLOG,
    );
    this.env = inheritedEnvironment(process.env);
    this.argv = [...process.argv];
    this.#preload = preload;
    this.#onError = onError;
    const config: TemplateConfig = {
      key: Buffer.from(key).toString('hex'),
      parentPid: process.pid,
      argv: this.argv,
      main: mainPath(),
      preload,
      onError,
      modules: [...templateModules],
    };
    const { env } = this;
    const args = [...forkableArguments(inheritedArguments(process.execArgv)), ...TEMPLATE_OPTIONS, TEMPLATE_FILE];
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
      this.#process = child;
      this.#lifeline = lifeline;
      if (child.pid === undefined) {
        this.#state = 'failed';
        this.#preloading = null;
        this.failure = once(child, 'error').then(([cause]) => startFailure(TEMPLATE_TITLE, cause, { args, env }));
        // Without a descriptor there are no streams either.
        for (const stream of (child.stdio as ChildProcess['stdio'] | undefined) ?? []) stream?.destroy();
        return;
      }
      this.#state = 'serving';
      this.#preloading = new PreloadMonitor(statusReads, onError, () => this.end());
      this.failure = null;
      kept.length = 0;
      child.once('exit', () => this.end());
      keepChild(child, true);
      child.unref();
      const pipe = child.stdio[3] as Writable & { unref?(): void };
      pipe.on('error', () => {}); // it died while it was being told
      pipe.end(JSON.stringify(config));
      pipe.unref?.();
    } catch (cause) {
      throw cause instanceof MultiprocessError ? cause : startFailure(TEMPLATE_TITLE, cause, { args, env });
    } finally {
      for (const fd of [...lent, ...kept]) closeDescriptor(fd);
    }
  }

  /** Its process id; `null` where it could not be started. */
  get pid(): number | null {
    return this.#process.pid ?? null;
  }

  /** Whether it runs: not where it could not be started. */
  get running(): boolean {
    const { pid, exitCode, signalCode } = this.#process;
    return pid !== undefined && exitCode === null && signalCode === null;
  }

  /** The signal or the exit code that it ended with, for messages. */
  get howItEnded(): string {
    const { exitCode, signalCode } = this.#process;
    return signalCode ?? `exit code ${exitCode}`;
  }

  /** Returns whether a template that were started now would be no other than this one. */
  isCurrent({ preload, onError }: TemplateSettings): boolean {
    return (
      sameWords(this.#preload, preload) &&
      this.#onError === onError &&
      this.#modules === templateModules.size &&
      this.#credentials === credentials()
    );
  }

  /** Returns why its modules could not be loaded, if that is so. */
  preloadFailure(): ProcessError | null {
    this.#preloading?.read();
    return this.#preloading?.failure ?? null;
  }

  /** A child of it is being started: it must report its end. */
  retain(): void {
    this.#children++;
  }

  /** A child has ended, or was not started. */
  release(): void {
    this.#children--;
    this.#endIfUnused();
  }

  /** Another takes its place: it ends after the last of its children. */
  retire(): void {
    if (this.#state === 'serving') this.#state = 'retired';
    this.#endIfUnused();
  }

  #endIfUnused(): void {
    if (this.#state !== 'retired' || this.#children > 0) return;
    this.disconnect();
    this.end();
  }

  /** Returns a connection for one child: the one that was made ahead, or a new one. */
  connect(key: Uint8Array): TemplateClient {
    const ahead = this.#ahead;
    this.#ahead = null;
    return ahead?.usable === true ? ahead : new TemplateClient(this.address, key);
  }

  /**
   * Connects ahead for the next child, which is then asked for without waiting for challenges and
   * answers.
   */
  connectAhead(key: Uint8Array): void {
    if (this.#ahead?.usable === true || this.#state !== 'serving') return;
    try {
      this.#ahead = new TemplateClient(this.address, key);
    } catch {
      // Whoever asks next finds out.
    }
  }

  /** Gives up the connection that was made ahead. */
  disconnect(): void {
    this.#ahead?.leave();
  }

  /**
   * Ends it, by the pipe that it lives by: the kernel sends the signal, whoever this process is by
   * now. Reads what it has said.
   */
  end(): void {
    this.#preloading?.read();
    this.abandon();
  }

  /** As {@link end}, in a fork of the process that started it: what it says is for that one. */
  abandon(): void {
    if (this.#state === 'ended' || this.#state === 'failed') return;
    this.#state = 'ended';
    closeDescriptor(this.#lifeline);
  }

  /** Ends it. Resolves when it has ended. */
  async stop(): Promise<void> {
    this.disconnect();
    if (!this.running) return;
    this.#process.ref();
    const gone = new Promise((resolve) => this.#process.once('exit', resolve));
    this.end();
    await gone;
  }
}
