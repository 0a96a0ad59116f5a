/** A topic of many hosts as this process has it: its subscriptions, and how they end. */
import { Subject } from 'rxjs';
import type { Gap } from '../../queues/index.js';
import type { TaskStream } from '../../streams/index.js';
import { debug } from '../../util/logger.js';
import { clearTimeout, setTimeout } from '../../util/timers.js';
import { messageOf } from '../broker/index.js';
import { Channel, type ChannelReader } from '../channel/index.js';
import type { DistributedLag, DistributedReplayOptions, TopicSettings } from './options.js';
import { type SubscribedTopic, SubscriptionFeed } from './subscription-feed.js';

/** Milliseconds after which a writer that is not heard of counts as lost. */
const WRITER_LEASE_MS = 5_000;
/** Milliseconds between two looks whether the last items have come. */
const END_LOOK_MS = 300;

export class TopicCore implements ChannelReader, SubscribedTopic {
  readonly channel: Channel;
  readonly lag: DistributedLag;
  readonly gaps = new Subject<Gap>();
  readonly #start: DistributedReplayOptions;
  readonly #feeds = new Set<SubscriptionFeed>();
  /** Subscriptions that do not get everything yet. */
  readonly #opening = new Set<Promise<void>>();
  readonly #leaving = new Set<Promise<void>>();
  #looking = false;
  #timer: NodeJS.Timeout | undefined;

  private constructor(channel: Channel, { lag, start }: TopicSettings) {
    this.channel = channel;
    this.lag = lag;
    this.#start = start;
    channel.reader = this;
    channel.beforePut = () => (this.#opening.size === 0 ? null : this.subscribed());
    channel.onEnded(() => clearTimeout(this.#timer));
    // What came before the connection went may not have come here.
    channel.broker.onUp(() => this.repaired());
    void channel.gone.then(() => this.gaps.complete());
    channel.begin();
  }

  static async connect(actor: string, settings: TopicSettings): Promise<TopicCore> {
    const channel = await Channel.connect(actor, settings, {
      kind: 'topic',
      // Parts of items that the topic has dropped would be nobody's to remove.
      inParts: false,
      retention: { retention: 'limits', discard: 'old' } as const,
      prepare: () => Promise.resolve(WRITER_LEASE_MS),
    });
    return new TopicCore(channel, settings);
  }

  stream(actor: string, start: DistributedReplayOptions | undefined): TaskStream<unknown> {
    return this.channel.stream(
      actor,
      (listener, shape) => new SubscriptionFeed(this, start ?? this.#start, listener, shape),
    );
  }

  /** How many consumers the broker knows: those of processes that have died for a minute. */
  async subscribers(): Promise<number> {
    const { broker, names } = this.channel;
    const info = await broker.persist(
      () => broker.streams.streams.info(names.stream),
      () => broker.closed,
    );
    return info?.state.consumer_count ?? 0;
  }

  /** Resolves when all subscriptions of this process get what is published from then on. */
  async subscribed(): Promise<void> {
    while (this.#opening.size > 0) await Promise.all(this.#opening);
  }

  join(feed: SubscriptionFeed): void {
    this.#feeds.add(feed);
    this.channel.table.start();
  }

  opening(work: Promise<void>): void {
    this.#opening.add(work);
    void work.finally(() => {
      this.#opening.delete(work);
      void this.#look();
    });
  }

  leaveSubscription(feed: SubscriptionFeed, work: Promise<void>): void {
    this.#feeds.delete(feed);
    this.#leaving.add(work);
    void work.finally(() => this.#leaving.delete(work));
  }

  repair(): void {
    this.channel.repair().catch((error: unknown) => {
      debug('topic %s was not made again: %s', this.channel.names.name, messageOf(error));
    });
  }

  // ---- the channel's words

  repaired(): void {
    for (const feed of [...this.#feeds]) feed.reopen();
  }

  changed(): void {
    void this.#look();
  }

  leaseIs(): void {}

  async leave(): Promise<void> {
    while (this.#leaving.size > 0) await Promise.all(this.#leaving);
  }

  async #look(): Promise<void> {
    if (this.#looking || this.channel.closed || !this.#wanted) return;
    this.#looking = true;
    clearTimeout(this.#timer);
    try {
      for (const feed of [...this.#feeds]) {
        if (!feed.idle || !(await feed.isDrained())) continue;
        const end = this.channel.table.end();
        if (end !== null && feed.idle) feed.ended(end);
      }
    } catch (error) {
      debug('whether topic %s is over is not known: %s', this.channel.names.name, messageOf(error));
    } finally {
      this.#looking = false;
    }
    // What is on its way comes without being told of.
    if (this.#wanted && !this.channel.closed) this.#timer = setTimeout(() => void this.#look(), END_LOOK_MS);
  }

  get #wanted(): boolean {
    return this.channel.table.end() !== null && [...this.#feeds].some(({ idle }) => idle);
  }
}
