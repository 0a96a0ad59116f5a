import { Deque } from '../../util/deque.js';
import type { Batch } from './batch.js';

/**
 * A queue of batches that wait for a worker. Lanes of equal priority take turns, so that an endless stream does not
 * starve a call; a lane of higher priority goes first.
 */
export class Lane {
  readonly queue = new Deque<Batch>();
  /** Calls that belong to it, waiting or sent. */
  calls = 0;

  /** @param priority Higher goes first. Default of the API: 0. */
  constructor(readonly priority: number) {}
}

/** The lanes of a pool. */
export class Lanes {
  /** Highest priority first. */
  readonly #lanes: Lane[] = [];
  #turn = 0;
  #waiting = 0;

  /** Batches that wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Whether some batches go before others. */
  get mixed(): boolean {
    return this.#lanes.length > 1 && this.#lanes[0]!.priority !== this.#lanes.at(-1)!.priority;
  }

  /** Priority of the batch that {@link shift} would take; -Infinity without one. */
  get next(): number {
    for (const lane of this.#lanes) if (lane.queue.length > 0) return lane.priority;
    return Number.NEGATIVE_INFINITY;
  }

  /** Adds a lane. */
  add(lane: Lane): void {
    let at = this.#lanes.findIndex((other) => other.priority < lane.priority);
    if (at < 0) at = this.#lanes.length;
    this.#lanes.splice(at, 0, lane);
  }

  /** Removes a lane and what waits in it. */
  remove(lane: Lane): void {
    const at = this.#lanes.indexOf(lane);
    if (at < 0) return;
    this.#lanes.splice(at, 1);
    this.#waiting -= lane.queue.length;
  }

  /** Accounts for batches that were taken out of a lane's queue directly. */
  removed(batches: number): void {
    this.#waiting -= batches;
  }

  /** Queues a batch behind the others of its lane. */
  push(batch: Batch): void {
    batch.lane.queue.push(batch);
    this.#waiting++;
  }

  /** Queues a batch before the others of its lane: it had its turn already. */
  unshift(batch: Batch): void {
    batch.lane.queue.unshift(batch);
    this.#waiting++;
  }

  /** Takes the next batch: of the highest priority, in turns. */
  shift(): Batch | undefined {
    const lanes = this.#lanes;
    let from = 0;
    while (from < lanes.length) {
      let to = from + 1;
      while (to < lanes.length && lanes[to]!.priority === lanes[from]!.priority) to++;
      for (let i = 0; i < to - from; i++) {
        const lane = lanes[from + ((this.#turn + i) % (to - from))]!;
        const batch = lane.queue.shift();
        if (batch === undefined) continue;
        this.#turn = (this.#turn + i + 1) % (to - from);
        this.#waiting--;
        return batch;
      }
      from = to;
    }
    return undefined;
  }

  /** Takes everything out, for a pool that ends. */
  *drain(): Generator<Batch> {
    for (let batch = this.shift(); batch !== undefined; batch = this.shift()) yield batch;
  }
}
