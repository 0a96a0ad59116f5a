/**
 * What streams have in common that find their items by themselves, without the pull core: their
 * life, the shape of what they deliver, and turns.
 *
 * Turns: after {@link COOPERATIVE_BUDGET_ITEMS} items in one turn of the event loop a stream waits
 * for the next one, so that a source that is never empty does not stop timers and sockets.
 */

import { setImmediate } from '../../util/timers.js';
import { ENDED, ERRORED, type Feed, type FeedListener, type FeedState, OPEN, type Progress, type Projector } from './feed.js';

const COOPERATIVE_BUDGET_ITEMS = 512;

export abstract class PacedFeed implements Feed<unknown> {
  state: FeedState = OPEN;
  failure: unknown = undefined;
  onProgress: (() => void) | null = null;
  protected readonly listener: FeedListener;
  protected delivered = 0;
  readonly #shape: Projector | undefined;
  #streak = 0;
  #paused = false;

  constructor(listener: FeedListener, shape: Projector | undefined) {
    this.listener = listener;
    this.#shape = shape;
  }

  abstract start(): void;
  abstract take(): unknown;
  abstract snapshot(): Progress;

  /** Gives up what the stream has, when it is over. */
  protected abstract release(): void;

  taken(): void {}

  stop(_reason?: unknown): Promise<void> {
    if (this.state === OPEN) this.end(ENDED, undefined);
    return Promise.resolve();
  }

  endWithError(error: unknown): void {
    if (this.state !== OPEN) return;
    this.end(ERRORED, error);
    this.listener.ready();
  }

  /**
   * Whether nothing may be taken in this turn. One that has had its share goes on with the next.
   */
  protected get resting(): boolean {
    if (this.#paused) return true;
    if (this.#streak < COOPERATIVE_BUDGET_ITEMS) return false;
    this.#paused = true;
    setImmediate(() => {
      this.#paused = false;
      this.#streak = 0;
      if (this.state === OPEN) this.listener.ready();
    });
    return true;
  }

  /** It waits for its source: the event loop has its turns meanwhile. */
  protected rest(): void {
    this.#streak = 0;
  }

  /** Counts an item, and gives it its shape. */
  protected hand(value: unknown): unknown {
    this.#streak++;
    const index = this.delivered++;
    this.onProgress?.();
    return this.#shape === undefined ? value : this.#shape(index, value);
  }

  protected end(state: typeof ENDED | typeof ERRORED, error: unknown): void {
    this.state = state;
    this.failure = error;
    this.release();
    this.onProgress?.();
    this.listener.closed();
  }
}
