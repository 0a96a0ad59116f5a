/**
 * The shared memory of a topic: a ring of records (topic-ring.ts) that every subscriber reads for
 * itself, up to its own cursor.
 *
 *   words       content
 *   SETTINGS    magic, replay, capacity, maxSize, lag, completeOnLoss
 *   GUARD       lock of all that follows
 *   PUBLISHED   word on which subscribers sleep
 *   ROOM        word on which publishers sleep, with `lag: 'block'`
 *   TAIL, FLOOR cursors (cursor.ts): where the next record goes, and the oldest one that is there
 *   TABLE       subscribers.ts
 *   MEMBERS     publishers (members.ts)
 *   LARGE       large-items.ts
 *   FAILURE     failure.ts
 *
 * FLOOR moves only as room is needed, and over a subscriber's cursor only where the lag policy lets
 * it: what lies between is that subscriber's gap.
 *
 * Crash, at any instruction: FLOOR and TAIL each change in one store, and large items that they do
 * not enclose are freed by the next one. A record is at most a quarter of the ring, so room for a
 * new one never takes the newest one away. A dead subscriber's slot is freed by whoever waits for
 * room, or looks for a slot.
 */

import { UnsupportedError } from '../../errors/index.js';
import {
  allocateBlock,
  attachBlock,
  type Block,
  type BlockHandle,
  isBlockHandle,
  recordBytes,
} from '../../memory/index.js';
import { ROBUST_MUTEX_WORDS, RobustMutex } from '../../synchronize/index.js';
import { CURSOR_WORDS } from '../shared/cursor.js';
import { FAILURE_WORDS, SharedFailure } from '../shared/failure.js';
import { type ItemMemory, type Layout, LINE, lines, RecordKind } from '../shared/item-memory.js';
import { LARGE_ITEM_WORDS, LargeItems } from '../shared/large-items.js';
import { MEMBER_WORDS, Members } from '../shared/members.js';
import { type WaitCondition, Waiters } from '../shared/waiters.js';
import { LAGS, type Lag, type TopicSettings } from '../topic-options.js';
import { MAX_SUBSCRIBERS, type ReadPosition, SUBSCRIBER_WORDS, Subscribers } from './subscribers.js';
import { TopicRing } from './topic-ring.js';

const GUARD = LINE;
const PUBLISHED = GUARD + lines(ROBUST_MUTEX_WORDS);
const ROOM = PUBLISHED + LINE;
const TAIL = ROOM + LINE;
const FLOOR = TAIL + lines(CURSOR_WORDS);
const TABLE = FLOOR + lines(CURSOR_WORDS);
const MEMBERS = TABLE + lines(SUBSCRIBER_WORDS);
const LARGE = MEMBERS + lines(MEMBER_WORDS);
const FAILURE = LARGE + lines(LARGE_ITEM_WORDS);
const DATA = 4 * (FAILURE + lines(FAILURE_WORDS));
const MAGIC = 0x6d70_7431;

/** Items that were dropped before a subscriber read them. */
export interface Gap {
  /** Number of the first, counted from the topic's beginning, mod 2^32. */
  readonly from: number;
  /** How many. */
  readonly count: number;
}

/** What a subscriber's reading found. */
export interface Reading {
  /** Encoded items, in memory of their own. */
  readonly items: Uint8Array[];
  readonly gap: Gap | null;
}

export class TopicMemory implements ItemMemory {
  readonly noun = 'topic';
  readonly block: Block;
  readonly members: Members;
  readonly failure: SharedFailure;
  readonly large: LargeItems;
  readonly subscribers: Subscribers;
  readonly settings: TopicSettings;
  readonly lag: Lag;
  /** Largest payload of a record in the ring. */
  readonly maximum: number;
  readonly #ring: TopicRing;
  readonly #mutex: RobustMutex;

  constructor(from: TopicSettings | BlockHandle) {
    const attached = isBlockHandle(from);
    this.block = attached ? attachBlock(from) : allocateBlock(DATA + from.capacity, true);
    const words = this.block.int32;
    if (!attached) words.set([MAGIC, from.replay, from.capacity, from.maxSize, from.lag, from.completeOnLoss ? 1 : 0]);
    this.settings = {
      replay: words[1]!,
      capacity: words[2]!,
      maxSize: words[3]!,
      lag: words[4]!,
      completeOnLoss: words[5] === 1,
    };
    this.lag = LAGS[this.settings.lag] as Lag;
    this.#ring = new TopicRing(words, TAIL, FLOOR, this.block.bytes.subarray(DATA, DATA + this.settings.capacity));
    this.maximum = this.#ring.maximum;
    this.members = new Members(this.block, MEMBERS, 1, 'Topic');
    this.failure = new SharedFailure(this.block, FAILURE);
    this.subscribers = new Subscribers(words, TABLE);
    this.large = new LargeItems(this.block, LARGE, () => {
      this.run(() => {
        this.#trim();
        this.large.shrink();
      });
    });
    this.#mutex = new RobustMutex(this.block, GUARD, 'Topic', () => {
      const { tail, floor } = this.#ring;
      tail.read();
      floor.read();
      this.large.recover(tail.position, floor.position);
    });
  }

  /** Runs a section. */
  run<R>(section: () => R): R {
    return this.#mutex.runLocked(section);
  }

  fail(error: Uint8Array): void {
    this.run(() => this.failure.write(error));
  }

  /** Those who wait for items. */
  itemWaiters(awaited: WaitCondition): Waiters {
    return new Waiters(this.block, PUBLISHED, awaited, true);
  }

  /** Those who wait for room. */
  roomWaiters(awaited: WaitCondition): Waiters {
    return new Waiters(this.block, ROOM, awaited);
  }

  // ---- publishing

  appended = 0;

  isOver(position: number): boolean {
    const { floor } = this.#ring;
    floor.read();
    return ((floor.position - position) | 0) > 0;
  }

  append(kind: RecordKind, id: number, length: number, payload: Layout): boolean {
    return this.run(() => {
      const ring = this.#ring;
      ring.tail.read();
      const { position, count } = ring.tail;
      const size = recordBytes(length);
      const pad = ring.padBefore(position, size);
      if (!this.#makeRoom(pad + size)) return false;
      const start = ring.writeHeader(position, pad, length, kind, id);
      this.appended = start;
      payload.layout(ring.bytes, ring.startOf(start), ring.words);
      if (kind === RecordKind.Large) this.large.bindSlot(id, start);
      ring.tail.move((start + size) | 0, (count + 1) | 0);
      return true;
    });
  }

  mayFit(length: number): boolean {
    return this.#hasRoom(recordBytes(length));
  }

  someRoom(_first: number | undefined): boolean {
    return this.#hasRoom(this.settings.maxSize > 0 ? 0 : this.settings.capacity / 8);
  }

  /** Whether those who block it leave so many bytes. */
  #hasRoom(bytes: number): boolean {
    const { tail } = this.#ring;
    if (this.lag !== 'block') return true;
    tail.read();
    const behind = this.subscribers.slowest();
    if (behind === null) return true;
    const { capacity, maxSize } = this.settings;
    const [position, count] = behind;
    if (maxSize > 0 && ((tail.count - count) | 0) >= maxSize) return false;
    return capacity - ((tail.position - position) >>> 0) >= bytes;
  }

  /**
   * What nobody will read any more goes first, then what the lag policy lets go, but not the newest
   * item.
   */
  takeLarge(bytes: number): number {
    return this.run(() => {
      const { tail, floor } = this.#ring;
      this.#trim();
      const slowest = this.#blocking();
      for (;;) {
        const slot = this.large.takeSlot(bytes);
        if (slot >= 0 || ((tail.count - floor.count) | 0) <= 1 || !this.#dropOldest(slowest)) return slot;
      }
    });
  }

  sweep(): boolean {
    return this.run(() => this.#trim());
  }

  reclaim(): boolean {
    this.subscribers.reapDead();
    return false;
  }

  #makeRoom(need: number): boolean {
    const { tail, floor } = this.#ring;
    const { capacity, maxSize, replay } = this.settings;
    const { position, count } = tail;
    const slowest = this.#blocking();
    if (slowest !== null && maxSize > 0 && ((count - slowest[1]) | 0) >= maxSize) return false;
    const most = maxSize > 0 ? Math.max(maxSize, replay) : 0x7fffffff;
    floor.read();
    for (;;) {
      if (capacity - ((position - floor.position) >>> 0) >= need && ((count - floor.count) | 0) < most) return true;
      if (!this.#dropOldest(slowest)) return false;
    }
  }

  /**
   * Moves FLOOR over what every subscriber has read and none will replay. Returns whether it moved.
   */
  #trim(): boolean {
    const { tail, floor } = this.#ring;
    tail.read();
    floor.read();
    const before = floor.position;
    const latest = this.lag === 'latest';
    // Who gets the newest item next will not see the others.
    const keep = latest ? Math.max(1, this.settings.replay) : this.settings.replay;
    const slowest = latest ? null : this.subscribers.slowest();
    while (((tail.count - floor.count) | 0) > keep && this.#dropOldest(slowest));
    return floor.position !== before;
  }

  /**
   * Moves FLOOR, which was read, over one record, but not over where `slowest` stands. Returns
   * whether it moved.
   */
  #dropOldest(slowest: ReadPosition | null): boolean {
    const ring = this.#ring;
    const { position, count } = ring.floor;
    if (position === ring.tail.position || (slowest !== null && ((slowest[0] - position) | 0) <= 0)) return false;
    const at = ring.overPad(position);
    const slot = ring.kindOf(at) === RecordKind.Large ? ring.idOf(at) : -1;
    // What can still be read must still be there.
    ring.floor.move(ring.after(at), (count + 1) | 0);
    if (slot >= 0) this.large.releaseSwept(slot, at);
    ring.floor.read();
    return true;
  }

  /** The subscriber that others wait for. */
  #blocking(): ReadPosition | null {
    return this.lag === 'block' ? this.subscribers.slowest() : null;
  }

  // ---- subscribing

  /** Takes a slot, `replay` items back from now. @throws UnsupportedError `MP_TOO_MANY_AGENTS`. */
  subscribe(actor: string): number {
    const slot = this.run(() => this.subscribers.take(() => this.#start()));
    if (slot >= 0) return slot;
    throw new UnsupportedError(
      `${actor}: ${MAX_SUBSCRIBERS} subscriptions read the topic already; share() one of them within the process.`,
      { code: 'MP_TOO_MANY_AGENTS' },
    );
  }

  /** Where one begins that subscribes now. */
  #start(): ReadPosition {
    const { tail, floor } = this.#ring;
    tail.read();
    floor.read();
    const { position, count } = floor;
    const first = Math.max(0, ((tail.count - count) | 0) - this.settings.replay);
    return [this.#ring.skip(position, first), (count + first) | 0];
  }

  /**
   * Whether a subscriber has items to read beyond the `pending` that it was given and has not
   * {@link passed}.
   */
  behind(slot: number, pending: number): boolean {
    this.#ring.tail.read();
    return ((this.#ring.tail.count - this.subscribers.count(slot)) | 0) > pending;
  }

  /**
   * Reads up to `max` items, `most` bytes or one item. With `lag: 'block'` the cursor stays before
   * them until each is {@link passed}; else it moves at once, since nobody waits for it.
   */
  read(slot: number, max: number, most: number): Reading {
    return this.run(() => {
      const { tail, floor } = this.#ring;
      tail.read();
      floor.read();
      let [position, count] = this.subscribers.place(slot);
      const from = count;
      if (((floor.position - position) | 0) > 0) ({ position, count } = floor);
      if (this.lag === 'latest') {
        const skipped = Math.max(0, ((tail.count - count) | 0) - 1);
        position = this.#ring.skip(position, skipped);
        count = (count + skipped) | 0;
      }
      const gap = count === from ? null : { from: from >>> 0, count: (count - from) >>> 0 };
      const items: Uint8Array[] = [];
      for (let bytes = 0; items.length < max && bytes < most && position !== tail.position; count = (count + 1) | 0) {
        const at = this.#ring.overPad(position);
        items.push(this.#payload(at));
        bytes += items.at(-1)!.length;
        position = this.#ring.after(at);
      }
      if (this.lag !== 'block') this.subscribers.move(slot, position, count);
      return { items, gap };
    });
  }

  /**
   * With `lag: 'block'`: the next of the items that {@link read} gave was handed over. Takes no lock:
   * the record stays until its subscriber has passed it.
   */
  passed(slot: number): void {
    const [position, count] = this.subscribers.place(slot);
    this.subscribers.move(slot, this.#ring.skip(position, 1), (count + 1) | 0);
  }

  /** The newest item; `null` when there is none. */
  newest(): Uint8Array | null {
    return this.run(() => {
      const { tail, floor } = this.#ring;
      tail.read();
      floor.read();
      const { position, count } = floor;
      const there = (tail.count - count) | 0;
      return there === 0 ? null : this.#payload(this.#ring.overPad(this.#ring.skip(position, there - 1)));
    });
  }

  #payload(position: number): Uint8Array {
    const bytes = this.#ring.payloadOf(position);
    if (this.#ring.kindOf(position) !== RecordKind.Large) return bytes;
    const total = new Float64Array(bytes.buffer)[0]!;
    return this.large.withMemory(this.#ring.idOf(position), total, (memory) => memory.slice());
  }
}
