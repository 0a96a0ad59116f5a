/** Milliseconds of looking again before a sleep: about the round trip of a short task, and less than waking a core costs. */
const LIMIT = 0.03;
/** Lingering is given up after this many sleeps in a row that it did not save. */
const PATIENCE = 4;
/** Once given up, it is tried again at every sixteenth sleep. */
const PROBE = 16;

/**
 * Whether a side of a link that found nothing should look once more before it sleeps, on the event loop's next turn.
 *
 * Being woken costs a system call on one side and, on an idle core, tens of microseconds on the other; a look costs two.
 * So a side lingers for a moment, but only while that pays: under long tasks it soon goes to sleep at once.
 * Source: adaptive spinning, as in the mutexes of glibc (PTHREAD_MUTEX_ADAPTIVE_NP).
 */
export class Linger {
  #credit = PATIENCE;
  #since = 0;
  #sleeps = 0;

  /** There was something to do. */
  busy(): void {
    if (this.#since === 0) return;
    this.#since = 0;
    if (this.#credit < PATIENCE) this.#credit++;
  }

  /** There was nothing to do: whether to look again instead of sleeping. */
  again(): boolean {
    const now = performance.now();
    if (this.#since === 0) {
      if (this.#credit <= 0 && ++this.#sleeps % PROBE !== 0) return false;
      this.#since = now;
      return true;
    }
    if (now - this.#since < LIMIT) return true;
    this.#since = 0;
    if (this.#credit > 0) this.#credit--;
    return false;
  }
}
