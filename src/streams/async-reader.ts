/**
 * Reader of asynchronous sources: async iterators, web ReadableStreams, Node.js Readables.
 *
 * State of the one request that may be under way:
 *   IDLE     nothing asked for
 *   PENDING  next() was called and has not settled; `wake` follows
 *   HELD     it settled with an item nobody has read yet
 *   OVER     ended, failed or cancelled; the source is not touched again
 *
 * Invariant: `return()` is called at most once and only on early end. While a next() is pending it is called after that
 * settles (an async generator would only queue it; a hand-written iterator may not expect it), except for sources that
 * say they can be interrupted. Who cancels waits a turn of the event loop for it, so that a generator that was not waiting for anything
 * has run its `finally`; nobody waits for a next() that never settles.
 */
import { DONE, FAILED, MORE, type PullReader, type ReadState, WAIT } from './pull.js';

/** What the reader needs of a source. */
export interface AsyncPull<T> {
  next(): PromiseLike<IteratorResult<T, unknown>>;
  /** Ends the source early. */
  return?(reason?: unknown): unknown;
  /** Called once when the source ended or failed by itself. */
  release?(): void;
  /** Whether `return` may be called while a `next` is pending, and settles it. */
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
  #state = IDLE;
  #failed = false;
  /** Set when `return` is to be called as soon as the pending next() has settled: to be told when that is done. */
  #returned: (() => void) | null = null;
  #held: T | undefined;

  constructor(source: AsyncPull<T>, wake: () => void) {
    this.#source = source;
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
      try {
        const asked = this.#source.next();
        // Not Promise.resolve(): a native promise is used as it is, and a thenable of another make keeps its own turn.
        asked.then(this.#settled, this.#rejected);
      } catch (error) {
        this.#fail(error);
      }
    }
    if (this.#state === OVER) return this.#failed ? FAILED : DONE;
    return WAIT;
  }

  readonly #settled = (result: IteratorResult<T, unknown>): void => {
    if (this.#state !== PENDING) {
      if (this.#returned === null) return;
      if (result.done === true) this.#returned();
      else this.#return(undefined).then(this.#returned, this.#returned);
      return;
    }
    try {
      if (result.done === true) {
        this.#state = OVER;
        this.#source.release?.();
      } else {
        this.#held = result.value;
        this.#state = HELD;
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#wake();
  };

  readonly #rejected = (error: unknown): void => {
    if (this.#state !== PENDING) {
      this.#returned?.();
      return;
    }
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
    if (before === PENDING && !this.#source.interruptible) {
      return new Promise((resolve) => {
        this.#returned = resolve;
        setImmediate(resolve);
      });
    }
    return this.#return(reason);
  }

  async #return(reason: unknown): Promise<void> {
    await this.#source.return?.(reason);
  }
}
