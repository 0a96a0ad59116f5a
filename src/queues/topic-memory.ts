/**
 * The shared memory of a topic: a ring of records that every subscriber reads for itself, up to its own cursor.
 *
 *   FLOOR             a subscriber        TAIL
 *    |  still there, for replay  |  unread  |  free, up to FLOOR
 *
 *   words       content
 *   SETTINGS    magic, replay, capacity, maxSize, lag, completeOnLoss
 *   GUARD       lock of all that follows
 *   PUBLISHED   word on which subscribers sleep
 *   ROOM        word on which publishers sleep, with `lag: 'block'`
 *   TAIL, FLOOR cursors (cursor.ts): where the next record goes, and the oldest one that is there
 *   TABLE       subscribers: agent (0: free), position, count
 *   MEMBERS     publishers (members.ts)
 *   LARGE       large-items.ts
 *   FAILURE     failure.ts
 *
 * FLOOR moves only as room is needed, and over a subscriber's cursor only where the lag policy lets it: what lies between is that
 * subscriber's gap.
 *
 * Crash, at any instruction: FLOOR and TAIL each change in one store. A record is at most a quarter of the ring, so room for a new one
 * never takes the newest one away. A dead subscriber's slot is freed by whoever waits for room, or looks for a slot.
 */

import { UnsupportedError } from '../errors/index.js';
import {
  allocateBlock,
  attachBlock,
  BEAT,
  type Block,
  type BlockHandle,
  hasEnded,
  PAD,
  RECORD_HEADER,
  recordBytes,
  self,
} from '../memory/index.js';
import { GUARD_WORDS, Guard } from '../synchronize/guard.js';
import { CURSOR_WORDS, Cursor } from './cursor.js';
import { FAILURE_WORDS, Failure } from './failure.js';
import { LARGE_ITEM_WORDS, LargeItems } from './large-items.js';
import { MEMBER_WORDS, Members } from './members.js';
import { Kind, lines } from './queue-memory.js';
import { LAGS, type Lag, type TopicSettings } from './topic-options.js';
import { type Awaited, Waiters } from './waiters.js';

const LINE = 16;
const GUARD = LINE;
const PUBLISHED = GUARD + lines(GUARD_WORDS);
const ROOM = PUBLISHED + LINE;
const TAIL = ROOM + LINE;
const FLOOR = TAIL + lines(CURSOR_WORDS);
const TABLE = FLOOR + lines(CURSOR_WORDS);
const SUBSCRIBERS = 128;
const FIELDS = 3;
const MEMBERS = TABLE + lines(SUBSCRIBERS * FIELDS);
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

export class TopicMemory {
  readonly block: Block;
  readonly members: Members;
  readonly failure: Failure;
  readonly large: LargeItems;
  readonly settings: TopicSettings;
  readonly lag: Lag;
  /** Largest payload of a record in the ring. */
  readonly maximum: number;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #records: Int32Array;
  readonly #mask: number;
  readonly #guard: Guard;
  readonly #tail: Cursor;
  readonly #floor: Cursor;

  constructor(from: TopicSettings | BlockHandle) {
    const attached = 'ino' in from;
    this.block = attached ? attachBlock(from) : allocateBlock(DATA + from.capacity, true);
    const words = this.block.int32;
    this.#words = words;
    if (!attached) words.set([MAGIC, from.replay, from.capacity, from.maxSize, from.lag, from.completeOnLoss ? 1 : 0]);
    this.settings = { replay: words[1]!, capacity: words[2]!, maxSize: words[3]!, lag: words[4]!, completeOnLoss: words[5] === 1 };
    this.lag = LAGS[this.settings.lag] as Lag;
    const { capacity } = this.settings;
    this.maximum = capacity / 4 - RECORD_HEADER;
    this.#mask = capacity - 1;
    this.#bytes = this.block.bytes.subarray(DATA, DATA + capacity);
    this.#records = new Int32Array(this.#bytes.buffer, this.#bytes.byteOffset, capacity >> 2);
    this.members = new Members(this.block, MEMBERS, 1);
    this.failure = new Failure(this.block, FAILURE);
    this.large = new LargeItems(this.block, LARGE);
    this.#tail = new Cursor(words, TAIL);
    this.#floor = new Cursor(words, FLOOR);
    this.#guard = new Guard(this.block, GUARD, () => {
      this.#tail.read();
      this.large.recover(this.#tail.position);
    });
  }

  /** Runs a section. */
  run<R>(section: () => R): R {
    return this.#guard.run(section);
  }

  /** Those who wait for items. */
  itemWaiters(awaited: Awaited): Waiters {
    return new Waiters(this.block, PUBLISHED, awaited, true);
  }

  /** Those who wait for room. */
  roomWaiters(awaited: Awaited): Waiters {
    return new Waiters(this.block, ROOM, awaited);
  }

  // ---- publishing

  /** Publishes a record of `length` bytes that `layout` writes at an offset: whether there was room. */
  publish(kind: Kind, id: number, length: number, layout: (target: Uint8Array, offset: number) => unknown): boolean {
    return this.run(() => {
      this.#tail.read();
      const { position, count } = this.#tail;
      const size = recordBytes(length);
      const rest = this.settings.capacity - (position & this.#mask);
      const pad = size <= rest ? 0 : rest;
      if (!this.#makeRoom(pad + size)) return false;
      if (pad > 0) {
        const word = this.#word(position);
        this.#records[word] = pad - RECORD_HEADER;
        this.#records[word + 1] = PAD;
      }
      const start = (position + pad) | 0;
      const word = this.#word(start);
      this.#records[word] = length;
      this.#records[word + 1] = kind;
      this.#records[word + 2] = id;
      layout(this.#bytes, (start & this.#mask) + RECORD_HEADER);
      if (kind === Kind.Large) this.large.send(id, start);
      this.#tail.move((start + size) | 0, (count + 1) | 0);
      return true;
    });
  }

  /** Whether publishing a small item may succeed. */
  get someRoom(): boolean {
    if (this.lag !== 'block') return true;
    this.#tail.read();
    const behind = this.#slowest();
    if (behind === null) return true;
    const { capacity, maxSize } = this.settings;
    const [position, count] = behind;
    if (maxSize > 0) return ((this.#tail.count - count) | 0) < maxSize;
    return capacity - ((this.#tail.position - position) >>> 0) >= capacity / 8;
  }

  #makeRoom(need: number): boolean {
    const { capacity, maxSize, replay } = this.settings;
    const { position, count } = this.#tail;
    const slowest = this.lag === 'block' ? this.#slowest() : null;
    if (slowest !== null && maxSize > 0 && ((count - slowest[1]) | 0) >= maxSize) return false;
    const most = maxSize > 0 ? Math.max(maxSize, replay) : 0x7fffffff;
    this.#floor.read();
    for (;;) {
      const { position: floor, count: oldest } = this.#floor;
      if (capacity - ((position - floor) >>> 0) >= need && ((count - oldest) | 0) < most) return true;
      if (floor === position) return false;
      if (slowest !== null && ((slowest[0] - floor) | 0) <= 0) return false;
      const at = this.#overPad(floor);
      if (this.#kind(at) === Kind.Large) this.large.swept(this.#records[this.#word(at) + 2]!, at);
      this.#floor.move(this.#after(at), (oldest + 1) | 0);
      this.#floor.read();
    }
  }

  /** Position and count of the subscriber that is furthest behind. */
  #slowest(): readonly [position: number, count: number] | null {
    let slowest: readonly [number, number] | null = null;
    for (let slot = TABLE; slot < TABLE + SUBSCRIBERS * FIELDS; slot += FIELDS) {
      if (Atomics.load(this.#words, slot) === 0) continue;
      const [position, count] = [Atomics.load(this.#words, slot + 1), Atomics.load(this.#words, slot + 2)];
      if (slowest === null || ((position - slowest[0]) | 0) < 0) slowest = [position, count];
    }
    return slowest;
  }

  // ---- subscribing

  /** Takes a slot, `replay` items back from now. @throws UnsupportedError `MP_TOO_MANY_AGENTS`. */
  subscribe(actor: string): number {
    return this.run(() => {
      let slot = this.#freeSlot();
      if (slot < 0 && this.bury()) slot = this.#freeSlot();
      if (slot < 0) {
        throw new UnsupportedError(
          `${actor}: ${SUBSCRIBERS} subscriptions read the topic already; share() one of them within the process.`,
          {
            code: 'MP_TOO_MANY_AGENTS',
          },
        );
      }
      this.#tail.read();
      this.#floor.read();
      let { position, count } = this.#floor;
      const first = Math.max(0, ((this.#tail.count - count) | 0) - this.settings.replay);
      for (let i = 0; i < first; i++) {
        position = this.#after(this.#overPad(position));
        count = (count + 1) | 0;
      }
      Atomics.store(this.#words, slot + 1, position);
      Atomics.store(this.#words, slot + 2, count);
      Atomics.store(this.#words, slot, self());
      return slot;
    });
  }

  /** Gives a slot back. */
  unsubscribe(slot: number): void {
    Atomics.store(this.#words, slot, 0);
  }

  /** How many subscriptions there are, in all processes. */
  get subscribers(): number {
    this.bury();
    let count = 0;
    for (let slot = TABLE; slot < TABLE + SUBSCRIBERS * FIELDS; slot += FIELDS) if (Atomics.load(this.#words, slot) !== 0) count++;
    return count;
  }

  /** Whether a subscriber has items to read beyond the `pending` that it was given and has not {@link passed}. */
  behind(slot: number, pending: number): boolean {
    this.#tail.read();
    return ((this.#tail.count - Atomics.load(this.#words, slot + 2)) | 0) > pending;
  }

  /**
   * Reads up to `max` items, `most` bytes or one item. With `lag: 'block'` the cursor stays before them until {@link passed}; else it moves
   * at once, since nobody waits for it.
   */
  read(slot: number, max: number, most: number): Reading {
    return this.run(() => {
      this.#tail.read();
      this.#floor.read();
      let [position, count] = [Atomics.load(this.#words, slot + 1), Atomics.load(this.#words, slot + 2)];
      const from = count;
      if (((this.#floor.position - position) | 0) > 0) ({ position, count } = this.#floor);
      if (this.lag === 'latest') {
        for (; ((this.#tail.count - count) | 0) > 1; count = (count + 1) | 0) position = this.#after(this.#overPad(position));
      }
      const gap = count === from ? null : { from: from >>> 0, count: (count - from) >>> 0 };
      const items: Uint8Array[] = [];
      for (let bytes = 0; items.length < max && bytes < most && position !== this.#tail.position; count = (count + 1) | 0) {
        const at = this.#overPad(position);
        items.push(this.#payload(at));
        bytes += items.at(-1)!.length;
        position = this.#after(at);
      }
      if (this.lag !== 'block') this.#put(slot, position, count);
      return { items, gap };
    });
  }

  /** The items that {@link read} gave were delivered. */
  passed(slot: number, items: number): void {
    if (this.lag !== 'block' || items === 0) return;
    this.run(() => {
      let position = Atomics.load(this.#words, slot + 1);
      for (let i = 0; i < items; i++) position = this.#after(this.#overPad(position));
      this.#put(slot, position, (Atomics.load(this.#words, slot + 2) + items) | 0);
    });
  }

  /** The newest item; `null` when there is none. */
  newest(): Uint8Array | null {
    return this.run(() => {
      this.#tail.read();
      this.#floor.read();
      let { position, count } = this.#floor;
      if (count === this.#tail.count) return null;
      for (; ((this.#tail.count - count) | 0) > 1; count = (count + 1) | 0) position = this.#after(this.#overPad(position));
      return this.#payload(this.#overPad(position));
    });
  }

  /** Frees the slots of subscribers that have ended: whether there were any. */
  bury(): boolean {
    let found = false;
    for (let slot = TABLE; slot < TABLE + SUBSCRIBERS * FIELDS; slot += FIELDS) {
      const agent = Atomics.load(this.#words, slot);
      if (agent === 0 || !hasEnded(agent, BEAT / 2)) continue;
      found = Atomics.compareExchange(this.#words, slot, agent, 0) === agent || found;
    }
    return found;
  }

  #put(slot: number, position: number, count: number): void {
    Atomics.store(this.#words, slot + 1, position);
    Atomics.store(this.#words, slot + 2, count);
  }

  #freeSlot(): number {
    for (let slot = TABLE; slot < TABLE + SUBSCRIBERS * FIELDS; slot += FIELDS) if (Atomics.load(this.#words, slot) === 0) return slot;
    return -1;
  }

  #payload(position: number): Uint8Array {
    const word = this.#word(position);
    const start = (position & this.#mask) + RECORD_HEADER;
    const bytes = this.#bytes.slice(start, start + this.#records[word]!);
    if (this.#records[word + 1] !== Kind.Large) return bytes;
    const total = new Float64Array(bytes.buffer)[0]!;
    return this.large.with(this.#records[word + 2]!, total, (memory) => memory.slice());
  }

  #kind(position: number): number {
    return this.#records[this.#word(position) + 1]!;
  }

  #word(position: number): number {
    return (position & this.#mask) >> 2;
  }

  #after(position: number): number {
    return (position + recordBytes(this.#records[this.#word(position)]!)) | 0;
  }

  #overPad(position: number): number {
    return this.#kind(position) === PAD ? this.#after(position) : position;
  }
}
