/**
 * The word of a semaphore.
 *
 *   permits (28 bits) | FAIR | MARK | WAITERS | meaning
 *          n          |  0   |  x   |    0    | n permits are there; nobody sleeps
 *          n          |  0   |  x   |    1    | somebody may sleep on the word: release takes the
 *                     |      |      |         | bit and wakes one
 *          n          |  1   |  x   |    x    | somebody has waited long: permits are set aside for
 *                     |      |      |         | those who have
 *          n          |  x   |  1   |    x    | the change that the journal describes has been made
 *                     |      |      |         | here (permit-ledger.ts)
 *
 * A release takes WAITERS back although more than one may sleep; who takes a permit after sleeping
 * therefore sets it again and, when permits are left, wakes the next one.
 */
import { announceSleeper, withdrawSleeper } from '../../memory/index.js';

export const WAITERS = 1;
export const MARK = 2;
export const FAIR = 4;
export const PERMIT_UNIT = 8;
/** Most permits. */
export const MAX_PERMITS = 0x0fffffff;

/** Permits in a word. */
export function permits(word: number): number {
  return word >>> 3;
}

/**
 * Takes a permit: how many are left, or -1 when none is there for the caller.
 * @param keep WAITERS when the caller was woken, else 0. @param mark MARK when the journal
 * describes it, else 0.
 */
export function take(words: Int32Array, patient: boolean, keep: number, mark: number): number {
  for (;;) {
    const word = Atomics.load(words, 0);
    if (permits(word) === 0 || ((word & FAIR) !== 0 && !patient)) return -1;
    const next = ((word & ~FAIR) - PERMIT_UNIT) | keep | mark;
    if (Atomics.compareExchange(words, 0, word, next) === word) return permits(next);
  }
}

/**
 * Gives permits, up to `most` in all: the word as it was, or -1 when there would be more. `mark` as
 * for {@link take}.
 */
export function give(words: Int32Array, count: number, most: number, mark: number): number {
  for (;;) {
    const word = Atomics.load(words, 0);
    if (permits(word) + count > most) return -1;
    const next = ((word & ~WAITERS) + count * PERMIT_UNIT) | mark;
    if (Atomics.compareExchange(words, 0, word, next | 0) === word) return word >>> 0;
  }
}

/** Says that somebody sleeps, and how urgent that is. Returns the value to sleep on. */
export function announce(words: Int32Array, patient: boolean): number {
  return announceSleeper(words, 0, patient ? WAITERS | FAIR : WAITERS);
}

/**
 * A waiter leaves without a permit. Returns whether permits are there, so that another one must be
 * woken.
 */
export function withdraw(words: Int32Array): boolean {
  return permits(withdrawSleeper(words, 0, WAITERS, FAIR)) > 0;
}
