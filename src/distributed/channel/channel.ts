/**
 * A queue or topic as this process has it: a connection of its own, who puts, who has ended it, and
 * what must happen before the connection goes.
 *
 *   open -> closed -> gone         closed: what was accepted is still stored
 */
import type { StreamConfig } from '@nats-io/jetstream';
import { type MultiprocessError, QueueFullError } from '../../errors/index.js';
import { type FeedListener, type PacedFeed, type Projector, TaskStream } from '../../streams/index.js';
import { crypto } from '../../util/crypto.js';
import { deferred } from '../../util/deferred.js';
import { debug } from '../../util/logger.js';
import { clearTimeout, setTimeout } from '../../util/timers.js';
import { Broker, messageOf, Publisher, WRONG_SEQUENCE } from '../broker/index.js';
import { type ChannelKind, ChannelNames, readEnd, writeEnd } from '../wire/index.js';
import { ItemCodec } from './item-codec.js';
import { ItemWriter } from './item-writer.js';
import { closedHere, completedHere, unsentFull } from './messages.js';
import { type ChannelSettings, checkPut, type DistributedPutOptions } from './options.js';
import { OwnWriter } from './own-writer.js';
import { refusal, repairing } from './repairing.js';
import { ensureChannel } from './streams.js';
import { sweepParts } from './sweep-parts.js';
import { WriterTable } from './writer-table.js';

/** Milliseconds that the end of a connection waits for the broker to hear of it. */
const LEAVE_MS = 5_000;
/** Milliseconds before streams that are gone are made again. */
const REPAIR_WAIT_MS = 500;
/** Items of `next` that may wait here, where no `overflow` says otherwise. */
const DEFAULT_UNSENT = 1_024;

/** What a queue and a topic do differently. */
export interface ChannelPlan {
  readonly kind: ChannelKind;
  /** How the stream of items keeps them. */
  readonly retention: Partial<StreamConfig>;
  /** Whether items may be larger than a message. */
  readonly inParts: boolean;
  /** Makes what else has to be at the broker. Returns the lease in milliseconds. */
  prepare(broker: Broker, names: ChannelNames): Promise<number>;
}

/** Who reads it here. */
export interface ChannelReader {
  /** The streams were made anew. */
  repaired(): void;
  /** Writers may have ended, or the broker is there again. */
  changed(): void;
  /** The lease is so many milliseconds. */
  leaseIs(milliseconds: number): void;
  /** Gives up what it has, when nothing more is read. Resolves when the broker knows. */
  leave(): Promise<void>;
}

export class Channel {
  readonly broker: Broker;
  readonly names: ChannelNames;
  readonly settings: ChannelSettings;
  readonly codec: ItemCodec;
  readonly table: WriterTable;
  /** Set right after it was made. */
  reader!: ChannelReader;
  lease: number;
  /** What an item that is put now waits for before it is published; `null`: nothing. */
  beforePut: () => Promise<void> | null = () => null;
  readonly #plan: ChannelPlan;
  readonly #items: Publisher;
  readonly #side: Publisher;
  readonly #own: OwnWriter;
  readonly #writer: ItemWriter;
  /** Told why nothing is read here any more. */
  readonly #whenEnded = new Set<(reason: MultiprocessError) => void>();
  /** Records that are being stored. */
  readonly #background = new Set<Promise<void>>();
  readonly #gone = deferred<void>();
  #failure: { readonly error: unknown } | null = null;
  #closed: MultiprocessError | null = null;
  #completing = false;
  /** What is not stored yet is not waited for. */
  #abandoned = false;
  readonly #whenAbandoned = deferred<void>();
  #repairing: Promise<void> | undefined;

  private constructor(
    broker: Broker,
    names: ChannelNames,
    settings: ChannelSettings,
    plan: ChannelPlan,
    lease: number,
  ) {
    this.broker = broker;
    this.names = names;
    this.settings = settings;
    this.lease = lease;
    this.#plan = plan;
    this.codec = new ItemCodec(broker, names, settings.serializer);
    this.#items = new Publisher(broker);
    this.#side = new Publisher(broker);
    const id = crypto().randomUUID().replaceAll('-', '').slice(0, 20);
    this.#own = new OwnWriter(broker, names, this.#side, { id, lease, repair: () => this.repair() });
    this.#writer = new ItemWriter({
      broker,
      names,
      codec: this.codec,
      items: this.#items,
      side: this.#side,
      own: this.#own,
      id,
      inParts: plan.inParts,
      before: () => this.beforePut(),
      repair: () => this.repair(),
    });
    this.table = new WriterTable(broker, names, {
      lease,
      writers: settings.writers,
      onWriterLost: settings.onWriterLost,
      decodeEnd: (bytes) => readEnd(settings.serializer, bytes),
      changed: () => this.reader.changed(),
    });
    broker.onUp(() => this.#isBack());
    broker.onClosed((reason) => this.#lost(reason));
    broker.subscribe(names.lease, (message) => this.#adopt(Number(message.string())));
  }

  /** @throws (rejects) what `Broker.connect`, {@link ensureChannel} and the plan throw. */
  static async connect(actor: string, settings: ChannelSettings, plan: ChannelPlan): Promise<Channel> {
    const names = new ChannelNames(plan.kind, settings.name);
    const broker = await Broker.connect(actor, settings.broker, `multiprocess ${plan.kind} ${settings.name}`);
    try {
      await ensureChannel(actor, broker, names, plan.retention, settings);
      return new Channel(broker, names, settings, plan, await plan.prepare(broker, names));
    } catch (error) {
      await broker.close();
      throw error;
    }
  }

  /** Begins to look after it, once it has its reader. */
  begin(): void {
    if (this.settings.lease === this.lease) this.broker.publish(this.names.lease, String(this.lease));
    this.#sweep();
  }

  get closed(): boolean {
    return this.#closed !== null;
  }

  /** @throws ClosedError `MP_CLOSED`, or what ended the connection. */
  check(actor: string): void {
    if (this.#closed !== null) throw this.#closed.code === 'MP_CLOSED' ? closedHere(this.names, actor) : this.#closed;
  }

  /** @throws as {@link check}; ClosedError `MP_QUEUE_COMPLETED`. */
  checkPutting(actor: string): void {
    this.check(actor);
    if (this.#completing) throw completedHere(this.names, actor);
  }

  // ---- putting

  /**
   * Puts an item, waiting for room. Resolves when the broker has it.
   * @throws (rejects) as {@link checkPutting}; ArgumentError; what `ItemWriter.putItem` throws.
   */
  async put(actor: string, item: unknown, options: DistributedPutOptions | undefined): Promise<void> {
    this.checkPutting(actor);
    checkPut(actor, options);
    await this.#writer.putItem(actor, item, options, options?.id);
  }

  /** Puts an item if there is room now. Returns whether it was put. @throws as {@link put}. */
  async tryPut(actor: string, item: unknown, options: Pick<DistributedPutOptions, 'id'> | undefined): Promise<boolean> {
    checkPut(actor, options);
    try {
      await this.put(actor, item, { ...options, timeout: 0 });
      return true;
    } catch (error) {
      if (error instanceof QueueFullError) return false;
      throw error;
    }
  }

  /**
   * Puts without waiting: what waits here is bounded.
   * @throws QueueFullError `MP_QUEUE_FULL`; SerializationError.
   */
  putLater(actor: string, item: unknown): void {
    this.checkPutting(actor);
    const { overflow } = this.settings;
    const { capacity = DEFAULT_UNSENT } = overflow;
    const bytes = this.#writer.encode(actor, item);
    if (capacity !== 'unbounded' && this.#writer.pending >= capacity) {
      if (overflow.policy !== 'drop-newest') throw unsentFull(this.names, actor, this.#writer.pending);
      overflow.onDrop?.(item as never);
      return;
    }
    this.#writer.putBytes(actor, bytes).catch((error: unknown) => {
      this.#failure ??= { error };
    });
  }

  complete(actor: string): void {
    this.check(actor);
    if (this.#completing) return;
    this.#completing = true;
    this.#track(this.#writer.flushed().then(() => this.#own.end(actor, 'completed')));
  }

  fail(actor: string, error: unknown): void {
    this.check(actor);
    const bytes = writeEnd(this.settings.serializer, error);
    const store = (): Promise<void> =>
      new Promise<void>((resolve, reject) => {
        this.#side.publish({
          subject: this.names.error,
          id: '',
          payload: bytes,
          // The first one stays.
          headers: { 'Nats-Expected-Last-Subject-Sequence': '0' },
          stored: () => resolve(),
          refused: (reason) =>
            reason.code === WRONG_SEQUENCE ? resolve() : reject(refusal(this.names, actor, reason)),
        });
      });
    this.#track(this.#writer.flushed().then(() => repairing(() => this.repair(), store)));
  }

  /** Resolves when the broker has all that was put here. Rejects with what could not be put by `next`. */
  async flushed(): Promise<void> {
    await this.#stored();
    if (this.#failure !== null) {
      const { error } = this.#failure;
      this.#failure = null;
      throw error;
    }
  }

  async #stored(): Promise<void> {
    await this.#writer.flushed();
    while (this.#background.size > 0 && !this.#abandoned)
      await Promise.race([Promise.all(this.#background), this.#whenAbandoned.promise]);
  }

  /** What waits is lost, and so is the end that was to follow it. */
  giveUp(): void {
    this.#writer.giveUp(closedHere(this.names, this.#title));
    this.#abandoned = true;
    this.#whenAbandoned.resolve();
  }

  // ---- reading

  /** Calls `listener` when nothing is read here any more. Returns what takes that back. */
  onEnded(listener: (reason: MultiprocessError) => void): () => void {
    this.#whenEnded.add(listener);
    return () => void this.#whenEnded.delete(listener);
  }

  /** A stream that reads by a feed of its own for each execution. */
  stream<F extends PacedFeed>(
    actor: string,
    feedOf: (listener: FeedListener, shape: Projector | undefined) => F,
  ): TaskStream<unknown> {
    return new TaskStream<unknown>({
      open: (listener: FeedListener, shape: Projector | undefined) => {
        let unlisten = (): void => {};
        const listening: FeedListener = {
          ready: () => listener.ready(),
          closed: () => {
            unlisten();
            listener.closed();
          },
        };
        const feed = feedOf(listening, shape);
        try {
          this.check(actor);
          unlisten = this.onEnded((reason) => feed.endWithError(reason));
        } catch (error) {
          feed.endWithError(error);
        }
        return feed;
      },
    });
  }

  /** Makes the streams again that the broker has lost. */
  repair(): Promise<void> {
    this.#repairing ??= this.#repair().finally(() => (this.#repairing = undefined));
    return this.#repairing;
  }

  async #repair(): Promise<void> {
    // A server of 2.9 that is still deleting a stream breaks one of the same name.
    await new Promise<void>((resolve) => setTimeout(resolve, REPAIR_WAIT_MS));
    await this.broker.persist(
      async () => {
        await ensureChannel(this.#title, this.broker, this.names, this.#plan.retention, this.settings);
        await this.#plan.prepare(this.broker, this.names);
      },
      () => this.broker.closed,
    );
    this.reader.repaired();
  }

  /** Who speaks where no call of the user does. */
  get #title(): string {
    return this.#plan.kind === 'queue' ? 'DistributedQueue' : 'DistributedTopic';
  }

  // ---- life

  close(): void {
    if (this.#closed !== null) return;
    this.#end(closedHere(this.names, this.#title));
    void this.#leave();
  }

  /** Resolves when the connection has ended. */
  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  /** Closes it, and waits for its end. Rejects as {@link flushed}. */
  async end(): Promise<void> {
    this.close();
    await this.gone;
    await this.flushed();
  }

  /** As `console.log` shows it. */
  describe(title: string): string {
    return `<${title} ${this.names.name}${this.closed ? ' (closed)' : ''}>`;
  }

  #isBack(): void {
    this.reader.changed();
    this.#sweep();
    void this.#readLease();
  }

  #sweep(): void {
    sweepParts(this.broker, this.names).catch((error: unknown) =>
      debug('parts of %s were not swept: %s', this.names.stream, messageOf(error)),
    );
  }

  async #readLease(): Promise<void> {
    try {
      const lease = await this.broker.persist(
        () => this.#plan.prepare(this.broker, this.names),
        () => this.closed,
      );
      if (lease !== undefined) this.#adopt(lease);
    } catch (error) {
      debug('the lease of %s is not known: %s', this.names.stream, messageOf(error));
    }
  }

  #adopt(lease: number): void {
    if (!(lease > 0) || lease === this.lease) return;
    this.lease = lease;
    this.#own.lease = lease;
    this.table.lease = lease;
    this.reader.leaseIs(lease);
  }

  #track(work: Promise<void>): void {
    const settled = work.catch((error: unknown) => {
      this.#failure ??= { error };
    });
    this.#background.add(settled);
    void settled.then(() => this.#background.delete(settled));
  }

  #end(reason: MultiprocessError): void {
    this.#closed = reason;
    for (const listener of [...this.#whenEnded]) listener(reason);
    this.#whenEnded.clear();
    this.table.close();
  }

  async #leave(): Promise<void> {
    await this.#stored();
    if (this.broker.up) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, LEAVE_MS);
      });
      const left = Promise.all([this.reader.leave(), this.#completing || this.#own.end('close', 'left')]);
      await Promise.race([left.then(() => this.broker.flush()).catch(() => {}), late]);
      clearTimeout(timer);
    }
    await this.#disconnect();
  }

  /** The connection has ended by itself. */
  #lost(reason: MultiprocessError): void {
    this.#writer.giveUp(reason);
    if (this.#closed === null) this.#end(reason);
    void this.#disconnect();
  }

  async #disconnect(): Promise<void> {
    this.#own.stop();
    this.#items.close();
    this.#side.close();
    await this.broker.close();
    this.#gone.resolve();
  }
}
