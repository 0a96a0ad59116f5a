/** The pull face of a feed: what another stage of the library reads. Opened with the first read. */
import { BROKEN, type Feed, OPEN } from './feed.js';
import { DONE, FAILED, MORE, NOTHING, type PullReader, type ReadState, WAIT } from './pull.js';

/** Reads one execution in batches. */
export class FeedReader<R> implements PullReader<R> {
  readonly #run: (ready: () => void) => Feed<R>;
  readonly #wake: () => void;
  #feed: Feed<R> | undefined;
  #reading = false;
  #cancelled = false;

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
      const { state } = feed;
      if (n > 0) feed.taken(n);
      return state === OPEN ? WAIT : state === BROKEN ? FAILED : DONE;
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
    if (!this.#reading && !this.#cancelled) this.#wake();
  };
}
