import { performance } from '../../util/timers.js';

/** Milliseconds of work that a worker should hold, so that it never waits for a round trip. */
const BACKLOG = 4;
const LEAST = 2;
const MOST = 1024;

/** How fast a worker gets on, as seen from the parent, and how many items it should therefore hold. */
export class Pace {
  /** Items it should hold: about {@link BACKLOG} milliseconds of work. */
  depth = LEAST;
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
    this.depth = Math.min(MOST, Math.max(LEAST, Math.round(BACKLOG / this.#each)));
  }

  /** Milliseconds since the last sign of progress. */
  get stillFor(): number {
    return performance.now() - this.#mark;
  }
}

/** Batches a worker may always hold, whatever their size: one to run, one to go on with. */
export const LEAST_BATCHES = LEAST;
