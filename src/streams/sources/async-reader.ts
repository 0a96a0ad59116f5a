/**
 * Reader of asynchronous sources: async iterators, web ReadableStreams, Node.js Readables.
 *
 * State of the one request that may be under way:
 *   IDLE     nothing asked for
 *   PENDING  next() was called and has not settled; `wake` follows
 *   HELD     it settled with an item nobody has read yet
 *   OVER     ended, failed or cancelled; the source is not touched again
 *
 * Invariant: `return()` is called at most once and only on early end, at once, also while a next()
 * is pending: that may never settle, and what the source holds (listeners of `events.on`, a file, a
 * socket) would be held for ever. An async generator queues it by itself. It is not called while
 * the source's own next() is on the stack, but right after. The source is called in the async
 * context in which the reading was begun. Who cancels while a next() is pending waits a turn of the
 * event loop for the return, so that a generator that was not waiting for anything has run its
 * `finally`; nobody waits for a next() that never settles.
 */
import { callerContext } from '../../util/caller-context.js';
import { setImmediate } from '../../util/timers.js';
import { DONE, FAILED, MORE, type PullReader, type ReadState, WAIT } from './pull.js';

/** What the reader needs of a source. */
export interface AsyncPull<T> {
  next(): PromiseLike<IteratorResult<T, unknown>>;
  /** Ends the source early. */
  return?(reason?: unknown): unknown;
  /** Called once when the source ended or failed by itself. */
  release?(): void;
  /** Whether `return` settles a `next` that is pending, so that it can be waited for. */
  readonly interruptible: boolean;
}

const IDLE = 0;
const PENDING = 1;
const HELD = 2;
const OVER = 3;

/** Reads one item at a time, asking for the next only when there is room for it. */
export class AsyncReader<T> implements PullReader<T> {
  error: unknown = undefined;
  readonly #source: AsyncPull<T>;
  readonly #wake: () => void;
  readonly #admit: ((item: T) => T) | undefined;
  readonly #context = callerContext();
  #state = IDLE;
  #failed = false;
  /** The source's next() is on the stack. */
  #asking = false;
  /** It was cancelled meanwhile: calls `return`. */
  #owed: (() => void) | null = null;
  #held: T | undefined;

  /** @param admit What takes the place of an item as soon as it is there. */
  constructor(source: AsyncPull<T>, wake: () => void, admit?: (item: T) => T) {
    this.#source = source;
    this.#admit = admit;
    this.#wake = wake;
  }

  read(into: T[], max: number): ReadState {
    if (this.#state === HELD) {
      into.push(this.#held as T);
      this.#held = undefined;
      this.#state = IDLE;
      if (max === 1) return MORE;
    }
    if (this.#state === IDLE) {
      this.#state = PENDING;
      this.#asking = true;
      try {
        const asked = this.#context.runInAsyncScope(this.#next, this);
        // Not Promise.resolve(): a native promise is used as it is, and a thenable of another make
        // keeps its own turn.
        if (typeof (asked as PromiseLike<unknown> | undefined)?.then === 'function')
          asked.then(this.#settled, this.#rejected);
        else Promise.resolve(asked).then(this.#settled, this.#rejected);
      } catch (error) {
        this.#fail(error);
      }
      this.#asking = false;
      this.#owed?.();
    }
    if (this.#state === OVER) return this.#failed ? FAILED : DONE;
    return WAIT;
  }

  #next(): PromiseLike<IteratorResult<T, unknown>> {
    return this.#source.next();
  }

  readonly #settled = (result: IteratorResult<T, unknown>): void => {
    if (this.#state !== PENDING) return;
    try {
      // As `for await`; a primitive would be an item that is undefined, without end.
      if (result === null || (typeof result !== 'object' && typeof result !== 'function'))
        throw new TypeError(`Iterator result ${String(result)} is not an object`);
      if (result.done === true) {
        this.#state = OVER;
        this.#source.release?.();
      } else {
        this.#held = this.#admit === undefined ? result.value : this.#admit(result.value);
        this.#state = HELD;
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#wake();
  };

  readonly #rejected = (error: unknown): void => {
    if (this.#state !== PENDING) return;
    this.#fail(error);
    this.#wake();
  };

  #fail(error: unknown): void {
    this.#state = OVER;
    this.#failed = true;
    this.error = error;
    this.#source.release?.();
  }

  cancel(reason?: unknown): Promise<void> {
    const before = this.#state;
    this.#state = OVER;
    this.#held = undefined;
    if (before === OVER) return Promise.resolve();
    if (before !== PENDING) return this.#return(reason);
    return new Promise((resolve, reject) => {
      const end = () => void this.#return(reason).then(resolve, reject);
      if (this.#asking) this.#owed = end;
      else end();
      if (!this.#source.interruptible) setImmediate(resolve);
    });
  }

  async #return(reason: unknown): Promise<void> {
    await this.#context.runInAsyncScope(() => this.#source.return?.(reason));
  }
}
