/**
 * Putting: an item is encoded at once, outside of any lock, and then published, or waits for room
 * in this thread's backlog.
 *
 *   item -> Encoder -> ring                       room: one section, no allocation
 *                   -> pending -> backlog -> ring  no room: in order, one waiter for all of them
 *
 * Invariant: nothing is published while the backlog holds anything, so what one thread puts arrives
 * in its order.
 *
 * Wake-ups: consumers that sleep are woken once for a burst of puts; a blocking put wakes at once,
 * since nobody knows when this thread's event loop turns again.
 */
import { type Bounds, LIVENESS_CHECK_MS } from '../../memory/index.js';
import { CooperativeBudget } from '../../util/cooperative-budget.js';
import { Deque } from '../../util/deque.js';
import { limitWait } from '../../util/limit-wait.js';
import { clearInterval, nextTick, setImmediate, setInterval } from '../../util/timers.js';
import type { ItemMemory } from './item-memory.js';
import { ItemPublisher, type PendingItem } from './item-publisher.js';
import { ItemsUnderWay } from './items-under-way.js';
import { noReaders, queueFull } from './messages.js';
import { OrphanDetector } from './orphan-detector.js';
import type { Waiters } from './waiters.js';

const NOW = Promise.resolve();

export class ItemWriter {
  /** Items that were put and refer to shared objects. */
  readonly underWay: ItemsUnderWay;
  readonly #memory: ItemMemory;
  readonly #publisher: ItemPublisher;
  readonly #consumers: Waiters;
  readonly #room: Waiters;
  readonly #backlog = new Deque<PendingItem>();
  readonly #budget = new CooperativeBudget();
  readonly #orphan: OrphanDetector;
  /** This thread has said that it waits and will not read. */
  #waits = false;
  readonly #mayRead: () => boolean;
  /** {@link roomMade} is to be called at the end of the burst. */
  #tells = false;
  /** Ends the wait of the backlog; `null`: it does not wait. */
  #pump: AbortController | null = null;
  #detachedPump: NodeJS.Timeout | null = null;
  /** The backlog does not keep the process any more. */
  #detached = false;
  readonly #flushed: (() => void)[] = [];

  /** @param mayRead Whether this thread has read from it, so that it may do so again. */
  constructor(memory: ItemMemory, consumers: Waiters, mayRead: () => boolean) {
    this.#mayRead = mayRead;
    this.#orphan = new OrphanDetector(() => memory.orphaned?.(mayRead()) === true);
    this.#memory = memory;
    this.underWay = new ItemsUnderWay(memory);
    this.#publisher = new ItemPublisher(memory, this.underWay);
    this.#consumers = consumers;
    this.#room = memory.roomWaiters({
      ready: () => this.#orphan.certain || memory.someRoom(this.#backlog.first()?.bytes.length),
      checkPeers: () => {
        this.#reclaim();
        this.#lookForReaders();
      },
    });
  }

  /** Those who wait for room. */
  get room(): Waiters {
    return this.#room;
  }

  /** Items that wait for room in this thread. */
  get waiting(): number {
    return this.#backlog.length;
  }

  /**
   * Puts, waiting for room without blocking.
   * @throws (rejects) QueueFullError, `signal.reason`, SerializationError.
   */
  putItem(actor: string, item: unknown, bounds?: Bounds): Promise<void> {
    const pending = this.#publisher.publishOrEncode(
      actor,
      item,
      this.#inOrder,
      bounds === undefined ? this.#briefly : undefined,
    );
    if (pending === null) {
      this.#consumers.wakeSoon();
      this.#budget.spend();
      if (!this.#budget.exhausted) return NOW;
      this.#budget.renew();
      return new Promise((done) => setImmediate(done));
    }
    if (bounds?.timeout !== undefined && bounds.timeout <= 0) {
      this.#publisher.discardPending(pending);
      return Promise.reject(queueFull(this.#memory.noun, actor, bounds.timeout));
    }
    return this.#wait(actor, pending, bounds);
  }

  /** Puts if there is room now. Returns whether there was. */
  tryPutItem(actor: string, item: unknown): boolean {
    const pending = this.#publisher.publishOrEncode(actor, item, this.#inOrder);
    if (pending !== null) {
      // Who tries again and again never waits, so it must look after the dead here.
      this.#reclaim();
      if (!this.#inOrder() || !this.#publisher.publishPending(pending)) {
        this.#publisher.discardPending(pending);
        return false;
      }
    }
    this.#consumers.wakeSoon();
    return true;
  }

  /** Puts, blocking while there is no room: `false` when the time ran out. */
  putItemSync(actor: string, item: unknown, timeout?: number): boolean {
    let waited = false;
    const pending = this.#publisher.publishOrEncode(actor, item, this.#inOrder, (attempt) => {
      waited = true;
      this.#consumers.wake(1);
      return this.#waitSync(actor, attempt, timeout);
    });
    let had = pending === null;
    try {
      had ||=
        !waited && this.#waitSync(actor, () => this.#flush() && this.#publisher.publishPending(pending!), timeout);
    } finally {
      if (pending !== null && !had) this.#publisher.discardPending(pending);
    }
    this.#consumers.wake(1);
    return had;
  }

  /** Waits for room, blocking. @throws QueueFullError `MP_QUEUE_NO_READERS`. */
  #waitSync(actor: string, attempt: () => boolean, timeout?: number): boolean {
    try {
      return this.#room.waitSync(() => attempt() || this.#failOrphaned(actor), timeout);
    } finally {
      this.#waitsNoMore();
    }
  }

  /** While this thread waits for room: whether anybody is left who could make some. */
  #lookForReaders(): void {
    if (this.#memory.orphaned === undefined || this.#mayRead()) return;
    if (!this.#waits && this.#memory.attached === true) {
      this.#waits = true;
      this.#memory.members.setWaitsForRoom(true);
    }
    this.#orphan.look();
  }

  #waitsNoMore(): void {
    this.#orphan.reset();
    if (!this.#waits) return;
    this.#waits = false;
    if (!this.#memory.block.closed) this.#memory.members.setWaitsForRoom(false);
  }

  #failOrphaned(actor: string): false {
    if (this.#orphan.certain) throw noReaders(actor);
    return false;
  }

  /** Room was made: wakes who waits for it, when there is enough to be worth it. */
  roomMade(): void {
    if (!this.#room.someSleep) return;
    this.#memory.sweep();
    if (this.#memory.someRoom(this.#backlog.first()?.bytes.length)) this.#room.wake(1);
  }

  /**
   * As {@link roomMade}, at the end of the burst of microtasks in which it is called: who waits is
   * woken once for many. A thread that blocks meanwhile lets others sleep on until their next
   * liveness check.
   */
  roomMadeSoon(): void {
    if (this.#tells || !this.#room.someSleep) return;
    this.#tells = true;
    nextTick(this.#onTick);
  }

  readonly #onTick = (): void => {
    this.#tells = false;
    if (!this.#memory.block.closed) this.roomMade();
  };

  /** Room that the dead take is made. */
  #reclaim(): void {
    if (this.#memory.reclaim()) this.#consumers.wake(Number.POSITIVE_INFINITY);
  }

  // ---- the backlog

  /** Resolves when nothing waits any more. */
  flushed(): Promise<void> {
    return this.#backlog.length === 0 ? NOW : new Promise((done) => this.#flushed.push(done));
  }

  /** What waits for room, now or later, does not keep the process. */
  detach(): void {
    if (this.#detached) return;
    this.#detached = true;
    this.#stopPump();
    this.#startPump();
  }

  /**
   * Waits for room, blocking, until the backlog is empty, unless it was detached.
   * @param worthwhile Whether to go on waiting.
   */
  flushSync(worthwhile: () => boolean): void {
    if (this.#backlog.length === 0 || this.#detached) return;
    // The process ends: it will not read.
    this.#waits = true;
    this.#memory.members.setWaitsForRoom(true);
    this.#room.waitSync(() => this.#flush() || !worthwhile());
    this.#waitsNoMore();
  }

  /** In a fork: what waits for room is its parent's to write. */
  forget(): void {
    this.#backlog.clear();
    this.#flushed.length = 0;
    this.#pump = null;
    this.#detachedPump = null;
    this.#waits = false;
    this.#tells = false;
    this.#orphan.reset();
  }

  #wait(actor: string, pending: PendingItem, bounds: Bounds | undefined): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const { timeout, signal } = bounds ?? {};
      const leave = (reason: () => unknown) => {
        if (!this.#backlog.remove(pending)) return;
        this.#publisher.discardPending(pending);
        pending.settle(reason());
        if (this.#backlog.length === 0) this.#emptied();
      };
      const unlimit = limitWait(
        { timeout, signal },
        () => leave(() => queueFull(this.#memory.noun, actor, timeout)),
        (reason) => leave(() => reason),
      );
      pending.settle = (error) => {
        unlimit();
        if (error === undefined) resolve();
        else reject(error);
      };
      this.#backlog.push(pending);
      this.#startPump();
    });
  }

  #startPump(): void {
    if (this.#backlog.length === 0 || this.#pump !== null || this.#detachedPump !== null) return;
    if (this.#detached) {
      // A wait on the word would keep the event loop alive.
      this.#detachedPump = setInterval(() => this.#flush(), LIVENESS_CHECK_MS).unref();
      return;
    }
    const pump = new AbortController();
    this.#pump = pump;
    const actor = this.#memory.noun === 'topic' ? 'Topic.publish' : 'Queue.put';
    this.#room
      .wait(() => this.#flush() || this.#failOrphaned(actor), actor, { signal: pump.signal })
      .then(
        () => this.#pumped(pump),
        (error) => {
          if (pump.signal.aborted) return;
          for (let pending = this.#backlog.shift(); pending !== undefined; pending = this.#backlog.shift()) {
            if (!this.#memory.block.closed) this.#publisher.discardPending(pending);
            pending.settle(error);
          }
          this.#emptied();
        },
      );
  }

  #pumped(pump: AbortController): void {
    if (this.#pump === pump) this.#pump = null;
    this.#startPump();
  }

  #stopPump(): void {
    const pump = this.#pump;
    this.#pump = null;
    pump?.abort();
    if (this.#detachedPump !== null) clearInterval(this.#detachedPump);
    this.#detachedPump = null;
  }

  /** Publishes what waits, in order. Returns whether nothing is left. */
  #flush(): boolean {
    let count = 0;
    for (let pending = this.#backlog.first(); pending !== undefined; pending = this.#backlog.first()) {
      if (!this.#publisher.publishPending(pending)) break;
      this.#backlog.shift();
      pending.settle();
      count++;
    }
    if (count > 0) {
      this.#consumers.wake(count);
      if (this.#backlog.length === 0) this.#emptied();
    }
    return this.#backlog.length === 0;
  }

  #emptied(): void {
    this.#stopPump();
    this.#waitsNoMore();
    for (const done of this.#flushed.splice(0)) done();
  }

  /**
   * Looks for room for some microseconds, or offers the core, as long as that pays: it saves an
   * item that waits its copy.
   */
  readonly #briefly = (attempt: () => boolean): boolean => {
    // Who is to make room must know that there is something to take.
    this.#consumers.wakeNow();
    return this.#room.briefly(attempt);
  };

  readonly #inOrder = (): boolean => this.#backlog.length === 0 || this.#flush();
}
