/**
 * Where in the user's program a call was made, for the stack of an error that comes back from a worker.
 *
 * Capturing costs 1 to 3 microseconds, ten times what the rest of a small call does, so it is rationed: the first calls of
 * a burst are captured, then one each {@link REFILL} ms, which costs a busy caller about 1 %. The text is made only when it is
 * read.
 */
import { performance } from '../../util/timers.js';

/** A captured call. */
export interface Site {
  readonly stack?: string;
}

/** Calls of a burst that are captured. */
const BURST = 128;
/** Milliseconds that earn one more. */
const REFILL = 0.25;
/** Calls without a ration between two looks at the clock, which costs a tenth of such a call. */
const PATIENCE = 16;
const DEPTH = 20;

/** What one kind of call may have captured. */
export class SiteRation {
  readonly #refill: number;
  #ration = BURST;
  #refilled = 0;
  #skipped = 0;

  /** @param refill milliseconds that earn one more capture, after a burst of 128. */
  constructor(refill: number) {
    this.#refill = refill;
  }

  /** Captures the caller; `null` when this is one call of very many. */
  take(): Site | null {
    if (this.#ration === 0) {
      if (++this.#skipped < PATIENCE) return null;
      this.#skipped = 0;
      const now = performance.now();
      this.#ration = Math.min(BURST, Math.floor((now - this.#refilled) / this.#refill));
      if (this.#ration === 0) return null;
      this.#refilled = now;
    }
    this.#ration--;
    const site: Site = {};
    const { stackTraceLimit } = Error;
    try {
      Error.stackTraceLimit = DEPTH;
      Error.captureStackTrace(site);
      Error.stackTraceLimit = stackTraceLimit;
    } catch {
      // The host has frozen Error.
      return null;
    }
    return site;
  }
}

const ofPools = new SiteRation(REFILL);

/** Captures the caller of a pool's method; `null` when this is one call of very many. */
export function takeSite(): Site | null {
  return ofPools.take();
}
