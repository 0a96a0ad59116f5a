import { inspect } from 'node:util';
import { asapScheduler, Observable, share, subscribeOn } from 'rxjs';
import { QueueEmptyError } from '../../errors/index.js';
import { type ConsumeOptions, consumption, DEFAULT_PREFETCH } from '../../queues/index.js';
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
import { checkGet, type DistributedGetOptions, type DistributedQueueOptions, queueSettings } from './options.js';
import { QueueCore } from './queue-core.js';

const ACTOR = 'DistributedQueue';

/**
 * Items between any number of processes on any number of hosts, over a broker (NATS with JetStream):
 * each goes to one consumer. Who connects with the same name has the same queue; it stays at the
 * broker when all have gone.
 *
 * Semantics: an item is encoded by `put`, which resolves when the broker has stored it. What is put
 * is stored once, if the broker was not away for more than two minutes meanwhile. An item **is
 * delivered at least once**: what a consumer had and had not acknowledged when it died, or when its
 * event loop stood still for longer than the `lease`, goes to others after that. An item that is
 * acknowledged is gone.
 *
 * Order: what one process puts, each `put` awaited, is delivered in its order. What is put at once
 * may change places where the queue is full. What comes back goes before all that nobody has taken.
 * What one process gives back at a time keeps its order. What several give back at the same moment
 * may be mixed, and so may what is put or taken elsewhere in that moment.
 *
 * Backpressure: `put` waits while the queue has `maxSize` items or `capacity` bytes. `consume`,
 * iteration and the pull-aware operators take as they are read; subscribers are handed what comes.
 *
 * As a Subject: `complete` speaks for this process; streams end when every item is acknowledged and
 * every writer has completed or is gone. `error` reaches every consumer everywhere. A writer that
 * closes without completing says nothing about the end. When all have completed, what is put later
 * has an end of its own.
 *
 * While the broker is away, what was accepted waits, and waits for items go on. Callers with a
 * `timeout` get it.
 *
 * Not here, beside Queue: `putSync`, `getSync`, `putNowait` and `getNowait`, since the broker is
 * never asked at once ({@link tryPut} and {@link tryGet} ask once). `qsize`, `empty` and `full` are
 * promises. The event loop stays alive until the queue is closed. A queue cannot be sent to another
 * process: that connects by itself.
 *
 * Python: `multiprocessing.Queue`, over hosts.
 *
 * @example
 * import { DistributedQueue } from 'multiprocess/distributed';
 *
 * const options = { servers: 'nats://localhost:4222', name: 'jobs' };
 * await using jobs = await DistributedQueue.connect<string>(options);
 * await jobs.put('a.txt');
 * jobs.complete(); // this process puts no more
 *
 * // On any host:
 * await using same = await DistributedQueue.connect<string>(options);
 * for await (const path of same.consume({ ack: 'manual' })) {
 *   console.log(path); // a.txt
 *   await same.ack(path);
 * }
 */
export class DistributedQueue<T = unknown>
  extends Observable<T>
  implements AsyncIterable<T>, AsyncDisposable, PullSource<T>
{
  readonly #core: QueueCore;

  private constructor(core: QueueCore) {
    const shared = (core.consume(`${ACTOR}.subscribe`, DEFAULT_PREFETCH, false) as Observable<T>).pipe(
      subscribeOn(asapScheduler),
      share(),
    );
    super((subscriber) => inOwnContext(shared).subscribe(subscriber));
    this.#core = core;
  }

  /**
   * Connects to the broker, and makes the queue there if it is not.
   *
   * @throws (rejects) ArgumentError `MP_INVALID_ARGUMENT`, `MP_UNKNOWN_OPTION`; ConnectionError
   * `MP_BROKER_UNREACHABLE`, `MP_NO_JETSTREAM`, `MP_BROKER_STORAGE`; AuthenticationError
   * `MP_BROKER_CREDENTIALS`; UnsupportedError `MP_NO_NATS`, `MP_BROKER_TOO_OLD`, and
   * `MP_WIRE_VERSION` where another version of this package has made it otherwise.
   */
  static async connect<T = unknown>(options: DistributedQueueOptions<T>): Promise<DistributedQueue<T>> {
    const actor = `${ACTOR}.connect`;
    return new DistributedQueue<T>(await QueueCore.connect(actor, queueSettings(actor, options)));
  }

  /**
   * Removes a queue from the broker, with its items, its end and its error. Who still uses it makes it
   * anew.
   *
   * @returns whether it was there.
   * @throws (rejects) as {@link connect}. What another program or version made stays (`MP_WIRE_VERSION`).
   */
  static async delete(options: DistributedQueueOptions): Promise<boolean> {
    const actor = `${ACTOR}.delete`;
    return await deleteChannel(actor, 'queue', queueSettings(actor, options));
  }

  // ---- putting

  /**
   * Puts an item, waiting for room. Resolves when the broker has it.
   *
   * Cancellation: an aborted wait rejects with `signal.reason`. The item is not put then, unless its
   * message was under way and the connection was lost.
   *
   * @throws (rejects) QueueFullError `MP_QUEUE_FULL` when the time ran out; TimeoutError
   *   `MP_BROKER_AWAY` when it ran out without a broker; `signal.reason`; SerializationError, also
   *   `MP_TOO_LARGE` above 256 MiB, `MP_HOST_BOUND` for what belongs to this host, `MP_NOT_PLAIN`;
   *   ClosedError `MP_CLOSED`, `MP_QUEUE_COMPLETED`, `MP_BROKER_CLOSED`.
   * @group Python
   */
  async put(item: T, options?: DistributedPutOptions): Promise<void> {
    await this.#core.channel.put(`${ACTOR}.put`, item, options);
  }

  /**
   * Puts an item if there is room now. Returns whether it was put.
   *
   * @throws (rejects) as {@link put}; TimeoutError `MP_BROKER_AWAY` while there is no broker.
   * @group Python
   */
  async tryPut(item: T, options?: Pick<DistributedPutOptions, 'id'>): Promise<boolean> {
    return await this.#core.channel.tryPut(`${ACTOR}.tryPut`, item, options);
  }

  // ---- getting

  /**
   * Takes the oldest item, waiting for one.
   *
   * Cancellation: an aborted wait rejects with `signal.reason`, and no item is lost.
   *
   * @throws (rejects) QueueEmptyError `MP_QUEUE_EMPTY` when the time ran out; ClosedError `MP_CLOSED`,
   *   `MP_QUEUE_COMPLETED` when nothing will come; the error that was given to `error`;
   *   SerializationError for an item that cannot be decoded here, also
   *   `MP_SERIALIZER`, which goes back to the queue.
   * @group Python
   */
  async get(options?: DistributedGetOptions): Promise<T> {
    const actor = `${ACTOR}.get`;
    this.#core.channel.check(actor);
    const manual = checkGet(actor, options);
    return (await this.#core.get(actor, options, manual)) as T;
  }

  /**
   * Takes the oldest item if there is one, else answers `undefined`, also when others who ask at the
   * same time take it.
   *
   * @throws (rejects) as {@link get}; TimeoutError `MP_BROKER_AWAY` while there is no broker.
   * @group Python
   */
  async tryGet(options?: Pick<DistributedGetOptions, 'ack'>): Promise<T | undefined> {
    const actor = `${ACTOR}.tryGet`;
    this.#core.channel.check(actor);
    const manual = checkGet(actor, options);
    try {
      return (await this.#core.get(actor, { timeout: 0 }, manual)) as T;
    } catch (error) {
      if (error instanceof QueueEmptyError) return undefined;
      throw error;
    }
  }

  // ---- how full it is

  /**
   * Items in the queue that no consumer has taken. Waits for the broker.
   *
   * @group Python
   */
  async qsize(): Promise<number> {
    this.#core.channel.check(`${ACTOR}.qsize`);
    return (await this.#core.counts()).waiting;
  }

  /**
   * Whether it has no item that nobody has taken. Waits for the broker.
   *
   * @group Python
   */
  async empty(): Promise<boolean> {
    this.#core.channel.check(`${ACTOR}.empty`);
    return (await this.#core.counts()).waiting === 0;
  }

  /**
   * Whether it has `maxSize` items, those included that are not acknowledged; `false` where there is
   * no `maxSize`. Waits for the broker.
   *
   * @group Python
   */
  async full(): Promise<boolean> {
    this.#core.channel.check(`${ACTOR}.full`);
    return await this.#core.full();
  }

  // ---- as a stream

  /**
   * This process as one of the competing consumers, with backpressure. A stream that is left gives
   * back at once what it had taken and not delivered: what this process takes next comes after that.
   * What is held for an `ack` stays held until `ack`, `nack` or `close`. An item that cannot be
   * decoded here goes back, and ends the stream.
   *
   * @throws ArgumentError `MP_INVALID_ARGUMENT`, `MP_UNKNOWN_OPTION`.
   * @group Streams
   */
  consume(options?: ConsumeOptions): TaskStream<T> {
    const actor = `${ACTOR}.consume`;
    const { prefetch, manual } = consumption(actor, options);
    return this.#core.consume(actor, prefetch, manual) as TaskStream<T>;
  }

  /**
   * An item that `ack: 'manual'` gave is done with. Resolves when the broker knows.
   *
   * @param item Default: the one that has been held longest.
   * @throws (rejects) ArgumentError `MP_NOT_HELD`; ClosedError.
   * @group Streams
   */
  async ack(...item: [item?: T]): Promise<void> {
    const actor = `${ACTOR}.ack`;
    const core = this.#core;
    core.channel.check(actor);
    let told = Promise.resolve();
    core.unacknowledged.releaseItem(actor, item, (held) => {
      told = core.acknowledge(held);
    });
    core.leaving(told);
    await told;
  }

  /**
   * As {@link ack}, but the item goes back to the queue, before all others.
   *
   * @throws (rejects) ArgumentError `MP_NOT_HELD`; ClosedError.
   * @group Streams
   */
  async nack(...item: [item?: T]): Promise<void> {
    const actor = `${ACTOR}.nack`;
    const core = this.#core;
    core.channel.check(actor);
    let told = Promise.resolve();
    core.unacknowledged.releaseItem(actor, item, (held) => {
      told = core.held.giveBack(held);
    });
    core.leaving(told);
    await told;
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
   * Puts an item without waiting: it is sent as the broker takes it. `overflow` bounds what waits
   * here. What cannot be put later rejects {@link joinThread}.
   *
   * @throws QueueFullError `MP_QUEUE_FULL`; SerializationError; ClosedError.
   * @group Subject
   */
  next(item: T): void {
    this.#core.channel.putLater(`${ACTOR}.next`, item);
  }

  /**
   * Ends the queue for every consumer in every process with this error, once the items before it are
   * taken. The first error stays, until the queue is deleted.
   *
   * @group Subject
   */
  error(error: unknown): void {
    this.#core.channel.fail(`${ACTOR}.error`, error);
  }

  /**
   * This process puts no more. Streams end when every item is acknowledged and all writers have
   * completed or are gone.
   *
   * @group Subject
   */
  complete(): void {
    this.#core.channel.complete(`${ACTOR}.complete`);
  }

  // ---- life

  /**
   * Ends the use of the queue in this process. What was accepted is still stored, then the connection
   * ends. Streams end with ClosedError, and what was not acknowledged goes to others. Closing twice
   * does nothing.
   *
   * @group Python
   */
  close(): void {
    this.#core.channel.close();
  }

  /**
   * Resolves when the broker has all that was put here, and the end where it was said.
   *
   * @throws (rejects) what an item of `next` could not be put for.
   * @group Python
   */
  joinThread(): Promise<void> {
    return this.#core.channel.flushed();
  }

  /**
   * Gives up what waits here for room or for the broker: its `put` rejects with ClosedError.
   *
   * @group Python
   */
  cancelJoinThread(): void {
    this.#core.channel.giveUp();
  }

  /**
   * Closes, and waits until the broker has what was put here and the connection has ended.
   *
   * @throws (rejects) as {@link joinThread}.
   * @group Resource
   */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#core.channel.end();
  }

  /**
   * `<DistributedQueue jobs>`.
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
