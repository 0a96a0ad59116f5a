/**
 * How much looking again a wait is worth, learned from those before it: it grows where that paid,
 * halves where it did not, and after some failures is nothing, but for a wait now and then that
 * tries again.
 *
 * Source: adaptive mutexes of glibc (PTHREAD_MUTEX_ADAPTIVE_NP).
 */

/** The part of the first amount that is not worth the trouble any more. */
const MIN_SHARE_OF_START = 1 / 20;

export class AdaptiveBudget {
  readonly #start: number;
  readonly #most: number;
  readonly #retry: number;
  #amount: number;
  #skipped = 0;

  /**
   * @param start For the first wait, in what the caller counts.
   * @param most For any.
   * @param retry One wait in so many tries again although the last ones failed.
   */
  constructor(start: number, most: number, retry: number) {
    this.#start = start;
    this.#most = most;
    this.#retry = retry;
    this.#amount = start;
  }

  /** What the next wait is worth; 0: sleep at once. */
  allowance(): number {
    if (this.#amount >= this.#start * MIN_SHARE_OF_START) return this.#amount;
    this.#skipped = (this.#skipped + 1) % this.#retry;
    return this.#skipped === 0 ? this.#start : 0;
  }

  /** Looking again paid, after so much. */
  recordHit(after: number): void {
    this.#amount = Math.min(this.#most, Math.max(this.#start, this.#amount, 4 * after));
  }

  /** Looking again did not pay. */
  recordMiss(): void {
    this.#amount = Math.floor(this.#amount / 2);
  }
}
