/**
 * When items run, and how long: for the pool's `stats()`.
 *
 * A clock costs as much as an empty item, so the end of one item is the beginning of the next, and
 * items that take a few microseconds are timed together once there were many of them:
 *
 *   one by one   begins -> ends: a look at the clock -> sent: another one
 *   together     counted; the loop looks at the clock now and then anyway (`tick`), and with the last item of a chunk
 *
 * Together their average counts, and one of them that is slow is known with those beside it; then
 * they are timed one by one again.
 *
 * What is slower than the slowest so far is sent to the parent.
 */
import { monotonicOrigin } from '../../util/monotonic.js';
import { preview } from '../../util/preview.js';
import { performance } from '../../util/timers.js';
import type { Meter } from '../wire/meter.js';

/** Items below this time, in microseconds, are fast; after so many of them they are timed together. */
const FAST_MICROS = 5;
const FAST_ITEMS = 256;
/** Items that are timed together at least, unless they take longer than so many milliseconds. */
const TOGETHER = 64;
const TOGETHER_MS = 1;
/** How many of the slowest items a pool tells of. */
export const SLOWEST = 10;

/** What is among the slowest: milliseconds, the index in its batch, how many items from there on, what that looks like. */
export type SlowItem = readonly [ms: number, index: number, count: number, preview: string];

/** The batch of the item that was timed, as far as it has come. */
export interface TimedBatch {
  /** Items of it that have ended. */
  readonly ended: number;
  /** What its item `index` was called with. */
  argument(index: number): unknown;
}

export class ItemClock {
  readonly #meter: Meter;
  readonly #origin = monotonicOrigin();
  /** Up to here time is accounted for. */
  #mark = 0;
  /** The last time that is known. */
  #now = 0;
  /** Items that ended since. */
  pending = 0;
  /**
   * Whether the next item is timed together with others: it need not begin here, and ends here only
   * if it is the last of them.
   */
  together = false;
  /** Items that the last look at the clock was for; 0: there was none, and `sent` is not called. */
  timed = 0;
  #running = false;
  /** Fast items in a row. */
  #fast = 0;
  /** Milliseconds of the slowest items, the longest first. */
  readonly #slowest: number[] = [];

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  // ---- one item at a time

  /** The loop goes on, at `now`. */
  turn(now: number): void {
    this.#now = now;
    if (!this.#running && this.pending === 0) this.#mark = now;
  }

  /** The loop has nothing to do just now. */
  rest(batch: TimedBatch | null, now?: number): SlowItem | null {
    return this.pending > 0 ? this.#look(batch, now) : null;
  }

  /**
   * The loop looked at the clock, between two items. Returns whether those that ended since are to
   * be accounted for, by {@link rest}.
   */
  tick(now: number): boolean {
    this.#now = now;
    return this.pending >= TOGETHER || (this.pending > 0 && now - this.#mark > TOGETHER_MS);
  }

  /** A batch of `count` items, of record `sequence`, begins. */
  batch(sequence: number, count: number): void {
    this.#waited(sequence, count, Math.max(this.#mark, this.#now));
  }

  /** An item begins. */
  begins(): void {
    this.#running = true;
    this.#meter.runs(this.#mark + this.#origin);
  }

  /** The item that runs waits for a promise. */
  awaits(): void {
    if (this.pending > 0) this.#look(null);
    // What is awaited is timed alone.
    this.together = false;
    this.begins();
  }

  /** The item that runs has ended: what the parent is to be told of it, and of those before it. */
  ends(batch: TimedBatch): SlowItem | null {
    this.#running = false;
    this.timed = ++this.pending;
    return this.#look(batch);
  }

  /** The result of the item that has ended is sent. */
  sent(): void {
    const now = performance.now();
    const each = now - this.#mark;
    const others = each * (this.timed - 1);
    this.#meter.encoded(each + others);
    // What the others took was counted as work.
    if (others > 0) this.#meter.worked(-others);
    this.#mark = now;
    this.#now = now;
    this.timed = 0;
  }

  /** Accounts for what ended since the last look. */
  #look(batch: TimedBatch | null, now = performance.now()): SlowItem | null {
    const time = now - this.#mark;
    const count = this.pending;
    const each = time / count;
    this.pending = 0;
    this.#mark = now;
    this.#now = now;
    this.#meter.runTime.record(1000 * each, count);
    this.#meter.worked(time);
    this.#meter.runs(0);
    this.#fast = each * 1000 < FAST_MICROS ? this.#fast + count : 0;
    this.together = this.#fast >= FAST_ITEMS;
    // Those that were timed together may be of several batches.
    if (batch === null || count > batch.ended) return null;
    const index = batch.ended - count;
    return this.#isSlow(time) ? [time, index, count, preview(batch.argument(index))] : null;
  }

  // ---- several at once

  #active = 0;

  /** One of several items begins, of record `sequence`. Returns when. */
  oneBegins(sequence: number): number {
    const now = performance.now();
    this.#waited(sequence, 1, now);
    if (this.#active++ === 0) {
      this.#mark = now;
      this.#meter.runs(now + this.#origin);
    }
    return now;
  }

  /** One of several items ends that began at `since`. */
  oneEnds(since: number, index: number, item: unknown): SlowItem | null {
    const now = performance.now();
    const time = now - since;
    this.#meter.runTime.record(1000 * time, 1);
    if (--this.#active === 0) {
      this.#meter.worked(now - this.#mark);
      this.#meter.runs(0);
    }
    return this.#isSlow(time) ? [time, index, 1, preview(item)] : null;
  }

  /** Calls `send`, which sends a result. */
  sending(send: () => void): void {
    const before = performance.now();
    send();
    this.#meter.encoded(performance.now() - before);
  }

  // ---- both

  #waited(sequence: number, count: number, now: number): void {
    const stamp = this.#meter.stampOf(sequence);
    if (stamp > 0) this.#meter.waitTime.record(1000 * (now + this.#origin - stamp), count);
  }

  /** Whether a time is among the slowest so far, as which it is noted then. */
  #isSlow(ms: number): boolean {
    const slowest = this.#slowest;
    if (slowest.length === SLOWEST && ms <= slowest[SLOWEST - 1]!) return false;
    let at = slowest.length;
    while (at > 0 && slowest[at - 1]! < ms) at--;
    slowest.splice(at, 0, ms);
    if (slowest.length > SLOWEST) slowest.pop();
    return true;
  }
}
