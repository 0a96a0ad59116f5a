/**
 * Waiting on futex words without blocking the event loop.
 *
 * Way of one wait: futexWaitAsync -> waiter thread of the process (one for up to 127 words, see
 * native/waiter.h) -> uv_async -> `onSettled`, which settles all waits that ended since the last
 * turn -> promise.
 *
 * Invariant: `pending` holds a wait, and by it the words it waits on, from the start until the
 * addon reports its end, also when it was cancelled and its promise has long been settled.
 * Invariant: the loop is held while `holding` (waits that are unsettled and ref'd) is above 0.
 */
import { registerAfterFork } from '../util/after-fork.js';
import { type Deferred, deferred } from '../util/deferred.js';
import { addon } from './addon.js';
import { checkTimeout, outcomes, type WaitOutcome, wordError } from './futex.js';

/** How an asynchronous wait ended. */
export type AsyncWaitOutcome = WaitOutcome | 'cancelled';

/** A wait under way. */
export interface AsyncWait {
  /** Settles once, never rejects. */
  readonly promise: Promise<AsyncWaitOutcome>;
  /**
   * Ends the wait as `cancelled`, at once. Nothing when it has ended. A wake it may have taken is
   * passed on to another waiter of the word, who may thus be woken for nothing: that is never an
   * error, a lost wake would be.
   */
  cancel(): void;
  /** Keeps the event loop alive while the wait is pending. The state at the start. */
  ref(): void;
  /** Lets the event loop end although the wait is pending. */
  unref(): void;
}

/**
 * Results of one callback: pairs of id and outcome. More results mean more callbacks in the same
 * turn.
 */
const RESULTS_PER_CALLBACK = 256;

const pending = new Map<number, PendingWait>();
let results: Int32Array | undefined;
let lastId = 0;
let holding = 0;

// A forked process goes on with none of its parent's waits: its threads are gone, and so is who
// awaited them.
registerAfterFork(pending, () => {
  for (const [id, wait] of pending) {
    wait.unref();
    addon().waitCancel(id);
  }
  pending.clear();
});

/**
 * Waits on a word as {@link futexWait} does, but without blocking.
 *
 * Contract: who wakes changes the word first. `changed` may also come after a sleep, since the
 * thread looks at all its words whenever one of them wakes it: of several waits of a process on one
 * word, a wake of one ends exactly one as `woken`, and the others may end as `changed`. Look at the
 * word again in either case.
 *
 * @param words lies in a mapping of this library or in a SharedArrayBuffer; it may be unmapped
 * while the wait is pending.
 * @param timeout milliseconds; `Infinity` for ever. Never ends before it.
 * @throws ArgumentError for a bad word or timeout; MultiprocessError `MP_SYSTEM` when no thread
 * could be started.
 */
export function futexWaitAsync(words: Int32Array, index: number, expected: number, timeout: number): AsyncWait {
  checkTimeout('futexWaitAsync', timeout);
  const native = addon();
  if (results === undefined) {
    const room = new Int32Array(2 * RESULTS_PER_CALLBACK);
    const failure = native.waitOpen(onSettled, room);
    if (failure < 0) throw wordError('futexWaitAsync', words, index, failure);
    results = room;
  }
  do lastId = (lastId + 1) | 0;
  while (pending.has(lastId));
  const result = native.waitStart(lastId, words, index, expected, timeout);
  if (result < 0) throw wordError('futexWaitAsync', words, index, result);
  const wait = new PendingWait(lastId, words);
  if (result === 1) wait.settle('changed');
  else {
    pending.set(lastId, wait);
    wait.ref();
  }
  return wait;
}

function onSettled(count: number): void {
  for (let i = 0; i < count; i++) {
    const id = results![2 * i]!;
    const wait = pending.get(id);
    pending.delete(id);
    wait?.settle(outcomes[results![2 * i + 1]!]!);
  }
}

class PendingWait implements AsyncWait {
  readonly #id: number;
  readonly #deferred: Deferred<AsyncWaitOutcome> = deferred();
  #held = false;
  #settled = false;
  /** Kept from the collector while the addon looks at them. */
  readonly words: Int32Array;

  constructor(id: number, words: Int32Array) {
    this.#id = id;
    this.words = words;
  }

  get promise(): Promise<AsyncWaitOutcome> {
    return this.#deferred.promise;
  }

  cancel(): void {
    if (this.#settled) return;
    this.settle('cancelled');
    addon().waitCancel(this.#id);
  }

  ref(): void {
    if (this.#held || this.#settled) return;
    this.#held = true;
    if (++holding === 1) addon().waitHold(true);
  }

  unref(): void {
    if (!this.#held) return;
    this.#held = false;
    if (--holding === 0) addon().waitHold(false);
  }

  settle(outcome: AsyncWaitOutcome): void {
    this.unref();
    this.#settled = true;
    this.#deferred.resolve(outcome);
  }
}
