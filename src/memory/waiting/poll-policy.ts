/**
 * How long a wait without blocking polls its word before it sleeps: some turns of the event loop,
 * as long as that pays.
 *
 *   turns left | meaning
 *       0      | no polling: sleep
 *      n > 0   | n turns more, of {@link POLL_LOOKS_PER_TURN} looks each
 */
import { AdaptiveBudget } from './adaptive-budget.js';

/** Looks of polling in one turn of the loop. */
export const POLL_LOOKS_PER_TURN = 200;
const START_LOOKS = 2_000;
const MAX_LOOKS = 30_000;
/** One wait in so many polls again although the last ones failed. */
const WAITS_PER_RETRY = 256;
/** Turns of the loop that one wait polls at most. */
const MAX_TURNS = 60;

export class PollPolicy {
  /** Polling differs from spinning, so it learns for itself. */
  readonly #budget = new AdaptiveBudget(START_LOOKS, MAX_LOOKS, WAITS_PER_RETRY);
  #turnsLeft = 0;
  #turnsTaken = 0;

  /** Whether another turn of polling follows. */
  get polls(): boolean {
    return this.#turnsLeft > 0;
  }

  /**
   * The first waiter of the queue begins.
   * @param vain Only this thread can end the wait, so that looking is vain.
   */
  begin(vain: boolean): void {
    this.#turnsTaken = 0;
    this.#turnsLeft = vain ? 0 : Math.min(MAX_TURNS, Math.ceil(this.#budget.allowance() / POLL_LOOKS_PER_TURN));
  }

  /** A turn of polling begins. */
  beginTurn(): void {
    this.#turnsTaken++;
  }

  /** The turn served the first waiter: polling has ended. */
  recordHit(): void {
    this.#budget.recordHit(this.#turnsTaken * POLL_LOOKS_PER_TURN);
    this.#turnsLeft = 0;
  }

  /** The turn served nobody. */
  recordMiss(): void {
    if (--this.#turnsLeft === 0) this.#budget.recordMiss();
  }

  /**
   * A wait was served before it polled: whoever answers this soon is worth a poll, should it once
   * take longer.
   */
  recordEarlyHit(): void {
    this.#budget.recordHit(0);
  }

  /** Nobody waits any more. */
  stop(): void {
    this.#turnsLeft = 0;
  }
}
