import { LIVENESS_CHECK_MS } from '../../memory/index.js';
import { performance } from '../../util/timers.js';

/** How often a try that failed may look whether the owner has died. */
export class LivenessThrottle {
  /** When it may look again. */
  #next = 0;

  /** Returns whether it may look now, which then counts as a look. */
  mayCheckNow(): boolean {
    const now = performance.now();
    if (now < this.#next) return false;
    this.#next = now + LIVENESS_CHECK_MS / 2;
    return true;
  }
}
