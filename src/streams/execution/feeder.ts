/**
 * The intake of the pull core: source -> window -> chunks -> job.
 *
 *   |<------------------------ window ------------------------>|
 *   gone                                                admitted
 *   delivered <- ready | waiting for order | running | chunk being filled <- source
 *
 * Invariants
 * - admitted - gone <= window, always. The owner counts `gone`; nobody else moves it.
 * - Refills come in chunks: below a chunk of free room nothing is read (`refillAt` tells the owner
 *   when to come back), unless the consumer has nothing to take and a worker is idle. One slot at a
 *   time would shrink every chunk to 1.
 * - A partial chunk goes out at once when a worker is idle or the window is full, and otherwise at
 *   the end of the turn of the event loop in which the source had nothing more.
 * - The source is read only while the backend has room, and returned exactly once on early end.
 */

import { clearImmediate, setImmediate } from '../../util/timers.js';
import { FAILED, isPullSource, MORE, type PullReader, WAIT } from '../sources/pull.js';
import { openSource, type Source } from '../sources/source.js';
import type { FlowOptions } from '../stream-options.js';
import type { Job } from './backend.js';

/**
 * Smallest default capacity of an overflow queue when no window was given: the window then follows
 * measured times, and a limit that does would fail erratically.
 */
const MIN_CAPACITY_ITEMS = 1024;

/** Who takes the results: the core asks it only when there is less room than a chunk. */
export interface FeederOwner {
  /** Whether the consumer has taken all there was. */
  readonly starving: boolean;
  /** Called after the source ended or failed and its last chunk was submitted. */
  sourceEnded(): void;
}

/** Reads one source for one job. */
export class Feeder<T> {
  /** Items read from the source so far; also the index of the next one. */
  admitted = 0;
  /** Items that left the window. Written by the owner. */
  gone = 0;
  /** The owner calls `refill` as soon as `gone` reaches this. */
  refillAt = Number.POSITIVE_INFINITY;
  /** No item follows: the source ended, failed, or was stopped. */
  ended = false;
  /** Whether the source failed, with `error`. */
  failed = false;
  error: unknown = undefined;

  readonly #job: Job<T>;
  readonly #owner: FeederOwner;
  readonly #window: number | undefined;
  readonly #chunkSize: number | undefined;
  readonly #reader: PullReader<T>;
  readonly #admit: ((item: T) => T) | undefined;
  #partial: T[] = [];
  #busy = false;
  #again = false;
  #overdue = false;
  #turn: NodeJS.Immediate | undefined;

  /** @throws what {@link openSource} throws. */
  constructor(source: Source<T>, job: Job<T>, options: FlowOptions<T>, owner: FeederOwner) {
    this.#job = job;
    this.#owner = owner;
    this.#window = options.window;
    this.#chunkSize = typeof options.chunkSize === 'number' ? options.chunkSize : undefined;
    const admit = job.admit === undefined ? undefined : (item: T, remember?: boolean) => job.admit!(item, remember);
    // A stage of the library gives what it has at once; all else admits each item itself.
    this.#admit = isPullSource(source) ? admit : undefined;
    this.#reader = openSource(source, {
      overflow: options.overflow,
      admit,
      original: job.original === undefined ? undefined : (item: T) => job.original!(item),
      capacity: () => this.#window ?? Math.max(MIN_CAPACITY_ITEMS, this.#lanes() * this.#chunk()),
      wake: () => this.refill(),
    });
  }

  /** Items in all, where the source tells. */
  get total(): number | undefined {
    return this.#reader.size;
  }

  /** Begins to read. */
  start(): void {
    this.refill();
    if (!this.ended) this.#reader.start?.();
  }

  /**
   * Reads and submits as much as window, backend and source allow. Safe to call at any time, also
   * from within itself.
   */
  refill(): void {
    this.#again = true;
    if (this.#busy) return;
    this.#busy = true;
    try {
      while (this.#again) {
        this.#again = false;
        while (this.#step());
      }
    } finally {
      this.#busy = false;
    }
  }

  /**
   * Stops reading and returns the source. Resolves when the source has cleaned up, rejects if that
   * failed.
   */
  stop(reason: unknown): Promise<void> {
    if (this.ended) return Promise.resolve();
    this.ended = true;
    this.refillAt = Number.POSITIVE_INFINITY;
    this.#partial = [];
    clearImmediate(this.#turn);
    return this.#reader.cancel(reason);
  }

  /** Chunks that keep every worker busy while its next one travels. */
  #lanes(): number {
    return 2 * Math.max(1, this.#job.parallelism);
  }

  #chunk(): number {
    // The backend may take fewer at once than were asked for: a worker may live for fewer items.
    const chunk = Math.max(1, Math.min(this.#chunkSize ?? Number.POSITIVE_INFINITY, this.#job.chunkSize));
    if (this.#window === undefined) return chunk;
    return Math.min(chunk, Math.max(1, Math.floor(this.#window / this.#lanes())));
  }

  /** Reads and submits at most one chunk. Whether to go on. */
  #step(): boolean {
    const job = this.#job;
    if (this.ended) return false;
    this.refillAt = Number.POSITIVE_INFINITY;
    if (job.room <= 0) return false; // demand() follows
    const chunk = this.#chunk();
    const window = this.#window ?? this.#lanes() * chunk;
    const held = this.#partial.length;
    const free = window - (this.admitted - this.gone);
    const want = Math.min(chunk - held, free);
    if (want <= 0 && held > 0) return this.#submit();
    if (held === 0 && free < chunk && !(free > 0 && this.#owner.starving && job.hungry)) {
      this.refillAt = this.admitted - window + chunk;
      return false;
    }
    const state = this.#reader.read(this.#partial, want);
    if (this.ended) return false; // the source stopped us while it was read
    const filled = this.#partial.length;
    if (this.#admit !== undefined)
      for (let i = held; i < filled; i++) this.#partial[i] = this.#admit(this.#partial[i]!);
    this.admitted += filled - held;
    if (state === MORE) return this.#submit();
    if (state === WAIT) {
      if (filled > 0) {
        if (this.#overdue || filled >= want + held || job.hungry) this.#submit();
        else this.#turn ??= setImmediate(this.#turnOver);
      }
      return false;
    }
    this.ended = true;
    this.refillAt = this.admitted;
    clearImmediate(this.#turn);
    if (state === FAILED) {
      this.failed = true;
      this.error = this.#reader.error;
    }
    if (filled > 0) this.#submit();
    job.end();
    this.#owner.sourceEnded();
    return false;
  }

  readonly #turnOver = (): void => {
    this.#turn = undefined;
    this.#overdue = this.#partial.length > 0;
    this.refill();
  };

  #submit(): true {
    const items = this.#partial;
    this.#partial = [];
    this.#overdue = false;
    if (items.length > 0) this.#job.submit(this.admitted - items.length, items);
    return true;
  }
}
