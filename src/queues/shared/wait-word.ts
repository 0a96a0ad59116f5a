/**
 * The word on which one side of a queue sleeps until the other side has done something.
 *
 *   epoch (31 bits) | WAITERS | meaning
 *         e         |    0    | nobody is known to sleep here: a change needs no system call
 *         e         |    1    | somebody sleeps, or is about to: a change takes the bit, begins a
 *                   |         | new epoch and wakes
 *
 * Sleepers announce themselves as memory/waiting/sleeper-bits.ts says; a waker changes the queue
 * before it looks at the word. The epoch tells a sleeper that comes too late that it was meant,
 * also when the next one has set WAITERS again.
 *
 * A wake-up takes WAITERS although more may sleep than it wakes. So who succeeds after sleeping
 * sets it again and, while there is more to be had, wakes the next; and who leaves without success
 * wakes one in its place.
 */
import { announceSleeper } from '../../memory/index.js';

export const WAITERS = 1;
const EPOCH = 2;

/** Says that somebody sleeps. Returns the value to sleep on. */
export function announceWaiter(words: Int32Array, at: number): number {
  return announceSleeper(words, at, WAITERS);
}

/** Whether somebody must be woken, which is then the caller's business. */
export function claimWakeUp(words: Int32Array, at: number): boolean {
  for (;;) {
    const word = Atomics.load(words, at);
    if ((word & WAITERS) === 0) return false;
    if (Atomics.compareExchange(words, at, word, ((word & ~WAITERS) + EPOCH) | 0) === word) return true;
  }
}

/** Others may sleep still. */
export function keepWaiters(words: Int32Array, at: number): void {
  announceSleeper(words, at, WAITERS);
}
