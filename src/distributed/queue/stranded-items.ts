/**
 * Items that the broker has and gives to nobody.
 *
 * A server of 2.9 that is killed may count messages as acknowledged after its return that are in the
 * stream: some were acknowledged, and some never reached a consumer. Which of them, nobody knows, so
 * all are put once more, as new messages, and the old ones are removed.
 *
 * How they are found: they lie below the consumer's floor of acknowledgements. That passes all that
 * was delivered before the broker went, so it is looked at until it has. A message that is found twice
 * is stranded: one that is acknowledged just now is below the floor for a moment.
 */
import { debug } from '../../util/logger.js';
import { clearTimeout, setTimeout } from '../../util/timers.js';
import {
  ALL,
  type Broker,
  configOf,
  messageOf,
  messagesOf,
  Publisher,
  removeTasks,
  type StoredMessage,
} from '../broker/index.js';
import { changeLimits, type StreamLimits } from '../channel/index.js';
import { type ChannelNames, SERIALIZER_HEADER } from '../wire/index.js';
import { infoOf } from './consumer-state.js';

/** Milliseconds between two looks. */
const LOOK_MS = 1_000;

export class StrandedItems {
  readonly #broker: Broker;
  readonly #names: ChannelNames;
  readonly #publisher: Publisher;
  #suspects = new Set<number>();
  /** The last message that was delivered before the broker went; `null`: nothing is looked for. */
  #until: number | null = null;
  /** How much the queue may have, where it was given room for more. */
  #limits: Required<StreamLimits> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(broker: Broker, names: ChannelNames) {
    this.#broker = broker;
    this.#names = names;
    this.#publisher = new Publisher(broker);
    broker.onUp(() => this.begin());
  }

  /** The broker may have been away before. */
  begin(): void {
    clearTimeout(this.#timer);
    this.#until = null;
    this.#suspects.clear();
    void this.#look();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#publisher.close();
  }

  async #look(): Promise<void> {
    let over: boolean | undefined;
    try {
      over = await this.#broker.persist(
        () => this.#search(),
        () => this.#closed,
      );
    } catch (error) {
      debug('queue %s: items were not looked for: %s', this.#names.name, messageOf(error));
    }
    clearTimeout(this.#timer);
    if (over !== true && !this.#closed) this.#timer = setTimeout(() => void this.#look(), LOOK_MS);
  }

  /** Returns whether nothing is left to be looked for. */
  async #search(): Promise<boolean> {
    const info = await infoOf(this.#broker, this.#names);
    if (info === undefined) return true;
    this.#until ??= info.delivered.stream_seq;
    // Where nobody has anything, all that was delivered is settled.
    const floor = info.num_ack_pending === 0 ? info.delivered.stream_seq : info.ack_floor.stream_seq;
    const suspects = new Set<number>();
    for await (const message of messagesOf(this.#broker, this.#names.stream, ALL)) {
      if (message.seq > floor) break;
      if (this.#suspects.has(message.seq) && (await this.#putAgain(message))) continue;
      suspects.add(message.seq);
    }
    this.#suspects = suspects;
    return suspects.size === 0 && floor >= this.#until && (await this.#takeRoomBack());
  }

  /** Returns whether it was. */
  async #putAgain(message: StoredMessage): Promise<boolean> {
    const { subject, data, seq, time, header } = message;
    const serializer = header.get(SERIALIZER_HEADER);
    const stored = (): Promise<boolean> =>
      new Promise((resolve) => {
        this.#publisher.publish({
          subject,
          // Several processes may do this.
          id: `again/${seq}/${time.getTime()}`,
          payload: data,
          headers: serializer === '' ? undefined : { [SERIALIZER_HEADER]: serializer },
          stored: () => resolve(true),
          refused: () => resolve(false),
          full: () => {
            resolve(false);
            return true;
          },
        });
      });
    if (!(await stored()) && !(await this.#withRoom(data.length, stored))) return false;
    await removeTasks(this.#broker, this.#names.stream, [seq]);
    return true;
  }

  /**
   * A queue that is full of stranded items is given room for one more. Others may take that, so it is not
   * taken back before the queue is half empty: the broker would drop the oldest items.
   */
  async #withRoom(bytes: number, store: () => Promise<boolean>): Promise<boolean> {
    const info = await infoOf(this.#broker, this.#names);
    if (info === undefined || info.num_pending > 0 || info.num_ack_pending > 0) return false;
    const { streams } = this.#broker.streams;
    const { config, state } = await streams.info(this.#names.stream);
    const { max_msgs, max_bytes } = config;
    this.#limits ??= { max_msgs, max_bytes };
    await streams.update(this.#names.stream, {
      max_msgs: max_msgs < 0 ? max_msgs : state.messages + 1,
      max_bytes: max_bytes < 0 ? max_bytes : Math.max(max_bytes, state.bytes + bytes + ROOM_BYTES),
    });
    return await store();
  }

  /** Returns whether nothing is to be taken back any more. */
  async #takeRoomBack(): Promise<boolean> {
    const limits = this.#limits;
    if (limits === null) return true;
    const isBack = (config: Required<StreamLimits> | undefined): boolean =>
      config === undefined || (config.max_msgs === limits.max_msgs && config.max_bytes === limits.max_bytes);
    const before = await configOf(this.#broker, this.#names.stream);
    if (before !== undefined) await changeLimits(this.#broker, before, limits);
    if (!isBack(await configOf(this.#broker, this.#names.stream))) return false;
    this.#limits = null;
    return true;
  }
}

/** For the subject and headers of one message. */
const ROOM_BYTES = 4_096;
