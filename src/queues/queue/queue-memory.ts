/**
 * The shared memory of a queue, and the two locks under which it changes.
 *
 *   words       content, a cache line each where both sides write
 *   SETTINGS    magic, maxSize, capacity, completeOnLoss, writers
 *   TRAVELS     how often the queue was sent and has arrived, mod 2^32; when it was sent, in s
 *   PRODUCERS   lock of those who put
 *   CONSUMERS   lock of those who take
 *   WRITABLE    word on which sleeps who waits for room
 *   READABLE    word on which sleeps who waits for items
 *   TASKS       tasks that were marked done (JoinableQueue), mod 2^32
 *   JOINED      word on which sleeps who waits until all are
 *   RING        item-ring.ts
 *   MEMBERS     members.ts
 *   LARGE       large-items.ts
 *   FAILURE     failure.ts
 *   data        the ring's
 *
 * Lock order: producers', then consumers'. Sections wait for nothing else, and run no code of the
 * user's.
 */
import {
  allocateBlock,
  attachBlock,
  type Block,
  type BlockHandle,
  hasEnded,
  isBlockHandle,
  recordBytes,
  TRANSIT_MS,
} from '../../memory/index.js';
import { RobustMutex } from '../../synchronize/index.js';
import type { QueueSettings } from '../queue-options.js';
import { FAILURE_WORDS, SharedFailure } from '../shared/failure.js';
import { type ItemMemory, type Layout, LINE, lines, RecordKind } from '../shared/item-memory.js';
import { LARGE_ITEM_WORDS, LargeItems } from '../shared/large-items.js';
import { MEMBER_WORDS, Members } from '../shared/members.js';
import { type WaitCondition, Waiters } from '../shared/waiters.js';
import { ITEM_RING_WORDS, ItemRing } from './item-ring.js';

const SENT = 6;
const ARRIVED = 7;
const SENT_LAST = 8;
const PRODUCERS = LINE;
const CONSUMERS = 2 * LINE;
const WRITABLE = 3 * LINE;
const READABLE = 4 * LINE;
const TASKS = 5 * LINE;
const JOINED = 6 * LINE;
const RING = 7 * LINE;
const MEMBERS = RING + lines(ITEM_RING_WORDS);
const LARGE = MEMBERS + lines(MEMBER_WORDS);
const FAILURE = LARGE + lines(LARGE_ITEM_WORDS);
const DATA = 4 * (FAILURE + lines(FAILURE_WORDS));
const MAGIC = 0x6d70_7131;

export class QueueMemory implements ItemMemory {
  readonly noun = 'queue';
  readonly block: Block;
  /** Another thread or process made it. */
  readonly attached: boolean;
  readonly ring: ItemRing;
  readonly members: Members;
  readonly large: LargeItems;
  readonly failure: SharedFailure;
  readonly settings: QueueSettings;
  readonly maximum: number;
  readonly #words: Int32Array;
  readonly #producers: RobustMutex;
  readonly #consumers: RobustMutex;

  constructor(from: QueueSettings | BlockHandle) {
    const attached = isBlockHandle(from);
    this.block = attached ? attachBlock(from) : allocateBlock(DATA + from.capacity, true);
    const words = this.block.int32;
    this.#words = words;
    this.attached = attached;
    if (attached) Atomics.add(words, ARRIVED, 1);
    else words.set([MAGIC, from.maxSize, from.capacity, from.completeOnLoss ? 1 : 0, from.writers]);
    this.settings = { maxSize: words[1]!, capacity: words[2]!, completeOnLoss: words[3] === 1, writers: words[4]! };
    this.ring = new ItemRing(
      words,
      RING,
      new Uint8Array(this.block.region.buffer, this.block.offset + DATA, this.settings.capacity),
    );
    this.members = new Members(this.block, MEMBERS, this.settings.writers, 'Queue');
    this.maximum = this.ring.maximum;
    this.large = new LargeItems(this.block, LARGE, () => {
      this.sweep();
      this.producing(() => this.large.shrink());
    });
    this.failure = new SharedFailure(this.block, FAILURE);
    // What a dead producer had begun is not in force; only the memory of a large item may still be
    // marked as sent.
    this.#producers = new RobustMutex(this.block, PRODUCERS, 'Queue', () => this.large.recover(this.ring.end));
    // Claims say themselves whose they are, and RETURNED is never too low.
    this.#consumers = new RobustMutex(this.block, CONSUMERS, 'Queue', () => {});
  }

  /** The queue was put into a message. */
  noteSent(): void {
    Atomics.store(this.#words, SENT_LAST, Math.floor(Date.now() / 1000) | 0);
    Atomics.add(this.#words, SENT, 1);
  }

  /** It has arrived somewhere. */
  noteArrived(): void {
    Atomics.add(this.#words, ARRIVED, 1);
  }

  /** Whether somebody other than who made it has ever had it. */
  get travelled(): boolean {
    return Atomics.load(this.#words, ARRIVED) !== 0;
  }

  /**
   * Whether it is in a message that may still arrive. One that is lost counts for {@link
   * TRANSIT_MS} ms.
   */
  get onItsWay(): boolean {
    if (((Atomics.load(this.#words, SENT) - Atomics.load(this.#words, ARRIVED)) | 0) <= 0) return false;
    return ((Math.floor(Date.now() / 1000) | 0) - Atomics.load(this.#words, SENT_LAST)) * 1000 < TRANSIT_MS;
  }

  orphaned(mayRead: boolean): boolean {
    return !mayRead && this.attached && !this.members.readers && !this.onItsWay;
  }

  /** Runs a section in which TAIL may move. */
  producing<R>(section: () => R): R {
    return this.#producers.runLocked(section);
  }

  /** Runs a section in which NEXT and HEAD may move. */
  consuming<R>(section: () => R): R {
    return this.#consumers.runLocked(section);
  }

  // ---- as those see it who put

  appended = 0;

  isOver(position: number): boolean {
    return this.ring.isOver(position);
  }

  append(kind: RecordKind, id: number, length: number, payload: Layout): boolean {
    return this.producing(() => {
      const at = this.#reserve(length);
      if (at < 0) return false;
      payload.layout(this.ring.bytes, at, this.ring.words);
      if (kind === RecordKind.Large) this.large.bindSlot(id, this.ring.reservedPosition);
      this.appended = this.ring.reservedPosition;
      this.ring.publish(kind, id);
      return true;
    });
  }

  #reserve(length: number): number {
    const { ring, settings } = this;
    if (settings.maxSize > 0 && ring.size >= settings.maxSize) return -1;
    const at = ring.reserve(length);
    return at >= 0 || !ring.occupied || !this.sweep() ? at : ring.reserve(length);
  }

  mayFit(length: number): boolean {
    const { ring, settings } = this;
    if (settings.maxSize > 0 && ring.size >= settings.maxSize) return false;
    return ring.free >= recordBytes(length) || ring.sweepable;
  }

  takeLarge(bytes: number): number {
    return this.producing(() => this.large.takeSlot(bytes));
  }

  someRoom(first: number | undefined): boolean {
    const { ring, settings } = this;
    const { size } = ring;
    if (settings.maxSize > 0) return size < settings.maxSize && ring.free > 0;
    return size === 0 || ring.free >= ring.capacity / 8 || (first !== undefined && ring.free >= 2 * recordBytes(first));
  }

  reclaim(): boolean {
    const returned = this.returnDeadClaims();
    this.sweep();
    return returned;
  }

  /** Sweeps up what is done with. Returns whether that gave room. Not inside {@link consuming}. */
  sweep(): boolean {
    return this.consuming(() => this.ring.sweep(this.onSwept));
  }

  /** To be told what is swept. */
  readonly onSwept = (position: number): void => {
    if (this.ring.kindOf(position) === RecordKind.Large) this.large.releaseSwept(this.ring.idOf(position), position);
  };

  /** Gives back what the dead had claimed. Returns whether there was any of it. */
  returnDeadClaims(): boolean {
    if (!this.ring.occupied) return false;
    const known = new Map<number, boolean>();
    const ended = (agent: number): boolean => {
      const answer = known.get(agent) ?? hasEnded(agent);
      known.set(agent, answer);
      return answer;
    };
    return this.consuming(() => this.ring.reclaim(ended)) > 0;
  }

  fail(error: Uint8Array): void {
    this.producing(() => this.failure.write(error));
  }

  /** Those who wait for room. */
  roomWaiters(awaited: WaitCondition): Waiters {
    return new Waiters(this.block, WRITABLE, awaited);
  }

  /** Those who wait for items. */
  itemWaiters(awaited: WaitCondition): Waiters {
    return new Waiters(this.block, READABLE, awaited);
  }

  /** Those who wait until all tasks are done. */
  joinWaiters(awaited: WaitCondition): Waiters {
    return new Waiters(this.block, JOINED, awaited, true);
  }

  // ---- tasks

  /** Items that were put and not marked done. */
  get unfinished(): number {
    return (this.ring.puts - Atomics.load(this.#words, TASKS)) | 0;
  }

  /** One more is done: how many are left, or -1 when none was. */
  taskDone(): number {
    for (;;) {
      const done = Atomics.load(this.#words, TASKS);
      const left = (this.ring.puts - done) | 0;
      if (left <= 0) return -1;
      if (Atomics.compareExchange(this.#words, TASKS, done, (done + 1) | 0) === done) return left - 1;
    }
  }
}

/** The queue of a handle has arrived where it is already. */
export function arrivedAgain({ block }: { readonly block: BlockHandle }): void {
  try {
    const here = attachBlock(block);
    Atomics.add(here.int32, ARRIVED, 1);
    here.close();
  } catch {
    // It was closed meanwhile.
  }
}
