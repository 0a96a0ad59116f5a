/**
 * The iterator face of a feed. A buffered value costs one promise and one result object, which the
 * protocol demands; everything else happens in batches below.
 *
 * Invariants
 * - Somebody waits only while there is nothing to take, so values reach concurrent `next()` calls
 * in order.
 * - A value leaves the window when it has reached the consumer: with the consumer's next call, or
 *   at the end of the turn of the event loop. Reported earlier, the source would be a value further
 *   ahead of the loop's body than the window allows.
 */

import { setImmediate } from '../../util/timers.js';
import { NOTHING } from '../sources/pull.js';
import { ENDED, ERRORED, type Feed, OPEN } from './feed.js';

interface Waiter<R> {
  resolve(result: IteratorResult<R, undefined>): void;
  reject(error: unknown): void;
}

/** What iterating a stream gives: each result, then `undefined`. */
export interface ResultIterator<R> extends AsyncIterator<R, undefined, unknown>, AsyncDisposable {
  /** The next result; concurrent calls are answered in their order. */
  next(): Promise<IteratorResult<R, undefined>>;
  /** Leaves the stream: resolves once the source was returned. */
  return(): Promise<IteratorResult<R, undefined>>;
  /** Itself. */
  [Symbol.asyncIterator](): ResultIterator<R>;
}

/** Iterates one execution, which begins with the first `next()`. */
export class StreamIterator<R> implements ResultIterator<R> {
  readonly #run: (ready: () => void) => Feed<R>;
  #feed: Feed<R> | undefined;
  readonly #waiters: Waiter<R>[] = [];
  /** Left before it began, or told of its error: nothing but `done` follows. */
  #over = false;
  /** Values handed out and not yet reported as taken. */
  #handed = 0;
  #turn = false;

  /** `run` makes the execution and does not start it. */
  constructor(run: (ready: () => void) => Feed<R>) {
    this.#run = run;
  }

  next(): Promise<IteratorResult<R, undefined>> {
    const feed = this.#feed ?? this.#start();
    if (this.#handed > 0) this.#report();
    const value = feed === undefined ? NOTHING : feed.take();
    if (value !== NOTHING) {
      this.#hand();
      return Promise.resolve({ done: false, value });
    }
    if (feed === undefined || this.#over || feed.state === ENDED)
      return Promise.resolve({ done: true, value: undefined });
    if (feed.state === ERRORED) {
      this.#over = true;
      return Promise.reject(feed.failure);
    }
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  async return(): Promise<IteratorResult<R, undefined>> {
    this.#over = true;
    const stopped = this.#feed?.stop();
    this.#ready(); // who waits in next() is answered now: nothing will come
    await stopped;
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #start(): Feed<R> | undefined {
    if (this.#over) return undefined;
    const feed = this.#run(this.#ready);
    this.#feed = feed;
    feed.start();
    return feed;
  }

  #hand(): void {
    this.#handed++;
    if (this.#turn) return;
    this.#turn = true;
    setImmediate(this.#turnOver);
  }

  readonly #turnOver = (): void => {
    this.#turn = false;
    if (this.#handed > 0) this.#report();
  };

  #report(): void {
    const handed = this.#handed;
    this.#handed = 0;
    this.#feed?.taken(handed);
  }

  readonly #ready = (): void => {
    const feed = this.#feed;
    const waiters = this.#waiters;
    if (feed === undefined) return;
    while (waiters.length > 0) {
      const value = feed.take();
      if (value !== NOTHING) {
        this.#hand();
        waiters.shift()!.resolve({ done: false, value });
      } else if (feed.state === OPEN || waiters.length === 0)
        return; // Taking may have broken the feed, which came here first.
      else if (feed.state === ERRORED && !this.#over) {
        this.#over = true;
        waiters.shift()!.reject(feed.failure);
      } else waiters.shift()!.resolve({ done: true, value: undefined });
    }
  };
}
