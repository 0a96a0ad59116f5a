/**
 * A queue or topic as this thread has it: its memory, who puts, who reads, and what must happen
 * before it goes.
 *
 * The public objects hold a core, never the other way round, so that one that nobody has any more
 * is closed: its memory goes when nothing waits in it. The core itself stays as long as it is open,
 * for at the end of the process what waits for room must be written, and who wrote in good order is
 * to be told from who died.
 */
import { type BlockHandle, blockIdentity, currentAgent, TRANSIT_MS } from '../../memory/index.js';
import { type FeedListener, failingFeed, type PacedFeed, type Projector, TaskStream } from '../../streams/index.js';
import { registerAfterFork } from '../../util/after-fork.js';
import { keptByForks } from '../../util/at-exit.js';
import { clearTimeout, performance, setTimeout } from '../../util/timers.js';
import { failureBytes } from './failure.js';
import type { ItemMemory } from './item-memory.js';
import { ItemWriter } from './item-writer.js';
import { closedHere, completedHere } from './messages.js';
import type { Waiters } from './waiters.js';

/** By the identity of their memory. One may have no object any more, or a closed one. */
const open = new Map<string, ItemCore>();

// Before all else: children are joined at exit, who may be waiting for just that. The one that is
// put in front last is called first.
process.prependListener(
  'exit',
  keptByForks((code: number) => {
    for (const core of open.values()) core.endOfProcess(code);
    open.clear();
  }),
);
process.prependListener(
  'exit',
  keptByForks(() => {
    for (const core of open.values()) core.flushAtEnd();
  }),
);

const abandoned = new FinalizationRegistry<ItemCore>((core) => core.abandon());

export abstract class ItemCore<M extends ItemMemory = ItemMemory, F extends PacedFeed = PacedFeed> {
  readonly memory: M;
  /** Those who wait for items. */
  readonly items: Waiters;
  readonly writer: ItemWriter;
  /** Streams that are open. */
  protected readonly feeds = new Set<F>();
  readonly #name: 'Queue' | 'Topic';
  readonly #identity: string;
  /** Whose the core is: the public object, of which the core knows nothing else. */
  #owner: WeakRef<object> | undefined;
  /** Nobody has the owner any more, but something is left to be done. */
  #lingering: NodeJS.Timeout | undefined;
  /** Who this is: a fork that is somebody else has this object too. */
  #agent = currentAgent();
  #closed = false;
  /** When it was last sent to anybody. */
  #sent = Number.NEGATIVE_INFINITY;
  #used = false;
  #completing = false;
  #released = false;

  constructor(name: 'Queue' | 'Topic', memory: M) {
    this.#name = name;
    this.memory = memory;
    try {
      memory.members.join(name);
      this.items = memory.itemWaiters({ ready: () => this.ready, checkPeers: () => this.checkPeers() });
      this.writer = new ItemWriter(memory, this.items, () => this.hasRead);
    } catch (error) {
      memory.block.close();
      throw error;
    }
    this.#identity = memory.block.identity;
    open.set(this.#identity, this);
    registerAfterFork(this, (core) => core.#adopt());
  }

  /** Whether a look for items is worth while: there are some, or none will come. */
  protected abstract get ready(): boolean;

  /** Whether this thread has read from it. */
  protected abstract get hasRead(): boolean;

  /** Looks after the dead while somebody waits for items. */
  protected abstract checkPeers(): void;

  /**
   * The core of this memory that is in this thread, also when its object was closed or collected:
   * until what waits for room is written there is one, so that it keeps the order of what the thread
   * puts, and the thread's place among the members.
   */
  static here(block: BlockHandle): ItemCore | undefined {
    return open.get(blockIdentity(block));
  }

  /** It has arrived once more, and is used as a new one would be. */
  reopen(): this {
    this.#closed = false;
    return this;
  }

  /** The core closes when `owner` is collected. One it had before is closed. */
  ownedBy(owner: object): void {
    clearTimeout(this.#lingering);
    abandoned.unregister(this);
    abandoned.register(owner, this, this);
    this.#owner = new WeakRef(owner);
  }

  /** Whether {@link close} was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Whether this thread has put or taken anything. */
  get used(): boolean {
    return this.#used;
  }

  /** Something is about to be done with it. @throws ClosedError. */
  use(actor: string): void {
    if (this.#closed) throw closedHere(this.memory.noun, actor);
    this.#used = true;
  }

  /** @throws ClosedError. */
  check(actor: string): void {
    if (this.#closed) throw closedHere(this.memory.noun, actor);
  }

  /**
   * This thread is about to put something.
   * @throws ClosedError `MP_CLOSED`, `MP_QUEUE_COMPLETED`.
   */
  usePutting(actor: string): void {
    this.use(actor);
    if (this.#completing || this.memory.members.completed) throw completedHere(this.memory.noun, actor);
  }

  /** This thread puts no more, once what waits for room has been put. */
  complete(actor: string): void {
    this.use(actor);
    const finish = () => {
      if (this.memory.members.complete(actor)) this.announceEnd();
    };
    if (this.writer.waiting === 0) {
      finish();
      return;
    }
    this.#completing = true;
    void this.writer.flushed().then(() => {
      this.#completing = false;
      finish();
    });
  }

  /** Ends it for all who read it anywhere. */
  fail(actor: string, error: unknown): void {
    this.use(actor);
    this.memory.fail(failureBytes(error));
    this.announceEnd();
  }

  /** A stream that reads by a feed of its own for each execution. */
  protected stream(
    actor: string,
    feedOf: (listener: FeedListener, shape: Projector | undefined) => F,
  ): TaskStream<unknown> {
    return new TaskStream<unknown>({
      open: (listener: FeedListener, shape: Projector | undefined) => {
        if (this.#closed) return failingFeed(closedHere(this.memory.noun, actor), listener);
        const listening: FeedListener = {
          ready: () => listener.ready(),
          closed: () => {
            this.feeds.delete(feed);
            listener.closed();
          },
        };
        const feed = feedOf(listening, shape);
        this.#used = true;
        this.feeds.add(feed);
        return feed;
      },
    });
  }

  /** Who waits for items is told that there may be no more. */
  announceEnd(): void {
    this.items.wake(Number.POSITIVE_INFINITY);
  }

  // ---- life

  /** Where others find it. */
  get handle(): BlockHandle {
    const { handle } = this.memory.block;
    this.memory.noteSent?.();
    this.#sent = performance.now();
    return handle;
  }

  /**
   * No use from here on; what waits for room is still written, then the memory goes. Does nothing
   * for an owner before the present one.
   */
  close(owner: object): void {
    if (this.#owner?.deref() === owner) this.#close();
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    abandoned.unregister(this);
    for (const feed of this.feeds) feed.endWithError(closedHere(this.memory.noun, this.#name));
    if (this.writer.waiting === 0) this.#release();
    else void this.writer.flushed().then(() => this.#closed && this.#release());
  }

  /** Nobody has it any more. */
  abandon(): void {
    if (this.#closed) return;
    if (this.writer.waiting === 0 && this.items.length === 0 && this.feeds.size === 0) this.#close();
    else this.#lingering = setTimeout(() => this.abandon(), 1_000).unref();
  }

  /**
   * What waits for room is written, blocking, as long as somebody is there to make room, or may be
   * on its way.
   */
  flushAtEnd(): void {
    if (this.memory.block.closed || this.#agent !== currentAgent()) return;
    this.items.wakeNow();
    if (this.writer.waiting === 0) return;
    this.readNoMore();
    this.writer.flushSync(() => this.memory.members.readers || this.#onItsWay);
  }

  /** Whether it was sent so recently that somebody may be about to have it. */
  get #onItsWay(): boolean {
    return performance.now() - this.#sent < TRANSIT_MS;
  }

  /** This thread will not turn to its streams again. */
  protected abstract readNoMore(): void;

  /** The process ends with this exit code: only one of 0 is an end in good order. */
  endOfProcess(code: number): void {
    if (this.memory.block.closed || this.#agent !== currentAgent()) return;
    this.flushAtEnd();
    this.memory.large.leave();
    if (code === 0) this.#leave();
  }

  /**
   * In a fork: it is the child's own from here on; what its parent had begun with it goes on there.
   */
  #adopt(): void {
    this.#agent = currentAgent();
    if (this.#released || this.memory.block.closed) return;
    this.#used = false;
    this.#completing = false;
    this.writer.forget();
    this.feeds.clear();
    this.memory.members.adopt(this.#name);
  }

  #release(): void {
    if (this.#released || this.memory.block.closed) return;
    this.#released = true;
    this.memory.large.leave();
    this.#leave();
    this.items.close();
    this.writer.room.close();
    open.delete(this.#identity);
    this.released();
    // It may have arrived here once more.
    const readable = (hurried: boolean) =>
      open.has(this.#identity) || this.memory.members.others || (this.#onItsWay && !hurried);
    this.writer.underWay.close(readable, () => this.memory.block.close());
  }

  /** The memory is about to go. */
  protected released(): void {}

  #leave(): void {
    if (this.memory.members.leave()) this.announceEnd();
  }
}
