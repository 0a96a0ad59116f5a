/**
 * The forkserver: a template process that has loaded what children need, and forks them.
 *
 *   this process                        template                          child
 *   ensureRunning  -- spawn ----------> loads modules, blocks in poll
 *   connectToNewProcess -- key, request --> fork ------------------------> waits for the start byte
 *                  <-- pid, sentinel -----
 *                  -- the start byte, through the lifeline --------------> runs
 *                  <-- exit status ---- waitpid <------------------------ ends
 *
 * Each thread of a program has a template of its own: the kernel ends a template with the thread
 * that started it. Children live as long as they like, but no longer than the process that asked
 * for them (native/lifeline-linux.cc).
 */
import { randomBytes } from 'node:crypto';
import { ArgumentError, ProcessError, UnsupportedError } from '../../errors/index.js';
import { closeDescriptor, createPipe, Errno, errnoOf, nativeAvailable, withoutAddon } from '../../native/index.js';
import { registerAfterFork } from '../../util/after-fork.js';
import { clause } from '../../util/clause.js';
import { checkOptions, describe } from '../../util/options.js';
import { performance } from '../../util/timers.js';
import { templateUnavailable } from '../fork/options.js';
import type { ForkedChild } from '../forked-child.js';
import { childRequest, type NewProcess } from './child-request.js';
import type { PreloadErrors } from './preloading.js';
import { INHERITED_DESCRIPTORS, KEY_BYTES } from './protocol.js';
import { type TemplateClient, TemplateLost } from './template-client.js';
import { TemplateProcess } from './template-process.js';

/** Options of {@link Forkserver.setForkserverPreload}. */
export interface PreloadOptions {
  /**
   * What becomes of a module that cannot be loaded. `'ignore'`: nothing but a line in the log
   * (debug); children that need it load it themselves. `'warn'`, the default: that, with a warning
   * `MP_PRELOAD_FAILED`. `'fail'`: no child starts.
   */
  readonly onError?: PreloadErrors | undefined;
}

/** How often a start is tried again because the template died under it. */
const MAX_START_TRIES = 3;
/** Milliseconds for which the failure of a template to load its modules holds for other starts. */
const FAILURE_HOLDS_MS = 5_000;

/**
 * A thread's forkserver. There is one, {@link forkserver}; it starts nothing before it is needed.
 */
export class Forkserver {
  #template: TemplateProcess | null = null;
  #preload: readonly string[] = [];
  #onError: PreloadErrors = 'warn';
  /** Why the last template was of no use, and when. */
  #last: { readonly failure: ProcessError; readonly at: number } | null = null;
  #key: Uint8Array = randomBytes(KEY_BYTES);

  constructor() {
    registerAfterFork(this, (self) => {
      self.#forget();
      self.#key = randomBytes(KEY_BYTES);
    });
  }

  /** In a fork: the template is its parent's, which lives by an end that the fork has too. */
  #forget(): void {
    this.#template?.abandon();
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
    this.#template?.disconnect();
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
    return this.#template?.pid ?? null;
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
      throw new ArgumentError(
        `setForkserverPreload: \`onError\` must be 'ignore', 'warn' or 'fail', not ${describe(onError)}.`,
      );
    if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) {
      const culprit = Array.isArray(names) ? names.find((name) => typeof name !== 'string') : names;
      throw new ArgumentError(
        `setForkserverPreload: modules are named by an array of strings; ${describe(culprit)} is none.`,
      );
    }
    this.#preload = [...names];
    this.#onError = onError;
    this.#last = null;
  }

  /**
   * Returns the descriptors that this process was given when it was forked by a template; `null` in
   * any other. Python: `get_inherited_fds`.
   */
  getInheritedFds(): readonly number[] | null {
    return (globalThis as { [INHERITED_DESCRIPTORS]?: readonly number[] })[INHERITED_DESCRIPTORS] ?? null;
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
  async connectToNewProcess(
    options: NewProcess,
    onEnd: (status: number | null) => void = () => {},
  ): Promise<ForkedChild> {
    for (let tries = 1; ; tries++) {
      const template = this.#ensure();
      template.retain();
      try {
        return await this.#startChild(template, options, (status) => {
          template.release();
          onEnd(status);
        });
      } catch (error) {
        template.release();
        options.signal?.throwIfAborted();
        if (!isTemplateGone(error)) throw error;
        if (this.#template === template) this.#template = null;
        if (template.failure !== null) throw await template.failure;
        const failure = template.preloadFailure();
        if (failure !== null) {
          this.#last = { failure, at: performance.now() };
          throw failure;
        }
        if (tries === MAX_START_TRIES) throw error instanceof TemplateLost ? error : neverForked(template, error);
      }
    }
  }

  /** Ends the template. Children go on; how they end is lost. The next start makes a new one. */
  async stop(): Promise<void> {
    const template = this.#template;
    this.#template = null;
    await template?.stop();
  }

  async #startChild(
    template: TemplateProcess,
    options: NewProcess,
    onEnd: (status: number | null) => void,
  ): Promise<TemplateClient> {
    options.signal?.throwIfAborted();
    const [reads, writes] = createPipe();
    let client: TemplateClient;
    try {
      const request = childRequest(template, options);
      client = template.connect(this.#key);
      client.requestChild(request, options.descriptors ?? [], { reads, writes }, onEnd);
    } catch (error) {
      closeDescriptor(reads);
      closeDescriptor(writes);
      throw error;
    }
    const cancel = (): void => client.cancel();
    options.signal?.addEventListener('abort', cancel);
    try {
      await client.started;
    } finally {
      options.signal?.removeEventListener('abort', cancel);
      closeDescriptor(reads);
    }
    if (this.#template === template) template.connectAhead(this.#key);
    return client;
  }

  #ensure(): TemplateProcess {
    const settings = { key: this.#key, preload: this.#preload, onError: this.#onError };
    const current = this.#template;
    if (current?.running === true) {
      if (current.isCurrent(settings)) return current;
      current.retire();
    }
    // All that wait for a module that does not load are told at once, and not one after the other.
    if (this.#last !== null && performance.now() - this.#last.at < FAILURE_HOLDS_MS) throw this.#last.failure;
    this.#last = null;
    if (!nativeAvailable()) throw withoutAddon('forkserver: a Node cannot be forked here', "Use start method 'thread'");
    const reason = templateUnavailable();
    if (reason !== null)
      throw new UnsupportedError(
        `forkserver: a Node cannot be forked here: ${clause(reason)}; use start method 'spawn'.`,
      );
    this.#template = new TemplateProcess(settings);
    return this.#template;
  }
}

/** Returns whether a start failed because its template has ended, so that another one may do it. */
function isTemplateGone(error: unknown): boolean {
  return (
    error instanceof TemplateLost ||
    ((error as { code?: unknown }).code === 'MP_SYSTEM' && errnoOf(error) === Errno.ECONNREFUSED)
  );
}

function neverForked(template: TemplateProcess, cause: unknown): ProcessError {
  return new ProcessError(
    `The template of the forkserver ended ${MAX_START_TRIES} times before it could fork (last with ${template.howItEnded}); look at what it printed, and at the modules given to setForkserverPreload.`,
    { code: 'MP_SPAWN', cause },
  );
}

/** The forkserver of this thread. */
export const forkserver = new Forkserver();
