/**
 * One subscription of a topic: reads its own way through the ring, a batch at a time, and delivers
 * one by one.
 *
 * With `lag: 'block'` the cursor passes an item as it is handed over. A publisher waits for what lies
 * in the batch, and not for what the subscriber has: a subscriber may publish for each item that it
 * takes. With `lag: 'latest'` a batch is one item.
 */
import { Decoder, PendingValue } from '../../reduction/index.js';
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
import type { End } from '../shared/end.js';
import type { Waiters } from '../shared/waiters.js';
import type { Gap, TopicMemory } from './topic-memory.js';

const MAX_BATCH_ITEMS = 64;
const MAX_BATCH_BYTES = 1 << 18;
const decoder = new Decoder();

/** The topic whose subscription a feed is. */
export interface SubscribedTopic {
  readonly memory: TopicMemory;
  /** Those who wait for items. */
  readonly items: Waiters;
  /** Who is told that there is room. */
  readonly writer: { roomMade(): void; roomMadeSoon(): void };
  /** Returns how subscriptions end that have read everything; `null`: they do not. */
  end(): End | null;
  /** A subscription lost items. Returns whether it goes on. */
  missed(gap: Gap, feed: TopicFeed): boolean;
}

export class TopicFeed extends PacedFeed {
  readonly #topic: SubscribedTopic;
  readonly #items = new Deque<Uint8Array>();
  readonly #gone = new AbortController();
  #slot = -1;
  /** Items of the last batch that the cursor has not passed. */
  #batch = 0;
  /** Whether the cursor passed items since publishers were told. */
  #untold = false;
  /** No `take` until a wait or a load is over. */
  #busy = true;
  #loaded: { readonly value: unknown } | null = null;

  constructor(topic: SubscribedTopic, listener: FeedListener, shape: Projector | undefined) {
    super(listener, shape);
    this.#topic = topic;
  }

  start(): void {
    if (this.state !== OPEN) {
      this.listener.ready();
      return;
    }
    try {
      this.#slot = this.#topic.memory.subscribe('Topic.subscribe');
    } catch (error) {
      this.endWithError(error);
      return;
    }
    this.#busy = false;
    // What is replayed comes after subscribe() has returned.
    queueMicrotask(() => this.listener.ready());
  }

  /** Whether there are items that it was not given. */
  get behind(): boolean {
    return this.#slot >= 0 && this.#topic.memory.behind(this.#slot, this.#batch);
  }

  take(): unknown {
    if (this.state !== OPEN || this.#busy) return NOTHING;
    if (this.#loaded !== null) {
      const { value } = this.#loaded;
      this.#loaded = null;
      return this.#hand(value);
    }
    if (this.resting) return NOTHING;
    const bytes = this.#items.shift() ?? this.#read();
    if (bytes === undefined) return NOTHING;
    try {
      const value = decoder.decode(bytes, 0, bytes.length, true);
      return value instanceof PendingValue ? this.#load(value) : this.#hand(value);
    } catch (error) {
      this.endWithError(error);
      return NOTHING;
    }
  }

  snapshot(): Counts {
    const buffered = this.#items.length;
    return { pulled: this.delivered + buffered, running: 0, buffered, delivered: this.delivered, failed: 0 };
  }

  #hand(value: unknown): unknown {
    // Who ends its thread has left already.
    if (this.#batch > 0 && this.#slot >= 0) {
      this.#topic.memory.passed(this.#slot);
      this.#batch--;
      this.#untold = true;
      this.#topic.writer.roomMadeSoon();
    }
    return this.hand(value);
  }

  #read(): Uint8Array | undefined {
    const { memory } = this.#topic;
    if (this.#untold) {
      this.#untold = false;
      this.#topic.writer.roomMade();
    }
    if (!this.behind) {
      const end = this.#topic.end();
      if (end !== null && !this.behind) this.end(end.error === undefined ? ENDED : ERRORED, end.error);
      else this.#wait();
      return undefined;
    }
    const { items, gap } = memory.read(this.#slot, memory.lag === 'latest' ? 1 : MAX_BATCH_ITEMS, MAX_BATCH_BYTES);
    if (gap !== null && !this.#topic.missed(gap, this)) return undefined;
    if (memory.lag === 'block') this.#batch = items.length;
    for (const item of items) this.#items.push(item);
    return this.#items.shift();
  }

  #load(pending: PendingValue): typeof NOTHING {
    this.#busy = true;
    pending.ready
      .then(
        (value) => {
          this.#loaded = { value };
        },
        (error: unknown) => this.endWithError(error),
      )
      .finally(() => this.#go());
    return NOTHING;
  }

  #wait(): void {
    this.#busy = true;
    this.rest();
    this.#topic.items
      .wait(() => this.behind || this.#topic.end() !== null, 'Topic.stream', { signal: this.#gone.signal })
      .then(
        () => this.#go(),
        (error: unknown) => {
          if (!this.#gone.signal.aborted) this.endWithError(error);
        },
      );
  }

  #go(): void {
    this.#busy = false;
    if (this.state === OPEN) this.listener.ready();
  }

  protected release(): void {
    this.#gone.abort();
    this.#items.clear();
    this.leave();
    this.#topic.writer.roomMade();
  }

  /** Nobody waits for it any more. */
  leave(): void {
    if (this.#slot >= 0) this.#topic.memory.subscribers.leave(this.#slot);
    this.#slot = -1;
  }
}
