/**
 * The results of a durable run that the broker has stored, as the driver that reads the run knows them.
 *
 *   heard, or read -> told to the owner -> delivered -> removed, once the run's record says so
 */
import { debug } from '../../util/logger.js';
import { ALL, type Broker, countsOf, messageOf } from '../broker/index.js';
import { type DriverRecord, fetchBlob, type PoolNames, readRecords } from '../wire/index.js';
import type { IndexSet } from './index-set.js';

export type ResultRecord = Extract<DriverRecord, { type: 'result' }>;

/** Who is told. */
export interface StoredResultsOwner {
  /** Some items have ended; perhaps once more. */
  result(record: ResultRecord, payload: Uint8Array): void;
  /** A result may be removed whose items had all been delivered before it came. */
  removable(): void;
  /** Whether nothing is read any more. */
  isOver(): boolean;
}

/** A stored result whose items have not all been delivered. */
interface StoredResult {
  readonly subject: string;
  left: number;
}

export class StoredResults {
  readonly #broker: Broker;
  readonly #names: PoolNames;
  readonly #run: string;
  readonly #delivered: IndexSet;
  readonly #owner: StoredResultsOwner;
  /** By item: where its result is stored. */
  readonly #stored = new Map<number, StoredResult>();
  /** Subjects of results that were delivered and are still stored. */
  #removable: string[] = [];
  /** Number in the stream from which on nothing was read. */
  #next = 1;
  #reading: Promise<void> = Promise.resolve();

  /** @param delivered Items that were delivered; {@link deliver} adds to them. */
  constructor(broker: Broker, names: PoolNames, run: string, delivered: IndexSet, owner: StoredResultsOwner) {
    this.#broker = broker;
    this.#names = names;
    this.#run = run;
    this.#delivered = delivered;
    this.#owner = owner;
  }

  /** The consumer has the result of an item. Returns whether it had not. */
  deliver(index: number): boolean {
    if (!this.#delivered.add(index)) return false;
    const stored = this.#stored.get(index);
    this.#stored.delete(index);
    if (stored !== undefined && --stored.left === 0) this.#removable.push(stored.subject);
    return true;
  }

  /** Subjects of results that were delivered since this was asked last. */
  takeDelivered(): readonly string[] {
    return this.#removable.splice(0);
  }

  /** Removes results that a stored record says to be delivered. */
  async remove(subjects: readonly string[]): Promise<void> {
    const { results } = this.#names;
    const { streams } = this.#broker.streams;
    const remove = async (filter: string): Promise<void> => {
      try {
        await this.#persist(() => streams.purge(results, { filter }));
      } catch (error) {
        debug('durable run %s: a result could not be removed: %s', this.#run, messageOf(error));
      }
    };
    await Promise.all(subjects.map(remove));
  }

  /** Reads what is stored and was not read. Resolves when there is nothing more. */
  catchUp(): Promise<void> {
    this.#reading = this.#reading
      .then(() => this.#read())
      .catch((error: unknown) => debug('durable run %s: %s', this.#run, messageOf(error)));
    return this.#reading;
  }

  /** A result was stored. */
  async heard(subject: string, data: Uint8Array): Promise<void> {
    if (this.#owner.isOver()) return;
    try {
      for (const record of readRecords(new Uint8Array(data))) {
        if (record.type === 'result') await this.#result(subject, record);
      }
    } catch (error) {
      debug('durable run %s: %s', this.#run, messageOf(error));
    }
  }

  async #result(subject: string, record: ResultRecord): Promise<void> {
    const first = record.chunk + record.offset;
    const stored: StoredResult = { subject, left: 0 };
    for (let index = first; index < first + record.count; index++) {
      if (this.#delivered.has(index)) continue;
      stored.left++;
      this.#stored.set(index, stored);
    }
    if (stored.left === 0) {
      // Of a run of the same items that came late.
      this.#removable.push(subject);
      this.#owner.removable();
      return;
    }
    const payload =
      typeof record.payload === 'string' ? await fetchBlob(this.#broker, this.#names, record.payload) : record.payload;
    if (payload !== undefined) this.#owner.result(record, payload);
  }

  async #read(): Promise<void> {
    const { results } = this.#names;
    const filter = this.#names.resultsOf(this.#run);
    while (!this.#owner.isOver()) {
      const message = await this.#persist(() => this.#broker.nextMessage(results, this.#next, filter));
      if (message === undefined) break;
      this.#next = message.seq + 1;
      await this.#came(message.subject, message.data);
    }
    await this.#readHidden();
  }

  /** Reads what the broker counts and was not read: it may not find it by its subject. */
  async #readHidden(): Promise<void> {
    const { results } = this.#names;
    let hidden = await this.#unheard();
    for (const subject of hidden) {
      const message = await this.#persist(() => this.#broker.nextMessage(results, 1, subject));
      if (message !== undefined) await this.#came(message.subject, message.data);
    }
    if (hidden.size > 0) hidden = await this.#unheard();
    for (let from = 1; hidden.size > 0 && !this.#owner.isOver(); ) {
      const message = await this.#persist(() => this.#broker.nextMessage(results, from, ALL));
      if (message === undefined) return;
      from = message.seq + 1;
      if (hidden.delete(message.subject)) await this.#came(message.subject, message.data);
    }
  }

  /** The record of the run lies among its results. */
  async #came(subject: string, data: Uint8Array): Promise<void> {
    if (subject !== this.#names.runRecord(this.#run)) await this.heard(subject, data);
  }

  /** Subjects of results that are stored and were not heard of here. */
  async #unheard(): Promise<Set<string>> {
    const { results } = this.#names;
    const counts = await this.#persist(() => countsOf(this.#broker, results, this.#names.resultsOf(this.#run)));
    const unheard = new Set(Object.keys(counts ?? {}));
    unheard.delete(this.#names.runRecord(this.#run));
    for (const { subject } of this.#stored.values()) unheard.delete(subject);
    return unheard;
  }

  #persist<T>(attempt: () => Promise<T>): Promise<T | undefined> {
    return this.#broker.persist(attempt, () => this.#owner.isOver());
  }
}
