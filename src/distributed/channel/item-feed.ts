/**
 * What a consumer of a queue and a subscription of a topic have in common: items are taken as they come,
 * and decoded one after the other, also where parts or modules have to be loaded for that.
 */
import { type Counts, ENDED, ERRORED, NOTHING, OPEN, PacedFeed } from '../../streams/index.js';
import { queueMicrotask } from '../../util/timers.js';
import type { End } from './writer-table.js';

export abstract class ItemFeed<I> extends PacedFeed {
  /** An item that is being decoded; those behind it wait. */
  #loading: { readonly item: I } | null = null;
  #loaded: { readonly item: I; readonly value: unknown } | null = null;

  /** Items that wait here. */
  protected abstract get waiting(): number;
  /** Whether none may be taken, though there may be some. */
  protected abstract get full(): boolean;
  protected abstract begin(): void;
  protected abstract nextItem(): I | undefined;
  /** All that came is taken. */
  protected abstract drained(): void;
  /** The value of an item, or a promise of it. */
  protected abstract decode(item: I): unknown;
  /** An item is about to be handed over. */
  protected abstract handing(item: I, value: unknown): void;
  /** An item cannot be decoded here: the stream ends with the error. */
  protected abstract refused(item: I): void;
  /** The stream is over. @param item What was taken and not handed over. */
  protected abstract leave(item: I | undefined): void;

  start(): void {
    if (this.state !== OPEN) {
      this.listener.ready();
      return;
    }
    this.begin();
    // Those who subscribe in the same turn are to see the first item too.
    queueMicrotask(() => this.listener.ready());
  }

  /** Whether it has none, and is given none. */
  get idle(): boolean {
    return this.state === OPEN && this.#loading === null && this.#loaded === null && this.waiting === 0;
  }

  /** None will come. */
  ended({ error }: End): void {
    if (this.state !== OPEN) return;
    this.end(error === undefined ? ENDED : ERRORED, error);
    this.listener.ready();
  }

  take(): unknown {
    if (this.state !== OPEN || this.#loading !== null) return NOTHING;
    if (this.#loaded !== null) {
      const { item, value } = this.#loaded;
      this.#loaded = null;
      return this.#deliver(item, value);
    }
    if (this.resting || this.full) return NOTHING;
    const item = this.nextItem();
    if (item === undefined) {
      this.rest();
      this.drained();
      return NOTHING;
    }
    try {
      const value = this.decode(item);
      if (!(value instanceof Promise)) return this.#deliver(item, value);
      void this.#load(item, value);
    } catch (error) {
      this.#refuse(item, error);
    }
    return NOTHING;
  }

  snapshot(): Counts {
    const buffered = this.waiting + (this.#loading === null && this.#loaded === null ? 0 : 1);
    return { pulled: this.delivered + buffered, running: 0, buffered, delivered: this.delivered, failed: 0 };
  }

  protected release(): void {
    const { item } = this.#loading ?? this.#loaded ?? {};
    this.#loading = null;
    this.#loaded = null;
    this.leave(item);
  }

  #deliver(item: I, value: unknown): unknown {
    this.handing(item, value);
    return this.hand(value);
  }

  async #load(item: I, pending: Promise<unknown>): Promise<void> {
    const loading = { item };
    this.#loading = loading;
    // Whoever leaves meanwhile has given it back.
    const isOpen = (): boolean => this.#loading === loading;
    try {
      const value = await pending;
      if (isOpen()) this.#loaded = { item, value };
    } catch (error) {
      if (isOpen()) this.#refuse(item, error);
    }
    if (isOpen()) this.#loading = null;
    this.listener.ready();
  }

  #refuse(item: I, error: unknown): void {
    this.#loading = null;
    this.refused(item);
    this.endWithError(error);
  }
}
