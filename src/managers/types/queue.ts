import { inspect } from 'node:util';
import { queueEmpty, queueFull, tooManyDone } from '../../queues/index.js';
import { Deque } from '../../util/deque.js';
import { checkBoolean, checkNumber, checkOptions } from '../../util/options.js';
import { caller } from './caller.js';
import { shutDown } from './messages.js';
import { type ServerWait, timeoutIn } from './server-wait.js';
import { WaiterQueue } from './waiter-queue.js';

/** How a manager's queue is made. */
export interface ManagedQueueOptions {
  /** Most items in it; 0 (default): any number. */
  readonly maxSize?: number | undefined;
}

/**
 * The queue that a manager's `Queue(maxSize?)` makes, in the server.
 *
 * Semantics: first in, first out; who waits first is served first, and a wait that is given up
 * takes nothing. An item that is a proxy stays one. After {@link shutdown} nothing is put, and who
 * gets takes what is left.
 *
 * Python: `queue.Queue` in the server, `shutdown` (3.13) included.
 */
export class ManagedQueue<T = unknown> {
  readonly #items = new Deque<T>();
  readonly #maxSize: number;
  /** Those who wait for an item; somebody does only while there is none. */
  readonly #getters = new WaiterQueue<{ readonly item: T }>();
  /** Those who wait for room; somebody does only while there is none. */
  readonly #putters = new WaiterQueue<true>();
  #shut = false;

  /** @param options `maxSize`, or `{ maxSize }`. @throws ArgumentError. */
  constructor(options: number | ManagedQueueOptions = 0) {
    if (typeof options !== 'number') checkOptions('Queue', options, ['maxSize']);
    const maxSize = typeof options === 'number' ? options : (options.maxSize ?? 0);
    checkNumber('Queue', 'maxSize', maxSize, { integer: true, min: Number.MIN_SAFE_INTEGER });
    this.#maxSize = maxSize > 0 ? maxSize : Number.POSITIVE_INFINITY;
  }

  /**
   * Puts an item, waiting for room.
   * @throws QueueFullError when the time ran out; ClosedError `MP_QUEUE_SHUT_DOWN`.
   */
  put(item: T, options?: ServerWait): Promise<void> | undefined {
    const timeout = timeoutIn('Queue.put', options);
    this.#checkOpen('Queue.put');
    if (this.#room) {
      this.#put(item);
      return undefined;
    }
    return this.#putters.wait(caller(), timeout).then((room) => {
      if (room === undefined) throw queueFull('queue', 'Queue.put', timeout);
      this.#checkOpen('Queue.put');
      this.#reserved--;
      this.#put(item);
    });
  }

  /**
   * Puts an item if there is room now.
   * @throws QueueFullError; ClosedError `MP_QUEUE_SHUT_DOWN`.
   */
  putNowait(item: T): void {
    this.#checkOpen('Queue.putNowait');
    if (!this.#room) throw queueFull('queue', 'Queue.putNowait', undefined);
    this.#put(item);
  }

  /**
   * Takes the oldest item, waiting for one.
   * @throws QueueEmptyError when the time ran out; ClosedError `MP_QUEUE_SHUT_DOWN`.
   */
  get(options?: ServerWait): T | Promise<T> {
    const timeout = timeoutIn('Queue.get', options);
    if (this.#items.length > 0) return this.#take();
    if (this.#shut) throw shutDown('Queue.get');
    return this.#getters.wait(caller(), timeout).then((had) => {
      if (had === undefined) throw queueEmpty('Queue.get', timeout);
      return had.item;
    });
  }

  /**
   * Takes the oldest item if there is one.
   * @throws QueueEmptyError; ClosedError `MP_QUEUE_SHUT_DOWN`.
   */
  getNowait(): T {
    if (this.#items.length > 0) return this.#take();
    if (this.#shut) throw shutDown('Queue.getNowait');
    throw queueEmpty('Queue.getNowait', undefined);
  }

  /** Returns what is in it, the oldest first. @internal */
  copy(): T[] {
    return [...this.#items];
  }

  /** Returns how many items are in it. */
  qsize(): number {
    return this.#items.length;
  }

  /** Returns whether it has no item. */
  empty(): boolean {
    return this.#items.length === 0;
  }

  /** Returns whether it has `maxSize` items. */
  full(): boolean {
    return this.#items.length >= this.#maxSize;
  }

  /** Lets nothing in any more. @param options `immediate`: drops what is in it. Default `false`. */
  shutdown(options?: { readonly immediate?: boolean | undefined }): void {
    checkOptions('Queue.shutdown', options, ['immediate'], { boolean: 'immediate' });
    const immediate = checkBoolean('Queue.shutdown', 'immediate', options?.immediate) ?? false;
    this.#shut = true;
    if (immediate) this.dropped(this.#drop());
    this.#putters.rejectAll(shutDown('Queue.put'));
    this.#getters.rejectAll(shutDown('Queue.get'));
  }

  /** @internal Its text, see `textOf`. */
  [inspect.custom](): string {
    return `<Queue(size=${this.#items.length})>`;
  }

  /** For queues that count. */
  protected added(): void {}

  /** For queues that count. */
  protected dropped(_count: number): void {}

  /** Places given to those who waited for room and have not put yet. */
  #reserved = 0;

  get #room(): boolean {
    return this.#items.length + this.#reserved < this.#maxSize;
  }

  #put(item: T): void {
    this.added();
    if (!this.#getters.serveFirst({ item })) this.#items.push(item);
  }

  #take(): T {
    const item = this.#items.shift() as T;
    if (this.#putters.length > 0 && this.#room) {
      this.#reserved++;
      this.#putters.serveFirst(true);
    }
    return item;
  }

  #drop(): number {
    const count = this.#items.length;
    this.#items.clear();
    return count;
  }

  #checkOpen(actor: string): void {
    if (this.#shut) throw shutDown(actor);
  }
}

/**
 * The queue that a manager's `JoinableQueue(maxSize?)` makes: it counts what is not done.
 *
 * Python: `queue.Queue` in the server: its `task_done` and `join`.
 */
export class ManagedJoinableQueue<T = unknown> extends ManagedQueue<T> {
  readonly #joiners = new WaiterQueue<true>();
  #unfinished = 0;

  /** Says that an item that was got is done with. @throws ArgumentError `MP_TOO_MANY_DONE`. */
  taskDone(): void {
    if (this.#unfinished === 0) throw tooManyDone('JoinableQueue.taskDone');
    this.dropped(1);
  }

  /** Waits until every item that was put is done with: `false` when the time ran out. */
  join(options?: ServerWait): boolean | Promise<boolean> {
    const timeout = timeoutIn('JoinableQueue.join', options);
    if (this.#unfinished === 0) return true;
    return this.#joiners.wait(caller(), timeout).then((done) => done === true);
  }

  /** @internal Its text, see `textOf`. */
  override [inspect.custom](): string {
    return `<JoinableQueue(size=${this.qsize()}, unfinished=${this.#unfinished})>`;
  }

  protected override added(): void {
    this.#unfinished++;
  }

  protected override dropped(count: number): void {
    this.#unfinished -= count;
    if (this.#unfinished === 0) this.#joiners.serveAll(true);
  }
}
