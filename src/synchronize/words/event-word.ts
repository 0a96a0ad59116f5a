/**
 * The word of an event.
 *
 *   generation (30 bits) | WAITERS | SET | meaning
 *            g           |    0    |  0  | unset; nobody sleeps
 *            g           |    1    |  x  | somebody sleeps until it changes: who changes it takes
 *                        |         |     | the bit and wakes all
 *            g           |    x    |  1  | set, for the g-th time
 *
 * The generation grows with each set. A waiter that began at another generation passes although the
 * event was cleared again before it had looked: no set is lost.
 */
import { announceSleeper } from '../../memory/index.js';

export const SET = 1;
export const WAITERS = 2;
const GENERATION = 4;

/** The generation of a word. */
export function generation(word: number): number {
  return word >>> 2;
}

/**
 * Sets or clears. Returns the word as it was, whose WAITERS says whether all must be woken; -1: it
 * was so already.
 */
export function change(words: Int32Array, set: boolean): number {
  for (;;) {
    const word = Atomics.load(words, 0);
    if (((word & SET) !== 0) === set) return -1;
    const next = set ? ((word & ~WAITERS) + GENERATION) | SET : word & ~(SET | WAITERS);
    if (Atomics.compareExchange(words, 0, word, next | 0) === word) return word & (SET | WAITERS);
  }
}

/** Whether a waiter passes that began at a generation. */
export function passes(words: Int32Array, start: number): boolean {
  const word = Atomics.load(words, 0);
  return (word & SET) !== 0 || generation(word) !== start;
}

/** Says that somebody sleeps. Returns the value to sleep on. */
export function announce(words: Int32Array): number {
  return announceSleeper(words, 0, WAITERS);
}
