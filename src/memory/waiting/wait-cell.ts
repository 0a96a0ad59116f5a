import { futexWait, futexWake } from '../../native/futex.js';
import { futexWaitAsync } from '../../native/futex-async.js';
import { onAbort } from '../../util/abort.js';
import { deferred } from '../../util/deferred.js';
import { clearInterval, setInterval } from '../../util/timers.js';
import type { Region } from '../regions/region.js';

/**
 * How a wait ended: by {@link WaitCell.notify}, because the word was not as expected, by its time
 * limit, or by its signal.
 */
export type WaitOutcome = 'woken' | 'changed' | 'timed-out';

/** A wait of {@link WaitCell.sleep} under way. */
export interface Sleep {
  /**
   * Settles once, never rejects. `cancelled`: by {@link cancel}, before the word was notified or
   * differed.
   */
  readonly promise: Promise<WaitOutcome | 'cancelled'>;
  /** Ends the wait. A wake-up that it had already taken is passed on to another waiter. */
  cancel(): void;
}

/** What bounds a wait. */
export interface WaitCellOptions {
  /** Milliseconds; default: no limit. */
  readonly timeout?: number | undefined;
  /**
   * Ends the wait, which then rejects with `signal.reason`. A wake-up it had already taken is
   * passed on: to another waiter, or in memory of threads to all of them, since each looks at the
   * word again.
   */
  readonly signal?: AbortSignal | undefined;
}

/**
 * One Int32 in a region on which agents wait for others: a futex in memory of processes, Atomics in
 * memory of threads.
 *
 * Contract of every user: change the word first, then notify. A waiter names the value it has seen;
 * if the word is different by then the wait returns `changed` at once, so that no change between
 * looking and sleeping is lost.
 */
export class WaitCell {
  /** A view of the word alone. */
  readonly words: Int32Array;
  /** Index of the word in {@link words}: 0. */
  readonly index: number;
  /**
   * Has a function called once, while the word is still there, when whoever owns it gives it up.
   */
  readonly whenGone: ((then: () => void) => void) | undefined;
  readonly #futex: boolean;

  /** @param offset Byte offset of the word in the region, a multiple of 4. */
  constructor(region: Region, offset: number, whenGone?: (then: () => void) => void) {
    this.whenGone = whenGone;
    this.words = new Int32Array(region.buffer, offset, 1);
    this.index = 0;
    this.#futex = region.crossesProcesses;
  }

  load(): number {
    return Atomics.load(this.words, this.index);
  }

  store(value: number): void {
    Atomics.store(this.words, this.index, value);
  }

  /** Adds and returns the value before. */
  add(value: number): number {
    return Atomics.add(this.words, this.index, value);
  }

  /** Stores `replacement` if the word is `expected`; returns whether it did. */
  compareAndSet(expected: number, replacement: number): boolean {
    return Atomics.compareExchange(this.words, this.index, expected, replacement) === expected;
  }

  /** Wakes up to `count` waiters; returns how many. */
  notify(count = Number.POSITIVE_INFINITY): number {
    return this.#futex ? futexWake(this.words, this.index, count) : Atomics.notify(this.words, this.index, count);
  }

  /**
   * Blocks the thread until the word is notified, differs from `expected`, or `timeout`
   * milliseconds are over.
   */
  waitSync(expected: number, timeout = Number.POSITIVE_INFINITY): WaitOutcome {
    if (this.#futex) return futexWait(this.words, this.index, expected, timeout);
    return fromAtomics(Atomics.wait(this.words, this.index, expected, timeout));
  }

  /**
   * As {@link waitSync} without blocking the event loop, which it keeps alive. Rejects with
   * `signal.reason`.
   */
  async wait(expected: number, options: WaitCellOptions = {}): Promise<WaitOutcome> {
    const { signal, timeout = Number.POSITIVE_INFINITY } = options;
    signal?.throwIfAborted();
    return this.#futex ? this.#waitFutex(expected, timeout, signal) : this.#waitAtomics(expected, timeout, signal);
  }

  /**
   * Waits without blocking and without limit, until the word is notified or differs. Keeps no event
   * loop alive by itself where threads share the memory.
   */
  sleep(expected: number): Sleep {
    if (this.#futex) return futexWaitAsync(this.words, this.index, expected, Number.POSITIVE_INFINITY);
    const wait = Atomics.waitAsync(this.words, this.index, expected);
    if (!wait.async) return { promise: Promise.resolve(fromAtomics(wait.value)), cancel: () => {} };
    let cancelled = false;
    return {
      promise: wait.value.then(fromAtomics),
      cancel: () => {
        if (cancelled) return;
        cancelled = true;
        // As in #waitAtomics: it stays queued and would take the next wake-up, so it wakes everyone
        // now, itself with them.
        this.#passOn(Number.POSITIVE_INFINITY);
      },
    };
  }

  async #waitFutex(expected: number, timeout: number, signal: AbortSignal | undefined): Promise<WaitOutcome> {
    const waiting = futexWaitAsync(this.words, this.index, expected, timeout);
    const abort = () => waiting.cancel();
    const unhear = signal === undefined ? undefined : onAbort(signal, abort);
    try {
      const outcome = await waiting.promise;
      if (outcome === 'cancelled') throw signal?.reason;
      if (signal?.aborted === true) {
        // `changed` too may have taken a wake: of several waits that one wake ends, only one is
        // told (see futexWaitAsync).
        if (outcome !== 'timed-out') this.#passOn(1);
        throw signal.reason;
      }
      return outcome;
    } finally {
      unhear?.();
    }
  }

  async #waitAtomics(expected: number, timeout: number, signal: AbortSignal | undefined): Promise<WaitOutcome> {
    const wait = Atomics.waitAsync(this.words, this.index, expected, timeout);
    if (!wait.async) return fromAtomics(wait.value);
    // Atomics.waitAsync neither keeps the event loop alive nor can be cancelled. A timer does the
    // first. An aborted waiter stays in the queue, where it would take the next wake-up, and could
    // not hand it on while its thread blocks or once that has ended: so it wakes everyone now,
    // itself with them.
    const alive = setInterval(() => {}, 0x7fffffff);
    const aborted = deferred<void>();
    const abort = () => {
      this.#passOn(Number.POSITIVE_INFINITY);
      aborted.resolve();
    };
    const unhear = signal === undefined ? undefined : onAbort(signal, abort);
    try {
      const outcome = await Promise.race([wait.value, aborted.promise]);
      // Also when both came in the same turn: then the wake-up went to everyone.
      if (signal?.aborted === true) throw signal.reason;
      return fromAtomics(outcome as 'ok' | 'timed-out');
    } finally {
      clearInterval(alive);
      unhear?.();
    }
  }

  #passOn(count: number): void {
    // After Region.close there is no word any more. (A mapping's own waits are passed on by the
    // addon, which still has it.)
    if (this.words.length > 0) this.notify(count);
  }
}

function fromAtomics(outcome: 'ok' | 'not-equal' | 'timed-out'): WaitOutcome {
  return outcome === 'ok' ? 'woken' : outcome === 'not-equal' ? 'changed' : outcome;
}
