import { Deque } from '../../util/deque.js';

/**
 * Batches of one priority that wait for a worker. Task queues of equal priority take turns, so that
 * an endless stream does not starve a call. A queue of higher priority goes first.
 */
export class TaskQueue<B> {
  readonly batches = new Deque<B>();
  /** Calls that belong to it, waiting or sent. */
  calls = 0;

  /** What it belongs to: all queues of one job have the same. */
  readonly family: object;

  /**
   * @param priority Higher goes first. Default of the API: 0.
   * @param target Who alone takes its batches; `null`: anybody.
   */
  constructor(
    readonly priority: number,
    family?: object,
    readonly target: QueueTarget | null = null,
  ) {
    this.family = family ?? this;
  }

  /** Whether its next batch could be taken. */
  get ready(): boolean {
    return this.batches.length > 0 && (this.target === null || this.target.hasRoom);
  }
}

/** Who takes batches. */
export interface QueueTarget {
  readonly hasRoom: boolean;
}

/** What a task queue holds: it knows which one it belongs to. */
interface Queued<B> {
  readonly queue: TaskQueue<B>;
}

/** All task queues of a pool: what may run next. */
export class ReadyQueue<B extends Queued<B>> {
  /** Highest priority first. */
  readonly #queues: TaskQueue<B>[] = [];
  #turn = 0;
  #waiting = 0;

  /** Batches that wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Whether some batches go before others. */
  get mixed(): boolean {
    return this.#queues.length > 1 && this.#queues[0]!.priority !== this.#queues.at(-1)!.priority;
  }

  /** Priority of the batch that {@link shift} would take; -Infinity without one. */
  get next(): number {
    for (const queue of this.#queues) if (queue.ready) return queue.priority;
    return Number.NEGATIVE_INFINITY;
  }

  /** Adds a task queue. */
  add(queue: TaskQueue<B>): void {
    let at = this.#queues.findIndex((other) => other.priority < queue.priority);
    if (at < 0) at = this.#queues.length;
    this.#queues.splice(at, 0, queue);
  }

  /** Removes a task queue and the batches in it. */
  remove(queue: TaskQueue<B>): void {
    const at = this.#queues.indexOf(queue);
    if (at < 0) return;
    this.#queues.splice(at, 1);
    this.#waiting -= queue.batches.length;
  }

  /** Accounts for batches that were taken out of a task queue directly. */
  removed(batches: number): void {
    this.#waiting -= batches;
  }

  /** Queues a batch behind the others of its queue. */
  push(batch: B): void {
    batch.queue.batches.push(batch);
    this.#waiting++;
  }

  /** Queues a batch before the others of its queue: it had its turn already. */
  unshift(batch: B): void {
    batch.queue.batches.unshift(batch);
    this.#waiting++;
  }

  /** Takes the next batch that somebody can take: of the highest priority, in turns. */
  shift(): B | undefined {
    const queues = this.#queues;
    let from = 0;
    while (from < queues.length) {
      let to = from + 1;
      while (to < queues.length && queues[to]!.priority === queues[from]!.priority) to++;
      for (let i = 0; i < to - from; i++) {
        const queue = queues[from + ((this.#turn + i) % (to - from))]!;
        if (queue.target !== null && !queue.target.hasRoom) continue;
        const batch = queue.batches.shift();
        if (batch === undefined) continue;
        this.#turn = (this.#turn + i + 1) % (to - from);
        this.#waiting--;
        return batch;
      }
      from = to;
    }
    return undefined;
  }

  /** The queues whose batches only one may take, who has no room. */
  *blocked(): Generator<TaskQueue<B>> {
    for (const queue of this.#queues) if (queue.batches.length > 0 && !queue.ready) yield queue;
  }

  /** Takes everything out, for a pool that ends. */
  *drain(): Generator<B> {
    for (const queue of this.#queues)
      for (let batch = queue.batches.shift(); batch !== undefined; batch = queue.batches.shift()) {
        this.#waiting--;
        yield batch;
      }
  }
}
