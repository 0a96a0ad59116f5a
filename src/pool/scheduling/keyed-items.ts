import { TimeoutError } from '../../errors/index.js';
import { clearTimeout, performance, setTimeout } from '../../util/timers.js';
import { asGiven } from '../time-limit.js';
import type { Batch } from './batch.js';
import type { Chunk, ChunkJob } from './chunk.js';
import { countThatFits, isKept, RefusedItem } from './encoded-items.js';
import { type Key, type KeyedItem, KeyLanes, type LaneWorker, type Seat } from './key-lanes.js';
import { KeyedChunk, type KeyedSource } from './keyed-chunk.js';
import type { TaskQueue } from './ready-queue.js';
import { FIRST_RUN } from './retry-policy.js';

/** An item that was read, with the key that it had then. */
export class ItemWithKey {
  constructor(
    readonly key: Key,
    readonly item: unknown,
  ) {}
}

/** What keyed items need of their job and its pool. */
export interface KeyedOwner {
  /** Items that a chunk may hold now. */
  readonly chunkSize: number;
  /** Whether a worker runs several items at once. */
  readonly concurrent: boolean;
  /** The workers there are. */
  readonly workers: readonly LaneWorker[];
  submit(chunk: Chunk): void;
  addQueue(queue: TaskQueue<Batch>): void;
  /** Removes a queue, and returns what waits in it. */
  removeQueue(queue: TaskQueue<Batch>): Batch[];
  /** Whether items wait in lanes: they count as work. */
  waits(waiting: boolean): void;
  /** What is kept for an item that waits is its chunk's from here on. */
  taken(item: unknown, chunk: Chunk): void;
}

/** The items of a job with a `key`: they wait in lanes, see key-lanes.ts, and go to the worker where their lane sits. */
export class KeyedItems implements KeyedSource {
  readonly #lanes = new KeyLanes();
  #pumping = false;
  #again = false;
  #waits = false;
  #over = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly job: ChunkJob,
    private readonly owner: KeyedOwner,
  ) {}

  /** Items that wait in lanes. */
  get waiting(): number {
    return this.#lanes.waiting;
  }

  /** The queues of its workers. */
  get queues(): TaskQueue<Batch>[] {
    return [...this.#lanes.seats.values()].map(({ queue }) => queue);
  }

  /** Takes in items of consecutive indices. */
  submit(first: number, items: readonly ItemWithKey[]): void {
    const { queueTimeout } = this.job.settings;
    const due = queueTimeout > 0 ? performance.now() + queueTimeout : Number.POSITIVE_INFINITY;
    items.forEach(({ key, item }, i) => {
      this.#lanes.push({ index: first + i, lane: this.#lanes.laneOf(key), item, runs: FIRST_RUN, alone: false, due });
    });
    this.#watch(due);
    this.pump();
  }

  /** Sends what can be sent. */
  pump(): void {
    if (this.#over) return;
    this.#again = true;
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#again) {
      this.#again = false;
      this.#step();
    }
    this.#pumping = false;
    this.#tell();
  }

  #step(): void {
    const lanes = this.#lanes;
    for (const seat of lanes.seats.values()) if (!seat.open) this.#dissolve(seat);
    if (lanes.waiting === 0) return;
    for (const worker of this.owner.workers) {
      if (lanes.seats.has(worker) || (worker.state !== 'ready' && worker.state !== 'starting')) continue;
      this.owner.addQueue(lanes.seat(worker, this.job.queue).queue);
    }
    if (!lanes.assign()) return;
    for (const seat of lanes.seats.values()) {
      // One waits, so that the worker need not.
      while (seat.open && seat.ready.length > 0 && seat.queue.batches.length === 0) {
        const taken = this.#take(seat);
        if (taken.length > 0) this.#send(taken, seat);
      }
    }
  }

  /** The items of the next chunk. */
  #take(seat: Seat): KeyedItem[] {
    const { mayRepeat } = this;
    const most = this.owner.concurrent ? 1 : this.owner.chunkSize;
    const taken: KeyedItem[] = [];
    while (taken.length < most && seat.ready.length > 0) {
      // Lanes take turns in a chunk as well. An item that may run again must have ended before the next of its lane begins.
      const share = mayRepeat ? 1 : Math.max(1, Math.ceil((most - taken.length) / seat.ready.length));
      const more = this.#lanes.take(seat, share, taken[0]?.runs ?? null);
      if (more.length === 0 && taken.length > 0) break;
      taken.push(...more);
      if (more[0]?.alone === true) break;
    }
    return taken;
  }

  private get mayRepeat(): boolean {
    return this.job.settings.retries.repeatsErrors;
  }

  #send(taken: KeyedItem[], seat: Seat): void {
    const fits = countThatFits(taken.map(({ item }) => item));
    const chunk = this.#chunk(taken.slice(0, fits), seat.queue);
    if (fits < taken.length) {
      // Of a lane that has some in the chunk the rest waits for it to end.
      const rest = taken.slice(fits);
      const within = new Set(taken.slice(0, fits).map(({ lane }) => lane));
      for (const item of rest) this.#lanes.putBack(item);
      for (const lane of new Set(rest.map((item) => item.lane))) if (!within.has(lane)) this.#lanes.unhold(lane);
    }
    const head = taken[0]!.item;
    if (head instanceof RefusedItem) {
      chunk.refused(head.error);
      chunk.onReleased();
    } else this.owner.submit(chunk);
  }

  #chunk(items: readonly KeyedItem[], queue: TaskQueue<Batch>): Chunk {
    const form = items.some(({ item }) => isKept(item)) ? 'packed' : 'copied';
    const chunk = this.job.enter(new KeyedChunk(this.job, this, items, form, queue));
    for (const { item } of items) this.owner.taken(item, chunk);
    return chunk;
  }

  // ---- what chunks tell

  giveBack(items: readonly KeyedItem[], alone: boolean): void {
    if (this.#over) return;
    for (const item of items) this.#lanes.putBack(alone ? { ...item, alone } : item);
    this.#tell();
  }

  released(items: readonly KeyedItem[], ended: readonly KeyedItem[]): void {
    for (const { lane } of ended) this.#lanes.left(lane);
    for (const lane of new Set(items.map((item) => item.lane))) this.#lanes.unhold(lane);
  }

  waitingChunk(item: KeyedItem): Chunk {
    item.lane.holds++;
    return this.#chunk([item], this.job.queue);
  }

  /** The worker of a seat takes nothing more. */
  #dissolve(seat: Seat): void {
    for (const batch of this.owner.removeQueue(seat.queue)) batch.reclaim();
    this.#lanes.dissolve(seat);
  }

  // ---- time limits of what waits

  #watch(due: number): void {
    if (due === Number.POSITIVE_INFINITY || this.#timer !== null) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        this.#strike();
      },
      Math.max(1, due - performance.now()),
    );
  }

  #strike(): void {
    const { items, next } = this.#lanes.overdue(performance.now());
    for (const { index } of items) {
      const message = `Item ${index} waited longer than its queueTimeout of ${asGiven(this.job.settings.queueTimeout)} ms for a worker; it was not run.`;
      this.job.settle(new TimeoutError(message, { code: 'MP_QUEUE_TIMEOUT' }), index);
    }
    this.#watch(next);
    this.#tell();
    if (items.length > 0) this.job.flush();
  }

  // ---- life

  #tell(): void {
    const waits = !this.#over && this.#lanes.waiting > 0;
    if (waits === this.#waits) return;
    this.#waits = waits;
    this.owner.waits(waits);
  }

  /** Nobody waits for results any more: drops what waits. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#tell();
  }
}
