import { PATIENT_AFTER_MS } from '../../memory/index.js';
import { performance } from '../../util/timers.js';

/**
 * What is free but reserved for patient waiters. A mere try may not take it, unless nobody comes
 * for it, as when the waiter died.
 */
export class FairnessReserve {
  /** Since when it is seen so; 0: it is not. */
  #since = 0;

  /** Whether a try may take it. */
  allows(aside: boolean): boolean {
    if (!aside) {
      this.#since = 0;
      return true;
    }
    const now = performance.now();
    if (this.#since === 0) this.#since = now;
    return now - this.#since >= 2 * PATIENT_AFTER_MS;
  }
}
