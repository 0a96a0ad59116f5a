/**
 * Items that this process has taken: each is its own for the lease, which is renewed until the item
 * is settled.
 *
 *   received -> acknowledged | given back        told to the broker until it has confirmed
 *
 * Invariants
 * - An item that comes again while it is here is the one that is here.
 * - What is acknowledged is here until the broker knows: it is not handed out again meanwhile.
 * - What was given back and comes again is new: the broker may hand it out before it confirms.
 * - What is given back together goes back in its order, when those who left have no request there.
 */
import { clearInterval, setInterval, setTimeout } from '../../util/timers.js';
import {
  type Broker,
  deliveryOf,
  type Msg,
  NANOS,
  type Publication,
  type PublishAnswer,
  Publisher,
} from '../broker/index.js';
import type { Departures } from './departures.js';

/** Attempts to settle an item at a broker that does not know its consumer, and milliseconds between them. */
const SETTLE_ATTEMPTS = 25;
const SETTLE_WAIT_MS = 200;

export interface HeldItem {
  /** Its latest delivery. */
  message: Msg;
  /** How it was settled; `null`: it is not. */
  settled: string | null;
  /** Takes back what the broker is being told. */
  revoke?: () => void;
}

/** Items that go back together. */
interface Batch {
  readonly items: HeldItem[];
  readonly told: Promise<void>;
}

const GIVEN_BACK = '-NAK';

export class HeldItems {
  readonly #broker: Broker;
  readonly #publisher: Publisher;
  readonly #departures: Departures;
  readonly #forgetRequests: () => Promise<void>;
  readonly #items = new Map<string, HeldItem>();
  #batch: Batch | null = null;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param forgetRequests Has the broker forget requests of those who have left. */
  constructor(broker: Broker, lease: number, departures: Departures, forgetRequests: () => Promise<void>) {
    this.#broker = broker;
    this.#departures = departures;
    this.#forgetRequests = forgetRequests;
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
    if (known === undefined || known.settled?.startsWith(GIVEN_BACK) === true) {
      known?.revoke?.();
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
  async acknowledge(item: HeldItem): Promise<void> {
    if (item.settled !== null || this.#closed) return;
    item.settled = '+ACK';
    await this.#tell(item);
  }

  /** Others may have it, after so many milliseconds. Resolves when the broker knows. */
  async giveBack(item: HeldItem, delay = 0): Promise<void> {
    if (item.settled !== null || this.#closed) return;
    item.settled = delay === 0 ? GIVEN_BACK : `${GIVEN_BACK} {"delay":${delay * NANOS}}`;
    if (this.#batch === null) {
      const items: HeldItem[] = [];
      this.#batch = { items, told: this.#return(items) };
    }
    this.#batch.items.push(item);
    await this.#batch.told;
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

  async #return(items: HeldItem[]): Promise<void> {
    await this.#departures.ended();
    // Others may leave from here on: what they give back waits for them.
    this.#batch = null;
    await this.#forgetRequests();
    items.sort((a, b) => deliveryOf(a.message).sequence - deliveryOf(b.message).sequence);
    await Promise.all(items.map((item) => this.#tell(item)));
  }

  async #tell(item: HeldItem): Promise<void> {
    for (let attempt = 0; attempt < SETTLE_ATTEMPTS && this.#isHere(item); attempt++) {
      if (await this.#told(item)) break;
      // The broker is just starting, or has lost the queue: then nothing is to be settled.
      await new Promise<void>((resolve) => setTimeout(resolve, SETTLE_WAIT_MS));
    }
    this.#forget(item);
  }

  #told(item: HeldItem): Promise<boolean> {
    return new Promise((resolve) => {
      const publication: Publication = {
        subject: item.message.reply ?? '',
        id: '',
        payload: item.settled ?? '',
        stored: () => {
          // At once: it may come again in the next message.
          this.#forget(item);
          resolve(true);
        },
        refused: () => resolve(this.#closed),
      };
      item.revoke = () => {
        this.#publisher.giveUp(publication);
        resolve(true);
      };
      this.#publisher.publish(publication);
    });
  }

  #isHere(item: HeldItem): boolean {
    return this.#items.get(keyOf(item.message)) === item;
  }

  #forget(item: HeldItem): void {
    if (this.#isHere(item)) this.#items.delete(keyOf(item.message));
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
