/** A task that an agent has taken: a message of the stream that is its own for the lease. */
import { type Broker, type Delivery, deliveryOf, type Msg } from '../broker/index.js';
import type { PriorityClass, TaskMessage } from '../wire/index.js';

export class HeldTask implements Delivery {
  stream = '';
  sequence = 0;
  deliveries = 0;
  published = 0;
  readonly abort = new AbortController();
  /** Its driver wants it no more. */
  unwanted = false;
  /** The last attempt of an item has begun. */
  begun = false;
  /** It runs no more. */
  over = false;
  /** Called when it is over. */
  readonly whenOver: (() => void)[] = [];
  /** Outcomes that the driver does not have yet. */
  untold = 0;
  /** It is given back. */
  leaving = false;
  /** It counts among those that are over and held. */
  counted = false;
  readonly #broker: Broker;
  /** Where it is acknowledged; that of its latest delivery. */
  #reply = '';
  #settled = false;

  constructor(
    broker: Broker,
    message: Msg,
    readonly priority: PriorityClass,
    readonly task: TaskMessage,
    /** As it was published. */
    readonly bytes: Uint8Array,
  ) {
    this.#broker = broker;
    this.delivered(message);
  }

  /** It came, once more. */
  delivered(message: Msg): void {
    this.#reply = message.reply ?? '';
    Object.assign(this, deliveryOf(message));
  }

  /** What tells it from all that is held. */
  get key(): string {
    const { driver, run, chunk, offset } = this.task;
    return `${this.sequence}/${driver}/${run}/${chunk}/${offset}`;
  }

  /** Runs of it that ended with the death of a worker or a host. */
  get before(): number {
    return this.task.options.before + this.deliveries - 1;
  }

  /** The lease begins anew. */
  renew(): void {
    if (!this.#settled) this.#broker.publish(this.#reply, '+WPI');
  }

  /** It is done: the message leaves the stream. */
  acknowledge(): void {
    this.#settle('+ACK');
  }

  /** Another agent may have it; the broker counts that as one more delivery. */
  decline(): void {
    this.#settle('-NAK');
  }

  /** It comes again, here or elsewhere, when the lease is over. */
  leave(): void {
    this.#settled = true;
  }

  #settle(how: string): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#broker.publish(this.#reply, how);
  }
}
