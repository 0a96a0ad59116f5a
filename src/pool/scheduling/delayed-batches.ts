import { clearTimeout, setTimeout } from '../../util/timers.js';
import type { Batch } from './batch.js';
import type { TaskQueue } from './ready-queue.js';

/** Batches that wait for time to pass before they run again. They are at no worker, and in no queue. */
export class DelayedBatches {
  readonly #timers = new Map<Batch, NodeJS.Timeout>();
  readonly #over: (batch: Batch) => void;

  /** @param over Told of a batch whose time has come. */
  constructor(over: (batch: Batch) => void) {
    this.#over = over;
  }

  /** How many there are. */
  get size(): number {
    return this.#timers.size;
  }

  /** Takes a batch in for so many milliseconds. It waits for no worker meanwhile. */
  add(batch: Batch, delay: number): void {
    batch.started();
    const timer = setTimeout(() => {
      this.#timers.delete(batch);
      this.#over(batch);
    }, delay);
    this.#timers.set(batch, timer);
  }

  /** Takes a batch out. Returns whether it was here. */
  remove(batch: Batch): boolean {
    const timer = this.#timers.get(batch);
    if (timer === undefined) return false;
    clearTimeout(timer);
    return this.#timers.delete(batch);
  }

  /** Takes out all batches of a queue; without one, all there are. */
  take(queue?: TaskQueue<Batch>): Batch[] {
    const taken = [...this.#timers.keys()].filter((batch) => queue === undefined || batch.queue === queue);
    for (const batch of taken) this.remove(batch);
    return taken;
  }
}
