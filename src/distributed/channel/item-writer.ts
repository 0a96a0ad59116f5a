/**
 * Putting: an item is encoded at the call, and sent until the broker has it.
 *
 *   called -> prepared -> published -> stored
 *               |            |
 *               |            given up: not stored, or not known to be
 *               the writer's record is stored, a large item's parts are
 *
 * Items are published in the order of the calls: who has to be prepared lets those behind it wait.
 */
import type { MultiprocessError } from '../../errors/index.js';
import { limitWait } from '../../util/limit-wait.js';
import { setTimeout } from '../../util/timers.js';
import type { WaitOptions } from '../../util/wait-options.js';
import { type Broker, type BrokerRefusal, configOf, type Publication, type Publisher } from '../broker/index.js';
import { type ChannelNames, MAX_PAYLOAD_BYTES, storeBlob } from '../wire/index.js';
import type { ItemCodec } from './item-codec.js';
import { brokerAway, full, refused, tooLarge } from './messages.js';
import type { OwnWriter } from './own-writer.js';
import { refusal, repairing } from './repairing.js';

/** Milliseconds between two looks whether there is room for parts. */
const ROOM_LOOK_MS = 200;
/** Bytes of the stream of parts that are other things. */
const RECORDS_BYTES = 65_536;

export interface ItemWriterParts {
  readonly broker: Broker;
  readonly names: ChannelNames;
  readonly codec: ItemCodec;
  /** Of items. */
  readonly items: Publisher;
  /** Of all else: it never waits for room among the items. */
  readonly side: Publisher;
  readonly own: OwnWriter;
  /** What tells this writer from others. */
  readonly id: string;
  /** Whether items may be larger than a message. */
  readonly inParts: boolean;
  /** What an item waits for before it is published; `null`: nothing. */
  before(): Promise<void> | null;
  /** The broker has no such streams: resolves when they are there. */
  repair(): Promise<void>;
}

export class ItemWriter {
  readonly #parts: ItemWriterParts;
  readonly #pending = new Set<PendingPut>();
  readonly #idle = new Set<() => void>();
  #tail: Promise<void> | null = null;
  #next = 1;

  constructor(parts: ItemWriterParts) {
    this.#parts = parts;
  }

  /** Items that the broker does not have yet. */
  get pending(): number {
    return this.#pending.size;
  }

  /**
   * Puts an item.
   *
   * @param id What tells it from others; the same one is stored once within two minutes.
   * @throws (rejects) QueueFullError; TimeoutError `MP_BROKER_AWAY`; `signal.reason`;
   * SerializationError; RemoteError `MP_BROKER_REFUSED`.
   */
  async putItem(actor: string, item: unknown, bounds: WaitOptions = {}, id?: string): Promise<void> {
    bounds.signal?.throwIfAborted();
    const bytes = this.encode(actor, item);
    await this.putBytes(actor, bytes, bounds, id);
  }

  /** The bytes of an item. @throws SerializationError, also `MP_TOO_LARGE`. */
  encode(actor: string, item: unknown): Uint8Array {
    const { broker, codec, inParts, names } = this.#parts;
    const bytes = codec.encode(actor, item);
    const limit = inParts ? MAX_PAYLOAD_BYTES : broker.maxPayload;
    if (bytes.length > limit) throw tooLarge(names, actor, bytes.length, limit);
    return bytes;
  }

  /** As {@link putItem}, of what was encoded. */
  putBytes(actor: string, bytes: Uint8Array, bounds: WaitOptions = {}, id?: string): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const number = this.#next++;
      const put = new PendingPut(this.#parts, actor, bytes, id ?? `${this.#parts.id}/${number}`, number, bounds, {
        resolve,
        reject,
        over: () => this.#settled(put),
      });
      this.#pending.add(put);
      put.limit();
      this.#start(put);
    });
  }

  /** Resolves when nothing is pending. */
  flushed(): Promise<void> {
    return this.#pending.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.add(resolve));
  }

  /** Gives up all that is pending. */
  giveUp(reason: MultiprocessError): void {
    for (const put of [...this.#pending]) put.giveUp(() => reason);
  }

  #settled(put: PendingPut): void {
    this.#pending.delete(put);
    if (this.#pending.size > 0) return;
    for (const resolve of this.#idle) resolve();
    this.#idle.clear();
  }

  #start(put: PendingPut): void {
    const waiting = this.#parts.before();
    if (this.#tail === null && waiting === null && this.#parts.own.opened && !put.isLarge) {
      put.publish();
      return;
    }
    const before = this.#tail;
    const mine = (async () => {
      await before;
      await waiting;
      await put.prepare();
    })();
    this.#tail = mine;
    void mine.then(() => {
      if (this.#tail === mine) this.#tail = null;
    });
  }
}

interface Settle {
  resolve(): void;
  reject(error: unknown): void;
  over(): void;
}

class PendingPut implements Publication {
  readonly id: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly #parts: ItemWriterParts;
  readonly #actor: string;
  readonly #bytes: Uint8Array;
  readonly #blob: string | undefined;
  readonly #bounds: WaitOptions;
  readonly #settle: Settle;
  #unlimit: () => void = () => {};
  #published = false;
  #over = false;
  /** Why it was given up, told whether the broker is known not to have it. */
  #reason: ((known: boolean) => unknown) | undefined;

  constructor(
    parts: ItemWriterParts,
    actor: string,
    bytes: Uint8Array,
    id: string,
    number: number,
    bounds: WaitOptions,
    settle: Settle,
  ) {
    this.#parts = parts;
    this.#actor = actor;
    this.#bytes = bytes;
    this.#blob = bytes.length > parts.broker.maxPayload ? `${parts.id}.${number}` : undefined;
    this.#bounds = bounds;
    this.#settle = settle;
    this.id = id;
    this.headers = parts.codec.headers;
  }

  get isLarge(): boolean {
    return this.#blob !== undefined;
  }

  get subject(): string {
    const { names } = this.#parts;
    return this.#blob === undefined ? names.items : names.largeItem(this.#blob);
  }

  get payload(): Uint8Array {
    return this.#blob === undefined ? this.#bytes : EMPTY;
  }

  /** Begins its time limit. */
  limit(): void {
    const { timeout, signal } = this.#bounds;
    if (timeout !== undefined && timeout <= 0 && !this.#parts.broker.up) {
      this.giveUp(() => this.#away(true));
      return;
    }
    const unlimit = limitWait(
      { timeout: this.#once ? undefined : timeout, signal },
      () => this.giveUp((known) => (known && this.#isFull ? this.#full() : this.#away(known))),
      (reason) => this.giveUp(() => reason),
    );
    // One attempt does not outlive the connection.
    const unlisten = this.#once ? this.#parts.broker.onDown(() => this.giveUp((known) => this.#away(known))) : unlimit;
    this.#unlimit = () => {
      unlimit();
      unlisten();
    };
  }

  /** Stores what has to be there before it. Settles itself when that fails. */
  async prepare(): Promise<void> {
    try {
      if (this.#over) return;
      await this.#parts.own.open(this.#actor);
      if (this.#blob !== undefined && !this.#over) await this.#storeParts(this.#blob);
      if (!this.#over) this.publish();
      else if (this.#blob !== undefined) await this.#removeParts(this.#blob);
    } catch (error) {
      this.#fail(error);
    }
  }

  publish(): void {
    if (this.#over) return;
    this.#published = true;
    this.#parts.items.publish(this);
  }

  /** It is not waited for any longer. */
  giveUp(reason: (known: boolean) => unknown): void {
    if (this.#over || this.#reason !== undefined) return;
    if (!this.#published) this.#fail(reason(true));
    else if (this.#parts.items.giveUp(this)) this.#fail(reason(true));
    else if (!this.#over) this.#reason = reason;
  }

  // ---- the publisher's answers

  stored(): void {
    this.#end(() => this.#settle.resolve());
  }

  full(): boolean {
    if (this.#reason !== undefined) this.#fail(this.#reason(true));
    else if (this.#once) this.#fail(this.#full());
    return this.#over;
  }

  unknown(): void {
    this.#fail((this.#reason ?? (() => this.#away(false)))(false));
  }

  refused(reason: BrokerRefusal): void {
    if (this.#over) return;
    this.#published = false;
    if (reason.limit !== undefined)
      this.#fail(tooLarge(this.#parts.names, this.#actor, this.#bytes.length, reason.limit));
    else if (!reason.noStream) this.#fail(refused(this.#parts.names, this.#actor, reason.description));
    else if (this.#reason !== undefined) this.#fail(this.#reason(true));
    else
      this.#parts.repair().then(
        () => this.publish(),
        (error: unknown) => this.#fail(error),
      );
  }

  /** Whether one attempt is all. */
  get #once(): boolean {
    const { timeout } = this.#bounds;
    return timeout !== undefined && timeout <= 0;
  }

  /** Whether it waits for room, as far as is known. */
  get #isFull(): boolean {
    return this.#parts.items.full || (this.#parts.broker.up && !this.#published);
  }

  #full(): MultiprocessError {
    return full(this.#parts.names, this.#actor, this.#bounds.timeout);
  }

  #away(known: boolean): MultiprocessError {
    return brokerAway(this.#actor, this.#parts.broker.address, this.#bounds.timeout, known);
  }

  async #storeParts(blob: string): Promise<void> {
    const { broker, names, side } = this.#parts;
    if (!(await this.#room())) return;
    await repairing(
      () => this.#parts.repair(),
      () => storeBlob(broker, side, names, blob, this.#bytes, (reason) => refusal(names, this.#actor, reason)),
    );
  }

  /**
   * Waits until the parts of others leave room for these. Who has begun to store does not wait: two
   * that have stored half of theirs would wait for each other. Returns whether there is room.
   */
  async #room(): Promise<boolean> {
    const { broker, names } = this.#parts;
    for (;;) {
      const room = await broker.persist(
        async () => {
          const limit = (await configOf(broker, names.stream))?.max_bytes ?? -1;
          const { bytes } = (await broker.streams.streams.info(names.state)).state;
          return limit < 0 || bytes <= RECORDS_BYTES || bytes + this.#bytes.length <= limit;
        },
        () => this.#over,
      );
      if (room === undefined) return false;
      if (room) return true;
      if (this.#once) {
        this.#fail(this.#full());
        return false;
      }
      await new Promise<void>((resolve) => setTimeout(resolve, ROOM_LOOK_MS));
    }
  }

  async #removeParts(blob: string): Promise<void> {
    const { broker, names } = this.#parts;
    await broker.streams.streams.purge(names.state, { filter: names.blobPart(blob, '*') });
  }

  #fail(error: unknown): void {
    this.#end(() => this.#settle.reject(error));
  }

  #end(settle: () => void): void {
    if (this.#over) return;
    this.#over = true;
    this.#unlimit();
    settle();
    this.#settle.over();
  }
}

const EMPTY = new Uint8Array(0);
