/**
 * The push face of a feed: takes whatever is ready, as long as the sink has room.
 *
 * Invariants: `next` is never called from within itself; after `end` nothing is called.
 */

import { NOTHING } from '../sources/pull.js';
import { ERRORED, type Feed, OPEN } from './feed.js';

/** Where values are pushed. */
export interface PumpSink<R> {
  /** A value. `false` holds the flow until {@link Pump.resume}; anything else goes on. */
  next(value: R): unknown;
  /** The feed broke. */
  error(error: unknown): void;
  /** The feed ended. */
  complete(): void;
}

/** Pushes one execution into a sink. */
export class Pump<R> {
  readonly #feed: Feed<R>;
  readonly #sink: PumpSink<R>;
  #draining = false;
  #held = false;
  #resumed = false;
  #over = false;

  /** `run` makes the execution; {@link start} begins it. */
  constructor(run: (ready: () => void) => Feed<R>, sink: PumpSink<R>) {
    this.#sink = sink;
    this.#feed = run(() => this.#drain());
  }

  /** Begins the execution. */
  start(): this {
    this.#feed.start();
    return this;
  }

  /** The sink has room again. */
  resume(): void {
    this.#held = false;
    this.#resumed = true;
    this.#drain();
  }

  /** The sink leaves. Resolves when the source was returned. */
  stop(reason?: unknown): Promise<void> {
    this.#over = true;
    return this.#feed.stop(reason);
  }

  #drain(): void {
    if (this.#draining || this.#held || this.#over) return;
    const feed = this.#feed;
    const sink = this.#sink;
    this.#draining = true;
    try {
      for (let value = feed.take(); value !== NOTHING; value = feed.take()) {
        this.#resumed = false;
        const enough = sink.next(value) === false;
        feed.taken(1);
        // A sink may ask for more from within next(), before it says that it has enough.
        if (enough && !this.#resumed) {
          this.#held = true;
          return;
        }
      }
    } finally {
      this.#draining = false;
    }
    if (feed.state === OPEN || this.#over) return;
    this.#over = true;
    if (feed.state === ERRORED) sink.error(feed.failure);
    else sink.complete();
  }
}
