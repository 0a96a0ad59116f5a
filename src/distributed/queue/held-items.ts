/**
 * Items that this process has taken: each is its own for the lease, which is renewed until the item
 * is settled.
 *
 *   received -> acknowledged | given back        told to the broker until it has confirmed
 *
 * Invariants
 * - An item that comes again while it is here is the one that is here.
 * - What is settled is here until the broker knows, so that it is not handed out again meanwhile.
 */
import { clearInterval, setInterval, setTimeout } from '../../util/timers.js';
import { type Broker, deliveryOf, type Msg, NANOS, type PublishAnswer, Publisher } from '../broker/index.js';

/** Attempts to settle an item at a broker that does not know its consumer, and milliseconds between them. */
const SETTLE_ATTEMPTS = 25;
const SETTLE_WAIT_MS = 200;

export interface HeldItem {
  /** Its latest delivery. */
  message: Msg;
  /** How it was settled; `null`: it is not. */
  settled: string | null;
}

export class HeldItems {
  readonly #broker: Broker;
  readonly #publisher: Publisher;
  readonly #items = new Map<string, HeldItem>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(broker: Broker, lease: number) {
    this.#broker = broker;
    this.#publisher = new Publisher(broker, confirmed);
    this.lease = lease;
  }

  /** Those that are not settled, and those of which the broker does not know it. */
  get count(): number {
    return this.#items.size;
  }

  set lease(milliseconds: number) {
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#renew(), milliseconds / 3);
  }

  /** An item came. Returns `undefined` when it is here already. */
  receive(message: Msg): HeldItem | undefined {
    const key = keyOf(message);
    const known = this.#items.get(key);
    if (known === undefined) {
      const item: HeldItem = { message, settled: null };
      this.#items.set(key, item);
      return item;
    }
    known.message = message;
    // What it was settled by may have named the delivery before.
    if (known.settled !== null) this.#broker.publish(message.reply ?? '', known.settled);
    return undefined;
  }

  /** It is done with. Resolves when the broker knows. */
  acknowledge(item: HeldItem): Promise<void> {
    return this.#settle(item, '+ACK');
  }

  /** Others may have it, after so many milliseconds. Resolves when the broker knows. */
  giveBack(item: HeldItem, delay = 0): Promise<void> {
    return this.#settle(item, delay === 0 ? '-NAK' : `-NAK {"delay":${delay * NANOS}}`);
  }

  /** Gives back all that is not settled. Resolves when the broker knows. */
  async giveBackAll(): Promise<void> {
    await Promise.all([...this.#items.values()].map((item) => this.giveBack(item)));
  }

  /** Renews nothing more, and settles nothing. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#publisher.close();
    this.#items.clear();
  }

  async #settle(item: HeldItem, how: string): Promise<void> {
    if (item.settled !== null || this.#closed) return;
    item.settled = how;
    for (let attempt = 0; attempt < SETTLE_ATTEMPTS; attempt++) {
      if (await this.#told(item, how)) break;
      // The broker is just starting, or has lost the queue: then nothing is to be settled.
      await new Promise<void>((resolve) => setTimeout(resolve, SETTLE_WAIT_MS));
    }
    this.#items.delete(keyOf(item.message));
  }

  #told({ message }: HeldItem, how: string): Promise<boolean> {
    return new Promise((resolve) => {
      this.#publisher.publish({
        subject: message.reply ?? '',
        id: '',
        payload: how,
        stored: () => resolve(true),
        refused: () => resolve(this.#closed),
      });
    });
  }

  #renew(): void {
    for (const { message, settled } of this.#items.values())
      if (settled === null) this.#broker.publish(message.reply ?? '', '+WPI');
  }
}

/** A broker that has lost its store may give a number twice. */
function keyOf(message: Msg): string {
  const { sequence, published } = deliveryOf(message);
  return `${sequence}/${published}`;
}

/** An empty answer confirms; 503: no consumer listens there. */
function confirmed(message: Msg): PublishAnswer {
  return message.headers?.code === 503 ? { noStream: true, description: 'no consumer listens' } : 0;
}
