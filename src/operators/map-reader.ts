/** Reads a source and maps each item, several at a time if asked, in the order of the source. */
import { DONE, FAILED, MORE, type PullReader, type ReadState, WAIT } from '../streams/index.js';
import { Deque } from '../util/deque.js';

/** What a mapping answers for an item that has no result. */
export const SKIP: unique symbol = Symbol('skip');

interface Slot<R> {
  settled: boolean;
  value: R | typeof SKIP | undefined;
}

export class MapReader<T, R> implements PullReader<R> {
  error: unknown = undefined;
  readonly #source: PullReader<T>;
  readonly #map: (item: T) => PromiseLike<R | typeof SKIP> | R | typeof SKIP;
  readonly #concurrency: number;
  readonly #wake: () => void;
  readonly #slots = new Deque<Slot<R>>();
  readonly #item: T[] = [];
  #over: typeof DONE | typeof FAILED | null = null;
  #broken = false;
  #reading = false;

  constructor(
    open: (wake: () => void) => PullReader<T>,
    map: (item: T) => PromiseLike<R | typeof SKIP> | R | typeof SKIP,
    concurrency: number,
    wake: () => void,
  ) {
    this.#map = map;
    this.#concurrency = concurrency;
    this.#wake = () => {
      if (!this.#reading) wake();
    };
    this.#source = open(() => this.#wake());
  }

  start(): void {
    this.#source.start?.();
  }

  read(into: R[], max: number): ReadState {
    this.#reading = true;
    try {
      return this.#read(into, max);
    } finally {
      this.#reading = false;
    }
  }

  async cancel(reason?: unknown): Promise<void> {
    this.#broken = true;
    if (this.#over === null) await this.#source.cancel(reason);
  }

  #read(into: R[], max: number): ReadState {
    for (let had = 0; ; ) {
      for (let slot = this.#slots.first(); slot?.settled === true; slot = this.#slots.first()) {
        if (had === max) return MORE;
        this.#slots.shift();
        if (slot.value === SKIP) continue;
        into.push(slot.value as R);
        had++;
      }
      if (this.#broken && this.#slots.length === 0) return FAILED;
      if (had === max) return MORE;
      if (this.#over !== null && this.#slots.length === 0) {
        if (this.#over === FAILED) this.error = this.#source.error;
        return this.#over;
      }
      if (this.#over !== null || this.#broken || this.#slots.length >= this.#concurrency) return WAIT;
      const state = this.#source.read(this.#item, 1);
      if (this.#item.length > 0) this.#begin(this.#item.pop() as T);
      if (state === DONE || state === FAILED) this.#over = state;
      else if (state === WAIT && this.#slots.first()?.settled !== true) return WAIT;
    }
  }

  #begin(item: T): void {
    const slot: Slot<R> = { settled: false, value: undefined };
    this.#slots.push(slot);
    let result: PromiseLike<R | typeof SKIP> | R | typeof SKIP;
    try {
      result = this.#map(item);
    } catch (error) {
      this.#fail(slot, error);
      return;
    }
    if (typeof (result as PromiseLike<R> | null)?.then !== 'function') {
      slot.settled = true;
      slot.value = result as R;
      return;
    }
    (result as PromiseLike<R | typeof SKIP>).then(
      (value) => {
        slot.settled = true;
        slot.value = value;
        this.#wake();
      },
      (error: unknown) => {
        this.#fail(slot, error);
        this.#wake();
      },
    );
  }

  /** What came before the item is delivered, then the error. */
  #fail(slot: Slot<R>, error: unknown): void {
    if (this.#broken) return;
    this.#broken = true;
    this.error = error;
    // All that was begun after it is given up.
    while (this.#slots.last() !== slot) this.#slots.pop();
    this.#slots.pop();
    if (this.#over === null) this.#source.cancel(error).catch(() => {});
  }
}
