/**
 * A durable run as the driver that reads it keeps it: its record at the broker. What is stored of its
 * results: stored-results.ts; whose it is: readership.ts.
 *
 *   stream of results   <run>.record                       who reads it, what was delivered; the latest counts
 *                       <run>.<chunk>.<offset>.<count>     how these items ended
 *
 * Invariants
 * - The record is stored before the first task: agents take a run without one for forgotten.
 * - A result leaves the stream after a record that says that all of its items were delivered.
 * - A record is stored on the condition that the latest one is that which its writer knows. So of two
 * drivers the one that took the run over reads it, and the other writes nothing more.
 * - Results are heard as they are stored, and read again from the stream where that may have been
 * missed. Whoever is told of them drops what it has had.
 */
import { crypto } from '../../util/crypto.js';
import { debug } from '../../util/logger.js';
import { setTimeout, timeOfDay } from '../../util/timers.js';
import {
  type Broker,
  type BrokerRefusal,
  messageOf,
  type Publisher,
  purgeRun,
  runRecordOf,
  type Unlisten,
} from '../broker/index.js';
import { nameOfRun, type PoolNames, type RunRecord, readRunRecord, writeRunRecord } from '../wire/index.js';
import { IndexSet } from './index-set.js';
import { runExists, runTaken } from './messages.js';
import { Readership } from './readership.js';
import { type ResultRecord, StoredResults } from './stored-results.js';

/** Milliseconds between two attempts to store the record of a run whose pool is not there. */
const POOL_WAIT_MS = 200;
/** The broker's number for: another message has that subject. */
const WRONG_LAST_SEQUENCE = 10071;

/** Who is told. */
export interface RunKeeperOwner {
  /** Some items have ended; perhaps once more. */
  result(record: ResultRecord, payload: Uint8Array): void;
  /** Another driver reads the run from here on: it is over for this one. */
  taken(): void;
}

/** What a run is, for whoever resumes it. */
export type RunShape = Pick<RunRecord, 'ordered' | 'errors' | 'serializer'>;

/** The record of a run is not the one any more that it was to be taken over by. */
export class StaleRecord extends Error {}

/** A run that is there already. */
export interface StoredRun extends RunRecord {
  /** Number of its record in the stream. */
  readonly sequence: number;
}

export class RunKeeper {
  /** Its id. */
  readonly run: string;
  readonly delivered: IndexSet;
  /** Tells what is published for it from what another run of that name was: the broker drops ids that it knows. */
  readonly nonce = crypto().randomUUID();
  /** Called when {@link mine} is true again. */
  onMine: (() => void) | null = null;
  /** Called when nothing more may be delivered here: another driver does. */
  onLost: ((reason: unknown) => void) | null = null;
  readonly #broker: Broker;
  readonly #names: PoolNames;
  readonly #publisher: Publisher;
  readonly #reader: string;
  readonly #owner: RunKeeperOwner;
  readonly #shape: RunShape;
  readonly #since: number;
  #admitted: number;
  readonly #published = new IndexSet();
  #total: number;
  readonly #results: StoredResults;
  readonly #closers: Unlisten[] = [];
  #listen: (() => Unlisten) | null = null;
  #hush: Unlisten = () => {};
  #versions = 0;
  /** Number of the latest record that is known; 0: there is none. */
  #last: number;
  /** Whether the record is stored, once that is known. */
  #beginning: Promise<boolean> = Promise.resolve(false);
  #dirty = false;
  #writing: Promise<void> | undefined;
  #over = false;
  #released = false;
  /** Whose it is, once the broker has the record. */
  #readership: Readership | null = null;

  constructor(
    broker: Broker,
    names: PoolNames,
    publisher: Publisher,
    reader: string,
    run: string,
    shape: RunShape,
    owner: RunKeeperOwner,
    record?: StoredRun,
  ) {
    this.#broker = broker;
    this.#names = names;
    this.#publisher = publisher;
    this.#reader = reader;
    this.#owner = owner;
    this.#shape = shape;
    this.run = run;
    this.delivered = new IndexSet(record?.delivered);
    this.#admitted = record?.admitted ?? 0;
    this.#total = record?.total ?? -1;
    this.#since = record?.since ?? timeOfDay();
    this.#last = record?.sequence ?? 0;
    this.#results = new StoredResults(broker, names, run, this.delivered, {
      result: (result, payload) => owner.result(result, payload),
      removable: () => this.#write(),
      isOver: () => this.#over,
    });
  }

  /** Items from the first on of which the broker has had the tasks, as far as is known. */
  get admitted(): number {
    return this.#admitted;
  }

  /** Items in all; -1 while the source has not ended. */
  get total(): number {
    return this.#total;
  }

  /**
   * Begins a run of this name, or takes one over. Resolves when the broker has the record, or the
   * run is over.
   *
   * @param isNew Whether no run of the name may be there.
   * @throws (rejects) ArgumentError `MP_RUN_EXISTS`; StaleRecord.
   */
  async begin(isNew: boolean): Promise<void> {
    this.#closers.push(
      this.#broker.subscribe(this.#names.resultsOf(this.run), ({ subject, data }) => void this.#heard(subject, data)),
      this.#broker.onUp(() => void this.catchUp()),
    );
    this.#dirty = false;
    this.#beginning = this.#store(isNew);
    if (await this.#beginning) this.#read();
    if (this.#dirty) this.#write();
  }

  /**
   * Has agents find the run here, once it is this driver's and for as long as it is: what they are
   * answered, they do. Whoever lets go of a run answers nothing more at once.
   */
  answer(listen: () => Unlisten): void {
    this.#listen = listen;
  }

  /** Has `close` called when nothing of it is under way here any more. */
  own(close: () => void): void {
    this.#closers.push(close);
  }

  /**
   * Whether results may be delivered here now. Not while the broker is away, and not at once after
   * this process was stopped: then another driver may have taken the run.
   */
  get mine(): boolean {
    return this.#readership?.holds ?? true;
  }

  /** The broker has the record: this driver reads the run. */
  #read(): void {
    const readership = new Readership(this.#broker, {
      run: this.run,
      isReader: async () => {
        const record = await this.#latest();
        // One that is gone was read to its end elsewhere.
        return this.#over ? undefined : record !== undefined && readRunRecord(record.data).reader === this.#reader;
      },
      sure: () => this.onMine?.(),
      lost: () => this.#lost(),
    });
    this.#readership = readership;
    if (this.#over || this.#released) {
      readership.close();
      return;
    }
    this.#closers.push(() => readership.close());
    if (this.#listen !== null) this.#hush = this.#listen();
  }

  #lost(): void {
    if (this.#over) return;
    void this.#end();
    this.onLost?.(runTaken(nameOfRun(this.run)));
    this.#owner.taken();
  }

  /** The broker has the tasks of items `[first, first + count)`. */
  published(first: number, count: number): void {
    for (let index = first; index < first + count; index++) this.#published.add(index);
    const admitted = this.#published.firstMissing(0);
    if (admitted <= this.#admitted) return;
    this.#admitted = admitted;
    this.#write();
  }

  /** The source has ended: there are so many items. */
  ended(total: number): void {
    this.#total = total;
    this.#write();
  }

  /** The consumer has the result of an item: it never comes again. */
  deliver(index: number): void {
    if (this.#results.deliver(index)) this.#write();
  }

  /** Reads what is stored and was not read. Resolves when there is nothing more, or the run is over. */
  catchUp(): Promise<void> {
    return this.#results.catchUp();
  }

  /** Nothing of it is kept any more: its results, its record and what they refer to leave the broker. */
  async forget(): Promise<void> {
    if (this.#over || this.#released) return;
    this.#over = true;
    // What there is of that name may be another's.
    const mine = await this.#beginning.catch(() => false);
    await this.#writing;
    try {
      if (mine && (await this.isReader()))
        await this.#broker.persist(
          () => purgeRun(this.#broker, this.#names, this.run),
          () => false,
        );
    } catch (error) {
      debug('durable run %s: it could not be removed: %s', this.run, messageOf(error));
    }
    await this.#end();
  }

  /** Whether the broker has this driver as the reader of the run: another may have taken it. */
  async isReader(): Promise<boolean> {
    const record = await this.#broker.persist(
      () => runRecordOf(this.#broker, this.#names, this.run),
      () => false,
    );
    return record !== undefined && readRunRecord(record.data).reader === this.#reader;
  }

  /** Lets go of it: whoever resumes the run has what was not delivered. Resolves when the broker knows. */
  async release(reason: unknown): Promise<void> {
    if (this.#over || this.#released) return;
    this.#released = true;
    this.#hush();
    this.onLost?.(reason);
    await this.#writing;
    await this.#end();
  }

  async #end(): Promise<void> {
    this.#over = true;
    this.#hush();
    await this.#writing;
    for (const close of this.#closers.splice(0)) close();
  }

  // ---- the record

  #write(): void {
    this.#dirty = true;
    if (this.#readership === null || this.#over || this.#writing !== undefined) return;
    this.#writing = this.#writeLatest().finally(() => (this.#writing = undefined));
  }

  /** One record is under way at a time, with what holds when it begins. */
  async #writeLatest(): Promise<void> {
    while (this.#dirty && !this.#over) {
      this.#dirty = false;
      const removable = this.#results.takeDelivered();
      await this.#store(false);
      await this.#results.remove(removable);
    }
  }

  /** Returns whether the broker has it: not when the run ended before. */
  async #store(isNew: boolean): Promise<boolean> {
    const id = `${this.nonce}/${++this.#versions}`;
    while (!this.#over && !this.#broker.closed) {
      const refusal = await this.#publish(id);
      if (refusal === undefined) return true;
      if (refusal.code === WRONG_LAST_SEQUENCE) {
        if (isNew) throw runExists(nameOfRun(this.run));
        if (this.#readership === null) throw new StaleRecord();
        if (!(await this.#adopt())) return false;
      }
      // Not there yet: the tasks of the run wait for the pool too.
      await new Promise<void>((resolve) => setTimeout(resolve, POOL_WAIT_MS));
    }
    return false;
  }

  /** Another record is there: goes on from it, if it is this driver's. Returns whether it is. */
  async #adopt(): Promise<boolean> {
    const record = await this.#latest();
    if (this.#over) return false;
    if (record === undefined || readRunRecord(record.data).reader !== this.#reader) {
      this.#lost();
      return false;
    }
    this.#last = record.seq;
    return true;
  }

  #latest(): ReturnType<typeof runRecordOf> {
    return this.#persist(() => runRecordOf(this.#broker, this.#names, this.run));
  }

  #publish(id: string): Promise<BrokerRefusal | undefined> {
    const payload = writeRunRecord({
      ...this.#shape,
      reader: this.#reader,
      admitted: this.#admitted,
      total: this.#total,
      delivered: this.delivered.toRanges(),
      since: this.#since,
    });
    return new Promise((resolve) => {
      this.#publisher.publish({
        subject: this.#names.runRecord(this.run),
        id,
        payload,
        headers: { 'Nats-Expected-Last-Subject-Sequence': String(this.#last) },
        stored: (sequence) => {
          this.#last = sequence;
          resolve(undefined);
        },
        refused: resolve,
      });
    });
  }

  async #heard(subject: string, data: Uint8Array): Promise<void> {
    if (this.#over) return;
    if (subject !== this.#names.runRecord(this.run)) {
      await this.#results.heard(subject, data);
      return;
    }
    try {
      // One's own comes back too.
      if (readRunRecord(data).reader === this.#reader) return;
      // It is heard, too, where the stream has refused it.
      this.#readership?.doubt();
    } catch (error) {
      debug('durable run %s: %s', this.run, messageOf(error));
    }
  }

  #persist<T>(attempt: () => Promise<T>): Promise<T | undefined> {
    return this.#broker.persist(attempt, () => this.#over);
  }
}
