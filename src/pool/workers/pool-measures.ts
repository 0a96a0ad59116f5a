/** What a pool's `stats()` tells of its workers and items, those that have ended included. */
import { HistogramWords } from '../../util/histogram.js';
import { monotonicOrigin } from '../../util/monotonic.js';
import { performance } from '../../util/timers.js';
import type { PoolMeasurements, SlowTask, WorkerStats } from '../events.js';
import type { Meter } from '../wire/meter.js';
import { SLOWEST } from '../worker/item-clock.js';

/** What is measured of one worker. */
export interface MeasuredWorker {
  readonly stats: WorkerStats;
  readonly meter: Meter;
}

export class PoolMeasures {
  readonly #runTime = new HistogramWords();
  readonly #waitTime = new HistogramWords();
  #workTime = 0;
  #readyTime = 0;
  #done = 0;
  #failed = 0;
  readonly #slowest: SlowTask[] = [];

  /** A worker has ended: what it measured stays. */
  absorb({ stats, meter }: MeasuredWorker): void {
    this.#runTime.add(meter.runTime);
    this.#waitTime.add(meter.waitTime);
    this.#workTime += stats.workTime;
    this.#readyTime += stats.workTime + stats.encodeTime + stats.waitTime;
    this.#done += stats.done;
    this.#failed += stats.failed;
  }

  /** An item is among the slowest of its worker. */
  slow(task: SlowTask): void {
    const slowest = this.#slowest;
    let at = slowest.length;
    while (at > 0 && slowest[at - 1]!.ms < task.ms) at--;
    if (at === SLOWEST) return;
    slowest.splice(at, 0, task);
    if (slowest.length > SLOWEST) slowest.pop();
  }

  /** All together, with the workers there are. */
  with(workers: readonly MeasuredWorker[]): PoolMeasurements {
    const [runTime, waitTime] = [new HistogramWords(), new HistogramWords()];
    runTime.add(this.#runTime);
    waitTime.add(this.#waitTime);
    let [workTime, readyTime, done, failed] = [this.#workTime, this.#readyTime, this.#done, this.#failed];
    for (const { stats, meter } of workers) {
      runTime.add(meter.runTime);
      waitTime.add(meter.waitTime);
      workTime += stats.workTime;
      readyTime += stats.workTime + stats.encodeTime + stats.waitTime;
      done += stats.done;
      failed += stats.failed;
    }
    return {
      done,
      failed,
      runTime: runTime.summary(),
      waitTime: waitTime.summary(),
      utilisation: readyTime === 0 ? 0 : Math.min(1, workTime / readyTime),
      slowest: [...this.#slowest],
    };
  }
}

/** Now, as all processes of this machine tell the time. */
export function monotonicNow(): number {
  return performance.now() + monotonicOrigin();
}
