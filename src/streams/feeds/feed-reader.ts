/** The pull face of a feed: what another stage of the library reads. Opened with the first read. */

import { queueMicrotask } from '../../util/timers.js';
import { DONE, FAILED, MORE, NOTHING, type PullReader, type ReadState, WAIT } from '../sources/pull.js';
import { ERRORED, type Feed, OPEN } from './feed.js';

/** Reads one execution in batches. */
export class FeedReader<R> implements PullReader<R> {
  readonly #run: (ready: () => void) => Feed<R>;
  readonly #wake: () => void;
  #feed: Feed<R> | undefined;
  #reading = false;
  #cancelled = false;
  /** It was told to read during a read. */
  #missed = false;

  /** `run` makes the execution and does not start it. */
  constructor(run: (ready: () => void) => Feed<R>, wake: () => void) {
    this.#run = run;
    this.#wake = wake;
  }

  get error(): unknown {
    return this.#feed?.failure;
  }

  read(into: R[], max: number): ReadState {
    this.#reading = true;
    try {
      const feed = this.#feed ?? this.#start();
      if (feed === undefined) return DONE;
      let n = 0;
      for (let value = feed.take(); value !== NOTHING; value = feed.take()) {
        into.push(value);
        if (++n < max) continue;
        feed.taken(n);
        return MORE;
      }
      // What was taken may have been the last, or have made room for what is ready at once.
      this.#missed = false;
      if (n > 0) feed.taken(n);
      if (this.#missed && feed.state === OPEN) queueMicrotask(this.#ready);
      return feed.state === OPEN ? WAIT : feed.state === ERRORED ? FAILED : DONE;
    } finally {
      this.#reading = false;
    }
  }

  async cancel(reason?: unknown): Promise<void> {
    this.#cancelled = true;
    await this.#feed?.stop(reason);
  }

  #start(): Feed<R> | undefined {
    if (this.#cancelled) return undefined;
    const feed = this.#run(this.#ready);
    this.#feed = feed;
    feed.start();
    return feed;
  }

  readonly #ready = (): void => {
    if (this.#reading) this.#missed = true;
    else if (!this.#cancelled) this.#wake();
  };
}
