/**
 * A queue as this thread has it: its memory, who puts, who takes, and what must happen before it goes.
 *
 * The public objects hold a core, never the other way round, so that a queue nobody has any more is closed: its memory goes when
 * nothing waits in it. The core itself stays as long as it is open, for at the end of the process what waits for room must be
 * written, and who wrote in good order is to be told from who died.
 */
import { type BlockHandle, self, TRANSIT } from '../memory/index.js';
import { type FeedListener, type Shape, TaskStream } from '../streams/index.js';
import { registerAfterFork } from '../util/after-fork.js';
import { keptByForks } from '../util/at-exit.js';
import { ConsumerFeed, type Holder } from './consumer-feed.js';
import { ItemReader } from './item-reader.js';
import { ItemWriter } from './item-writer.js';
import { closed } from './messages.js';
import { QueueMemory } from './queue-memory.js';
import type { QueueSettings } from './queue-options.js';

const open = new Set<QueueCore>();

// Before all else: references to shared memory are given up at exit, and children joined, who may be waiting for just that.
process.prependListener(
  'exit',
  keptByForks(() => {
    for (const core of open) core.flushAtEnd();
  }),
);
process.on(
  'exit',
  keptByForks((code: number) => {
    for (const core of open) core.endOfProcess(code);
    open.clear();
  }),
);

const abandoned = new FinalizationRegistry<QueueCore>((core) => core.abandon());

export class QueueCore {
  readonly memory: QueueMemory;
  readonly reader: ItemReader;
  readonly writer: ItemWriter;
  readonly #feeds = new Set<ConsumerFeed>();
  /** Who this is: a fork that is somebody else has this object too. */
  #agent = self();
  #closed = false;
  /** When it was last sent to anybody. */
  #sent = Number.NEGATIVE_INFINITY;
  #used = false;

  constructor(from: QueueSettings | BlockHandle) {
    this.memory = new QueueMemory(from);
    try {
      this.memory.members.join('Queue');
      this.reader = new ItemReader(this.memory, () => this.writer.roomMade());
      this.writer = new ItemWriter(this.memory, this.reader.items);
    } catch (error) {
      this.memory.block.close();
      throw error;
    }
    open.add(this);
    registerAfterFork(this, (core) => core.#adopt());
  }

  /** The core closes when `owner` is collected. */
  ownedBy(owner: object): void {
    abandoned.register(owner, this, this);
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
    if (this.#closed) throw closed(actor);
    this.#used = true;
  }

  /** @throws ClosedError. */
  check(actor: string): void {
    if (this.#closed) throw closed(actor);
  }

  /** A stream of what this thread's consumer takes. */
  consume(actor: string, prefetch: number, holder: Holder | null): TaskStream<unknown> {
    return new TaskStream<unknown>({
      open: (listener: FeedListener, shape: Shape | undefined) => {
        const listening: FeedListener = {
          ready: () => listener.ready(),
          closed: () => {
            this.#feeds.delete(feed);
            listener.closed();
          },
        };
        const feed = new ConsumerFeed(this.reader, prefetch, holder, listening, shape);
        if (this.#closed) feed.break(closed(actor));
        else {
          this.#used = true;
          this.#feeds.add(feed);
        }
        return feed;
      },
    });
  }

  /** Who waits for items is told that the queue may have ended. */
  announceEnd(): void {
    this.reader.items.wake(Number.POSITIVE_INFINITY);
  }

  /** No use from here on; what waits for room is still written, then the memory goes. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    abandoned.unregister(this);
    for (const feed of this.#feeds) feed.break(closed('Queue'));
    if (this.writer.waiting === 0) this.#release();
    else void this.writer.flushed().then(() => this.#release());
  }

  /** Nobody has the queue any more. */
  abandon(): void {
    if (this.#closed) return;
    if (this.writer.waiting === 0 && this.reader.items.length === 0 && this.#feeds.size === 0) this.close();
    else setTimeout(() => this.abandon(), 1_000).unref();
  }

  /** Where others find it. */
  get handle(): BlockHandle {
    const { handle } = this.memory.block;
    this.#sent = performance.now();
    return handle;
  }

  /** What waits for room is written, blocking, as long as somebody is there to make room, or may be on its way. */
  flushAtEnd(): void {
    if (this.memory.block.closed || this.#agent !== self()) return;
    this.reader.items.wakeNow();
    if (this.writer.waiting === 0) return;
    this.writer.flushSync(() => this.memory.members.others || performance.now() - this.#sent < TRANSIT);
  }

  /** The process ends with this exit code: only one of 0 is an end in good order. */
  endOfProcess(code: number): void {
    if (this.memory.block.closed || this.#agent !== self()) return;
    this.flushAtEnd();
    if (code === 0) this.#leave();
  }

  /** In a fork: the queue is the child's own from here on; what its parent had begun with it goes on there. */
  #adopt(): void {
    this.#agent = self();
    if (this.memory.block.closed) return;
    this.#used = false;
    this.writer.forget();
    this.#feeds.clear();
    this.memory.members.adopt('Queue');
  }

  #release(): void {
    if (this.memory.block.closed) return;
    this.reader.items.wakeNow();
    this.#leave();
    open.delete(this);
    this.memory.block.close();
  }

  #leave(): void {
    if (this.memory.members.leave()) this.announceEnd();
  }
}
