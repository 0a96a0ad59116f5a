/**
 * Where in the user's program a call was made, for the stack of an error that comes back from a
 * worker.
 *
 * Capturing costs 1 to 10 microseconds, many times what the rest of a small call does, so it is
 * rationed: the first calls of a burst are captured, then one each {@link REFILL_MS} ms, which
 * costs a busy caller about 1 %. The text is made only when it is read.
 */
import { performance } from '../../util/timers.js';

/** A captured call. */
export interface CallSite {
  readonly stack?: string;
}

/** Calls of a burst that are captured. */
const BURST_CAPTURES = 128;
/** Milliseconds that earn one more. */
const REFILL_MS = 1;
/** Calls without a ration between two looks at the clock, which costs a tenth of such a call. */
const SKIPS_PER_CLOCK_READ = 16;
const MAX_FRAMES = 20;

/** What one kind of call may have captured. */
export class CallSiteBudget {
  readonly #refill: number;
  #ration = BURST_CAPTURES;
  #refilled = 0;
  #skipped = 0;

  /** @param refill milliseconds that earn one more capture, after a burst of 128. */
  constructor(refill: number) {
    this.#refill = refill;
  }

  /** Captures the caller; `null` when this is one call of very many. */
  take(): CallSite | null {
    if (this.#ration === 0) {
      if (++this.#skipped < SKIPS_PER_CLOCK_READ) return null;
      this.#skipped = 0;
      const now = performance.now();
      this.#ration = Math.min(BURST_CAPTURES, Math.floor((now - this.#refilled) / this.#refill));
      if (this.#ration === 0) return null;
      this.#refilled = now;
    }
    this.#ration--;
    const site: CallSite = {};
    const { stackTraceLimit } = Error;
    try {
      Error.stackTraceLimit = MAX_FRAMES;
      Error.captureStackTrace(site);
      Error.stackTraceLimit = stackTraceLimit;
    } catch {
      // The host has frozen Error.
      return null;
    }
    return site;
  }
}

const ofPools = new CallSiteBudget(REFILL_MS);

/** Captures the caller of a pool's method; `null` when this is one call of very many. */
export function captureCallSite(): CallSite | null {
  return ofPools.take();
}
