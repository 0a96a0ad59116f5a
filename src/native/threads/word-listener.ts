import { AsyncResource } from 'node:async_hooks';
import { queueMicrotask, setImmediate } from '../../util/timers.js';
import { answer } from './bell-word.js';

/** Callbacks run in no caller's async context, as those of the addon. */
const nobody = new AsyncResource('MULTIPROCESS');

/**
 * Calls back on this thread's event loop when a word was rung (bell-word.ts). Rings that come while
 * the loop is busy are one callback. It does not keep the loop alive.
 */
export class WordListener {
  readonly #words: Int32Array;
  readonly #index: number;
  readonly #onRing: () => void;
  #seen: number;
  #closed = false;

  constructor(words: Int32Array, index: number, onRing: () => void, seen = Atomics.load(words, index)) {
    this.#words = words;
    this.#index = index;
    this.#onRing = onRing;
    this.#seen = seen;
    nobody.runInAsyncScope(() => this.#listen());
  }

  /** No callback starts after this. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    // A sleep keeps the words until it ends.
    Atomics.notify(this.#words, this.#index);
  }

  #listen(): void {
    const wait = Atomics.waitAsync(this.#words, this.#index, this.#seen);
    if (wait.async) void wait.value.then(this.#onAwake);
    // It was rung meanwhile: on the loop's next turn, so that others have theirs.
    else setImmediate(this.#onAwake);
  }

  readonly #onAwake = (): void => {
    if (this.#closed) return;
    this.#seen = answer(this.#words, this.#index, this.#seen, this.#callBack);
    if (!this.#closed) this.#listen();
  };

  readonly #callBack = (): void => {
    try {
      this.#onRing();
    } catch (error) {
      // An uncaught exception, and no rejected promise.
      queueMicrotask(() => {
        throw error;
      });
    }
  };
}
