import { inspect } from 'node:util';
import { Observable } from 'rxjs';
import type { Gap } from '../../queues/index.js';
import {
  inOwnContext,
  PULL,
  type PullReader,
  type PullSource,
  type ResultIterator,
  type TaskStream,
} from '../../streams/index.js';
import { deleteChannel } from '../channel/index.js';
import type { DistributedPutOptions } from '../channel/options.js';
import { checkStart, type DistributedReplayOptions, type DistributedTopicOptions, topicSettings } from './options.js';
import { TopicCore } from './topic-core.js';

const ACTOR = 'DistributedTopic';

/**
 * Items for everybody, over a broker (NATS with JetStream): each subscriber in every process on every
 * host gets every item. Who connects with the same name has the same topic; what it holds stays at the
 * broker when all have gone.
 *
 * Semantics: the topic keeps the last items, as many as `maxSize` and `capacity` allow. A subscription
 * begins with what is published from then on, with the last `replay` items, or with those `since` a
 * time, and gets what follows in the order in which the broker stored it, each item once, also when
 * the connection was lost meanwhile. What this process publishes after it subscribed, it gets.
 * `publish` resolves when the broker has stored the item; it is stored once, if the broker was not
 * away for more than two minutes meanwhile.
 *
 * Backpressure: publishing never waits for subscribers. One that reads more slowly than others publish
 * reads on at its own pace, and misses what the topic has dropped before: `lag` and `gaps`. `lag:
 * 'block'` of Topic does not exist here: one slow host would stop all others.
 *
 * As a Subject: `complete` speaks for this process; subscriptions complete when they have read
 * everything and every writer has completed or is gone. `error` reaches every subscription everywhere,
 * and stays until the topic is deleted. A writer that closes without completing says nothing about the
 * end.
 *
 * Not here, beside Topic: `subscribers` is a promise, since the broker has to be asked. The event loop
 * stays alive until the topic is closed.
 *
 * Python: there is none.
 *
 * @example
 * import { DistributedTopic } from 'multiprocess/distributed';
 *
 * const options = { servers: 'nats://localhost:4222', name: 'news' };
 * await using news = await DistributedTopic.connect<string>(options);
 * await news.publish('it works');
 *
 * // On any host:
 * await using same = await DistributedTopic.connect<string>({ ...options, replay: 1 });
 * for await (const line of same) {
 *   console.log(line); // it works
 *   break;
 * }
 */
export class DistributedTopic<T = unknown>
  extends Observable<T>
  implements AsyncIterable<T>, AsyncDisposable, PullSource<T>
{
  readonly #core: TopicCore;

  private constructor(core: TopicCore) {
    const stream = core.stream(`${ACTOR}.subscribe`, undefined) as Observable<T>;
    super((subscriber) => inOwnContext(stream).subscribe(subscriber));
    this.#core = core;
  }

  /**
   * Connects to the broker, and makes the topic there if it is not.
   *
   * @throws (rejects) as {@link DistributedQueue.connect}.
   */
  static async connect<T = unknown>(options: DistributedTopicOptions<T>): Promise<DistributedTopic<T>> {
    const actor = `${ACTOR}.connect`;
    return new DistributedTopic<T>(await TopicCore.connect(actor, topicSettings(actor, options)));
  }

  /**
   * Removes a topic from the broker, with its items, its end and its error. Who still uses it makes it
   * anew.
   *
   * @returns whether it was there.
   * @throws (rejects) as {@link connect}. What another program or version made stays (`MP_WIRE_VERSION`).
   */
  static async delete(options: DistributedTopicOptions): Promise<boolean> {
    const actor = `${ACTOR}.delete`;
    return await deleteChannel(actor, 'topic', topicSettings(actor, options));
  }

  /**
   * Publishes an item. Resolves when the broker has it.
   *
   * @throws (rejects) TimeoutError `MP_BROKER_AWAY` when the time ran out; `signal.reason`;
   *   SerializationError, also `MP_TOO_LARGE` for what is larger than a message of the broker (1 MiB
   *   unless its `max_payload` says otherwise), `MP_HOST_BOUND`, `MP_NOT_PLAIN`; ClosedError.
   * @group Publishing
   */
  async publish(item: T, options?: DistributedPutOptions): Promise<void> {
    await this.#core.channel.put(`${ACTOR}.publish`, item, options);
  }

  /**
   * Publishes an item if the broker takes it now. Returns whether it did.
   *
   * @throws (rejects) as {@link publish}.
   * @group Publishing
   */
  async tryPublish(item: T, options?: Pick<DistributedPutOptions, 'id'>): Promise<boolean> {
    return await this.#core.channel.tryPut(`${ACTOR}.tryPublish`, item, options);
  }

  /**
   * Publishes an item without waiting: it is sent as the broker takes it. `overflow` bounds what waits
   * here. What cannot be published later rejects {@link joinThread}.
   *
   * @throws QueueFullError `MP_QUEUE_FULL`; SerializationError; ClosedError.
   * @group Subject
   */
  next(item: T): void {
    this.#core.channel.putLater(`${ACTOR}.next`, item);
  }

  /**
   * Ends the topic for every subscription in every process with this error, once it has read the items
   * before it. The first error stays, until the topic is deleted.
   *
   * @group Subject
   */
  error(error: unknown): void {
    this.#core.channel.fail(`${ACTOR}.error`, error);
  }

  /**
   * This process publishes no more.
   *
   * @group Subject
   */
  complete(): void {
    this.#core.channel.complete(`${ACTOR}.complete`);
  }

  /**
   * A subscription as a stream, which is pulled. It begins with the first read.
   *
   * @param options Default: as the topic's options say.
   * @throws ArgumentError `MP_INVALID_ARGUMENT`, `MP_UNKNOWN_OPTION`.
   * @group Streams
   */
  stream(options?: DistributedReplayOptions): TaskStream<T> {
    const actor = `${ACTOR}.stream`;
    const start = options === undefined ? undefined : checkStart(actor, options);
    return this.#core.stream(actor, start) as TaskStream<T>;
  }

  /**
   * Iterates {@link stream}.
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
   * Resolves when the subscriptions that this process has begun get all that anybody publishes from
   * then on.
   *
   * @group Streams
   */
  subscribed(): Promise<void> {
    return this.#core.subscribed();
  }

  /**
   * What subscriptions of this process have missed, as they find out. Hot.
   *
   * @group Streams
   */
  get gaps(): Observable<Gap> {
    return this.#core.gaps.asObservable();
  }

  /**
   * How many subscriptions there are now, in all processes; one whose process died counts for a minute
   * more. Waits for the broker.
   *
   * @group Streams
   */
  async subscribers(): Promise<number> {
    this.#core.channel.check(`${ACTOR}.subscribers`);
    return await this.#core.subscribers();
  }

  /**
   * Ends the use of the topic in this process: subscriptions end with ClosedError. What was accepted is
   * still stored, then the connection ends. Closing twice does nothing.
   *
   * @group Resource
   */
  close(): void {
    this.#core.channel.close();
  }

  /**
   * Resolves when the broker has all that was published here, and the end where it was said.
   *
   * @throws (rejects) what an item of `next` could not be published for.
   * @group Resource
   */
  joinThread(): Promise<void> {
    return this.#core.channel.flushed();
  }

  /**
   * Gives up what waits here for the broker: its `publish` rejects with ClosedError.
   *
   * @group Resource
   */
  cancelJoinThread(): void {
    this.#core.channel.giveUp();
  }

  /**
   * Closes, and waits until the broker has what was published here and the connection has ended.
   *
   * @throws (rejects) as {@link joinThread}.
   * @group Resource
   */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#core.channel.end();
  }

  /**
   * `<DistributedTopic news>`.
   *
   * @group Resource
   */
  override toString(): string {
    return this.#core.channel.describe(this.constructor.name);
  }

  /** @internal */
  [inspect.custom](): string {
    return this.toString();
  }
}
