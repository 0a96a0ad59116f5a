/**
 * What a template says while it loads the user's modules: a line of JSON for each event, through a
 * pipe that it closes when it is done.
 *
 *   template: PreloadReporter  -- loading, failed, stuck -->  process: PreloadMonitor, which decides
 *                                                             what a failure means
 */
import { writeSync } from 'node:fs';
import { inspect } from 'node:util';
import { ProcessError } from '../../errors/index.js';
import { closeDescriptor, Errno, Readiness, Ready, readChannel } from '../../native/index.js';
import { debug, getLogger } from '../../util/logger.js';
import { clearTimeout, setTimeout } from '../../util/timers.js';

/** What becomes of a start when a module cannot be preloaded. */
export type PreloadErrors = 'ignore' | 'warn' | 'fail';

/** Milliseconds that a module may wait for something while the template is idle. */
export const IDLE_TIMEOUT_MS = 10_000;
/** Milliseconds that a module may keep the template busy. */
const BUSY_TIMEOUT_MS = 60_000;
/** Characters of an error that travel: a pipe holds 64 KiB, and nobody may be reading. */
const MAX_ERROR_CHARACTERS = 2_000;

/**
 * `loading`: it begins. `failed`: it threw. `stuck`: it waits for something that does not come; the
 * template has given up.
 */
type Event =
  | { readonly loading: string }
  | { readonly failed: string; readonly message: string; readonly details: string }
  | { readonly stuck: string };

/** In the template: tells what happens. The parent may have gone. */
export class PreloadReporter {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  loading(name: string): void {
    this.#tell({ loading: name });
  }

  failed(name: string, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#tell({
      failed: name,
      message: message.slice(0, MAX_ERROR_CHARACTERS),
      details: inspect(error).slice(0, MAX_ERROR_CHARACTERS),
    });
  }

  stuck(name: string): void {
    this.#tell({ stuck: name });
  }

  /** Nothing more is told. */
  close(): void {
    closeDescriptor(this.#fd);
  }

  #tell(event: Event): void {
    try {
      writeSync(this.#fd, `${JSON.stringify(event)}\n`);
    } catch {
      // The parent-death signal follows.
    }
  }
}

/**
 * In the process that started it: listens until the template has loaded. Never keeps the event loop
 * alive.
 */
export class PreloadMonitor {
  /** Why the template is of no use; `null` as long as it is. */
  failure: ProcessError | null = null;
  readonly #errors: PreloadErrors;
  readonly #onStuck: () => void;
  readonly #bytes = new Uint8Array(4096);
  readonly #watch: Readiness;
  #fd: number;
  #text = '';
  #now = '';
  #timer: NodeJS.Timeout | null = null;

  /**
   * @param fd The reading end, ours from here on.
   * @param onStuck Called when the template must be ended: it is busy for too long.
   */
  constructor(fd: number, errors: PreloadErrors, onStuck: () => void) {
    this.#fd = fd;
    this.#errors = errors;
    this.#onStuck = onStuck;
    this.#watch = new Readiness(fd, () => this.read());
    this.#watch.unref();
    this.#watch.want(Ready.readable);
    this.#restart();
  }

  /** Reads what has come. */
  read(): void {
    while (this.#fd >= 0) {
      const count = readChannel(this.#fd, this.#bytes, 0, this.#bytes.length, false);
      if (count === Errno.EAGAIN || count === Errno.EINTR) return;
      if (count <= 0) {
        this.close();
        return;
      }
      this.#text += Buffer.from(this.#bytes.subarray(0, count)).toString('latin1');
      const lines = this.#text.split('\n');
      this.#text = lines.pop()!;
      for (const line of lines) this.#heard(JSON.parse(Buffer.from(line, 'latin1').toString()) as Event);
    }
  }

  close(): void {
    if (this.#fd < 0) return;
    this.#watch.close();
    closeDescriptor(this.#fd);
    this.#fd = -1;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #heard(event: Event): void {
    this.#restart();
    if ('loading' in event) this.#now = event.loading;
    else if ('stuck' in event)
      this.#fail(stuck(event.stuck, `nothing has happened for ${IDLE_TIMEOUT_MS / 1000} s, or ever will`));
    else this.#failed(event.failed, event.message, event.details);
  }

  #failed(name: string, message: string, details: string): void {
    const what = `forkserver: ${name} could not be preloaded: ${message}`;
    if (this.#errors === 'ignore') {
      debug('%s', what);
    } else if (this.#errors === 'fail') {
      this.#fail(
        new ProcessError(`${what}. Correct the module, or pass { onError: 'warn' } to setForkserverPreload.`, {
          code: 'MP_PRELOAD_FAILED',
          cause: new Error(details),
        }),
      );
    } else {
      getLogger().warning('%s', what);
      process.emitWarning(
        `${what}. Children that need it load it themselves; correct it, or pass { onError: 'ignore' } to setForkserverPreload.`,
        {
          code: 'MP_PRELOAD_FAILED',
          detail: details,
        },
      );
    }
  }

  #fail(failure: ProcessError): void {
    this.failure ??= failure;
  }

  #restart(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const before = this.#timer;
      // It may have gone on while this process was busy itself.
      this.read();
      if (this.#fd < 0 || this.#timer !== before) return;
      this.#fail(
        stuck(
          this.#now === '' ? 'the library itself' : this.#now,
          `it has kept the template busy for ${BUSY_TIMEOUT_MS / 1000} s`,
        ),
      );
      this.#onStuck();
    }, BUSY_TIMEOUT_MS);
    this.#timer.unref();
  }
}

function stuck(name: string, how: string): ProcessError {
  return new ProcessError(
    `forkserver: ${name} does not finish loading in the template: ${how} (a top-level \`await\` of a server, a timer, an endless loop). ` +
      'Move that into a function which children call, or take the module off setForkserverPreload.',
    { code: 'MP_PRELOAD_TIMEOUT' },
  );
}
