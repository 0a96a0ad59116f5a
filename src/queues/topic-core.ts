/** A topic as this thread has it: its memory, its publishers and subscriptions, and what must happen before it goes. As queue-core.ts. */
import { Subject } from 'rxjs';
import { StreamOverflowError } from '../errors/index.js';
import { type BlockHandle, type Bounds, self } from '../memory/index.js';
import { Encoder } from '../reduction/index.js';
import { type FeedListener, type Shape, TaskStream } from '../streams/index.js';
import { registerAfterFork } from '../util/after-fork.js';
import { keptByForks } from '../util/at-exit.js';
import type { End } from './item-reader.js';
import { closed, full, producerLost } from './messages.js';
import { Kind } from './queue-memory.js';
import { TopicFeed } from './topic-feed.js';
import { type Gap, TopicMemory } from './topic-memory.js';
import type { TopicSettings } from './topic-options.js';
import type { Waiters } from './waiters.js';

const open = new Set<TopicCore>();
process.on(
  'exit',
  keptByForks((code: number) => {
    for (const core of open) core.endOfProcess(code);
    open.clear();
  }),
);
const abandoned = new FinalizationRegistry<TopicCore>((core) => core.abandon());

const NOW = Promise.resolve();
let idle: Encoder | undefined;

/** An encoded item, as it goes into the ring. */
interface Parcel {
  readonly kind: Kind;
  readonly id: number;
  readonly bytes: Uint8Array;
}

export class TopicCore {
  readonly memory: TopicMemory;
  readonly items: Waiters;
  readonly room: Waiters;
  readonly gaps = new Subject<Gap>();
  readonly #feeds = new Set<TopicFeed>();
  /** Who this is: a fork that is somebody else has this object too. */
  #agent = self();
  #closed = false;

  constructor(from: TopicSettings | BlockHandle) {
    this.memory = new TopicMemory(from);
    const { memory } = this;
    this.items = memory.itemWaiters({
      ready: () => [...this.#feeds].some((feed) => feed.behind) || this.end() !== null,
      tend: () => memory.members.tend(),
    });
    this.room = memory.roomWaiters({ ready: () => memory.someRoom, tend: () => void memory.bury() });
    try {
      memory.members.join('Topic');
    } catch (error) {
      memory.block.close();
      throw error;
    }
    open.add(this);
    registerAfterFork(this, (core) => core.#adopt());
  }

  ownedBy(owner: object): void {
    abandoned.register(owner, this, this);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** @throws ClosedError. */
  check(actor: string): void {
    if (this.#closed) throw closed(actor);
  }

  stream(): TaskStream<unknown> {
    return new TaskStream<unknown>({
      open: (listener: FeedListener, shape: Shape | undefined) => {
        const listening: FeedListener = {
          ready: () => listener.ready(),
          closed: () => {
            this.#feeds.delete(feed);
            listener.closed();
          },
        };
        const feed = new TopicFeed(this, listening, shape);
        if (this.#closed) feed.break(closed('Topic.subscribe'));
        else this.#feeds.add(feed);
        return feed;
      },
    });
  }

  // ---- publishing

  /** Publishes an item, waiting for room. @throws (rejects) QueueFullError, `signal.reason`, SerializationError. */
  publish(actor: string, item: unknown, bounds: Bounds | undefined): Promise<void> {
    const parcel = this.#offer(actor, item, true);
    if (parcel === null) return NOW;
    return this.room
      .wait(() => this.#send(parcel), bounds)
      .then(
        (had) => {
          if (had) return;
          this.#discard(parcel);
          throw full(actor, bounds?.timeout);
        },
        (error: unknown) => {
          this.#discard(parcel);
          throw error;
        },
      );
  }

  /** Publishes an item if there is room: whether there was. */
  tryPublish(actor: string, item: unknown): boolean {
    const parcel = this.#offer(actor, item, false);
    if (parcel !== null) this.#discard(parcel);
    return parcel === null;
  }

  /** Something was read, or nobody reads it any more. */
  roomMade(): void {
    if (this.room.someSleep && this.memory.someRoom) this.room.wake(1);
  }

  // ---- subscribing

  /** How subscriptions end that have read everything; `null`: they do not. */
  end(): End | null {
    const { members, failure, settings } = this.memory;
    const failed = failure.read();
    if (failed !== null) return failed;
    if (!members.over) return null;
    return { error: members.lost !== 0 && !settings.completeOnLoss ? producerLost(members.lost) : undefined };
  }

  /** A subscription lost items: whether it goes on. */
  missed(gap: Gap, feed: TopicFeed): boolean {
    this.gaps.next(gap);
    if (this.memory.lag !== 'error') return true;
    feed.break(
      new StreamOverflowError(
        `Topic: a subscriber fell behind and ${gap.count} items were dropped before it read them; read faster, give the topic a larger \`capacity\` or \`maxSize\`, or another \`lag\`.`,
        { code: 'MP_TOPIC_LAG' },
      ),
    );
    return false;
  }

  announceEnd(): void {
    this.items.wake(Number.POSITIVE_INFINITY);
  }

  // ---- life

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    abandoned.unregister(this);
    for (const feed of this.#feeds) feed.break(closed('Topic'));
    if (this.room.length === 0) this.#release();
    else void this.room.wait(() => this.room.length <= 1).then(() => this.#release());
  }

  abandon(): void {
    if (this.#closed) return;
    if (this.room.length === 0 && this.#feeds.size === 0) this.close();
    else setTimeout(() => this.abandon(), 1_000).unref();
  }

  endOfProcess(code: number): void {
    if (this.memory.block.closed || this.#agent !== self()) return;
    this.items.wakeNow();
    if (code === 0 && this.memory.members.leave()) this.announceEnd();
  }

  #adopt(): void {
    this.#agent = self();
    if (this.memory.block.closed) return;
    this.#feeds.clear();
    this.memory.members.adopt('Topic');
  }

  #release(): void {
    if (this.memory.block.closed) return;
    this.items.wakeNow();
    if (this.memory.members.leave()) this.announceEnd();
    open.delete(this);
    this.gaps.complete();
    this.memory.block.close();
  }

  /** Publishes, or answers what is to be published when there is room. */
  #offer(actor: string, item: unknown, keep: boolean): Parcel | null {
    const { memory } = this;
    memory.members.write(actor);
    const encoder = idle ?? new Encoder();
    idle = undefined;
    try {
      const { total } = encoder.encode(item);
      const layout = (target: Uint8Array, offset: number) => encoder.layout(target, offset);
      if (total <= memory.maximum && this.room.length === 0 && memory.publish(Kind.Item, 0, total, layout)) {
        this.items.wakeSoon();
        return null;
      }
      const parcel = this.#parcel(total, layout, keep);
      return parcel.kind === Kind.Large && this.room.length === 0 && this.#send(parcel) ? null : parcel;
    } finally {
      idle = encoder;
    }
  }

  #parcel(total: number, layout: (target: Uint8Array, offset: number) => unknown, keep: boolean): Parcel {
    const { memory } = this;
    if (total <= memory.maximum) {
      const bytes = new Uint8Array(keep ? total : 0);
      if (keep) layout(bytes, 0);
      return { kind: Kind.Item, id: 0, bytes };
    }
    const slot = memory.run(() => memory.large.take(total));
    if (slot < 0) throw full('Topic.publish', undefined);
    memory.large.with(slot, total, (target) => layout(target, 0));
    return { kind: Kind.Large, id: slot, bytes: new Uint8Array(new Float64Array([total]).buffer) };
  }

  #send({ kind, id, bytes }: Parcel): boolean {
    if (!this.memory.publish(kind, id, bytes.length, (target, offset) => target.set(bytes, offset))) return false;
    this.items.wakeSoon();
    return true;
  }

  #discard({ kind, id }: Parcel): void {
    if (kind === Kind.Large) this.memory.large.release(id);
  }
}
