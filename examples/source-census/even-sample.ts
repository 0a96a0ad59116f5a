/**
 * Keeps items evenly spread over a stream of unknown length, in bounded memory.
 *
 * Every `step`-th item is kept; when `capacity` is reached, every second one is dropped and the step doubles.
 * So between half of `capacity` and `capacity` items remain (all of them, for a short stream).
 */
export class EvenSample<T> {
  #kept: T[] = [];
  #seen = 0;
  #step = 1;

  constructor(private readonly capacity: number) {}

  get items(): readonly T[] {
    return this.#kept;
  }

  /** Passes a source on unchanged, sampling what goes by. Ending the returned generator ends the source. */
  async *from(source: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    for await (const item of source) {
      this.#offer(item);
      yield item;
    }
  }

  #offer(item: T): void {
    if (this.#seen++ % this.#step !== 0) return;
    this.#kept.push(item);
    if (this.#kept.length < this.capacity) return;
    this.#kept = this.#kept.filter((_, index) => index % 2 === 0);
    this.#step *= 2;
  }
}
