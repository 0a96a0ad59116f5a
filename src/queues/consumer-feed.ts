/**
 * One consumer of a queue as a stream: claims items in batches, and delivers them one by one.
 *
 * A claimed item lies in shared memory until it is delivered. So what a batch holds is not lost when the stream is left or its
 * process dies: it goes back to the queue, before all others.
 *
 * Batches: a quarter of what is there, `prefetch` at most. Where there is little, each consumer gets a little.
 *
 * Turns: after {@link BREATH} items in one turn of the event loop the stream waits for the next one, so that a queue that is never
 * empty does not stop timers and sockets.
 */
import { PendingValue } from '../reduction/index.js';
import { BROKEN, ENDED, type Feed, type FeedListener, type FeedState, NOTHING, OPEN, type Progress, type Shape } from '../streams/index.js';
import { Deque } from '../util/deque.js';
import type { ItemReader } from './item-reader.js';

const BREATH = 512;

/** Items of a consumer that acknowledges: delivered, and still claimed. */
export interface Holder {
  hold(value: unknown, position: number, released: () => void): void;
}

export class ConsumerFeed implements Feed<unknown> {
  state: FeedState = OPEN;
  failure: unknown = undefined;
  onProgress: (() => void) | null = null;
  readonly #reader: ItemReader;
  readonly #prefetch: number;
  readonly #holder: Holder | null;
  readonly #listener: FeedListener;
  readonly #shape: Shape | undefined;
  readonly #claims: number[] = [];
  readonly #claimed = new Deque<number>();
  readonly #gone = new AbortController();
  /** An item whose modules are being loaded; the items behind it wait. */
  #loading = false;
  #loaded: { readonly value: unknown; readonly position: number } | null = null;
  #waiting = false;
  #started = false;
  #held = 0;
  #delivered = 0;
  #streak = 0;

  constructor(reader: ItemReader, prefetch: number, holder: Holder | null, listener: FeedListener, shape: Shape | undefined) {
    this.#reader = reader;
    this.#prefetch = prefetch;
    this.#holder = holder;
    this.#listener = listener;
    this.#shape = shape;
  }

  start(): void {
    this.#started = true;
    // Those who subscribe in the same turn are to see the first item too.
    queueMicrotask(() => this.#listener.ready());
  }

  take(): unknown {
    if (this.state !== OPEN || this.#loading || this.#waiting || !this.#started) return NOTHING;
    if (this.#loaded !== null) {
      const { value, position } = this.#loaded;
      this.#loaded = null;
      return this.#hand(value, position);
    }
    if (this.#streak >= BREATH) return this.#pause();
    const position = this.#claimed.shift() ?? this.#claim();
    if (position === undefined) return this.#nothing();
    let value: unknown;
    try {
      value = this.#reader.decode(position, false);
    } catch (error) {
      this.#reader.finish(position);
      this.#end(BROKEN, error);
      return NOTHING;
    }
    if (!(value instanceof PendingValue)) return this.#hand(value, position);
    this.#load(value, position);
    return NOTHING;
  }

  taken(): void {}

  stop(): Promise<void> {
    if (this.state === OPEN) this.#end(ENDED, undefined);
    return Promise.resolve();
  }

  break(error: unknown): void {
    if (this.state !== OPEN) return;
    this.#end(BROKEN, error);
    this.#listener.ready();
  }

  snapshot(): Progress {
    const buffered = this.#claimed.length + (this.#loaded === null ? 0 : 1);
    return { pulled: this.#delivered + buffered, running: 0, buffered, delivered: this.#delivered, failed: 0 };
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
    this.#streak++;
    const index = this.#delivered++;
    if (this.#holder === null) this.#reader.finish(position);
    else {
      this.#held++;
      this.#holder.hold(value, position, this.#released);
    }
    this.onProgress?.();
    return this.#shape === undefined ? value : this.#shape(index, value);
  }

  readonly #released = (): void => {
    if (this.#held-- === this.#prefetch && this.state === OPEN && !this.#waiting) this.#listener.ready();
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
          if (this.state === OPEN) this.#end(BROKEN, error);
        },
      )
      .finally(() => {
        this.#loading = false;
        this.#listener.ready();
      });
  }

  #nothing(): typeof NOTHING {
    if (this.#held >= this.#prefetch) return NOTHING;
    const end = this.#reader.end();
    if (end !== null) this.#end(end.error === undefined ? ENDED : BROKEN, end.error);
    else this.#wait();
    return NOTHING;
  }

  #wait(): void {
    this.#waiting = true;
    this.#streak = 0;
    const attempt = () => {
      const position = this.#claim();
      if (position !== undefined) this.#claimed.unshift(position);
      return position !== undefined || this.#reader.end() !== null;
    };
    this.#reader.items.wait(attempt, { signal: this.#gone.signal }).then(
      () => {
        this.#waiting = false;
        if (this.state === OPEN) this.#listener.ready();
        else this.#giveBack();
      },
      (error: unknown) => {
        if (!this.#gone.signal.aborted) this.break(error);
      },
    );
  }

  #pause(): typeof NOTHING {
    this.#waiting = true;
    setImmediate(() => {
      this.#waiting = false;
      this.#streak = 0;
      if (this.state === OPEN) this.#listener.ready();
    });
    return NOTHING;
  }

  #end(state: typeof ENDED | typeof BROKEN, error: unknown): void {
    this.state = state;
    this.failure = error;
    this.#gone.abort();
    this.#giveBack();
    this.onProgress?.();
    this.#listener.closed();
  }

  #giveBack(): void {
    const back = [...this.#claimed];
    if (this.#loaded !== null) back.unshift(this.#loaded.position);
    this.#claimed.clear();
    this.#loaded = null;
    this.#reader.giveBack(back);
  }
}
