/**
 * What a worker measures of its items, in memory that its parent reads whenever it likes, and what
 * the parent tells it for that. It stands behind the link:
 *
 *   f64   0  WORK    milliseconds in which an item ran
 *         1  ENCODE  milliseconds for encoding and sending results
 *         2  SINCE   since when an item runs, as all processes of the machine tell the time; 0: none runs
 *   then     a histogram of run times, one of waiting times (util/histogram.ts)
 *   then f64 STAMPS: when the batch of record n was made, at n modulo their number, written before the record
 *
 * The words of a time are of one writer and read without a lock: a reader may see a time that is not
 * yet in its histogram, never half of one.
 */
import { HISTOGRAM_BYTES, HistogramWords } from '../../util/histogram.js';

const WORK = 0;
const ENCODE = 1;
const SINCE = 2;
const HEAD_BYTES = 32;
/** More than the records of batches that a worker has not looked at. */
const STAMPS = 4096;

/** Bytes that a meter takes. */
export const METER_BYTES: number = HEAD_BYTES + 2 * HISTOGRAM_BYTES + 8 * STAMPS;

export class Meter {
  readonly runTime: HistogramWords;
  readonly waitTime: HistogramWords;
  readonly #head: Float64Array;
  readonly #stamps: Float64Array;

  /** @param offset A multiple of 8. */
  constructor(buffer: ArrayBufferLike, offset: number) {
    this.#head = new Float64Array(buffer, offset, HEAD_BYTES / 8);
    this.runTime = new HistogramWords(buffer, offset + HEAD_BYTES);
    this.waitTime = new HistogramWords(buffer, offset + HEAD_BYTES + HISTOGRAM_BYTES);
    this.#stamps = new Float64Array(buffer, offset + HEAD_BYTES + 2 * HISTOGRAM_BYTES, STAMPS);
  }

  /** The batch of record `sequence` was made at `time`. */
  stamp(sequence: number, time: number): void {
    this.#stamps[sequence & (STAMPS - 1)] = time;
  }

  /** When the batch of record `sequence` was made. */
  stampOf(sequence: number): number {
    return this.#stamps[sequence & (STAMPS - 1)]!;
  }

  /** Milliseconds in which an item ran, up to `now` if one runs. */
  workTime(now: number): number {
    const since = this.#head[SINCE]!;
    return this.#head[WORK]! + (since === 0 ? 0 : Math.max(0, now - since));
  }

  get encodeTime(): number {
    return this.#head[ENCODE]!;
  }

  /** An item runs since then; 0: none does. */
  runs(since: number): void {
    this.#head[SINCE] = since;
  }

  worked(milliseconds: number): void {
    this.#head[WORK]! += milliseconds;
  }

  encoded(milliseconds: number): void {
    this.#head[ENCODE]! += milliseconds;
  }
}
