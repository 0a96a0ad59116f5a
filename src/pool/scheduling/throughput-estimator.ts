import { performance } from '../../util/timers.js';

/** Milliseconds of work that a worker should hold, so that it never waits for a round trip. */
const BACKLOG_MS = 4;
const MIN_BACKLOG_ITEMS = 2;
const MAX_BACKLOG_ITEMS = 1024;

/**
 * How fast a worker gets on, as seen from the parent, and how many items it should therefore hold.
 */
export class ThroughputEstimator {
  /** Items it should hold: about {@link BACKLOG_MS} milliseconds of work. */
  depth = MIN_BACKLOG_ITEMS;
  /** Average time of an item in milliseconds; 0 before the first. */
  #each = 0;
  /** `performance.now()` when it last gave a sign of progress, or was given work while idle. */
  #mark = performance.now();

  /** It was idle and has work from now on. */
  begin(): void {
    this.#mark = performance.now();
  }

  /** `results` more are there. */
  measure(results: number): void {
    const now = performance.now();
    const each = (now - this.#mark) / results;
    this.#mark = now;
    this.#each = this.#each === 0 ? each : (this.#each + each) / 2;
    this.depth = Math.min(MAX_BACKLOG_ITEMS, Math.max(MIN_BACKLOG_ITEMS, Math.round(BACKLOG_MS / this.#each)));
  }

  /** Milliseconds since the last sign of progress. */
  get stillFor(): number {
    return performance.now() - this.#mark;
  }
}
