/**
 * The word of a lock, and the one beside it.
 *
 *   owner (30 bits) | WAITERS | FAIR | meaning
 *         0         |    0    |  0   | free, nobody waits
 *         A         |    0    |  0   | held by agent A, nobody waits: release is one
 *                   |         |      | compare-and-set, no system call
 *         A         |    1    |  0   | held by A, somebody sleeps on the word: release must wake
 *                   |         |      | one
 *         A         |    1    |  1   | as above, and somebody has waited long: release sets the
 *                   |         |      | lock aside for those who have
 *         0         |    1    |  1   | free, but set aside: only who is patient may take it, and
 *                   |         |      | all sleepers were woken
 *         0         |    0    |  1   | the same; none of those who were woken has announced itself
 *                   |         |      | again
 *         0         |    1    |  0   | free: a sleeper announced itself too late, or left; who
 *                   |         |      | takes it wakes one more at its release
 *
 * Ownership is the word itself: an owner that dies at any instruction leaves its name in it (see
 * agent.ts), and who finds it takes the word over by compare-and-set and stores 1 in the word
 * beside it, which stands until the damage is repaired. A taker that dies between those two is a
 * dead owner itself.
 *
 * Who takes the word after sleeping keeps WAITERS, for others may sleep too; at worst its release
 * wakes nobody.
 *
 * Bounded barging: a released lock is for whoever comes first, since waking takes longer than most
 * critical sections. Who has waited for PATIENCE sets FAIR, and is then preferred, for PATIENCE
 * again at most: by then all who wait are patient.
 *
 * Source: U. Drepper, Futexes are tricky (2011), mutex 2; the starvation mode of Go's sync.Mutex.
 */
import { AGENT_MASK, announceSleeper, withdrawSleeper } from '../../memory/index.js';

export const WAITERS = 0x40000000;
export const FAIR = -0x80000000;
/** The word beside: whether an owner died and nobody has repaired since. */
export const DIED = 1;

/** Takes a lock that is free and for whom nobody waits. */
export function takeFree(words: Int32Array, me: number): boolean {
  return Atomics.compareExchange(words, 0, 0, me) === 0;
}

/**
 * Takes a lock that is free, though somebody waits. `keep` is WAITERS when the caller was woken,
 * else 0.
 */
export function take(words: Int32Array, me: number, patient: boolean, keep: number): boolean {
  for (;;) {
    const word = Atomics.load(words, 0);
    if ((word & AGENT_MASK) !== 0 || ((word & FAIR) !== 0 && !patient)) return false;
    if (Atomics.compareExchange(words, 0, word, me | (word & WAITERS) | keep) === word) return true;
  }
}

/** Says that somebody sleeps, and how urgent that is. Returns the value to sleep on. */
export function announce(words: Int32Array, patient: boolean): number {
  return announceSleeper(words, 0, patient ? WAITERS | FAIR : WAITERS);
}

/** Releases a lock that its owner holds and nobody waits for. */
export function releaseAlone(words: Int32Array, me: number): boolean {
  return Atomics.compareExchange(words, 0, me, 0) === me;
}

/**
 * Releases, whoever holds it. Returns the word as it was; 0 in its owner bits: it was free, and
 * nothing was done.
 */
export function release(words: Int32Array): number {
  for (;;) {
    const word = Atomics.load(words, 0);
    if ((word & AGENT_MASK) === 0) return word;
    if (Atomics.compareExchange(words, 0, word, word & FAIR) === word) return word;
  }
}

/**
 * A waiter leaves without the lock: what it had set aside is so no more. Returns whether the lock
 * is free, so that another one must be woken.
 */
export function withdraw(words: Int32Array): boolean {
  return (withdrawSleeper(words, 0, WAITERS, FAIR) & AGENT_MASK) === 0;
}

/** Takes the lock from a dead owner. */
export function takeOver(words: Int32Array, dead: number, me: number): boolean {
  for (;;) {
    const word = Atomics.load(words, 0);
    if ((word & AGENT_MASK) !== dead) return false;
    if (Atomics.compareExchange(words, 0, word, me | WAITERS) !== word) continue;
    Atomics.store(words, DIED, 1);
    return true;
  }
}
