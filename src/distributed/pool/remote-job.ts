/** One execution of a stream or a map over other hosts: what the pull core hands its items to. */
import { type CallSite, markItem, plainCopy, type RetryPolicy } from '../../pool/index.js';
import type { Job, JobSink } from '../../streams/index.js';
import { setImmediate } from '../../util/timers.js';
import type { RunKeeper } from '../durable/index.js';
import { encodeValue, writePacked } from '../wire/index.js';
import type { DistributedEngine, TaskForm } from './engine.js';
import type { RemoteChunk, RemoteRun, RunName } from './run.js';

/** Milliseconds of work that an automatic chunk aims at: a message takes about one. */
const CHUNK_TIME_MS = 10;
const MAX_CHUNK_ITEMS = 1_024;
/** Bytes of a message that an automatic chunk aims at. */
const CHUNK_BYTES = 256 * 1024;

export interface JobSettings {
  readonly actor: string;
  readonly chunkSize: number | 'auto';
  readonly timeout: number;
  readonly queueTimeout: number;
  readonly retries: RetryPolicy;
  /** What becomes of an item that fails. */
  readonly errors: 'fail' | 'skip' | 'settle';
  /** All results are delivered together, at the end: a map's. */
  readonly atOnce: boolean;
}

/** An item that was encoded when it was read, for its source may change it. */
class KeptItem {
  constructor(
    readonly bytes: Uint8Array | null,
    /** Why it cannot be sent. */
    readonly error: unknown,
    readonly source: unknown,
  ) {}
}

export class RemoteJob implements RemoteRun, Job<unknown> {
  readonly chunks = new Map<string, RemoteChunk>();
  readonly id: string;
  readonly driver: string;
  readonly subjectName: string;
  readonly keeper: RunKeeper | null;
  readonly timeout: number;
  readonly queueTimeout: number;
  readonly retries: RetryPolicy;
  readonly #engine: DistributedEngine;
  readonly #site: CallSite | null;
  readonly #sink: JobSink<unknown>;
  readonly #form: TaskForm;
  readonly #settings: JobSettings;
  /** Items that were submitted and have no outcome. */
  #outstanding = 0;
  #submitted = 0;
  #ended = false;
  #over = false;
  /** Tasks may be published: the broker has the record of a durable run. */
  #ready: boolean;
  /** Items of {@link CHUNK_TIME_MS}, and of {@link CHUNK_BYTES}. */
  #timely = 1;
  #fitting = MAX_CHUNK_ITEMS;

  constructor(
    engine: DistributedEngine,
    name: RunName,
    site: CallSite | null,
    sink: JobSink<unknown>,
    form: TaskForm,
    settings: JobSettings,
    keeper: RunKeeper | null,
  ) {
    this.#engine = engine;
    this.#site = site;
    this.keeper = keeper;
    this.#ready = keeper === null;
    this.id = name.id;
    this.driver = name.driver;
    this.subjectName = name.subjectName;
    this.#sink = sink;
    this.#form = form;
    this.#settings = settings;
    this.timeout = settings.timeout;
    this.queueTimeout = settings.queueTimeout;
    this.retries = settings.retries;
  }

  /** Begins a durable run, which has tasks once the broker knows of it. */
  begin(): void {
    this.keeper?.begin(true).then(
      () => {
        this.#ready = true;
        this.demand();
      },
      (error: unknown) => {
        // What there is of that name is another's.
        void this.keeper!.release(error);
        this.#engine.drop(this);
        this.fail(error);
      },
    );
  }

  // ---- the pull core's side

  get parallelism(): number {
    return this.#engine.parallelism;
  }

  get chunkSize(): number {
    const { chunkSize } = this.#settings;
    if (chunkSize !== 'auto') return chunkSize;
    // A time limit is each item's own, so each is a task.
    return this.timeout > 0 ? 1 : Math.min(this.#timely, this.#fitting);
  }

  get room(): number {
    return this.#over || !this.#ready ? 0 : this.#engine.room;
  }

  get hungry(): boolean {
    return this.#engine.hungry;
  }

  admit(item: unknown, remember = false): unknown {
    if (item === null || (typeof item !== 'object' && typeof item !== 'function')) return item;
    const copy = remember ? undefined : plainCopy(item);
    return copy ?? this.#keep(item);
  }

  original(item: unknown): unknown {
    return item instanceof KeptItem ? item.source : item;
  }

  submit(first: number, items: unknown[]): void {
    this.#outstanding += items.length;
    this.#submitted += items.length;
    if (items.some((item) => item instanceof KeptItem)) {
      this.#submitKept(
        first,
        items.map((item) => (item instanceof KeptItem ? item : this.#keep(item))),
      );
      return;
    }
    try {
      const { bytes } = encodeValue(this.#settings.actor, this.#engine.serializer, items);
      this.#weigh(items.length, bytes.length);
      this.#publish(first, items.length, false, bytes);
    } catch {
      // One of them cannot be sent: it fails alone.
      this.#submitKept(
        first,
        items.map((item) => this.#keep(item)),
      );
    }
  }

  end(): void {
    this.#ended = true;
    this.keeper?.ended(this.#submitted);
    this.#check();
  }

  cancel(reason: unknown): Promise<void> {
    this.#over = true;
    return this.#engine.cancel(this, reason);
  }

  // ---- the engine's side

  siteOf(): CallSite | null {
    return this.#site;
  }

  value(index: number, value: unknown): void {
    this.#outstanding--;
    this.#sink.value(index, value);
  }

  error(index: number, error: unknown): void {
    this.#outstanding--;
    markItem(error, index);
    // Nobody takes it.
    if (this.#settings.errors === 'skip') this.keeper?.deliver(index);
    this.#sink.error(index, error);
  }

  flush(): void {
    if (this.#over) return;
    this.#sink.flush();
    this.#check();
  }

  fail(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#sink.fail(error);
  }

  report(): void {}

  demand(): void {
    if (!this.#over) this.#sink.demand();
  }

  measure(items: number, micros: number): void {
    if (micros <= 0) return;
    const wanted = Math.floor((CHUNK_TIME_MS * 1_000 * items) / Math.max(1, micros));
    this.#timely = Math.min(MAX_CHUNK_ITEMS, Math.max(1, wanted), this.#timely * 4);
  }

  subject(index: number): string {
    return `Item ${index}`;
  }

  #submitKept(first: number, items: readonly KeptItem[]): void {
    let start = 0;
    const refused: [number, unknown][] = [];
    const publish = (end: number): void => {
      const parts = items.slice(start, end).map(({ bytes }) => bytes!);
      if (parts.length > 0) this.#publish(first + start, parts.length, true, writePacked(parts));
    };
    items.forEach((item, i) => {
      if (item.bytes !== null) return;
      publish(i);
      start = i + 1;
      refused.push([first + i, item.error]);
    });
    publish(items.length);
    if (refused.length === 0) return;
    // The sink must not be called from inside submit.
    setImmediate(() => {
      if (this.#over) return;
      for (const [index, error] of refused) this.error(index, error);
      this.flush();
    });
  }

  #publish(first: number, count: number, packed: boolean, payload: Uint8Array): void {
    try {
      this.#engine.submit(this.#settings.actor, this, this.#form, { first, count, packed, payload });
    } catch (error) {
      setImmediate(() => {
        if (this.#over) return;
        for (let i = 0; i < count; i++) this.error(first + i, error);
        this.flush();
      });
    }
  }

  #keep(item: unknown): KeptItem {
    try {
      return new KeptItem(encodeValue(this.#settings.actor, this.#engine.serializer, item).bytes, undefined, item);
    } catch (error) {
      return new KeptItem(null, error, item);
    }
  }

  #weigh(items: number, bytes: number): void {
    const fitting = Math.max(1, Math.floor((CHUNK_BYTES * items) / Math.max(1, bytes)));
    // Down at once, up slowly: one light chunk does not make the next one heavy.
    this.#fitting = Math.min(fitting, this.#fitting * 8);
  }

  #check(): void {
    if (!this.#ended || this.#outstanding > 0 || this.#over) return;
    this.#over = true;
    this.#engine.finish(this);
    if (this.#settings.atOnce) void this.keeper?.forget();
  }
}
