import { ArgumentError } from '../../errors/index.js';
import type { Freight } from '../../memory/index.js';
import type { Job, JobSink } from '../../streams/index.js';
import { describe } from '../../util/options.js';
import type { SerializedFunction } from '../wire/function-registry.js';
import type { Batch } from './batch.js';
import type { CallSite } from './call-site.js';
import { Chunk, type ChunkJob, type JobSettings } from './chunk.js';
import { ChunkSize } from './chunk-size.js';
import { countThatFits, EncodedMessage, encodeNow, isKept, isPrimitive, RefusedItem } from './encoded-items.js';
import { markItem } from './item-index.js';
import type { LaneWorker } from './key-lanes.js';
import { ItemWithKey, KeyedItems, type KeyedOwner } from './keyed-items.js';
import { plainCopy } from './plain-copy.js';
import { TaskQueue } from './ready-queue.js';
import { FIRST_RUN, type Retry, type Runs } from './retry-policy.js';

/** What a job needs of its pool. */
export interface JobOwner {
  readonly parallelism: number;
  readonly hungry: boolean;
  submit(chunk: Chunk): void;
  /** A chunk exists from here on. */
  chunkEntered(chunk: Chunk): void;
  /** A chunk is over. */
  chunkLeft(chunk: Chunk): void;
  /** Takes a chunk back that no worker has started; `false` when one has. */
  withdraw(chunk: Chunk): boolean;
  /** Results went to the job's sink: to be flushed when the batch of results is over. */
  jobTouched(job: PoolJob): void;
  /** Stops the job's chunks in its queue and on all workers. */
  stopJob(job: PoolJob, reason: unknown): void;
  /** Runs a chunk of one item again, which failed. */
  retry(chunk: Chunk, retry: Retry, itemIndex: number): void;
  /** The workers there are. */
  readonly workers: readonly LaneWorker[];
  /** Whether a worker runs several items at once. */
  readonly concurrent: boolean;
  addQueue(queue: TaskQueue<Batch>): void;
  /** Removes a queue, and returns what waits in it. */
  removeQueue(queue: TaskQueue<Batch>): Batch[];
  /** Items of a job wait in lanes, or none does any more: they count as work. */
  itemsWait(job: PoolJob, waiting: boolean): void;
  /** The job will not submit any more and nothing of it runs. */
  jobGone(job: PoolJob): void;
}

/** A family of items that run one function: what the pull core sees of the pool. */
export class PoolJob implements Job<unknown>, ChunkJob {
  readonly queue: TaskQueue<Batch>;
  readonly fn: SerializedFunction;
  readonly sink: JobSink<unknown>;
  readonly settings: JobSettings;
  #touched = false;
  cancelled = false;
  readonly #owner: JobOwner;
  #active = 0;
  #ended = false;
  readonly #size = new ChunkSize();
  #idle: (() => void) | null = null;
  /** Items that were encoded when they were read. */
  #admitted = 0;
  /** Whether items of it were copied when they were read: then none is the source's own. */
  #copied = false;
  /** What those refer to that are in no chunk. */
  readonly #waiting = new Set<Freight>();
  /** Where its items wait, if they have keys. */
  readonly #keyed: KeyedItems | null;

  /** @param site Where the job was called from. */
  constructor(
    serialized: SerializedFunction,
    sink: JobSink<unknown>,
    settings: JobSettings,
    owner: JobOwner,
    readonly site: CallSite | null,
    /** What travels with its items: that of its caller. */
    readonly context: EncodedMessage | null,
  ) {
    this.queue = new TaskQueue<Batch>(settings.priority);
    this.fn = serialized;
    this.sink = sink;
    this.settings = settings;
    this.#owner = owner;
    this.#keyed = settings.key === undefined ? null : new KeyedItems(this, this.#keyedOwner());
  }

  #keyedOwner(): KeyedOwner {
    const job = this;
    const owner = this.#owner;
    return {
      get chunkSize() {
        return job.chunkSize;
      },
      get workers() {
        return owner.workers;
      },
      concurrent: owner.concurrent,
      submit: (chunk) => owner.submit(chunk),
      addQueue: (queue) => owner.addQueue(queue),
      removeQueue: (queue) => owner.removeQueue(queue),
      waits: (waiting) => {
        owner.itemsWait(this, waiting);
        if (!waiting) this.#check();
      },
      taken: (item, chunk) => this.#taken(item, chunk),
    };
  }

  get parallelism(): number {
    return this.#owner.parallelism;
  }

  get chunkSize(): number {
    const { chunkSize, maxChunk } = this.settings;
    return Math.min(maxChunk, chunkSize === 'auto' ? this.#size.items : chunkSize);
  }

  get room(): number {
    return this.cancelled ? 0 : Math.max(0, this.parallelism - this.queue.batches.length);
  }

  get hungry(): boolean {
    return this.queue.batches.length === 0 && this.#owner.hungry;
  }

  /** Batches submitted and not gone. */
  get active(): number {
    return this.#active;
  }

  admit(item: unknown, remember = false): unknown {
    return this.#keyed === null ? this.#admit(item, remember) : this.#withKey(item, remember);
  }

  /** An item with the key that it has now. */
  #withKey(item: unknown, remember: boolean): ItemWithKey {
    try {
      const key = this.settings.key!(item);
      if (typeof key !== 'string' && typeof key !== 'number')
        throw new ArgumentError(
          `${this.settings.actor}: \`key\` must give a string or a number, not ${describe(key)}.`,
        );
      return new ItemWithKey(key, this.#admit(item, remember));
    } catch (error) {
      return new ItemWithKey('', new RefusedItem(error, item));
    }
  }

  #admit(item: unknown, remember: boolean): unknown {
    if (isPrimitive(item)) return item;
    const copy = remember ? undefined : plainCopy(item as object);
    if (copy === undefined) return this.keep(item);
    this.#copied = true;
    return copy;
  }

  /** An item as a message of its own. */
  keep(item: unknown): unknown {
    if (isPrimitive(item)) return item;
    this.#admitted++;
    try {
      const kept = encodeNow(item, true);
      if (kept.freight !== null) this.#waiting.add(kept.freight.hold());
      return kept;
    } catch (error) {
      return new RefusedItem(error, item);
    }
  }

  original(item: unknown): unknown {
    if (item instanceof ItemWithKey) return this.original(item.item);
    if (item instanceof EncodedMessage) {
      this.#release(item);
      return item.source;
    }
    return item instanceof RefusedItem ? item.item : item;
  }

  submit(first: number, items: unknown[]): void {
    if (this.#keyed !== null) {
      this.#keyed.submit(
        first,
        items.map((item) => (item instanceof ItemWithKey ? item : this.#withKey(item, false))),
      );
      return;
    }
    // Items that were admitted may also be dropped by their source, so the count only says where
    // there are none.
    if (this.settings.retries.repeatsErrors && this.#admitted === 0 && !this.#copied)
      items = items.map((item) => this.admit(item));
    if (this.#admitted === 0)
      this.#owner.submit(this.enter(new Chunk(this, first, items, FIRST_RUN, this.#copied ? 'copied' : 'read')));
    else for (const chunk of this.chunks(first, items, FIRST_RUN)) this.#owner.submit(chunk);
  }

  /** What an item refers to is its chunk's from here on. */
  #taken(item: unknown, chunk: Chunk): void {
    if (!isKept(item) || item.freight === null) return;
    chunk.addFreight(item.freight);
    this.#release(item);
  }

  /** An item that was admitted is in a chunk, or nobody's. */
  #release({ freight }: EncodedMessage): void {
    if (freight !== null && this.#waiting.delete(freight)) freight.release();
  }

  /** Chunks of items that were admitted. What cannot be sent is settled. */
  chunks(first: number, items: unknown[], runs: Runs): Chunk[] {
    const chunks: Chunk[] = [];
    for (let at = 0; at < items.length; ) {
      const rest = at === 0 ? items : items.slice(at);
      const count = countThatFits(rest);
      const part = count === rest.length ? rest : rest.slice(0, count);
      const chunk = this.enter(new Chunk(this, first + at, part, runs, part.some(isKept) ? 'packed' : 'copied'));
      for (const item of part) this.#taken(item, chunk);
      const head = part[0];
      if (head instanceof RefusedItem) {
        chunk.refused(head.error);
        chunk.onReleased();
      } else chunks.push(chunk);
      at += count;
    }
    return chunks;
  }

  /** Counts a chunk in; each is counted out by {@link left}. */
  enter(chunk: Chunk): Chunk {
    this.#active++;
    this.#owner.chunkEntered(chunk);
    chunk.waits();
    return chunk;
  }

  end(): void {
    this.#ended = true;
    this.#check();
  }

  async cancel(reason: unknown): Promise<void> {
    if (!this.cancelled) {
      this.cancelled = true;
      this.#ended = true;
      this.#keyed?.end();
      this.#owner.stopJob(this, reason);
    }
    if (this.#active > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    this.#check();
  }

  /** A result goes to the sink: it is flushed when the batch of results is over. */
  touch(): void {
    if (this.#touched) return;
    this.#touched = true;
    this.#owner.jobTouched(this);
  }

  /** Flushes the sink. */
  flush(): void {
    this.#touched = false;
    if (this.cancelled) return;
    this.#keyed?.pump();
    this.sink.flush();
  }

  /** Workers may have room: goes on with what waits, and reads more. */
  proceed(): void {
    this.#keyed?.pump();
    if (this.room > 0) this.sink.demand();
  }

  /** Its queues: one for all workers, and one for each where items have keys. */
  get queues(): readonly TaskQueue<Batch>[] {
    return this.#keyed === null ? [this.queue] : [this.queue, ...this.#keyed.queues];
  }

  settle(error: unknown, index: number): void {
    if (this.cancelled) return;
    markItem(error, index);
    this.touch();
    this.sink.error(index, error);
  }

  /** Its pool ended: nothing that waits is sent. */
  drop(): void {
    this.cancelled = true;
    this.#keyed?.end();
  }

  /** Takes a chunk back that no worker has started. */
  withdraw(chunk: Chunk): boolean {
    return this.#owner.withdraw(chunk);
  }

  retry(chunk: Chunk, retry: Retry, itemIndex: number): void {
    this.#owner.retry(chunk, retry, itemIndex);
  }

  /** A chunk left the pool. */
  left(chunk: Chunk): void {
    this.#active--;
    this.#owner.chunkLeft(chunk);
    this.#check();
  }

  measure(items: number, micros: number): void {
    if (this.settings.chunkSize === 'auto') this.#size.measure(items, micros);
  }

  weigh(items: number, bytes: number): void {
    this.#size.weigh(items, bytes);
  }

  #check(): void {
    if (this.#active > 0 || (!this.cancelled && (this.#keyed?.waiting ?? 0) > 0)) return;
    this.#idle?.();
    this.#idle = null;
    if (!this.#ended) return;
    for (const freight of this.#waiting) freight.release();
    this.#waiting.clear();
    this.#owner.jobGone(this);
  }
}
