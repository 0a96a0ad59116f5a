import { inspect } from 'node:util';
import { ArgumentError } from '../errors/index.js';
import { ATTACH, type BlockOnly, registerShareable } from '../memory/index.js';
import { describe } from '../util/options.js';
import { entry } from '../util/package.js';
import { boundsOf, timeoutOf, type WaitOptions } from '../util/wait-options.js';
import { readyBy, WAITABLE } from '../util/waitable.js';
import { NONE } from './queue/item-reader.js';
import { QueueCore } from './queue/queue-core.js';
import { arrivedAgain } from './queue/queue-memory.js';
import { settingsOf } from './queue-options.js';
import { queueEmpty, queueFull } from './shared/messages.js';

/**
 * A queue and nothing else: `put`, `get`, `empty`, `close`.
 *
 * Semantics: as those of `Queue`, of which it uses the memory: items of any process to one consumer
 * each, encoded by `put`, in the order of each producer. It holds as much as has room in 4 MiB;
 * `put` waits beyond that.
 *
 * Python: `multiprocessing.SimpleQueue`. There `put` blocks when a pipe of 64 KiB is full.
 * @example
 * import { Pool, SimpleQueue } from 'multiprocess';
 *
 * using queue = new SimpleQueue<string>();
 * await using pool = new Pool({ processes: 1 });
 * await pool.apply(async () => queue.put('hello'));
 * console.log(await queue.get()); // hello
 */
export class SimpleQueue<T = unknown> implements Disposable {
  readonly #core: QueueCore;

  /** @throws MultiprocessError `MP_SYSTEM` without memory or descriptors. */
  constructor();
  /** @internal */
  constructor(core?: QueueCore);
  constructor(core: QueueCore = new QueueCore(settingsOf('SimpleQueue', undefined))) {
    if (!(core instanceof QueueCore))
      throw new ArgumentError(`SimpleQueue: takes no arguments, not ${describe(core)}.`);
    this.#core = core;
    core.ownedBy(this);
  }

  /** @internal */
  static [ATTACH]({ block }: BlockOnly): SimpleQueue {
    return new SimpleQueue(QueueCore.attach(block));
  }

  /**
   * Puts an item.
   * @throws (rejects) SerializationError; ClosedError `MP_CLOSED`; QueueFullError when the time ran
   * out; `signal.reason`.
   */
  put(item: T, options?: WaitOptions): Promise<void> {
    try {
      this.#core.use('SimpleQueue.put');
      const bounds = boundsOf('SimpleQueue.put', options);
      bounds?.signal?.throwIfAborted();
      return this.#core.writer.putItem('SimpleQueue.put', item, bounds);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** As {@link put}, blocking the thread while there is no room. */
  putSync(item: T, options?: WaitOptions): void {
    this.#core.use('SimpleQueue.putSync');
    const timeout = timeoutOf('SimpleQueue.putSync', options);
    if (!this.#core.writer.putItemSync('SimpleQueue.putSync', item, timeout))
      throw queueFull('queue', 'SimpleQueue.putSync', timeout);
  }

  /**
   * Takes the oldest item, waiting for one.
   * @throws (rejects) ClosedError `MP_CLOSED`; QueueEmptyError when the time ran out;
   * `signal.reason`.
   */
  get(options?: WaitOptions): Promise<T> {
    try {
      this.#core.use('SimpleQueue.get');
      return this.#core.reader.takeItem('SimpleQueue.get', boundsOf('SimpleQueue.get', options)) as Promise<T>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** As {@link get}, blocking the thread. */
  getSync(options?: WaitOptions): T {
    this.#core.use('SimpleQueue.getSync');
    const timeout = timeoutOf('SimpleQueue.getSync', options);
    const item = this.#core.reader.takeItemSync('SimpleQueue.getSync', timeout);
    if (item === NONE) throw queueEmpty('SimpleQueue.getSync', timeout);
    return item as T;
  }

  /**
   * For `wait` of `multiprocess/connection`: it is ready when `get` would not wait.
   */
  [WAITABLE](onReady: () => void): true | (() => void) {
    this.#core.use('wait');
    const { reader } = this.#core;
    return reader.settled || readyBy((signal) => reader.awaitReady(signal), onReady);
  }

  /** Whether it has no item. @throws ClosedError `MP_CLOSED`. */
  empty(): boolean {
    this.#core.check('SimpleQueue.empty');
    return !this.#core.memory.ring.ready;
  }

  /** Ends its use in this thread, for putting and getting. Closing twice does nothing. */
  close(): void {
    this.#core.close(this);
  }

  /** As {@link close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal How it travels. */
  get handle(): BlockOnly {
    return { block: this.#core.handle };
  }

  /** @internal */
  static isClosed(queue: SimpleQueue): boolean {
    return queue.#core.closed;
  }

  /** `<SimpleQueue(empty=true)>`. */
  toString(): string {
    return this.#core.closed ? '<SimpleQueue(closed)>' : `<SimpleQueue(empty=${this.empty()})>`;
  }

  /** @internal */
  [inspect.custom](): string {
    return this.toString();
  }
}

registerShareable('SimpleQueue', {
  module: entry('queues/index'),
  class: SimpleQueue,
  toHandle: (queue) => queue.handle,
  closed: SimpleQueue.isClosed,
  again: arrivedAgain,
});
