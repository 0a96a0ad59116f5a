/**
 * What streams have in common that find their items by themselves, without the pull core: their
 * life, the shape of what they deliver, and turns.
 *
 * Turns: a stream that has spent its budget in one turn of the event loop goes on with the next.
 */
import { CooperativeBudget } from '../../util/cooperative-budget.js';
import { setImmediate } from '../../util/timers.js';
import {
  type Counts,
  ENDED,
  ERRORED,
  type Feed,
  type FeedListener,
  type FeedState,
  OPEN,
  type Projector,
} from './feed.js';

export abstract class PacedFeed implements Feed<unknown> {
  state: FeedState = OPEN;
  failure: unknown = undefined;
  onProgress: (() => void) | null = null;
  protected readonly listener: FeedListener;
  protected delivered = 0;
  readonly #shape: Projector | undefined;
  readonly #budget = new CooperativeBudget();
  #paused = false;

  constructor(listener: FeedListener, shape: Projector | undefined) {
    this.listener = listener;
    this.#shape = shape;
  }

  abstract start(): void;
  abstract take(): unknown;
  abstract snapshot(): Counts;

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
    if (!this.#budget.exhausted) return false;
    this.#paused = true;
    setImmediate(() => {
      this.#paused = false;
      this.#budget.renew();
      if (this.state === OPEN) this.listener.ready();
    });
    return true;
  }

  /** It waits for its source: the event loop has its turns meanwhile. */
  protected rest(): void {
    this.#budget.renew();
  }

  /** Counts an item, and gives it its shape. */
  protected hand(value: unknown): unknown {
    this.#budget.spend();
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
