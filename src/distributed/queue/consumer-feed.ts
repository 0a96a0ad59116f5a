/**
 * One consumer of a queue as a stream: at most `prefetch` items of the queue wait here, or, where
 * they are acknowledged by hand, are not acknowledged.
 */
import type { UnacknowledgedItems } from '../../queues/index.js';
import { type FeedListener, OPEN, type Projector } from '../../streams/index.js';
import { ItemFeed } from '../channel/index.js';
import type { HeldItem } from './held-items.js';
import type { ItemConsumer } from './item-consumer.js';
import { type ItemSource, UNREADABLE_DELAY_MS, type Waiting } from './item-source.js';

export interface Consumption {
  readonly prefetch: number;
  /** Of items that are acknowledged by hand. */
  readonly holder: UnacknowledgedItems<HeldItem> | null;
}

export class ConsumerFeed extends ItemFeed<HeldItem> implements Waiting {
  readonly #queue: ItemSource;
  readonly #consumption: Consumption;
  #consumer: ItemConsumer | null = null;
  /** Items that were delivered and not acknowledged. */
  #held = 0;

  constructor(queue: ItemSource, consumption: Consumption, listener: FeedListener, shape: Projector | undefined) {
    super(listener, shape);
    this.#queue = queue;
    this.#consumption = consumption;
  }

  renew(): void {
    this.#consumer?.renew();
  }

  protected begin(): void {
    this.#consumer = this.#queue.consumer(() => this.listener.ready());
    this.#demand();
    this.#queue.await(this);
  }

  protected get waiting(): number {
    return this.#consumer?.length ?? 0;
  }

  protected get full(): boolean {
    return this.#consumer === null || this.#held >= this.#consumption.prefetch;
  }

  protected nextItem(): HeldItem | undefined {
    return this.#consumer?.take();
  }

  protected drained(): void {
    this.#queue.changed();
  }

  protected decode(item: HeldItem): unknown {
    return this.#queue.decode(item);
  }

  protected handing(item: HeldItem, value: unknown): void {
    const { holder } = this.#consumption;
    if (holder === null) this.#queue.leaving(this.#queue.acknowledge(item));
    else {
      this.#held++;
      holder.holdItem(value, item, this.#released);
    }
    this.#demand();
  }

  /** Others may be able to read it. */
  protected refused(item: HeldItem): void {
    this.#queue.leaving(this.#queue.held.giveBack(item, UNREADABLE_DELAY_MS));
  }

  protected leave(item: HeldItem | undefined): void {
    this.#queue.forget(this);
    if (this.#consumer !== null) this.#queue.leaving(this.#consumer.stop(item));
  }

  #demand(): void {
    this.#consumer?.demand(this.#consumption.prefetch - this.#held);
  }

  readonly #released = (): void => {
    this.#held--;
    if (this.state !== OPEN) return;
    this.#demand();
    this.listener.ready();
  };
}
