import { Deque } from '../../util/deque.js';
import { SortedList } from '../../util/sorted-list.js';

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

/** The task queues of one priority, which take turns. */
class Level<B extends Queued<B>> {
  readonly queues: TaskQueue<B>[] = [];
  #turn = 0;

  constructor(readonly priority: number) {}

  /** Takes the next batch that somebody can take. */
  shift(): B | undefined {
    const { queues } = this;
    for (let i = 0; i < queues.length; i++) {
      const at = (this.#turn + i) % queues.length;
      const queue = queues[at]!;
      if (queue.target !== null && !queue.target.hasRoom) continue;
      const batch = queue.batches.shift();
      if (batch === undefined) continue;
      this.#turn = (at + 1) % queues.length;
      return batch;
    }
    return undefined;
  }
}

/**
 * All task queues of a pool: what may run next. There may be a priority for each of ten thousand
 * calls, so they stand in a sorted list.
 */
export class ReadyQueue<B extends Queued<B>> {
  /** Highest priority first. */
  readonly #levels = new SortedList<Level<B>>(({ priority }) => -priority);
  readonly #byPriority = new Map<number, Level<B>>();
  /** The queues whose batches only one may take, highest priority first. */
  readonly #targeted: TaskQueue<B>[] = [];
  #waiting = 0;

  /** Batches that wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Whether some batches go before others. */
  get mixed(): boolean {
    return this.#levels.length > 1;
  }

  /** Priority of the batch that {@link shift} would take; -Infinity without one. */
  get next(): number {
    for (const block of this.#levels.blocks)
      for (const { queues, priority } of block) for (const queue of queues) if (queue.ready) return priority;
    return Number.NEGATIVE_INFINITY;
  }

  /** Adds a task queue. */
  add(queue: TaskQueue<B>): void {
    let level = this.#byPriority.get(queue.priority);
    if (level === undefined) {
      level = new Level(queue.priority);
      this.#byPriority.set(queue.priority, level);
      this.#levels.add(level);
    }
    level.queues.push(queue);
    if (queue.target !== null) insert(this.#targeted, queue);
  }

  /** Removes a task queue and the batches in it. */
  remove(queue: TaskQueue<B>): void {
    const level = this.#byPriority.get(queue.priority);
    const at = level?.queues.indexOf(queue) ?? -1;
    if (level === undefined || at < 0) return;
    level.queues.splice(at, 1);
    if (level.queues.length === 0) {
      this.#byPriority.delete(queue.priority);
      this.#levels.remove(level);
    }
    if (queue.target !== null) this.#targeted.splice(this.#targeted.indexOf(queue), 1);
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
    for (const block of this.#levels.blocks) {
      for (const level of block) {
        const batch = level.shift();
        if (batch === undefined) continue;
        this.#waiting--;
        return batch;
      }
    }
    return undefined;
  }

  /** The queues whose batches only one may take, who has no room. */
  *blocked(): Generator<TaskQueue<B>> {
    for (const queue of this.#targeted) if (queue.batches.length > 0 && !queue.ready) yield queue;
  }

  /** Takes everything out, for a pool that ends. */
  *drain(): Generator<B> {
    for (const block of this.#levels.blocks) {
      for (const { queues } of block) {
        for (const { batches } of queues) {
          for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) {
            this.#waiting--;
            yield batch;
          }
        }
      }
    }
  }
}

/** Behind those of at least its priority. */
function insert<B>(queues: TaskQueue<B>[], queue: TaskQueue<B>): void {
  const at = queues.findIndex(({ priority }) => priority < queue.priority);
  queues.splice(at < 0 ? queues.length : at, 0, queue);
}
