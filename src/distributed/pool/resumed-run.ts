/**
 * A durable run that another driver began: its results, as they are stored and as they come.
 *
 *   record -> taken over -> stored results read -> … -> no task is left, or all have results -> over
 *
 * Invariants
 * - An item is delivered once, whatever is stored of it: what the drivers before had is in the
 * record.
 * - A task leaves its stream after its result was stored. So once no task is left, all there will be
 * is stored.
 */
import { markItem, RetryPolicy } from '../../pool/index.js';
import {
  type Counts,
  ENDED,
  ERRORED,
  type Feed,
  type FeedListener,
  type FeedState,
  NOTHING,
  OPEN,
  type Projector,
} from '../../streams/index.js';
import { debug } from '../../util/logger.js';
import { clearTimeout, performance, setTimeout } from '../../util/timers.js';
import { removeTasksOf, tasksLeft } from '../broker/index.js';
import { IndexSet, type RunKeeper, runBusy, runIncomplete, runTaken, type StoredRun } from '../durable/index.js';
import { durableId, nameOfRun, type RunRecord, readTask } from '../wire/index.js';
import type { DistributedEngine } from './engine.js';
import type { ResultRecord } from './outcome-decoder.js';
import type { RemoteChunk, RemoteRun } from './run.js';
import { takeOver } from './run-takeover.js';

/** Milliseconds between two looks at what is left of the tasks. */
const LOOK_MS = 300;

/** How an item ended. */
interface Settled {
  readonly ok: boolean;
  readonly result: unknown;
}

export class ResumedRun implements RemoteRun, Feed<unknown> {
  readonly chunks = new Map<string, RemoteChunk>();
  readonly timeout = 0;
  readonly queueTimeout = 0;
  readonly retries = RetryPolicy.NONE;
  readonly id: string;
  readonly driver: string;
  readonly subjectName: string;
  keeper: RunKeeper | null = null;
  state: FeedState = OPEN;
  failure: unknown = undefined;
  onProgress: (() => void) | null = null;
  readonly #engine: DistributedEngine;
  readonly #listener: FeedListener;
  readonly #shape: Projector | undefined;
  #record: RunRecord | undefined;
  /** Items that have a result, or were delivered. */
  #settled = new IndexSet();
  readonly #ready = new Map<number, Settled>();
  /** The item that an ordered run delivers next. */
  #head = 0;
  #failed = 0;
  #delivered = 0;
  /** When a result came last. */
  #heard = performance.now();
  /** All there will be is in {@link #ready}. */
  #whole = false;
  /** All was delivered: the run is being forgotten. */
  #ending = false;
  #following: Promise<void> = Promise.resolve();
  #wake: () => void = () => {};

  constructor(engine: DistributedEngine, run: string, listener: FeedListener, shape: Projector | undefined) {
    this.#engine = engine;
    this.#listener = listener;
    this.#shape = shape;
    this.id = durableId(run);
    this.driver = this.id;
    this.subjectName = engine.names.tasksOfRun(this.driver, this.id);
  }

  // ---- the consumer's side

  start(): void {
    if (this.state !== OPEN) {
      this.#listener.ready();
      return;
    }
    try {
      this.#engine.checkOpen('DistributedPool.resume');
      if (this.#engine.has(this)) throw runBusy(this.#name);
      this.#engine.open(this);
    } catch (error) {
      this.#end(ERRORED, error);
      return;
    }
    this.#following = this.#follow();
    this.#following.catch((error: unknown) => this.#end(ERRORED, error));
  }

  take(): unknown {
    for (;;) {
      if (this.state !== OPEN || this.#record === undefined || this.#ending || !this.keeper!.mine) return NOTHING;
      const index = this.#nextIndex();
      if (index === undefined) return this.#whole ? this.#finish() : NOTHING;
      const { ok, result } = this.#ready.get(index)!;
      this.#ready.delete(index);
      const { errors } = this.#record;
      if (!ok && errors === 'fail') {
        this.#end(ERRORED, result);
        return NOTHING;
      }
      this.#head = index + 1;
      this.keeper!.deliver(index);
      if (!ok && errors === 'skip') continue;
      this.#delivered++;
      this.onProgress?.();
      const value =
        errors !== 'settle'
          ? result
          : ok
            ? { status: 'fulfilled', value: result }
            : { status: 'rejected', reason: result };
      return this.#shape === undefined ? value : this.#shape(index, value);
    }
  }

  taken(): void {}

  stop(reason: unknown = new DOMException('The stream was left.', 'AbortError')): Promise<void> {
    if (this.state === OPEN) this.#end(ENDED, undefined, reason);
    return Promise.resolve();
  }

  endWithError(error: unknown): void {
    if (this.state === OPEN) this.#end(ERRORED, error);
  }

  snapshot(): Counts {
    const known = this.#record === undefined ? 0 : this.keeper!.delivered.size;
    const pulled = Math.max(this.#record?.admitted ?? 0, this.#settled.end);
    const total = this.#record?.total ?? -1;
    return {
      pulled,
      running: this.state === OPEN ? pulled - this.#settled.size : 0,
      buffered: this.#ready.size,
      delivered: known,
      failed: this.#failed,
      ...(total < 0 ? {} : { total }),
    };
  }

  // ---- the engine's side

  siteOf(): null {
    return null;
  }

  value(): void {}

  error(): void {}

  flush(): void {}

  report(): void {}

  measure(): void {}

  demand(): void {}

  subject(index: number): string {
    return `Item ${index}`;
  }

  fail(error: unknown): void {
    if (this.state === OPEN) this.#end(ERRORED, error);
  }

  get #name(): string {
    return nameOfRun(this.id);
  }

  // ---- what is stored

  async #follow(): Promise<void> {
    const engine = this.#engine;
    const { broker, names } = engine;
    const taken = await takeOver(engine, this.id, {
      inherit: (record) => this.#inherit(record),
      renounce: () => (this.keeper = null),
    });
    if (taken === undefined) return;
    const { record, keeper } = taken;
    if (this.state !== OPEN) return;
    this.#record = record;
    await keeper.catchUp();
    while (this.state === OPEN && !this.#whole) {
      if (record.total >= 0 && this.#settled.size >= record.total) break;
      const left = await broker.persist(
        () => tasksLeft(broker, names, this.subjectName),
        () => this.state !== OPEN,
      );
      if (left === undefined) return;
      if (left === 0) {
        await keeper.catchUp();
        break;
      }
      if (performance.now() - this.#heard > 2 * engine.lease) await this.#sweep();
      await this.#pause();
      this.#listener.ready();
    }
    // What was read last is being decoded.
    await this.#decoding;
    this.#whole = true;
    this.#listener.ready();
  }

  /** What it knows, by the record with which it becomes its reader. */
  #inherit(record: StoredRun): RunKeeper {
    this.#settled = new IndexSet(record.delivered);
    this.#ready.clear();
    this.#head = this.#settled.firstMissing(0);
    const owner = {
      result: (result: ResultRecord, payload: Uint8Array) => void this.#result(result, payload),
      taken: () => this.#taken(),
    };
    const { kept } = this.#engine;
    const keeper = kept.keep(this.id, record, owner, record);
    this.keeper = keeper;
    keeper.onMine = () => this.#listener.ready();
    kept.listen(keeper, {
      result: () => {},
      heard: () => {},
      isWanted: (question) => this.#isWanted(question),
    });
    return keeper;
  }

  /** Records that are being decoded, one after the other. */
  #decoding: Promise<void> = Promise.resolve();

  #result(record: ResultRecord, payload: Uint8Array): void {
    this.#decoding = this.#decoding.then(async () => {
      const offsets: number[] = [];
      for (let i = 0; i < record.count; i++) {
        const offset = record.offset + i;
        if (this.#settled.add(record.chunk + offset)) offsets.push(offset);
      }
      if (offsets.length === 0) return;
      this.#heard = performance.now();
      for (const { offset, ok, result } of await this.#engine.decoder.items(record, offsets, payload, () => null)) {
        const index = record.chunk + offset;
        if (!ok) {
          this.#failed++;
          markItem(result, index);
        }
        this.#ready.set(index, { ok, result });
      }
      if (this.#record !== undefined && this.#settled.size === this.#record.total) this.#wake();
      this.onProgress?.();
      this.#listener.ready();
    });
  }

  /** `<run>#<chunk>#<offset>#<count>`, or the run as a whole. */
  #isWanted(question: string): boolean {
    const [run, chunk, offset, count] = question.split('#');
    if (run !== this.id || this.state !== OPEN) return false;
    return chunk === undefined || !this.#settled.hasAll(Number(chunk) + Number(offset), Number(count));
  }

  /** A broker that was killed may have tasks again that were acknowledged, and give them to nobody. */
  async #sweep(): Promise<void> {
    const { broker, names } = this.#engine;
    this.#heard = performance.now();
    await broker.persist(
      () =>
        removeTasksOf(broker, names, this.subjectName, (bytes) => {
          const { chunk, offset, count } = readTask(bytes);
          return this.#settled.hasAll(chunk + offset, count);
        }),
      () => this.state !== OPEN,
    );
  }

  #nextIndex(): number | undefined {
    if (!this.#record!.ordered) return this.#ready.keys().next().value;
    const head = this.keeper!.delivered.firstMissing(this.#head);
    if (this.#ready.has(head)) return head;
    // What is missing never comes: its driver ended before it was published.
    return this.#whole && this.#ready.size > 0 ? Math.min(...this.#ready.keys()) : undefined;
  }

  #finish(): typeof NOTHING {
    const { delivered } = this.keeper!;
    const { total } = this.#record!;
    const next = delivered.firstMissing(0);
    const results = delivered.size;
    this.#ending = true;
    // Its name is free again when the stream is over.
    const swept = this.#leftQueue().then(() => this.keeper!.forget());
    void swept
      .catch((error: unknown) => debug('durable run %s: %s', this.id, error))
      .finally(() => {
        this.#engine.finish(this);
        if (total >= 0 && results >= total) this.#end(ENDED, undefined);
        else {
          const error = runIncomplete(this.#name, next, results);
          markItem(error, next);
          this.#end(ERRORED, error);
        }
      });
    return NOTHING;
  }

  /**
   * Resolves when no task is queued. Agents acknowledge those that they have just told of; what stays for
   * longer, a broker that was killed has again, and gives to nobody.
   */
  async #leftQueue(): Promise<void> {
    const { broker, names, lease } = this.#engine;
    const due = performance.now() + lease;
    try {
      while (performance.now() < due) {
        const left = await broker.persist(
          () => tasksLeft(broker, names, this.subjectName),
          () => this.#engine.over,
        );
        if (left === undefined || left === 0) return;
        await this.#pause();
      }
    } finally {
      await this.#engine.sweep(this);
    }
  }

  #taken(): void {
    if (this.state === OPEN) this.#end(ERRORED, runTaken(this.#name));
  }

  #end(state: typeof ENDED | typeof ERRORED, failure: unknown, reason: unknown = failure): void {
    if (this.state !== OPEN) return;
    this.state = state;
    this.failure = failure;
    this.#ready.clear();
    this.#wake();
    this.onProgress?.();
    this.#listener.ready();
    // Whoever leaves it while it is being taken over has cancelled it.
    void this.#following
      .catch(() => {})
      .then(() => this.#engine.cancel(this, reason))
      .finally(() => this.#listener.closed());
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, LOOK_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
