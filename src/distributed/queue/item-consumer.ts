/**
 * One consumer among those that compete for the items of a queue: it asks for as many as it is told
 * there is room for, and gives back what it has when it is left.
 */

import { Deque } from '../../util/deque.js';
import { type Broker, Puller } from '../broker/index.js';
import type { ChannelNames } from '../wire/index.js';
import type { HeldItem, HeldItems } from './held-items.js';

/** The durable consumer of a queue. */
export const CONSUMER = 'items';

export class ItemConsumer {
  readonly #held: HeldItems;
  readonly #puller: Puller<typeof CONSUMER>;
  readonly #items = new Deque<HeldItem>();
  readonly #came: () => void;
  #stopped: Promise<void> | undefined;

  /**
   * @param came Called when there is an item more.
   * @param lost Called when the broker does not know the queue.
   */
  constructor(broker: Broker, names: ChannelNames, held: HeldItems, came: () => void, lost: () => void) {
    this.#held = held;
    this.#came = came;
    this.#puller = new Puller(
      broker,
      [{ name: CONSUMER, stream: names.stream, consumer: CONSUMER, steady: true }],
      (message) => this.#receive(held.receive(message)),
      lost,
    );
  }

  /** Items that wait here. */
  get length(): number {
    return this.#items.length;
  }

  /** Whether items may come that nothing is known of yet. */
  get asking(): boolean {
    return this.#puller.asking;
  }

  /** There is room for so many items more than those that wait here. */
  demand(room: number): void {
    this.#puller.demand(room - this.#items.length);
  }

  /** The queue was made anew. */
  renew(): void {
    this.#puller.renew();
  }

  take(): HeldItem | undefined {
    return this.#items.shift();
  }

  /** Gives back what waits here. Resolves when the broker has it. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  #receive(item: HeldItem | undefined): void {
    if (item === undefined) return;
    if (this.#stopped === undefined) {
      this.#items.push(item);
      this.#came();
    } else void this.#held.giveBack(item);
  }

  async #stop(): Promise<void> {
    const back = [...this.#items].map((item) => this.#held.giveBack(item));
    this.#items.clear();
    await this.#puller.stop();
    await Promise.all(back);
  }
}
