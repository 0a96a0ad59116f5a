/** Reads a source of sources: up to `concurrency` inner ones at a time, the others in turn. */
import { DONE, FAILED, MORE, type PullReader, type ReadState, WAIT } from '../streams/index.js';

export class MergeReader<T, R> implements PullReader<R> {
  error: unknown = undefined;
  readonly #outer: PullReader<T>;
  readonly #open: (item: T, wake: () => void) => PullReader<R>;
  readonly #concurrency: number;
  readonly #wake: () => void;
  readonly #inner: PullReader<R>[] = [];
  readonly #item: T[] = [];
  #outerOver = false;
  #over = false;
  #reading = false;
  #turn = 0;

  constructor(
    outer: (wake: () => void) => PullReader<T>,
    open: (item: T, wake: () => void) => PullReader<R>,
    concurrency: number,
    wake: () => void,
  ) {
    this.#open = open;
    this.#concurrency = concurrency;
    this.#wake = () => {
      if (!this.#reading && !this.#over) wake();
    };
    this.#outer = outer(this.#wake);
  }

  start(): void {
    this.#outer.start?.();
  }

  read(into: R[], max: number): ReadState {
    this.#reading = true;
    try {
      return this.#read(into, max);
    } catch (error) {
      return this.#fail(error);
    } finally {
      this.#reading = false;
    }
  }

  async cancel(reason?: unknown): Promise<void> {
    this.#over = true;
    const open = this.#outerOver ? this.#inner : [this.#outer, ...this.#inner];
    await Promise.all(open.map((reader) => reader.cancel(reason)));
  }

  #read(into: R[], max: number): ReadState {
    const before = into.length;
    for (;;) {
      let progress = false;
      while (!this.#outerOver && this.#inner.length < this.#concurrency) {
        const state = this.#outer.read(this.#item, 1);
        if (this.#item.length > 0) {
          const reader = this.#open(this.#item.pop() as T, this.#wake);
          this.#inner.push(reader);
          reader.start?.();
          progress = true;
        }
        if (state === FAILED) {
          this.#outerOver = true;
          return this.#fail(this.#outer.error);
        }
        if (state === DONE) this.#outerOver = true;
        if (state === WAIT) break;
      }
      for (let looked = this.#inner.length; looked > 0 && this.#inner.length > 0; looked--) {
        this.#turn %= this.#inner.length;
        const reader = this.#inner[this.#turn]!;
        const had = into.length;
        // One item a turn, so that one that never runs dry does not starve the others.
        const state = reader.read(into, 1);
        progress ||= into.length > had;
        if (state === DONE || state === FAILED) {
          this.#inner.splice(this.#turn, 1);
          progress = true;
          if (state === FAILED) return this.#fail(reader.error);
        } else this.#turn++;
        if (into.length - before === max) return this.#outerOver && this.#inner.length === 0 ? DONE : MORE;
      }
      if (this.#outerOver && this.#inner.length === 0) return DONE;
      if (!progress) return WAIT;
    }
  }

  #fail(error: unknown): typeof FAILED {
    this.error = error;
    this.cancel(error).catch(() => {});
    return FAILED;
  }
}
