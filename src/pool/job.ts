import { TimeoutError, type WorkerCrashError } from '../errors/index.js';
import type { Job, JobSink } from '../streams/index.js';
import { Batch, Blame } from './batch.js';
import { notBegun } from './call.js';
import type { Site } from './call-site.js';
import type { FunctionImage } from './callables.js';
import { markItem } from './item-index.js';
import { Lane } from './lane.js';
import { Flag, Kind } from './protocol.js';
import { inPoolCall } from './remote-error.js';

/** Milliseconds of work that an automatic chunk aims at. */
const CHUNK_TIME = 3;
const MAX_CHUNK = 1024;
/** Bytes of an automatic chunk: what goes as one record. */
const CHUNK_BYTES = 1 << 16;

/** Workers in a row that die while they rebuild the function of a job, until the job is given up. */
const DEADLY = 3;

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
  /** Stops the job's chunks in its lane and on all workers. */
  stopJob(job: PoolJob, reason: unknown): void;
  /** The job will not submit any more and nothing of it runs. */
  jobGone(job: PoolJob): void;
}

/** Options of a job, checked. */
export interface JobSettings {
  /** The method that was called. */
  readonly actor: string;
  readonly chunkSize: number | 'auto';
  readonly timeout: number;
  readonly queueTimeout: number;
  readonly retries: number;
  readonly grace: number;
  readonly priority: number;
  /** Items are argument lists. */
  readonly spread: boolean;
  /** Most items one record may hold. */
  readonly maxChunk: number;
}

/** A family of items that run one function: what the pull core sees of the pool. */
export class PoolJob implements Job<unknown> {
  readonly lane: Lane;
  readonly image: FunctionImage;
  readonly sink: JobSink<unknown>;
  readonly settings: JobSettings;
  #touched = false;
  cancelled = false;
  readonly #owner: JobOwner;
  #active = 0;
  #ended = false;
  /** Items of {@link CHUNK_TIME}, and of {@link CHUNK_BYTES}. */
  #size = 1;
  #fitting = 1;
  #idle: (() => void) | null = null;

  /** @param site Where the job was called from. */
  constructor(
    image: FunctionImage,
    sink: JobSink<unknown>,
    settings: JobSettings,
    owner: JobOwner,
    readonly site: Site | null,
  ) {
    this.lane = new Lane(settings.priority);
    this.image = image;
    this.sink = sink;
    this.settings = settings;
    this.#owner = owner;
  }

  get parallelism(): number {
    return this.#owner.parallelism;
  }

  get chunkSize(): number {
    const { chunkSize, maxChunk } = this.settings;
    return Math.min(maxChunk, chunkSize === 'auto' ? Math.min(this.#size, this.#fitting) : chunkSize);
  }

  get room(): number {
    return this.cancelled ? 0 : Math.max(0, this.parallelism - this.lane.queue.length);
  }

  get hungry(): boolean {
    return this.lane.queue.length === 0 && this.#owner.hungry;
  }

  /** Batches submitted and not gone. */
  get active(): number {
    return this.#active;
  }

  submit(first: number, items: unknown[]): void {
    this.#owner.submit(this.enter(new Chunk(this, first, items, 0)));
  }

  /** Counts a chunk in; each is counted out by {@link left}. */
  enter(chunk: Chunk): Chunk {
    this.#active++;
    this.#owner.chunkEntered(chunk);
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
    if (!this.cancelled) this.sink.flush();
  }

  /** Takes a chunk back that no worker has started. */
  withdraw(chunk: Chunk): boolean {
    return this.#owner.withdraw(chunk);
  }

  /** A chunk left the pool. */
  left(chunk: Chunk): void {
    this.#active--;
    this.#owner.chunkLeft(chunk);
    this.#check();
  }

  /** Adapts the automatic chunk: towards {@link CHUNK_TIME} of work, at most fourfold at once. */
  measure(items: number, micros: number): void {
    if (this.settings.chunkSize !== 'auto') return;
    const each = Math.max(micros, 1) / 1000 / items;
    const wanted = Math.min(MAX_CHUNK, Math.max(1, Math.floor(CHUNK_TIME / each)));
    this.#size = Math.min(wanted, this.#size * 4);
  }

  /** Learns how many items fit into one record. */
  weigh(items: number, bytes: number): void {
    const fitting = Math.max(1, Math.floor((CHUNK_BYTES * items) / Math.max(1, bytes)));
    // Down at once, up slowly: one light chunk does not make the next one heavy.
    this.#fitting = Math.min(fitting, this.#fitting * 8);
  }

  #check(): void {
    if (this.#active > 0) return;
    this.#idle?.();
    this.#idle = null;
    if (this.#ended) this.#owner.jobGone(this);
  }
}

/** Some consecutive items of a job, sent as one record. */
export class Chunk extends Batch {
  readonly job: PoolJob;
  readonly first: number;
  readonly #items: unknown[];
  #queueTimer: NodeJS.Timeout | null = null;
  #marked: unknown;

  constructor(job: PoolJob, first: number, items: unknown[], attempt: number) {
    super(job.lane, job.image, items.length, flagsOf(job));
    this.job = job;
    this.first = first;
    this.#items = items;
    this.attempt = attempt;
    this.site = job.site;
    if (job.settings.queueTimeout > 0) this.#queueTimer = setTimeout(() => this.#tooLate(), job.settings.queueTimeout);
  }

  get timeout(): number {
    return this.job.settings.timeout;
  }

  payload(): unknown {
    return this.#items;
  }

  override weighed(bytes: number): void {
    this.job.weigh(this.count, bytes);
  }

  value(value: unknown, index: number, micros: number): void {
    if (index === this.count - 1) this.job.measure(this.count, micros);
    if (this.job.cancelled) return;
    this.job.touch();
    this.job.sink.value(this.first + index, value);
  }

  error(error: unknown, index: number): void {
    if (this.job.cancelled) return;
    // One error of all items is that of the first.
    if (error !== this.#marked) markItem(error, this.first + index);
    this.#marked = error;
    this.job.touch();
    this.job.sink.error(this.first + index, error);
  }

  override started(): void {
    if (this.#queueTimer !== null) clearTimeout(this.#queueTimer);
    this.#queueTimer = null;
  }

  expire(index: number, begun: boolean): number {
    const subject = `Item ${this.first + index}`;
    const { timeout } = this;
    const message = begun ? `${subject} ran longer than its timeout of ${timeout} ms; it was told to stop.` : notBegun(subject, timeout);
    this.reason = new TimeoutError(message);
    this.error(this.reason, index);
    this.job.flush();
    return this.job.settings.grace;
  }

  report(): void {}

  subject(index: number): string {
    return `item ${this.first + index}`;
  }

  refused(error: unknown): Batch[] {
    if (this.count === 1) {
      // The sink must not be called from inside submit.
      setImmediate(() => {
        this.error(
          inPoolCall(error, this.job.settings.actor, this.site, (path) => path.replace(/\[0\]$/, `item ${this.first}`)),
          0,
        );
        this.job.flush();
      });
      return [];
    }
    // Each by itself: the one that cannot be encoded fails alone.
    return this.#items.map((item, i) => this.job.enter(new Chunk(this.job, this.first + i, [item], this.attempt)));
  }

  unreadable(error: unknown): Batch[] {
    if (this.job.cancelled) return [];
    if (this.count > 1) return this.#halves();
    this.error(error, 0);
    return [];
  }

  /** In two, for one of its items is not as it should be, and nobody knows which. */
  #halves(): Batch[] {
    const middle = Math.ceil(this.count / 2);
    const part = (from: number, to: number) =>
      this.job.enter(new Chunk(this.job, this.first + from, this.#items.slice(from, to), this.attempt));
    return [part(0, middle), part(middle, this.count)];
  }

  orphaned(blame: Blame, error: WorkerCrashError | undefined): Batch[] {
    if (this.job.cancelled) return [];
    if (blame === Blame.Items && this.count > 1) return this.#halves();
    // What rebuilding it kills one worker after the other, the rest of the items would too.
    if (blame === Blame.Function && ++this.image.deaths >= DEADLY) {
      this.job.sink.fail(error);
      return [];
    }
    const again: Chunk[] = [];
    let next = this.received;
    if (blame !== Blame.None) {
      if (this.overdue !== next) {
        if (this.attempt < this.job.settings.retries)
          again.push(new Chunk(this.job, this.first + next, [this.#items[next]], this.attempt + 1));
        else this.error(error, next);
      }
      next++;
    }
    if (next < this.count) again.push(new Chunk(this.job, this.first + next, this.#items.slice(next), this.attempt));
    return again.map((chunk) => this.job.enter(chunk));
  }

  gone(): void {
    this.started();
    this.job.left(this);
  }

  #tooLate(): void {
    this.#queueTimer = null;
    if (this.job.cancelled || !this.job.withdraw(this)) return;
    const message = `Items ${this.first} to ${this.first + this.count - 1} waited longer than their queueTimeout of ${this.job.settings.queueTimeout} ms for a worker; they were not run.`;
    for (let i = 0; i < this.count; i++) this.error(new TimeoutError(message, { code: 'MP_QUEUE_TIMEOUT' }), i);
    this.job.flush();
  }
}

function flagsOf(job: PoolJob): number {
  const spread = job.settings.spread ? Flag.Spread : 0;
  const announce = job.settings.timeout > 0 || job.settings.queueTimeout > 0 ? Flag.Announce : 0;
  return Kind.Chunk | spread | announce;
}
