/**
 * One consumer of a queue as a stream: claims items in batches, and delivers them one by one.
 *
 * A claimed item lies in shared memory until it is delivered. So what a batch holds is not lost
 * when the stream is left or its process dies: it goes back to the queue, before all others.
 *
 * Batches: a quarter of what is there, `prefetch` at most. Where there is little, each consumer
 * gets a little.
 */
import { PendingValue } from '../../reduction/index.js';
import {
  type Counts,
  ENDED,
  ERRORED,
  type FeedListener,
  NOTHING,
  OPEN,
  PacedFeed,
  type Projector,
} from '../../streams/index.js';
import { Deque } from '../../util/deque.js';
import { queueMicrotask } from '../../util/timers.js';
import type { ItemReader } from './item-reader.js';

/** Items of a consumer that acknowledges: delivered, and still claimed. */
export interface ItemHolder<P = number> {
  holdItem(value: unknown, position: P, released: () => void): void;
}

export class ConsumerFeed extends PacedFeed {
  readonly #reader: ItemReader;
  readonly #prefetch: number;
  readonly #holder: ItemHolder | null;
  readonly #claims: number[] = [];
  readonly #claimed = new Deque<number>();
  readonly #gone = new AbortController();
  /** An item whose modules are being loaded; the items behind it wait. */
  #loading = false;
  #loaded: { readonly value: unknown; readonly position: number } | null = null;
  #waiting = false;
  #started = false;
  #held = 0;

  constructor(
    reader: ItemReader,
    prefetch: number,
    holder: ItemHolder | null,
    listener: FeedListener,
    shape: Projector | undefined,
  ) {
    super(listener, shape);
    this.#reader = reader;
    this.#prefetch = prefetch;
    this.#holder = holder;
  }

  start(): void {
    this.#started = true;
    // Those who subscribe in the same turn are to see the first item too.
    queueMicrotask(() => this.listener.ready());
  }

  take(): unknown {
    if (this.state !== OPEN || this.#loading || this.#waiting || !this.#started) return NOTHING;
    if (this.#loaded !== null) {
      const { value, position } = this.#loaded;
      this.#loaded = null;
      return this.#hand(value, position);
    }
    if (this.resting) return NOTHING;
    const position = this.#claimed.shift() ?? this.#claim();
    if (position === undefined) return this.#nothing();
    let value: unknown;
    try {
      value = this.#reader.decode(position, false);
    } catch (error) {
      this.#reader.finish(position);
      this.end(ERRORED, error);
      return NOTHING;
    }
    if (!(value instanceof PendingValue)) return this.#hand(value, position);
    this.#load(value, position);
    return NOTHING;
  }

  snapshot(): Counts {
    const buffered = this.#claimed.length + (this.#loaded === null ? 0 : 1);
    return { pulled: this.delivered + buffered, running: 0, buffered, delivered: this.delivered, failed: 0 };
  }

  #claim(): number | undefined {
    const room = this.#prefetch - this.#held;
    if (room <= 0) return undefined;
    const claims = this.#claims;
    claims.length = 0;
    this.#reader.claim(this.#reader.share(room), claims);
    for (const position of claims) this.#claimed.push(position);
    return this.#claimed.shift();
  }

  #hand(value: unknown, position: number): unknown {
    if (this.#holder === null) this.#reader.finish(position);
    else {
      this.#held++;
      this.#holder.holdItem(value, position, this.#released);
    }
    return this.hand(value);
  }

  readonly #released = (): void => {
    if (this.#held-- === this.#prefetch && this.state === OPEN && !this.#waiting) this.listener.ready();
  };

  #load(pending: PendingValue, position: number): void {
    this.#loading = true;
    pending.ready
      .then(
        (value) => {
          if (this.state === OPEN) this.#loaded = { value, position };
          else this.#reader.giveBack([position]);
        },
        (error: unknown) => {
          this.#reader.finish(position);
          if (this.state === OPEN) this.end(ERRORED, error);
        },
      )
      .finally(() => {
        this.#loading = false;
        this.listener.ready();
      });
  }

  #nothing(): typeof NOTHING {
    if (this.#held >= this.#prefetch) return NOTHING;
    const end = this.#reader.end();
    if (end !== null) this.end(end.error === undefined ? ENDED : ERRORED, end.error);
    else this.#wait();
    return NOTHING;
  }

  #wait(): void {
    this.#waiting = true;
    this.rest();
    const attempt = () => {
      const position = this.#claim();
      if (position !== undefined) this.#claimed.unshift(position);
      return position !== undefined || this.#reader.end() !== null;
    };
    this.#reader.items.wait(attempt, 'Queue.consume', { signal: this.#gone.signal }).then(
      () => {
        this.#waiting = false;
        if (this.state === OPEN) this.listener.ready();
        else this.#giveBack();
      },
      (error: unknown) => {
        if (!this.#gone.signal.aborted) this.endWithError(error);
      },
    );
  }

  protected release(): void {
    this.#gone.abort();
    this.#giveBack();
  }

  #giveBack(): void {
    const back = [...this.#claimed];
    if (this.#loaded !== null) back.unshift(this.#loaded.position);
    this.#claimed.clear();
    this.#loaded = null;
    this.#reader.giveBack(back);
  }
}
