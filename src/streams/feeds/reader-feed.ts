/**
 * A stream over anything that is read by the pull protocol: the pull-aware operators, and what
 * comes from a manager's server.
 */

import { queueMicrotask } from '../../util/timers.js';
import { DONE, FAILED, NOTHING, type PullReader, WAIT } from '../sources/pull.js';
import { TaskStream } from '../task-stream.js';
import { type Counts, ENDED, ERRORED, type Feed, type FeedListener, OPEN, type Projector } from './feed.js';
import { PacedFeed } from './paced-feed.js';

/** A cold stream: each execution opens a reader of its own. */
export function streamOf<R>(open: (wake: () => void) => PullReader<R>): TaskStream<R> {
  return new TaskStream<R>({
    open: (listener: FeedListener, shape: Projector | undefined) =>
      new ReaderFeed(open as (wake: () => void) => PullReader<unknown>, listener, shape),
  });
}

/** An execution that breaks as it begins. */
export function failingFeed(error: unknown, listener: FeedListener): Feed<unknown> {
  const fail = (): never => {
    throw error;
  };
  return new ReaderFeed(fail, listener, undefined);
}

class ReaderFeed extends PacedFeed {
  readonly #open: (wake: () => void) => PullReader<unknown>;
  readonly #item: unknown[] = [];
  #reader: PullReader<unknown> | null = null;
  #pushing = false;
  #reading = false;
  /** What the reader said when it gave its last item. */
  #over: typeof DONE | typeof FAILED | null = null;

  constructor(open: (wake: () => void) => PullReader<unknown>, listener: FeedListener, shape: Projector | undefined) {
    super(listener, shape);
    this.#open = open;
  }

  start(): void {
    if (this.state !== OPEN) {
      this.listener.ready();
      return;
    }
    try {
      this.#reader = this.#open(() => {
        if (this.state === OPEN && !this.#reading) this.listener.ready();
      });
    } catch (error) {
      this.end(ERRORED, error);
    }
    queueMicrotask(() => this.listener.ready());
  }

  take(): unknown {
    if (this.state !== OPEN || this.#reader === null || this.#reading) return NOTHING;
    if (this.#over !== null) return this.#finish();
    if (this.resting) return NOTHING;
    const item = this.#item;
    this.#reading = true;
    try {
      // One at a time: what has been read and not taken is lost when the stream is left.
      const state = this.#reader.read(item, 1);
      if (!this.#pushing) {
        this.#pushing = true;
        this.#reader.start?.();
        // What a push source emitted inside of `start` is there now.
        if (state === WAIT) queueMicrotask(() => this.listener.ready());
      }
      if (state === DONE || state === FAILED) this.#over = state;
      else if (state === WAIT) this.rest();
    } finally {
      this.#reading = false;
    }
    if (item.length === 0) return this.#over === null ? NOTHING : this.#finish();
    return this.hand(item.pop());
  }

  override async stop(reason?: unknown): Promise<void> {
    if (this.state !== OPEN) return;
    this.state = ENDED;
    await this.#leave(reason);
  }

  override endWithError(error: unknown): void {
    if (this.state !== OPEN) return;
    this.state = ERRORED;
    this.failure = error;
    this.#leave(error).catch(() => {});
    this.listener.ready();
  }

  snapshot(): Counts {
    return { pulled: this.delivered, running: 0, buffered: 0, delivered: this.delivered, failed: 0 };
  }

  #finish(): typeof NOTHING {
    if (this.#over === FAILED) this.end(ERRORED, this.#reader?.error);
    else this.end(ENDED, undefined);
    return NOTHING;
  }

  /**
   * A reader that has ended has nothing to give up; one that is left is cancelled, see {@link
   * stop}.
   */
  protected release(): void {}

  async #leave(reason: unknown): Promise<void> {
    this.onProgress?.();
    try {
      await this.#reader?.cancel(reason);
    } finally {
      this.listener.closed();
    }
  }
}
