import { performance } from '../../util/timers.js';

/** Milliseconds after which what was measured counts for a third. */
const MEMORY_MS = 5000;

/**
 * How fast an execution gets on: an exponentially weighted average over time, corrected for its
 * beginning, so that it is the plain average at first and follows changes later.
 */
export class Rate {
  readonly #began = performance.now();
  #at = this.#began;
  #settled = 0;
  #average = 0;

  /** Items a second, now that `settled` have a result. */
  measure(settled: number): number {
    const now = performance.now();
    const time = now - this.#at;
    if (time > 0) {
      const weight = Math.exp(-time / MEMORY_MS);
      this.#average = weight * this.#average + (1 - weight) * ((settled - this.#settled) / time);
      this.#at = now;
      this.#settled = settled;
    }
    const known = 1 - Math.exp(-(this.#at - this.#began) / MEMORY_MS);
    return known === 0 ? 0 : (1000 * this.#average) / known;
  }
}
