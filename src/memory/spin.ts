/**
 * How long to look at a word before sleeping on it.
 *
 * To be woken takes 5 to 50 microseconds, on an idle core more; who is answered sooner should not have slept. So a wait looks
 * again and again for a while, which grows where that paid and halves where it did not: two processes on one core, where it
 * never pays, stop at once and try only now and then. At most {@link MOST} looks, about 100 microseconds, are wasted on one wait.
 *
 * Source: adaptive mutexes of glibc (PTHREAD_MUTEX_ADAPTIVE_NP).
 */
const START = 2_000;
const MOST = 30_000;
/** Looks that are not worth the trouble any more. */
const LEAST = 100;
/** A wait in so many tries again although the last ones failed. */
const RETRY = 256;

/** Node 26 has it; tells the core that it waits for another one. */
const pause = (Atomics as { pause?: (n?: number) => void }).pause;

export class Spin {
  #looks = START;
  #skipped = 0;

  /** How many looks the next wait is worth; 0: sleep at once. */
  get looks(): number {
    if (this.#looks >= LEAST) return this.#looks;
    this.#skipped = (this.#skipped + 1) % RETRY;
    return this.#skipped === 0 ? START : 0;
  }

  /** Looks until `ready`, or until it was worth it no longer. Learns from the outcome. */
  until(ready: () => boolean): boolean {
    const looks = this.looks;
    for (let i = 0; i < looks; i++) {
      if (ready()) {
        this.paid(i);
        return true;
      }
      pause?.call(Atomics);
    }
    if (looks > 0) this.failed();
    return false;
  }

  /** It paid after so many looks. */
  paid(looks: number): void {
    this.#looks = Math.min(MOST, Math.max(START, this.#looks, 4 * looks));
  }

  /** It did not pay. */
  failed(): void {
    this.#looks >>= 1;
  }
}
