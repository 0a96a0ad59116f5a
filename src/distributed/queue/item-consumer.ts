/**
 * One consumer among those that compete for the items of a queue: it asks for as many as it is told
 * there is room for, and gives back what it has when it is left.
 */

import { Deque } from '../../util/deque.js';
import { type Broker, Puller } from '../broker/index.js';
import type { ChannelNames } from '../wire/index.js';
import type { Departures } from './departures.js';
import type { HeldItem, HeldItems } from './held-items.js';

/** The durable consumer of a queue. */
export const CONSUMER = 'items';

export class ItemConsumer {
  readonly #held: HeldItems;
  readonly #departures: Departures;
  readonly #puller: Puller<typeof CONSUMER>;
  readonly #items = new Deque<HeldItem>();
  readonly #came: () => void;
  #room = 0;
  /** What is demanded waits for those who leave. */
  #postponed = false;
  #stopped: Promise<void> | undefined;

  /**
   * @param came Called when there is an item more.
   * @param lost Called when the broker does not know the queue.
   */
  constructor(
    broker: Broker,
    names: ChannelNames,
    held: HeldItems,
    departures: Departures,
    came: () => void,
    lost: () => void,
  ) {
    this.#held = held;
    this.#departures = departures;
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
    this.#room = room;
    if (this.#departures.none) this.#puller.demand(room - this.#items.length);
    else if (!this.#postponed) void this.#postpone();
  }

  /** The queue was made anew. */
  renew(): void {
    this.#puller.renew();
  }

  take(): HeldItem | undefined {
    return this.#items.shift();
  }

  /**
   * Gives back what waits here. Resolves when the broker has it.
   *
   * @param taken What was taken from here and is given back too.
   */
  stop(taken?: HeldItem): Promise<void> {
    if (this.#stopped === undefined) {
      const ended = this.#puller.stop();
      this.#stopped = this.#giveBack(ended, taken);
      this.#departures.add(ended, this.#stopped);
    }
    return this.#stopped;
  }

  #receive(item: HeldItem | undefined): void {
    // It is here already: the broker owes another one.
    if (item === undefined) this.demand(this.#room);
    else {
      // After the stop it is given back with the others.
      this.#items.push(item);
      if (this.#stopped === undefined) this.#came();
    }
  }

  async #postpone(): Promise<void> {
    this.#postponed = true;
    await this.#departures.gone();
    this.#postponed = false;
    if (this.#stopped === undefined) this.demand(this.#room);
  }

  /** What is given back while a request is open would be handed to that. */
  async #giveBack(ended: Promise<void>, taken: HeldItem | undefined): Promise<void> {
    await ended;
    const items = [...this.#items, ...(taken === undefined ? [] : [taken])];
    this.#items.clear();
    await Promise.all(items.map((item) => this.#held.giveBack(item)));
  }
}
