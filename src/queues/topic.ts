import { inspect } from 'node:util';
import { Observable } from 'rxjs';
import { ATTACH, type BlockOnly, registerShareable } from '../memory/index.js';
import { PULL, type PullReader, type PullSource, type ResultIterator, type TaskStream } from '../streams/index.js';
import { entry } from '../util/package.js';
import { boundsOf, type WaitOptions } from '../util/wait-options.js';
import { WAITABLE } from '../util/waitable.js';
import { queueFull } from './shared/messages.js';
import { TopicCore } from './topic/topic-core.js';
import type { Gap } from './topic/topic-memory.js';
import { type TopicOptions, topicSettings } from './topic-options.js';

/**
 * Items for everybody: each subscriber in every process gets every item.
 *
 * Semantics: a subscription begins with the last `replay` items and then gets all that is
 * published, in the order in which it was published. An item is encoded by `publish`. Each
 * subscription and each iteration reads at its own pace.
 *
 * Backpressure: `lag` says what happens when a subscriber falls behind by more than the topic
 * holds; by default publishing waits for it. A subscriber that died is forgotten.
 *
 * As a Subject: `complete` speaks for this thread; subscriptions complete when they have read
 * everything and every thread that ever published has completed or ended. `error` reaches every
 * subscription everywhere.
 *
 * Python: there is none.
 *
 * @example
 * import { Topic } from 'multiprocess';
 *
 * const news = new Topic<string>({ replay: 1, lag: 'drop-oldest' });
 * await news.publish('it works');
 * for await (const line of news) {
 *   console.log(line); // it works
 *   break;
 * }
 */
export class Topic<T = unknown> extends Observable<T> implements AsyncIterable<T>, AsyncDisposable, PullSource<T> {
  /** @internal */
  readonly core: TopicCore;

  /** @throws ArgumentError; MultiprocessError `MP_SYSTEM` without memory or descriptors. */
  constructor(options?: TopicOptions);
  /** @internal */
  constructor(from: TopicOptions | TopicCore | undefined);
  constructor(from?: TopicOptions | TopicCore) {
    const core = from instanceof TopicCore ? from : new TopicCore(topicSettings(new.target.name, from));
    super((subscriber) => (core.subscription() as Observable<T>).subscribe(subscriber));
    core.ownedBy(this);
    this.core = core;
  }

  /** @internal */
  static [ATTACH]({ block }: BlockOnly): Topic {
    return new Topic(TopicCore.attach(block));
  }

  /**
   * Publishes an item, with `lag: 'block'` waiting for the slowest subscriber.
   *
   * @throws (rejects) QueueFullError `MP_QUEUE_FULL` when the time ran out; `signal.reason`;
   *   SerializationError; ClosedError.
   * @group Publishing
   */
  publish(item: T, options?: WaitOptions): Promise<void> {
    try {
      this.core.usePutting('Topic.publish');
      const bounds = boundsOf('Topic.publish', options);
      bounds?.signal?.throwIfAborted();
      return this.core.writer.putItem('Topic.publish', item, bounds);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * For `wait` of `multiprocess/connection`: it is ready when it gives an item, which other
   * subscribers see too, or has ended.
   *
   * @group Streams
   */
  [WAITABLE](onReady: () => void): true | (() => void) {
    let waiting = false;
    let said = false;
    const ready = () => {
      if (waiting && !said) onReady();
      said = true;
    };
    const subscription = this.subscribe({ next: ready, error: ready, complete: ready });
    if (said) subscription.unsubscribe();
    waiting = true;
    return said || (() => subscription.unsubscribe());
  }

  /**
   * Publishes an item if that is possible at once. Returns whether it was.
   *
   * @throws SerializationError; ClosedError.
   * @group Publishing
   */
  tryPublish(item: T): boolean {
    this.core.usePutting('Topic.tryPublish');
    return this.core.writer.tryPutItem('Topic.tryPublish', item);
  }

  /**
   * As {@link tryPublish}.
   *
   * @throws QueueFullError `MP_QUEUE_FULL` when it is not possible.
   * @group Subject
   */
  next(item: T): void {
    this.core.usePutting('Topic.next');
    if (!this.core.writer.tryPutItem('Topic.next', item)) throw queueFull('topic', 'Topic.next', undefined);
  }

  /**
   * Ends the topic for every subscription in every process with this error, once it has read the
   * items before it. The first error stays.
   *
   * @group Subject
   */
  error(error: unknown): void {
    this.core.fail('Topic.error', error);
  }

  /**
   * This publisher is done, once what waits for room is published.
   *
   * A publisher is a thread: what the thread publishes afterwards, by whatever part of it, is refused
   * with ClosedError. So it is not for tasks of a pool, of which several run in one worker.
   *
   * @group Subject
   */
  complete(): void {
    this.core.complete('Topic.complete');
  }

  /**
   * A subscription as a stream, which is pulled.
   *
   * @group Streams
   */
  stream(): TaskStream<T> {
    return this.core.subscription() as TaskStream<T>;
  }

  /**
   * Iterates {@link stream}. The subscription begins with the first `next()`.
   *
   * @group Streams
   */
  [Symbol.asyncIterator](): ResultIterator<T> {
    return this.stream()[Symbol.asyncIterator]();
  }

  /**
   * Opens a reading of its own for a pull-aware stage.
   *
   * @group Streams
   */
  [PULL](wake: () => void): PullReader<T> {
    return this.stream()[PULL](wake);
  }

  /**
   * What subscriptions of this thread have lost, as they find out. Hot.
   *
   * @group Streams
   */
  get gaps(): Observable<Gap> {
    return this.core.gaps.asObservable();
  }

  /**
   * How many subscriptions there are now, in all processes.
   *
   * @group Streams
   */
  get subscribers(): number {
    this.core.check('Topic.subscribers');
    return this.core.memory.subscribers.living;
  }

  /**
   * Ends the use of the topic in this thread: subscriptions end with ClosedError. What waits for
   * room is still published. Closing twice does nothing.
   *
   * @group Python
   */
  close(): void {
    this.core.close(this);
  }

  /**
   * Resolves when nothing that was published here waits for room any more.
   *
   * A process that ends in good order while others have the topic, or were sent it in the last 30
   * s, publishes it first, blocking if need be while they read, unless `cancelJoinThread` was
   * called.
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
   * Closes, and waits until what was published here has found room.
   *
   * @group Resource
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.joinThread();
  }

  /**
   * `<Topic(subscribers=2)>`.
   *
   * @group Resource
   */
  override toString(): string {
    const state = this.core.closed ? 'closed' : `subscribers=${this.subscribers}`;
    return `<${this.constructor.name}(${state})>`;
  }

  /** @internal */
  [inspect.custom](): string {
    return this.toString();
  }

  /** @internal How it travels. */
  get handle(): BlockOnly {
    return { block: this.core.handle };
  }
}

registerShareable('Topic', {
  module: entry('queues/index'),
  class: Topic,
  toHandle: (topic) => topic.handle,
  closed: ({ core }) => core.closed,
});
