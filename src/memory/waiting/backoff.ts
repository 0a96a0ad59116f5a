/**
 * How long to look at a word before sleeping on it, and how often to let others run first.
 *
 * To be woken takes 5 to 50 microseconds, on an idle core more; who is answered sooner should not
 * have slept. So a wait looks again and again for a while, as long as that pays
 * (adaptive-budget.ts): two processes on one core, where it never does, stop at once and try only
 * now and then. At most {@link MAX_LOOKS} looks, about 100 microseconds, are wasted on one wait.
 * Then the core is offered to whoever else wants it ({@link MAX_YIELDS} times): on a shared core
 * that is often who answers, and two switches by yielding cost less than a sleep and a wake-up.
 * That too is given up while it does not pay.
 */
import { yieldThread } from '../../native/index.js';
import { performance } from '../../util/timers.js';
import { AdaptiveBudget } from './adaptive-budget.js';
import { type Attempt, Urgency } from './wait-protocol.js';

const START_LOOKS = 2_000;
const MAX_LOOKS = 30_000;
/** A wait in so many tries again although the last ones failed. */
const WAITS_PER_RETRY = 256;

/** Times the core is offered to others. */
const MAX_YIELDS = 16;

/** Milliseconds after which the core is not offered again. */
const MAX_YIELDED_MS = 0.1;

/** Milliseconds that an answer takes at most which is a matter of switching to and fro. */
const PROMPT_ANSWER_MS = 0.03;

/** Node 26 has it; tells the core that it waits for another one. */
const pause = (Atomics as { pause?: (n?: number) => void }).pause;

export class Backoff {
  readonly #looks: AdaptiveBudget;
  /** The last wait that looked was answered meanwhile: by somebody on another core. */
  #answered = false;
  #yields = MAX_YIELDS;
  #waitsWithoutYield = 0;
  #answeredOnYield = false;

  /** @param start Looks of the first wait. @param most Looks of any. */
  constructor(start = START_LOOKS, most = MAX_LOOKS) {
    this.#looks = new AdaptiveBudget(start, most, WAITS_PER_RETRY);
  }

  /**
   * The last wait was answered as soon as the core was offered: by somebody on this core, who
   * answers when it has it and not before.
   */
  get answeredOnYield(): boolean {
    return this.#answeredOnYield;
  }

  /**
   * Makes attempts until one succeeds, or until it was worth it no longer. Learns from the outcome.
   */
  attemptUntil(attempt: Attempt): boolean {
    const looks = this.#looks.allowance();
    this.#answeredOnYield = false;
    for (let i = 0; i < looks; i++) {
      if (attempt(Urgency.Fresh)) {
        this.#answered = true;
        this.#looks.recordHit(i);
        return true;
      }
      pause?.call(Atomics);
    }
    if (looks > 0) {
      const elsewhere = this.#answered;
      this.#answered = false;
      this.#looks.recordMiss();
      // Whoever else wants this core then is not the one who answers, and keeps it for a time
      // slice.
      if (elsewhere) return false;
    }
    return this.#yieldUntil(attempt);
  }

  #yieldUntil(attempt: Attempt): boolean {
    if (this.#yields === 0) {
      this.#waitsWithoutYield = (this.#waitsWithoutYield + 1) % WAITS_PER_RETRY;
      if (this.#waitsWithoutYield !== 0) return false;
      this.#yields = MAX_YIELDS;
    }
    const start = performance.now();
    for (let i = 0; i < this.#yields; i++) {
      yieldThread();
      if (attempt(Urgency.Fresh)) {
        this.#yields = MAX_YIELDS;
        this.#answeredOnYield = i === 0 && performance.now() - start < PROMPT_ANSWER_MS;
        return true;
      }
      // Whoever has the core is at work of its own and does not answer: wait in the word's queue
      // instead.
      if (performance.now() - start > MAX_YIELDED_MS) {
        this.#yields = 0;
        return false;
      }
    }
    this.#yields >>= 1;
    return false;
  }
}
