/**
 * The failure that ends an execution with `errors: 'fail'`: that of the lowest position. It is
 * delivered in its turn, so siblings before it run on, and those behind it are cancelled once all
 * positions before it have a result.
 */
import { NOTHING } from '../sources/pull.js';
import { Failure, type ResultRing } from './result-ring.js';

export class FirstFailure {
  #position = Number.POSITIVE_INFINITY;
  /** All positions below have a result. Only grows, so that each position is looked at once. */
  #settledBelow = 0;

  /** Whether an item failed. */
  get exists(): boolean {
    return this.#position !== Number.POSITIVE_INFINITY;
  }

  /** Notes that the item at `position` failed. */
  note(position: number): void {
    this.#position = Math.min(this.#position, position);
  }

  /** Returns the error, which lies in the ring. */
  errorIn(ring: ResultRing): unknown {
    const failure = ring.at(this.#position);
    return failure instanceof Failure ? failure.error : undefined;
  }

  /** Returns whether every position before the failure has a result. */
  isNext(ring: ResultRing): boolean {
    this.#settledBelow = Math.max(this.#settledBelow, ring.head);
    while (this.#settledBelow < this.#position && ring.at(this.#settledBelow) !== NOTHING) this.#settledBelow++;
    return this.#settledBelow === this.#position;
  }
}
