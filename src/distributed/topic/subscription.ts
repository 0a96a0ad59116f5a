/**
 * What one subscription reads of a topic's stream: a consumer of its own at the broker, which begins
 * where the one before ended.
 *
 *   opening -> open -> (the connection or the consumer went) -> opening …
 *
 * The broker does not wait for acknowledgements here: this process knows what it has had, by number.
 */
import type { ConsumerConfig } from '@nats-io/jetstream';
import { crypto } from '../../util/crypto.js';
import { type Broker, codeOf, deliveryOf, type Msg, NANOS, NO_STREAM, Puller } from '../broker/index.js';
import type { ChannelNames } from '../wire/index.js';
import type { DistributedReplayOptions } from './options.js';

/** Milliseconds after which the broker forgets the consumer of a process that has died. */
const INACTIVE_MS = 60_000;
/** Items that are on their way, or wait here. */
const PREFETCH = 64;
const NAME = 'items';

/** Items that were not read, before they were dropped. */
export interface Missed {
  readonly from: number;
  readonly count: number;
}

export interface SubscriptionEvents {
  /** There is an item more. */
  came(message: Msg): void;
  missed(missed: Missed): void;
  /** The broker has no such topic. */
  lost(): void;
  failed(error: unknown): void;
}

export class Subscription {
  readonly #broker: Broker;
  readonly #names: ChannelNames;
  readonly #start: DistributedReplayOptions;
  readonly #events: SubscriptionEvents;
  #consumer = '';
  #puller: Puller<typeof NAME> | null = null;
  /** Number of the last item that came, or of the one before the first; `null`: not known yet. */
  #last: number | null = null;
  /** Items that came through the present consumer. */
  #received = 0;
  #room = PREFETCH;
  #closed = false;

  constructor(broker: Broker, names: ChannelNames, start: DistributedReplayOptions, events: SubscriptionEvents) {
    this.#broker = broker;
    this.#names = names;
    this.#start = start;
    this.#events = events;
  }

  /** Opens it; again, after the consumer may have given what did not come. Resolves when it gets all. */
  async open(): Promise<void> {
    this.#leaveConsumer();
    const name = crypto().randomUUID().replaceAll('-', '');
    this.#consumer = name;
    try {
      await this.#broker.persist(
        async () => {
          const start = await this.#position();
          await this.#broker.streams.consumers.add(this.#names.stream, {
            durable_name: name,
            ack_policy: 'none',
            ...start,
            inactive_threshold: INACTIVE_MS * NANOS,
            mem_storage: true,
            max_waiting: 64,
          } as Partial<ConsumerConfig> as ConsumerConfig);
        },
        () => this.#closed || this.#consumer !== name,
      );
    } catch (error) {
      if (this.#consumer !== name || this.#closed) return;
      if (codeOf(error) === NO_STREAM) this.#events.lost();
      else this.#events.failed(error);
      return;
    }
    if (this.#closed || this.#consumer !== name) {
      void this.#forget(name);
      return;
    }
    this.#received = 0;
    this.#puller = new Puller(
      this.#broker,
      [{ name: NAME, stream: this.#names.stream, consumer: name, steady: true }],
      (message) => {
        if (this.#consumer === name) this.#came(message);
      },
      () => {
        if (this.#consumer === name && !this.#closed) this.#events.lost();
      },
    );
    this.#puller.demand(this.#room);
  }

  /** So many items may come. */
  demand(waiting: number): void {
    this.#room = Math.max(0, PREFETCH - waiting);
    this.#puller?.demand(this.#room);
  }

  /** Whether it has had all that is there. */
  async isDrained(): Promise<boolean> {
    const name = this.#consumer;
    if (this.#puller === null) return false;
    const info = await this.#broker.persist(
      () => this.#broker.streams.consumers.info(this.#names.stream, name),
      () => this.#closed,
    );
    return (
      info !== undefined &&
      name === this.#consumer &&
      info.num_pending === 0 &&
      info.delivered.consumer_seq === this.#received
    );
  }

  /** Resolves when the broker has forgotten it, or cannot be asked. */
  async close(): Promise<void> {
    this.#closed = true;
    const name = this.#consumer;
    this.#leaveConsumer();
    if (name !== '' && this.#broker.up) await this.#forget(name);
  }

  /** The consumer's first item. */
  async #position(): Promise<Partial<ConsumerConfig>> {
    const { replay = 0, since } = this.#start;
    if (this.#last === null && since !== undefined)
      return { deliver_policy: 'by_start_time', opt_start_time: since.toISOString() } as Partial<ConsumerConfig>;
    const { first_seq, last_seq } = (await this.#broker.streams.streams.info(this.#names.stream)).state;
    // A topic that was made anew counts from the beginning.
    if (this.#last === null || this.#last > last_seq)
      this.#last = this.#last === null ? Math.max(first_seq - 1, last_seq - replay, 0) : 0;
    return { deliver_policy: 'by_start_sequence', opt_start_seq: this.#last + 1 } as Partial<ConsumerConfig>;
  }

  #came(message: Msg): void {
    const { sequence } = deliveryOf(message);
    this.#received++;
    if (this.#last !== null && sequence <= this.#last) return;
    if (this.#last !== null && sequence > this.#last + 1)
      this.#events.missed({ from: this.#last + 1, count: sequence - this.#last - 1 });
    this.#last = sequence;
    this.#events.came(message);
  }

  #leaveConsumer(): void {
    const name = this.#consumer;
    this.#consumer = '';
    void this.#puller?.stop();
    if (this.#puller !== null && !this.#closed) void this.#forget(name);
    this.#puller = null;
  }

  async #forget(name: string): Promise<void> {
    // The broker forgets it by itself later.
    await this.#broker.streams.consumers.delete(this.#names.stream, name).catch(() => {});
  }
}
