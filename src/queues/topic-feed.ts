/**
 * One subscription of a topic: reads its own way through the ring, a batch at a time, and delivers one by one.
 *
 * With `lag: 'block'` a publisher waits for what is delivered, not for what lies in the batch. With `lag: 'latest'` a batch is one item.
 */
import { Decoder, PendingValue } from '../reduction/index.js';
import { BROKEN, ENDED, type Feed, type FeedListener, type FeedState, NOTHING, OPEN, type Progress, type Shape } from '../streams/index.js';
import { Deque } from '../util/deque.js';
import type { TopicCore } from './topic-core.js';

const BATCH = 64;
const BATCH_BYTES = 1 << 18;
const BREATH = 512;
const decoder = new Decoder();

export class TopicFeed implements Feed<unknown> {
  state: FeedState = OPEN;
  failure: unknown = undefined;
  onProgress: (() => void) | null = null;
  readonly #core: TopicCore;
  readonly #listener: FeedListener;
  readonly #shape: Shape | undefined;
  readonly #items = new Deque<Uint8Array>();
  readonly #gone = new AbortController();
  #slot = -1;
  /** Items of the last batch that the cursor has not passed. */
  #batch = 0;
  /** No `take` until a wait or a load is over. */
  #busy = true;
  #loaded: { readonly value: unknown } | null = null;
  #delivered = 0;
  #streak = 0;

  constructor(core: TopicCore, listener: FeedListener, shape: Shape | undefined) {
    this.#core = core;
    this.#listener = listener;
    this.#shape = shape;
  }

  start(): void {
    if (this.state !== OPEN) {
      this.#listener.ready();
      return;
    }
    try {
      this.#slot = this.#core.memory.subscribe('Topic.subscribe');
    } catch (error) {
      this.break(error);
      return;
    }
    this.#busy = false;
    // What is replayed comes after subscribe() has returned.
    queueMicrotask(() => this.#listener.ready());
  }

  /** Whether there are items that it was not given. */
  get behind(): boolean {
    return this.#slot >= 0 && this.#core.memory.behind(this.#slot, this.#batch);
  }

  take(): unknown {
    if (this.state !== OPEN || this.#busy) return NOTHING;
    if (this.#loaded !== null) {
      const { value } = this.#loaded;
      this.#loaded = null;
      return this.#hand(value);
    }
    if (this.#streak >= BREATH) return this.#pause();
    const bytes = this.#items.shift() ?? this.#read();
    if (bytes === undefined) return NOTHING;
    try {
      const value = decoder.decode(bytes, 0, bytes.length, true);
      return value instanceof PendingValue ? this.#load(value) : this.#hand(value);
    } catch (error) {
      this.break(error);
      return NOTHING;
    }
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
    const buffered = this.#items.length;
    return { pulled: this.#delivered + buffered, running: 0, buffered, delivered: this.#delivered, failed: 0 };
  }

  #read(): Uint8Array | undefined {
    const { memory } = this.#core;
    if (this.#batch > 0) {
      memory.passed(this.#slot, this.#batch);
      this.#core.roomMade();
      this.#batch = 0;
    }
    if (!this.behind) {
      const end = this.#core.end();
      if (end !== null && !this.behind) this.#end(end.error === undefined ? ENDED : BROKEN, end.error);
      else this.#wait();
      return undefined;
    }
    const { items, gap } = memory.read(this.#slot, memory.lag === 'latest' ? 1 : BATCH, BATCH_BYTES);
    if (gap !== null && !this.#core.missed(gap, this)) return undefined;
    if (memory.lag === 'block') this.#batch = items.length;
    for (const item of items) this.#items.push(item);
    return this.#items.shift();
  }

  #hand(value: unknown): unknown {
    this.#streak++;
    const index = this.#delivered++;
    this.onProgress?.();
    return this.#shape === undefined ? value : this.#shape(index, value);
  }

  #load(pending: PendingValue): typeof NOTHING {
    this.#busy = true;
    pending.ready
      .then(
        (value) => {
          this.#loaded = { value };
        },
        (error: unknown) => this.break(error),
      )
      .finally(() => this.#go());
    return NOTHING;
  }

  #wait(): void {
    this.#busy = true;
    this.#streak = 0;
    this.#core.items
      .wait(() => this.behind || this.#core.end() !== null, { signal: this.#gone.signal })
      .then(
        () => this.#go(),
        (error: unknown) => {
          if (!this.#gone.signal.aborted) this.break(error);
        },
      );
  }

  #pause(): typeof NOTHING {
    this.#busy = true;
    this.#streak = 0;
    setImmediate(() => this.#go());
    return NOTHING;
  }

  #go(): void {
    this.#busy = false;
    if (this.state === OPEN) this.#listener.ready();
  }

  #end(state: typeof ENDED | typeof BROKEN, error: unknown): void {
    this.state = state;
    this.failure = error;
    this.#gone.abort();
    this.#items.clear();
    if (this.#slot >= 0) this.#core.memory.unsubscribe(this.#slot);
    this.#slot = -1;
    this.#core.roomMade();
    this.onProgress?.();
    this.#listener.closed();
  }
}
