import { inspect } from 'node:util';
import { asapScheduler, Observable, share, subscribeOn } from 'rxjs';
import { ClosedError, QueueFullError } from '../errors/index.js';
import { ATTACH, type BlockOnly, registerShareable } from '../memory/index.js';
import {
  inOwnContext,
  type Overflow,
  PULL,
  type PullReader,
  type PullSource,
  type ResultIterator,
  type TaskStream,
} from '../streams/index.js';
import { lineage } from '../util/after-fork.js';
import { entry } from '../util/package.js';
import { boundsOf, timeoutOf, type WaitOptions } from '../util/wait-options.js';
import { readyBy, WAITABLE } from '../util/waitable.js';
import { DROPPED, putOnFull } from './queue/full-queue.js';
import { NONE } from './queue/item-reader.js';
import { QueueCore } from './queue/queue-core.js';
import { arrivedAgain } from './queue/queue-memory.js';
import { UnacknowledgedItems } from './queue/unacknowledged.js';
import { type ConsumeOptions, consumption, DEFAULT_PREFETCH, type QueueOptions, settingsOf } from './queue-options.js';
import { queueEmpty, queueFull } from './shared/messages.js';

/** Where the queue is found by others. */
interface QueueHandle extends BlockOnly {
  /** Without `onDrop`. */
  readonly overflow: Overflow<never>;
}

/**
 * Items between any number of processes, threads and tasks: each goes to one consumer.
 *
 * Four dialects speak of the same items, and may be mixed:
 *
 * | dialect | put | take | end |
 * | --- | --- | --- | --- |
 * | Python | `put`, `putNowait`, `putSync` | `get`, `getNowait`, `getSync` | `close`, `joinThread` |
 * | Streams | | `consume`, `for await`, with `ack` and `nack` | leaving the stream |
 * | Subject | `next` | `subscribe` | `complete`, `error` |
 * | Resource | | | `await using` |
 *
 * Semantics: an item is encoded by `put`, so what happens to it afterwards does not change what
 * arrives. What one thread puts arrives in its order. `qsize`, `empty` and `full` are exact. An
 * item that cannot be encoded rejects its own `put` and takes no place. As an Observable all
 * subscribers of a thread are one consumer, and each of them sees every item it takes. As a Subject
 * `complete` speaks for this thread only: streams end when the queue is empty and every thread that
 * ever put has completed or ended. `error` reaches every consumer everywhere, once the items before
 * it are taken.
 *
 * Backpressure: `put` waits while `maxSize` items are in the queue, or its memory is full.
 * `consume`, iteration and the pull-aware operators take as they are read; subscribers are handed
 * what comes.
 *
 * Crash: a process that is killed at any instruction leaves no half item and no lock. What it had
 * claimed and not delivered goes to others. A writer that dies without completing makes streams end
 * with ProducerLostError instead (`onWriterLost`).
 *
 * Python: `multiprocessing.Queue`. There `put` returns before the item is encoded, and a mutation
 * in between changes what arrives.
 *
 * @example
 * import { Process, Queue } from 'multiprocess';
 *
 * const jobs = new Queue<string>();
 * const producer = await new Process(async () => {
 *   await jobs.put('a.txt');
 *   jobs.complete(); // this thread puts no more
 * }).start();
 * for await (const path of jobs) console.log(path); // a.txt
 * await producer.join();
 */
export class Queue<T = unknown> extends Observable<T> implements AsyncIterable<T>, AsyncDisposable, PullSource<T> {
  /** @internal */
  readonly core: QueueCore;
  readonly #overflow: Overflow<T>;
  readonly #unacknowledged = new UnacknowledgedItems();

  /** @throws ArgumentError; MultiprocessError `MP_SYSTEM` without memory or descriptors. */
  constructor(options?: QueueOptions<T>);
  /** @internal */
  constructor(from: QueueOptions<T> | QueueCore | undefined, overflow?: Overflow<T>);
  constructor(from?: QueueOptions<T> | QueueCore, overflow?: Overflow<T>) {
    const core = from instanceof QueueCore ? from : new QueueCore(settingsOf(new.target.name, from));
    const make = () =>
      (core.consume('Queue.subscribe', DEFAULT_PREFETCH, null) as Observable<T>).pipe(
        subscribeOn(asapScheduler),
        share(),
      );
    let shared = make();
    let born = lineage.generation;
    super((subscriber) => {
      // In a fork: the consumer that its parent's subscribers share stays there.
      if (born !== lineage.generation) shared = make();
      born = lineage.generation;
      return inOwnContext(shared).subscribe(subscriber);
    });
    core.ownedBy(this);
    this.core = core;
    this.#overflow = overflow ?? (from as QueueOptions<T> | undefined)?.overflow ?? { policy: 'error' };
  }

  /** @internal */
  static [ATTACH]({ block, overflow }: QueueHandle): Queue {
    return new this(QueueCore.attach(block), overflow);
  }

  // ---- putting

  /**
   * Puts an item, waiting for room.
   *
   * Cancellation: an aborted wait rejects with `signal.reason`, and the item is not put.
   * @throws (rejects) QueueFullError `MP_QUEUE_FULL` when the time ran out, `MP_QUEUE_NO_READERS`
   *   when this thread has the queue from elsewhere, never read from it, and all others who could
   *   read have closed it or ended; SerializationError; ClosedError `MP_CLOSED`,
   *   `MP_QUEUE_COMPLETED`.
   * @group Python
   */
  put(item: T, options?: WaitOptions): Promise<void> {
    try {
      this.core.usePutting('Queue.put');
      const bounds = boundsOf('Queue.put', options);
      bounds?.signal?.throwIfAborted();
      return this.core.writer.putItem('Queue.put', item, bounds);
    } catch (error) {
      this.#refused(error, item);
      return Promise.reject(error);
    }
  }

  /**
   * Puts an item if there is room now.
   *
   * @throws QueueFullError `MP_QUEUE_FULL`; else as {@link put}.
   * @group Python
   */
  putNowait(item: T): void {
    if (!this.#tryPut('putNowait', item)) throw queueFull('queue', 'Queue.putNowait', undefined);
  }

  /**
   * Puts an item, blocking the thread while there is no room.
   *
   * @throws QueueFullError `MP_QUEUE_FULL` when the time ran out; else as {@link put}.
   * @group Python
   */
  putSync(item: T, options?: WaitOptions): void {
    this.core.usePutting('Queue.putSync');
    const timeout = timeoutOf('Queue.putSync', options);
    let had: boolean;
    try {
      had = this.core.writer.putItemSync('Queue.putSync', item, timeout);
    } catch (error) {
      this.#refused(error, item);
      throw error;
    }
    if (!had) throw queueFull('queue', 'Queue.putSync', timeout);
  }

  // ---- getting

  /**
   * Takes the oldest item, waiting for one.
   *
   * Cancellation: an aborted wait rejects with `signal.reason`, and no item is lost.
   * @throws (rejects) QueueEmptyError `MP_QUEUE_EMPTY` when the time ran out; ClosedError
   *   `MP_CLOSED`, `MP_QUEUE_COMPLETED` when nothing will come; the error that was given to
   *   `error`; SerializationError for an item that cannot be decoded here, which is gone then.
   * @group Python
   */
  get(options?: WaitOptions): Promise<T> {
    try {
      this.core.use('Queue.get');
      return this.core.reader.takeItem('Queue.get', boundsOf('Queue.get', options)) as Promise<T>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Takes the oldest item if there is one.
   *
   * @throws QueueEmptyError `MP_QUEUE_EMPTY`; else as {@link get}.
   * @group Python
   */
  getNowait(): T {
    this.core.use('Queue.getNowait');
    const item = this.core.reader.tryTakeItem('Queue.getNowait');
    if (item === NONE) {
      this.core.reader.throwIfOver('Queue.getNowait');
      throw queueEmpty('Queue.getNowait', undefined);
    }
    return item as T;
  }

  /**
   * Takes the oldest item, blocking the thread until there is one.
   *
   * @throws as {@link get}.
   * @group Python
   */
  getSync(options?: WaitOptions): T {
    this.core.use('Queue.getSync');
    const timeout = timeoutOf('Queue.getSync', options);
    const item = this.core.reader.takeItemSync('Queue.getSync', timeout);
    if (item === NONE) throw queueEmpty('Queue.getSync', timeout);
    return item as T;
  }

  // ---- how full it is

  /**
   * Items in the queue that no consumer has taken.
   *
   * @group Python
   */
  qsize(): number {
    this.core.check('Queue.qsize');
    return this.core.memory.ring.size;
  }

  /**
   * Whether it has no item.
   *
   * @throws ClosedError, unless the queue was closed before this process used it.
   * @group Python
   */
  empty(): boolean {
    if (this.core.closed && !this.core.used) return true;
    this.core.check('Queue.empty');
    return !this.core.memory.ring.ready;
  }

  /**
   * Whether it has `maxSize` items; `false` where no `maxSize` was given.
   *
   * @group Python
   */
  full(): boolean {
    const { maxSize } = this.core.memory.settings;
    return maxSize > 0 && this.qsize() >= maxSize;
  }

  // ---- as a stream

  /**
   * This thread as one of the competing consumers, with backpressure. A stream that is left gives
   * back what it had claimed.
   *
   * @throws ArgumentError `MP_INVALID_ARGUMENT`, `MP_UNKNOWN_OPTION`.
   * @group Streams
   */
  consume(options?: ConsumeOptions): TaskStream<T> {
    const { prefetch, manual } = consumption('Queue.consume', options);
    return this.core.consume('Queue.consume', prefetch, manual ? this.#unacknowledged : null) as TaskStream<T>;
  }

  /**
   * An item that `consume({ ack: 'manual' })` gave is done with.
   * @param item Default: the one that has been held longest. @throws ArgumentError `MP_NOT_HELD`.
   * @group Streams
   */
  ack(...item: [item?: T]): void {
    this.core.check('Queue.ack');
    this.#unacknowledged.releaseItem('Queue.ack', item, (position) => this.core.reader.finish(position));
  }

  /**
   * As {@link ack}, but the item goes back to the queue, before all others.
   *
   * @throws ArgumentError `MP_NOT_HELD`.
   * @group Streams
   */
  nack(...item: [item?: T]): void {
    this.core.check('Queue.nack');
    this.#unacknowledged.releaseItem('Queue.nack', item, (position) => this.core.reader.giveBack([position]));
  }

  /**
   * For `wait` of `multiprocess/connection`: it is ready when `get` would not wait.
   *
   * @group Streams
   */
  [WAITABLE](onReady: () => void): true | (() => void) {
    this.core.use('wait');
    const { reader } = this.core;
    return reader.settled || readyBy((signal) => reader.awaitReady(signal), onReady);
  }

  /**
   * Iterates {@link consume}.
   *
   * @group Streams
   */
  [Symbol.asyncIterator](): ResultIterator<T> {
    return this.consume()[Symbol.asyncIterator]();
  }

  /**
   * Opens a reading of its own for a pull-aware stage.
   *
   * @group Streams
   */
  [PULL](wake: () => void): PullReader<T> {
    return this.consume()[PULL](wake);
  }

  // ---- as a Subject

  /**
   * Puts an item without waiting; on a full queue the `overflow` policy decides.
   *
   * @throws QueueFullError `MP_QUEUE_FULL`; else as {@link put}.
   * @group Subject
   */
  next(item: T): void {
    if (this.#tryPut('next', item)) return;
    putOnFull(this.core, this.#overflow, item, {
      tryPut: () => this.#tryPut('next', item),
      putLater: () => void this.put(item).catch(() => {}),
      dropped: () => this[DROPPED](),
    });
  }

  /** @internal */
  protected [DROPPED](): void {}

  /**
   * Ends the queue for every consumer in every process with this error, once the items before it
   * are taken. The first error stays.
   *
   * @group Subject
   */
  error(error: unknown): void {
    this.core.fail('Queue.error', error);
  }

  /**
   * This writer puts no more. Streams end when the queue is empty and all writers have completed or
   * ended.
   *
   * A writer is a thread: what the thread puts afterwards, by whatever part of it, is refused with
   * ClosedError `MP_QUEUE_COMPLETED`. So it is not for tasks of a pool, of which several run in one
   * worker: they return what they have.
   *
   * @group Subject
   */
  complete(): void {
    this.core.complete('Queue.complete');
  }

  // ---- life

  /**
   * Ends the use of the queue in this thread. What waits for room is still put; streams end with
   * ClosedError. Closing twice does nothing.
   *
   * @group Python
   */
  close(): void {
    this.core.close(this);
  }

  /**
   * Resolves when nothing that was put here waits for room any more.
   *
   * A process that ends in good order while others have the queue, or were sent it in the last 30
   * s, writes it first, blocking if need be, unless `cancelJoinThread` was called. Python:
   * `join_thread`, which waits for the feeder thread; here there is none.
   *
   * @group Python
   */
  joinThread(): Promise<void> {
    return this.core.writer.flushed();
  }

  /**
   * What waits for room in this process, now or later, does not keep it: it is lost when the
   * process ends before there is room.
   *
   * @group Python
   */
  cancelJoinThread(): void {
    this.core.writer.detach();
  }

  /**
   * Closes, and waits until what was put here has found room.
   *
   * @group Resource
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.joinThread();
  }

  /**
   * Called with what could not be encoded, beside the rejection of its `put`. Does nothing; meant
   * to be overridden. Python: `Queue._on_queue_feeder_error`.
   *
   * @group Python
   */
  protected onQueueFeederError(_error: unknown, _item: T): void {}

  /**
   * `<Queue(size=2)>`.
   *
   * @group Resource
   */
  override toString(): string {
    return this.core.closed ? `<${this.constructor.name}(closed)>` : `<${this.constructor.name}(size=${this.qsize()})>`;
  }

  /** @internal */
  [inspect.custom](): string {
    return this.toString();
  }

  /** @internal How it travels. */
  get handle(): QueueHandle {
    const { onDrop: _, ...overflow } = this.#overflow as Overflow<never> & { onDrop?: unknown };
    return { block: this.core.handle, overflow };
  }

  #tryPut(method: string, item: T): boolean {
    this.core.usePutting(`Queue.${method}`);
    try {
      return this.core.writer.tryPutItem(`Queue.${method}`, item);
    } catch (error) {
      this.#refused(error, item);
      throw error;
    }
  }

  #refused(error: unknown, item: T): void {
    if (!(error instanceof ClosedError) && !(error instanceof QueueFullError)) this.onQueueFeederError(error, item);
  }
}

registerShareable('Queue', {
  module: entry('queues/index'),
  class: Queue,
  toHandle: (queue) => queue.handle,
  closed: ({ core }) => core.closed,
  again: arrivedAgain,
});
