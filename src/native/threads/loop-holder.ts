import { clearInterval, setInterval } from '../../util/timers.js';

/** The longest interval that a timer of Node takes, ms. */
const LONGEST_MS = 0x7fffffff;

/** Keeps the event loop alive: a wait by Atomics does not. */
export class LoopHolder {
  #timer: NodeJS.Timeout | null = null;

  /** Whether it does. At first it does not. */
  hold(on: boolean): void {
    if (on) this.#timer ??= setInterval(() => {}, LONGEST_MS);
    else if (this.#timer !== null) {
      clearInterval(this.#timer);
      this.#timer = null;
    }
  }
}
