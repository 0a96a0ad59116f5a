/**
 * Items by key (`key` of maps and streams): equal keys run at one worker, one after the other.
 *
 *   item -> lane of its key -> seat of a worker: its lanes with something to do, in turns -> chunk -> the seat's queue -> the worker
 *
 *   lane      | its items                            | leaves it by
 *   idle      | none; where it sat is remembered     | an item comes -> ready
 *   ready     | wait; none runs                      | its turn -> held
 *   held      | one chunk has some, or one waits for | all of those ended -> ready, idle
 *             | its next run; the others wait        |
 *
 * A lane is held until what was taken of it has ended, wherever that is: so equal keys never overlap
 * and keep their order, also across retries and deaths, whatever a worker does with what it has.
 * The worker of a seat that ends, or takes nothing more, loses its lanes: each moves to the seat
 * with the least to do. Of idle lanes the {@link MAX_IDLE_LANES} that were used last are remembered.
 */
import { Deque } from '../../util/deque.js';
import type { Batch } from './batch.js';
import { type QueueTarget, TaskQueue } from './ready-queue.js';
import type { Runs } from './retry-policy.js';

/** What items are grouped by. */
export type Key = string | number;

const MAX_IDLE_LANES = 16_384;

/** An item that waits, or runs. */
export interface KeyedItem {
  readonly index: number;
  readonly lane: Lane;
  /** As it is sent: a primitive, a copy or a message. */
  readonly item: unknown;
  /** Its earlier runs. */
  readonly runs: Runs;
  /** It goes as a chunk of its own: a chunk that it was in could not be read. */
  readonly alone: boolean;
  /** `performance.now()` until when it may wait for a worker; Infinity for no limit. */
  readonly due: number;
}

/** A worker that items can be sent to. */
export interface LaneWorker extends QueueTarget {
  readonly state: 'starting' | 'ready' | 'retiring' | 'ended';
}

/** The items of one key. */
export class Lane {
  seat: Seat | null = null;
  /** Chunks that hold it. */
  holds = 0;
  /** Whether it stands among those with something to do. */
  placed = false;
  /** In the order of the source. */
  readonly items = new Deque<KeyedItem>();

  constructor(readonly key: Key) {}

  /** Puts an item that was taken out back to its place. */
  insert(item: KeyedItem): void {
    const before: KeyedItem[] = [];
    for (let first = this.items.first(); first !== undefined && first.index < item.index; first = this.items.first()) {
      before.push(first);
      this.items.shift();
    }
    this.items.unshift(item);
    while (before.length > 0) this.items.unshift(before.pop()!);
  }
}

/** What a worker has of a job's items. */
export class Seat {
  readonly queue: TaskQueue<Batch>;
  /** Lanes with something to do. */
  readonly ready = new Deque<Lane>();
  /** Items of its lanes that wait or run; lanes that it has. */
  items = 0;
  lanes = 0;

  constructor(
    readonly worker: LaneWorker,
    priority: number,
    family: object,
  ) {
    this.queue = new TaskQueue<Batch>(priority, family, worker);
  }

  /** Whether its worker takes anything. */
  get open(): boolean {
    return this.worker.state === 'ready' || this.worker.state === 'starting';
  }
}

/** The lanes of a job, and where they sit. */
export class KeyLanes {
  readonly #busy = new Map<Key, Lane>();
  /** The one that was used last is the last. */
  readonly #idle = new Map<Key, Lane>();
  /** Ready, with no seat. */
  #unseated: Lane[] = [];
  readonly seats = new Map<LaneWorker, Seat>();
  /** Items that wait. */
  waiting = 0;

  /** Lanes that are known. */
  get size(): number {
    return this.#busy.size + this.#idle.size;
  }

  /** A seat for a worker that has none. */
  seat(worker: LaneWorker, { priority, family }: TaskQueue<Batch>): Seat {
    const seat = new Seat(worker, priority, family);
    this.seats.set(worker, seat);
    return seat;
  }

  /** The lane of a key. */
  laneOf(key: Key): Lane {
    let lane = this.#busy.get(key);
    if (lane !== undefined) return lane;
    lane = this.#idle.get(key) ?? new Lane(key);
    this.#idle.delete(key);
    this.#busy.set(key, lane);
    return lane;
  }

  /** An item waits in its lane from here on. */
  push(item: KeyedItem): void {
    const { lane } = item;
    lane.items.push(item);
    this.waiting++;
    if (lane.seat !== null) lane.seat.items++;
    if (lane.holds === 0) this.#place(lane);
  }

  /** An item that was taken waits again. The lane is still held. */
  putBack(item: KeyedItem): void {
    item.lane.insert(item);
    this.waiting++;
  }

  /** A chunk that held a lane is over. */
  unhold(lane: Lane): void {
    if (--lane.holds > 0) return;
    if (lane.items.length > 0) this.#place(lane);
    else if (!lane.placed) this.#rest(lane);
  }

  /** An item has ended, or left its lane. */
  left(lane: Lane): void {
    if (lane.seat !== null) lane.seat.items--;
  }

  /**
   * Takes up to `most` items of the seat's next lane that may go with `runs`; the lane is held. None
   * where that lane has none any more, and where they do not go with the others.
   */
  take(seat: Seat, most: number, runs: Runs | null): KeyedItem[] {
    const lane = seat.ready.first()!;
    const taken: KeyedItem[] = [];
    for (let next = lane.items.first(); next !== undefined && taken.length < most; next = lane.items.first()) {
      const like = runs ?? taken[0]?.runs ?? next.runs;
      if (next.runs.attempt !== like.attempt || next.runs.failures !== like.failures) break;
      if (next.alone && (runs !== null || taken.length > 0)) break;
      lane.items.shift();
      this.waiting--;
      taken.push(next);
      if (next.alone) break;
    }
    if (taken.length === 0 && lane.items.length > 0) return taken;
    seat.ready.shift();
    lane.placed = false;
    if (taken.length > 0) lane.holds++;
    else this.#rest(lane);
    return taken;
  }

  /** Seats lanes that have none at the seat with the least to do. Returns whether all have one. */
  assign(): boolean {
    if (this.#unseated.length === 0) return true;
    const seats = [...this.seats.values()].filter(({ open }) => open);
    if (seats.length === 0) return false;
    const unseated = this.#unseated;
    this.#unseated = [];
    for (const lane of unseated) {
      if (lane.items.length === 0) {
        lane.placed = false;
        this.#rest(lane);
        continue;
      }
      let best = seats[0]!;
      for (const seat of seats)
        if (seat.items < best.items || (seat.items === best.items && seat.lanes < best.lanes)) best = seat;
      lane.seat = best;
      best.lanes++;
      best.items += lane.items.length;
      best.ready.push(lane);
    }
    return true;
  }

  /** Gives a seat up: its lanes sit elsewhere when they have something to do. */
  dissolve(seat: Seat): void {
    this.seats.delete(seat.worker);
    for (const lane of this.#busy.values()) {
      if (lane.seat !== seat) continue;
      lane.seat = null;
      if (lane.placed) this.#unseated.push(lane);
    }
    for (const lane of this.#idle.values()) if (lane.seat === seat) lane.seat = null;
  }

  /** Takes out the items whose time is over. Returns them, and when the next one's is. */
  overdue(now: number): { readonly items: KeyedItem[]; readonly next: number } {
    const items: KeyedItem[] = [];
    let next = Number.POSITIVE_INFINITY;
    for (const lane of [...this.#busy.values()]) {
      const kept: KeyedItem[] = [];
      for (let item = lane.items.shift(); item !== undefined; item = lane.items.shift()) {
        if (item.due <= now) items.push(item);
        else kept.push(item);
      }
      for (const item of kept) {
        lane.items.push(item);
        next = Math.min(next, item.due);
      }
    }
    for (const { lane } of items) {
      this.waiting--;
      this.left(lane);
    }
    return { items, next };
  }

  /** A lane has something to do, and nothing of it runs. */
  #place(lane: Lane): void {
    if (lane.placed) return;
    lane.placed = true;
    if (lane.seat === null) this.#unseated.push(lane);
    else lane.seat.ready.push(lane);
  }

  #rest(lane: Lane): void {
    this.#busy.delete(lane.key);
    this.#idle.set(lane.key, lane);
    if (this.#idle.size <= MAX_IDLE_LANES) return;
    for (const oldest of this.#idle.values()) {
      if (oldest.seat !== null) oldest.seat.lanes--;
      this.#idle.delete(oldest.key);
      return;
    }
  }
}
