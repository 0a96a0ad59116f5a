import type { WorkerCrashError } from '../../errors/index.js';
import { performance } from '../../util/timers.js';
import { Blame } from '../scheduling/blame.js';
import { hopeless } from './crash.js';

/**
 * Workers in a row that die before they are ready, until the pool gives up. One whose workers were
 * ready before is in a storm perhaps: its next workers are started after pauses, from {@link
 * MIN_RESTART_DELAY_MS} milliseconds doubling to {@link MAX_RESTART_DELAY_MS}, and it gives up
 * after {@link MAX_CRASH_STORM_MS} milliseconds without progress.
 */
const MAX_DEATHS_BEFORE_READY = 3;
const MIN_RESTART_DELAY_MS = 25;
const MAX_RESTART_DELAY_MS = 400;
const MAX_CRASH_STORM_MS = 3000;
/**
 * Workers in a row that die though they were ready, and none of them ran anything, until the pool
 * gives up.
 */
const MAX_DEATHS_WITHOUT_PROGRESS = 10;
/** Milliseconds after which the life of a worker counts, whether it ran anything or not. */
const LONG_LIFE_MS = 10_000;

/** A worker that died, as far as it counts. */
interface DeadWorker {
  /** Its state when it ended. */
  readonly left: 'starting' | 'ready' | 'retiring';
  /** Whether an item ever got a result there. */
  readonly fruitful: boolean;
  /** `performance.now()` when it became ready. */
  readonly since: number;
}

/** Deaths of a pool's workers that nobody meant: when it gives up, and when it pauses. */
export class DeathTally {
  /** Deaths before ready, and deaths of ready workers, since the last progress. */
  #stillborn = 0;
  #fruitless = 0;
  /** When the first of the stillborn ended. */
  #since = 0;
  /** Whether a worker was ever ready. */
  #proven = false;

  /** A worker is ready. */
  becameReady(): void {
    this.#stillborn = 0;
    this.#proven = true;
  }

  /** A worker has results. */
  progressed(): void {
    this.#fruitless = 0;
  }

  /** Counts a death. Returns whether there is hope that others do better. */
  count(worker: DeadWorker, blame: Blame): boolean {
    if (worker.left === 'starting') {
      if (++this.#stillborn === 1) this.#since = performance.now();
      return (
        this.#stillborn < MAX_DEATHS_BEFORE_READY ||
        (this.#proven && performance.now() - this.#since < MAX_CRASH_STORM_MS)
      );
    }
    // What an item did is the item's to answer for.
    const progress = worker.fruitful || blame !== Blame.None || performance.now() - worker.since >= LONG_LIFE_MS;
    this.#fruitless = progress ? 0 : this.#fruitless + 1;
    return this.#fruitless < MAX_DEATHS_WITHOUT_PROGRESS;
  }

  /** What the pool fails with when there is no hope. */
  despair(worker: DeadWorker, last: WorkerCrashError): WorkerCrashError {
    const ready = worker.left !== 'starting';
    return hopeless(ready ? this.#fruitless : this.#stillborn, ready, last);
  }

  /** Milliseconds until the next workers are started, of a pool of `size` workers; 0: at once. */
  restartDelay(size: number): number {
    if (this.#stillborn < MAX_DEATHS_BEFORE_READY) return 0;
    return Math.min(
      MAX_RESTART_DELAY_MS,
      MIN_RESTART_DELAY_MS * 2 ** Math.floor((this.#stillborn - MAX_DEATHS_BEFORE_READY) / size),
    );
  }
}
