import { performance } from '../../util/timers.js';
import { AdaptiveBudget } from './adaptive-budget.js';

/**
 * Milliseconds of looking again before a sleep: about the round trip of a short task, and less than
 * waking a core costs.
 */
const MAX_LOOKING_MS = 0.03;
/**
 * Budget of the first look. Four misses in a row halve it to nothing, and the side sleeps at once
 * from then on.
 */
const START_BUDGET = 8;
/** One sleep in so many is preceded by a look again, although the last looks found nothing. */
const SLEEPS_PER_RETRY = 16;

/**
 * Whether a side of a link that found nothing should look once more before it sleeps, on the event
 * loop's next turn.
 *
 * Being woken costs a system call on one side and, on an idle core, tens of microseconds on the
 * other; a look costs two. So a side looks again for a moment, but only while that pays: under long
 * tasks it soon goes to sleep at once. {@link Backoff} does the same within its caller. Both learn
 * by {@link AdaptiveBudget}.
 */
export class IdleBackoff {
  readonly #budget = new AdaptiveBudget(START_BUDGET, START_BUDGET, SLEEPS_PER_RETRY);
  #since = 0;

  /** There was something to do. */
  foundWork(): void {
    if (this.#since === 0) return;
    this.#since = 0;
    this.#budget.recordHit(0);
  }

  /** There was nothing to do. Returns whether to look again instead of sleeping. */
  shouldLookAgain(): boolean {
    const now = performance.now();
    if (this.#since === 0) {
      if (this.#budget.allowance() === 0) return false;
      this.#since = now;
      return true;
    }
    if (now - this.#since < MAX_LOOKING_MS) return true;
    this.#since = 0;
    this.#budget.recordMiss();
    return false;
  }
}
