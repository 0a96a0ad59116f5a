import { ArgumentError } from '../errors/index.js';
import { checkNumber, describe } from '../util/options.js';
import { performance } from '../util/timers.js';
import { addon } from './addon.js';
import { Refusal } from './calls.js';
import { systemError } from './system-error.js';

/** How a wait ended. `changed`: the word differed from `expected`; nobody need have woken us. */
export type WaitOutcome = 'woken' | 'changed' | 'timed-out';

/** By the addon's numbers. */
export const outcomes = ['woken', 'changed', 'timed-out', 'cancelled'] as const;

/**
 * Longest stay in the kernel at a time, ms: between two stays V8 can end a worker thread that is
 * being terminated.
 */
const MAX_BLOCKED_MS = 100;

/**
 * Blocks this thread while `words[index]` is `expected`, until a {@link futexWake} on the word from
 * any thread or process.
 *
 * Contract: who wakes changes the word first. Then no wake is lost: a change that came before we
 * slept ends the wait as `changed`. As with every futex, look at the word again after `woken`.
 * `Atomics.notify` does not end it, nor does this wake `Atomics.wait`.
 *
 * @param words lies in a mapping of this library or in a SharedArrayBuffer.
 * @param timeout milliseconds; `Infinity` for ever. Never ends before it.
 * @throws ArgumentError for a bad word or timeout; MultiprocessError `MP_SYSTEM`.
 */
export function futexWait(words: Int32Array, index: number, expected: number, timeout: number): WaitOutcome {
  checkTimeout('futexWait', timeout);
  const { futexWait } = addon();
  const end = performance.now() + timeout;
  for (let left = timeout; ; left = end - performance.now()) {
    const result = futexWait(words, index, expected, Math.min(left, MAX_BLOCKED_MS));
    if (result < 0) throw wordError('futexWait', words, index, result);
    if (result !== 2 || end <= performance.now()) return outcomes[result] as WaitOutcome;
  }
}

/**
 * Wakes up to `count` waiters of a word, of any thread or process. Change the word first.
 *
 * @param count `Infinity` for all.
 * @returns how many slept and were woken; a lower bound, since asynchronous waiters may notice by
 * the changed word alone.
 * @throws ArgumentError for a bad word or count; MultiprocessError `MP_SYSTEM`.
 */
export function futexWake(words: Int32Array, index: number, count: number): number {
  const woken = addon().futexWake(words, index, count);
  if (woken < 0) throw wordError('futexWake', words, index, woken);
  return woken;
}

/** Refuses a timeout that is no number of milliseconds. */
export function checkTimeout(actor: string, timeout: number): void {
  if (!(timeout >= 0)) {
    checkNumber(actor, 'timeout', timeout, { infinite: true });
    throw new ArgumentError(`${actor}: \`timeout\` is missing; give milliseconds, or Infinity.`);
  }
}

/** Returns the error for what the addon refused about a word. */
export function wordError(actor: string, words: Int32Array, index: number, refusal: number): Error {
  switch (refusal) {
    case Refusal.notInt32Array:
      return new ArgumentError(`${actor}: \`words\` must be an Int32Array, not ${describe(words)}.`);
    case Refusal.outOfBounds:
      return new ArgumentError(
        words.length === 0
          ? `${actor}: \`words\` is empty; its memory was unmapped, or it never had any.`
          : `${actor}: \`index\` must be an integer from 0 to ${words.length - 1}, not ${describe(index)}.`,
      );
    case Refusal.notShared:
      return new ArgumentError(
        `${actor}: \`words\` lies in memory of this thread alone; use a view of mapMemory or of a SharedArrayBuffer.`,
      );
    case Refusal.badArgument:
      return new ArgumentError(
        `${actor}: a number is missing or out of range; counts and timeouts are 0 or more, \`expected\` is an int32.`,
      );
    default:
      return systemError(`${actor} on word ${index}`, 'futex', refusal);
  }
}
