/** One subscription of a topic as a stream: reads at its own pace, and says what it did not get. */
import { StreamOverflowError } from '../../errors/index.js';
import { type FeedListener, OPEN, type Projector } from '../../streams/index.js';
import { Deque } from '../../util/deque.js';
import { deliveryOf, type Msg } from '../broker/index.js';
import { type Channel, ItemFeed } from '../channel/index.js';
import type { DistributedLag, DistributedReplayOptions } from './options.js';
import { type Missed, Subscription } from './subscription.js';

/** The topic whose subscription a feed is. */
export interface SubscribedTopic {
  readonly channel: Channel;
  readonly lag: DistributedLag;
  readonly gaps: { next(missed: Missed): void };
  /** A subscription begins. */
  join(feed: SubscriptionFeed): void;
  /** It does not get everything before this resolves. */
  opening(work: Promise<void>): void;
  /** It is over once this has resolved. */
  leaveSubscription(feed: SubscriptionFeed, work: Promise<void>): void;
  /** The broker has lost the topic. */
  repair(): void;
  /** A subscription has read all that came. */
  changed(): void;
}

export class SubscriptionFeed extends ItemFeed<Msg> {
  readonly #topic: SubscribedTopic;
  readonly #subscription: Subscription;
  readonly #messages = new Deque<Msg>();

  constructor(
    topic: SubscribedTopic,
    start: DistributedReplayOptions,
    listener: FeedListener,
    shape: Projector | undefined,
  ) {
    super(listener, shape);
    this.#topic = topic;
    const { broker, names } = topic.channel;
    this.#subscription = new Subscription(broker, names, start, {
      came: (message) => this.#came(message),
      missed: (missed) => this.#missed(missed),
      lost: () => topic.repair(),
      failed: (error) => this.endWithError(error),
    });
  }

  /** Reads on where it was. */
  reopen(): void {
    this.#topic.opening(this.#subscription.open());
  }

  isDrained(): Promise<boolean> {
    return this.#subscription.isDrained();
  }

  protected begin(): void {
    this.#topic.join(this);
    this.reopen();
  }

  protected get waiting(): number {
    return this.#messages.length;
  }

  protected get full(): boolean {
    return false;
  }

  protected nextItem(): Msg | undefined {
    const message = this.#messages.shift();
    if (message !== undefined) this.#demand();
    return message;
  }

  protected drained(): void {
    this.#topic.changed();
  }

  protected decode(message: Msg): unknown {
    return this.#topic.channel.codec.decode(message);
  }

  protected handing(): void {}

  protected refused(): void {}

  protected leave(): void {
    this.#messages.clear();
    this.#topic.leaveSubscription(this, this.#subscription.close());
  }

  #came(message: Msg): void {
    if (this.state !== OPEN) return;
    if (this.#topic.lag === 'latest' && this.#messages.length > 0) {
      const dropped = this.#messages.shift()!;
      this.#topic.gaps.next({ from: deliveryOf(dropped).sequence, count: 1 });
    }
    this.#messages.push(message);
    // Of what is dropped here, all may come.
    if (this.#topic.lag === 'latest') this.#demand();
    this.listener.ready();
  }

  #demand(): void {
    this.#subscription.demand(this.#messages.length);
  }

  #missed(missed: Missed): void {
    this.#topic.gaps.next(missed);
    if (this.#topic.lag !== 'error') return;
    this.endWithError(
      new StreamOverflowError(
        `DistributedTopic: a subscriber of \`${this.#topic.channel.names.name}\` fell behind and ${missed.count} items were dropped before it read them; read faster, give the topic a larger \`capacity\` or \`maxSize\`, or another \`lag\`.`,
        { code: 'MP_TOPIC_LAG' },
      ),
    );
  }
}
