/** A queue of many hosts as this process has it: who takes from it here, and how that ends. */
import type { MultiprocessError } from '../../errors/index.js';
import { UnacknowledgedItems } from '../../queues/index.js';
import type { TaskStream } from '../../streams/index.js';
import { debug } from '../../util/logger.js';
import { clearTimeout, setTimeout } from '../../util/timers.js';
import type { WaitOptions } from '../../util/wait-options.js';
import { forgetRequests, messageOf } from '../broker/index.js';
import { brokerSilent, Channel, type ChannelReader } from '../channel/index.js';
import { ConsumerFeed } from './consumer-feed.js';
import { ensureConsumer, infoOf } from './consumer-state.js';
import { Departures } from './departures.js';
import { Getters } from './getters.js';
import { type HeldItem, HeldItems } from './held-items.js';
import { CONSUMER, ItemConsumer } from './item-consumer.js';
import type { ItemSource, Waiting } from './item-source.js';
import type { QueueSettings } from './options.js';
import { StrandedItems } from './stranded-items.js';

/** Milliseconds between two looks whether the last items are settled. */
const END_LOOK_MS = 300;
/** Milliseconds for the broker to say whether there is an item now. */
const GLANCE_MS = 1_000;

export class QueueCore implements ChannelReader, ItemSource {
  readonly channel: Channel;
  readonly held: HeldItems;
  readonly unacknowledged = new UnacknowledgedItems<HeldItem>();
  readonly #waiting = new Set<Waiting>();
  /** What this process gives back. */
  readonly #leaving = new Set<Promise<void>>();
  readonly #departures: Departures;
  readonly #getters: Getters;
  readonly #stranded: StrandedItems;
  #looking = false;
  #timer: NodeJS.Timeout | undefined;

  private constructor(channel: Channel) {
    this.channel = channel;
    const { broker, names } = channel;
    this.#departures = new Departures(broker);
    this.held = new HeldItems(broker, channel.lease, this.#departures, () =>
      forgetRequests(broker, names.stream, CONSUMER),
    );
    this.#getters = new Getters(this);
    this.#stranded = new StrandedItems(broker, names);
    channel.reader = this;
    channel.onEnded(() => {
      clearTimeout(this.#timer);
      this.#stranded.close();
    });
    void channel.gone.then(() => this.held.close());
    channel.begin();
    this.#stranded.begin();
  }

  static async connect(actor: string, settings: QueueSettings): Promise<QueueCore> {
    const channel = await Channel.connect(actor, settings, {
      kind: 'queue',
      inParts: true,
      retention: { retention: 'workqueue', discard: 'new' } as const,
      prepare: (broker, names) => ensureConsumer(broker, names, settings.lease),
    });
    return new QueueCore(channel);
  }

  /** A stream of what this process takes. */
  consume(actor: string, prefetch: number, manual: boolean): TaskStream<unknown> {
    return this.channel.stream(
      actor,
      (listener, shape) =>
        new ConsumerFeed(this, { prefetch, holder: manual ? this.unacknowledged : null }, listener, shape),
    );
  }

  get(actor: string, bounds: WaitOptions | undefined, manual: boolean): Promise<unknown> {
    return this.#getters.get(actor, bounds ?? {}, manual);
  }

  /** A consumer of this process. */
  consumer(came: () => void): ItemConsumer {
    const { broker, names } = this.channel;
    return new ItemConsumer(broker, names, this.held, this.#departures, came, () => this.#repair());
  }

  /** Takes an item if one is there. @throws (rejects) TimeoutError `MP_BROKER_AWAY`. */
  async glance(actor: string): Promise<HeldItem | undefined> {
    const { broker, names } = this.channel;
    const subject = `$JS.API.CONSUMER.MSG.NEXT.${names.stream}.${CONSUMER}`;
    const request = JSON.stringify({ batch: 1, no_wait: true });
    await this.#departures.gone();
    for (;;) {
      const message = await broker.askForMessage(subject, request, GLANCE_MS);
      if (message === undefined) {
        // Who asks at the same time may have the item that it was kept waiting for.
        if (!(await broker.ping())) throw brokerSilent(actor, broker.address);
        await forgetRequests(broker, names.stream, CONSUMER);
        return undefined;
      }
      if (message.headers?.code === 503) throw brokerSilent(actor, broker.address);
      // Without a subject for answers it says that there is none.
      if (message.reply === undefined || message.reply === '') return undefined;
      const item = this.held.receive(message);
      if (item !== undefined) return item;
    }
  }

  /** The value of an item, or a promise of it. @throws what decoding throws. */
  decode(item: HeldItem): unknown {
    return this.channel.codec.decode(item.message);
  }

  /** An item is done with, and its parts. Resolves when the broker knows. */
  async acknowledge(item: HeldItem): Promise<void> {
    const { broker, names } = this.channel;
    await this.held.acknowledge(item);
    const blob = names.blobOf(item.message.subject);
    if (blob === undefined) return;
    // What is not removed now is swept.
    await broker.streams.streams.purge(names.state, { filter: names.blobPart(blob, '*') }).catch(() => {});
  }

  /** Somebody leaves: resolves when the broker has what it had. */
  leaving(work: Promise<void>): void {
    this.#leaving.add(work);
    void work.finally(() => this.#leaving.delete(work));
  }

  /** Items that nobody has taken, and those that somebody has and has not settled. */
  async counts(): Promise<{ readonly waiting: number; readonly taken: number }> {
    const { broker, names } = this.channel;
    const info = await broker.persist(
      () => infoOf(broker, names),
      () => broker.closed,
    );
    return { waiting: info?.num_pending ?? 0, taken: info?.num_ack_pending ?? 0 };
  }

  /** Whether it has `maxSize` items. */
  async full(): Promise<boolean> {
    const { broker, names } = this.channel;
    const info = await broker.persist(
      () => broker.streams.streams.info(names.stream),
      () => broker.closed,
    );
    const limit = info?.config.max_msgs ?? -1;
    return info !== undefined && limit > 0 && info.state.messages >= limit;
  }

  // ---- how it ends

  /** Someone waits for items: told when none will come. */
  await(waiting: Waiting): void {
    this.#waiting.add(waiting);
    this.channel.table.start();
    void this.#look();
  }

  forget(waiting: Waiting): void {
    this.#waiting.delete(waiting);
  }

  changed(): void {
    void this.#look();
  }

  repaired(): void {
    for (const waiting of this.#waiting) waiting.renew();
  }

  leaseIs(milliseconds: number): void {
    this.held.lease = milliseconds;
  }

  async leave(): Promise<void> {
    // Together with what streams give back, so that all has its order.
    const back = this.held.giveBackAll();
    while (this.#leaving.size > 0) await Promise.all(this.#leaving);
    await back;
    await this.held.giveBackAll();
  }

  #repair(): void {
    this.channel.repair().catch((error: unknown) => {
      debug('queue %s was not made again: %s', this.channel.names.name, messageOf(error));
    });
  }

  /** Looks whether those who wait have come to the end: nothing waits, and nobody else has anything. */
  async #look(): Promise<void> {
    if (this.#looking || this.channel.closed || !this.#wanted) return;
    this.#looking = true;
    clearTimeout(this.#timer);
    try {
      const { waiting, taken } = await this.counts();
      const end = this.channel.table.end();
      // What this process has will be settled, or comes again when it is gone.
      if (end !== null && waiting === 0 && taken <= this.held.count)
        for (const each of [...this.#waiting]) if (each.idle) each.ended(end);
    } catch (error) {
      debug('whether queue %s is over is not known: %s', this.channel.names.name, messageOf(error));
    } finally {
      this.#looking = false;
    }
    // Nobody says when others have settled theirs.
    if (this.#wanted && !this.channel.closed) this.#timer = setTimeout(() => void this.#look(), END_LOOK_MS);
  }

  get #wanted(): boolean {
    return this.channel.table.end() !== null && [...this.#waiting].some(({ idle }) => idle);
  }

  /** The reason why nothing is taken here any more, for who waits. */
  onEnded(listener: (reason: MultiprocessError) => void): () => void {
    return this.channel.onEnded(listener);
  }
}
