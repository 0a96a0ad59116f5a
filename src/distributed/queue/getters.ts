/**
 * Those who wait for one item each. They share a consumer, which is given up when nobody waits any
 * more and the broker may be about to send something.
 */
import { deferred } from '../../util/deferred.js';
import { limitWait } from '../../util/limit-wait.js';
import type { WaitOptions } from '../../util/wait-options.js';
import { drained, type End, empty } from '../channel/index.js';
import type { HeldItem } from './held-items.js';
import type { ItemConsumer } from './item-consumer.js';
import { type ItemSource, UNREADABLE_DELAY_MS, type Waiting } from './item-source.js';

interface Getter {
  readonly actor: string;
  readonly take: (item: HeldItem) => void;
  readonly fail: (error: unknown) => void;
}

export class Getters implements Waiting {
  readonly #queue: ItemSource;
  readonly #getters = new Set<Getter>();
  #consumer: ItemConsumer | null = null;

  constructor(queue: ItemSource) {
    this.#queue = queue;
  }

  /** Takes an item, waiting for it unless the time limit is 0. */
  async get(actor: string, { timeout, signal }: WaitOptions, manual: boolean): Promise<unknown> {
    signal?.throwIfAborted();
    const queue = this.#queue;
    queue.channel.table.start();
    const once = timeout !== undefined && timeout <= 0;
    const item = once ? await queue.glance(actor) : await this.#next(actor, timeout, signal);
    if (item === undefined) throw empty(queue.channel.names, actor, timeout);
    let value: unknown;
    try {
      const decoded = queue.decode(item);
      value = decoded instanceof Promise ? await decoded : decoded;
    } catch (error) {
      queue.leaving(queue.held.giveBack(item, UNREADABLE_DELAY_MS));
      throw error;
    }
    if (manual) queue.unacknowledged.holdItem(value, item, () => {});
    else queue.leaving(queue.acknowledge(item));
    return value;
  }

  get idle(): boolean {
    return this.#getters.size > 0 && (this.#consumer?.length ?? 0) === 0;
  }

  ended({ error, said }: End): void {
    // Who waits for one item is told only of what was said on purpose.
    if (!said) return;
    for (const getter of [...this.#getters]) getter.fail(error ?? drained(this.#queue.channel.names, getter.actor));
  }

  renew(): void {
    this.#consumer?.renew();
  }

  #next(actor: string, timeout: number | undefined, signal: AbortSignal | undefined): Promise<HeldItem> {
    const { promise, resolve, reject } = deferred<HeldItem>();
    const queue = this.#queue;
    const over = (): void => {
      unlimit();
      unlisten();
      this.#getters.delete(getter);
    };
    const getter: Getter = {
      actor,
      take: (item) => {
        over();
        resolve(item);
      },
      fail: (error) => {
        over();
        reject(error);
        this.#serve();
      },
    };
    const unlimit = limitWait(
      { timeout, signal },
      () => getter.fail(empty(queue.channel.names, actor, timeout)),
      (reason) => getter.fail(reason),
    );
    const unlisten = queue.onEnded((reason) => getter.fail(reason));
    this.#getters.add(getter);
    if (this.#consumer === null) {
      const consumer = queue.consumer(() => this.#serve());
      this.#consumer = consumer;
      queue.await(this);
      queue.onEnded(() => this.#consumer === consumer && this.#stop(consumer));
    }
    this.#serve();
    return promise;
  }

  #serve(): void {
    const consumer = this.#consumer;
    if (consumer === null) return;
    for (const getter of [...this.#getters]) {
      const item = consumer.take();
      if (item === undefined) break;
      getter.take(item);
    }
    consumer.demand(this.#getters.size);
    if (this.#getters.size > 0) this.#queue.changed();
    else this.#leave();
  }

  /** Nobody waits. What the broker has sent, or may be about to send, is for others. */
  #leave(): void {
    const consumer = this.#consumer;
    if (consumer !== null && (consumer.asking || consumer.length > 0)) this.#stop(consumer);
  }

  #stop(consumer: ItemConsumer): void {
    this.#consumer = null;
    this.#queue.forget(this);
    this.#queue.leaving(consumer.stop());
  }
}
