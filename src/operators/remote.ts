import { ArgumentError } from '../errors/index.js';
import type { Pool } from '../pool/index.js';
import { Queue } from '../queues/index.js';
import {
  DONE,
  FAILED,
  PULL,
  type PullReader,
  type ReadState,
  type Source,
  streamOf,
  type TaskStream,
  WAIT,
} from '../streams/index.js';
import { checkNumber, checkOptions, describe } from '../util/options.js';
import { entry } from '../util/package.js';
import { checkPool } from './check-pool.js';

/** How a remote source is read. */
export interface RemoteOptions {
  /** Items that the producer may be ahead of the consumer. Default 64. */
  readonly credits?: number | undefined;
}

/**
 * What gives the source in the worker: a function, or the URL of a module with one as its default
 * export.
 */
// biome-ignore lint/suspicious/noExplicitAny: any parameter list
export type RemoteTarget<T> = ((...args: any[]) => Source<T> | PromiseLike<Source<T>>) | URL;

const CREDITS = 64;
const RUN = entry('operators/remote-run');

/**
 * A source that runs in a worker of a pool: the items of the generator, Observable or other source
 * that `target` returns there.
 *
 * Semantics: cold; each execution is a task of its own, which takes a worker until the source is
 * over. Items come in their order; an error of the source comes after the items before it. If the
 * worker dies the stream ends with its WorkerCrashError. Backpressure: the producer is at most
 * `credits` items ahead. An Observable in the worker cannot be paused; more than 1,024 items beyond
 * that fail. Cancellation: leaving the stream returns the source in the worker and ends the task.
 *
 * @throws ArgumentError `MP_INVALID_ARGUMENT`, `MP_UNKNOWN_OPTION`.
 * @example
 * import { Pool } from 'multiprocess';
 * import { remote } from 'multiprocess/operators';
 *
 * async function* count(to: number) {
 *   for (let n = 1; n <= to; n++) yield n;
 * }
 *
 * await using pool = new Pool({ processes: 1 });
 * for await (const n of remote(pool, count, [3])) console.log(n); // 1 2 3
 */
export function remote<T, A extends unknown[]>(
  pool: Pool,
  target: (...args: A) => Source<T> | PromiseLike<Source<T>>,
  args: readonly [...A],
  options?: RemoteOptions,
): TaskStream<T>;
export function remote<T>(pool: Pool, target: URL, args: readonly unknown[], options?: RemoteOptions): TaskStream<T>;
/**
 * The same with `T` given by hand: `remote<number>(…)`. Arguments are not compared with parameters
 * then.
 */
export function remote<T = never>(
  pool: Pool,
  // Not inferred, so that arguments which do not fit the first overload do not end up here.
  target: RemoteTarget<NoInfer<T>>,
  args: readonly unknown[],
  options?: RemoteOptions,
): TaskStream<T>;
export function remote(
  pool: Pool,
  target: RemoteTarget<unknown>,
  args: readonly unknown[],
  options: RemoteOptions = {},
): TaskStream<unknown> {
  checkPool('remote', pool);
  if (typeof target !== 'function' && !((target as unknown) instanceof URL))
    throw new ArgumentError(`remote: \`target\` must be a function or a module URL, not ${describe(target)}.`);
  if (!Array.isArray(args)) throw new ArgumentError(`remote: \`args\` must be an array, not ${describe(args)}.`);
  checkOptions('remote', options, ['credits'], { number: 'credits' });
  const credits = checkNumber('remote', 'credits', options.credits, { integer: true, min: 1 }) ?? CREDITS;
  return streamOf((wake) => new RemoteReader<unknown>(pool, target, args, credits, wake));
}

class RemoteReader<T> implements PullReader<T> {
  readonly #queue: Queue<T>;
  readonly #reader: PullReader<T>;
  readonly #gone = new AbortController();
  readonly #ended: Promise<void>;
  readonly #wake: () => void;
  #crash: { readonly error: unknown } | null = null;
  #over: typeof DONE | typeof FAILED | null = null;
  #settled = false;

  constructor(pool: Pool, target: RemoteTarget<unknown>, args: readonly unknown[], credits: number, wake: () => void) {
    this.#wake = wake;
    this.#queue = new Queue<T>({ maxSize: credits });
    this.#reader = this.#queue.consume({ prefetch: Math.max(1, credits >> 1) })[PULL](wake);
    const run: Promise<unknown> = pool.apply(RUN, [this.#queue as Queue<unknown>, target, args], {
      signal: this.#gone.signal,
    });
    this.#ended = run
      .catch((error: unknown) => {
        // The task did not get to tell the queue: it could not be sent, or its worker died.
        this.#crash = { error };
        if (!this.#gone.signal.aborted) this.#queue.error(error);
      })
      .then(() => {
        this.#settled = true;
        if (this.#over !== null) this.#wake();
      });
  }

  get error(): unknown {
    return this.#crash === null ? this.#reader.error : this.#crash.error;
  }

  read(into: T[], max: number): ReadState {
    if (this.#over === null) {
      const state = this.#reader.read(into, max);
      if (state !== DONE && state !== FAILED) return state;
      this.#over = state;
    }
    // How the task ended says more than how the queue did.
    if (!this.#settled) return WAIT;
    this.#queue.close();
    return this.#crash === null ? this.#over : FAILED;
  }

  async cancel(reason?: unknown): Promise<void> {
    if (this.#over === null) await this.#reader.cancel(reason);
    this.#gone.abort(reason);
    await this.#ended;
    this.#queue.close();
  }
}
