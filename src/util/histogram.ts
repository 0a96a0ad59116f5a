/**
 * Times in buckets that grow with them: eight for each doubling, so that a quantile is right within
 * 7 %, whatever it is. As HdrHistogram of G. Tene does, with fewer digits.
 *
 *   f64 words   0 number   1 sum in µs   2 largest in µs
 *   then u32    BUCKETS counts
 *
 * The words may lie in shared memory: one thread records, others read.
 */
const HEAD_BYTES = 24;
/** From a sixteenth of a microsecond to 2^48 of them, 200 days; longer ones are in the last. */
const BUCKETS = 368;
const LONGEST = 2 ** 48 - 1;

/** Bytes that a histogram takes; a multiple of 8. */
export const HISTOGRAM_BYTES: number = HEAD_BYTES + 4 * BUCKETS;

/** What is told of a histogram; times in milliseconds, 0 without any. */
export interface Histogram {
  /** How many times were recorded. */
  readonly count: number;
  /** Their average. */
  readonly mean: number;
  /** Half of them are at most as long. */
  readonly p50: number;
  /** 90 % of them are. */
  readonly p90: number;
  /** 99 % of them are. */
  readonly p99: number;
  /** The longest. */
  readonly max: number;
}

/** One that times are recorded in. */
export class HistogramWords {
  readonly head: Float64Array;
  readonly counts: Uint32Array;

  /** @param offset A multiple of 8. */
  constructor(buffer: ArrayBufferLike = new ArrayBuffer(HISTOGRAM_BYTES), offset = 0) {
    this.head = new Float64Array(buffer, offset, HEAD_BYTES / 8);
    this.counts = new Uint32Array(buffer, offset + HEAD_BYTES, BUCKETS);
  }

  /** Records a time of so many microseconds, `times` times. */
  record(micros: number, times: number): void {
    const { head, counts } = this;
    const time = Math.max(micros, 0);
    head[0]! += times;
    head[1]! += time * times;
    if (time > head[2]!) head[2] = time;
    counts[bucketOf(time)]! += times;
  }

  /** Adds what another one has. */
  add(other: HistogramWords): void {
    this.head[0]! += other.head[0]!;
    this.head[1]! += other.head[1]!;
    this.head[2] = Math.max(this.head[2]!, other.head[2]!);
    for (let i = 0; i < BUCKETS; i++) this.counts[i]! += other.counts[i]!;
  }

  /** What is told of it. */
  summary(): Histogram {
    const [count, sum, max] = this.head as unknown as [number, number, number];
    if (count === 0) return { count: 0, mean: 0, p50: 0, p90: 0, p99: 0, max: 0 };
    const quantile = (part: number): number => {
      let left = part * count;
      for (let i = 0; i < BUCKETS; i++) {
        left -= this.counts[i]!;
        if (left <= 0) return Math.min(middleOf(i), max) / 1000;
      }
      return max / 1000;
    };
    return {
      count,
      mean: sum / count / 1000,
      p50: quantile(0.5),
      p90: quantile(0.9),
      p99: quantile(0.99),
      max: max / 1000,
    };
  }
}

/**
 * Of times in sixteenths of a microsecond: up to 7 each has a bucket of its own; from there on each
 * doubling has eight.
 */
function bucketOf(micros: number): number {
  const time = 16 * micros;
  if (time < 2 ** 31) {
    const whole = time | 0;
    const exponent = 31 - Math.clz32(whole);
    return exponent < 3 ? whole : ((exponent - 2) << 3) + ((whole >> (exponent - 3)) & 7);
  }
  // In units that have room in the 32 bits of an integer.
  const large = (Math.min(time, LONGEST) / 2 ** 17) | 0;
  const exponent = 31 - Math.clz32(large);
  return ((exponent + 15) << 3) + ((large >> (exponent - 3)) & 7);
}

function middleOf(bucket: number): number {
  if (bucket < 8) return (bucket + 0.5) / 16;
  const width = 2 ** ((bucket >> 3) - 1);
  return ((8 + (bucket & 7)) * width + width / 2) / 16;
}
