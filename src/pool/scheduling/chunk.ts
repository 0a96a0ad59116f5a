import { TimeoutError, type WorkerCrashError } from '../../errors/index.js';
import type { Payload } from '../../memory/index.js';
import type { CodeRecord } from '../../reduction/index.js';
import type { JobSink } from '../../streams/index.js';
import { clearTimeout, setImmediate, setTimeout } from '../../util/timers.js';
import type { SerializedFunction } from '../wire/function-registry.js';
import { Flag, MessageKind } from '../wire/protocol.js';
import { inPoolCall } from '../wire/remote-error.js';
import { Batch, Blame, isHopeless } from './batch.js';
import { notBegun } from './call.js';
import type { CallSite } from './call-site.js';
import { EncodedItems, type EncodedMessage, isKept, isPrimitive, MessagePart } from './encoded-items.js';
import { markItem } from './item-index.js';
import type { TaskQueue } from './ready-queue.js';
import { afterFailure, type Retry, type RetryPolicy, type Runs } from './retry-policy.js';

/** Options of a job, checked. */
export interface JobSettings {
  /** The method that was called. */
  readonly actor: string;
  readonly chunkSize: number | 'auto';
  readonly timeout: number;
  readonly queueTimeout: number;
  readonly retries: RetryPolicy;
  readonly grace: number;
  readonly priority: number;
  /** Items are argument lists. */
  readonly spread: boolean;
  /** Most items one record may hold. */
  readonly maxChunk: number;
}

/** What a chunk needs of its job. */
export interface ChunkJob {
  readonly queue: TaskQueue<Batch>;
  readonly fn: SerializedFunction;
  readonly sink: JobSink<unknown>;
  readonly settings: JobSettings;
  readonly site: CallSite | null;
  /** Nobody waits for results any more. */
  readonly cancelled: boolean;
  /** Counts a chunk in; each is counted out by {@link left}. */
  enter(chunk: Chunk): Chunk;
  /** A chunk left the pool. */
  left(chunk: Chunk): void;
  /** Takes a chunk back that no worker has started. */
  withdraw(chunk: Chunk): boolean;
  /** An item as a message of its own. */
  keep(item: unknown): unknown;
  /** Chunks of items that were admitted. What cannot be sent is settled. */
  chunks(first: number, items: unknown[], runs: Runs): Chunk[];
  /** Runs a chunk of one item again, which failed. */
  retry(chunk: Chunk, retry: Retry, itemIndex: number): void;
  /** Learns how long items take. */
  measure(items: number, micros: number): void;
  /** Learns how many items fit into one record. */
  weigh(items: number, bytes: number): void;
  /** A result goes to the sink. */
  touch(): void;
  /** Flushes the sink. */
  flush(): void;
}

/**
 * What the items of a chunk are:
 *
 *   read     the source's own: they may change until they are encoded
 *   copied   copies that nobody else has (plain-copy.ts), and primitives
 *   packed   some are messages of their own (encoded-items.ts), the others copies and primitives
 */
type Form = 'read' | 'copied' | 'packed';

/** Some consecutive items of a job, sent as one record. */
export class Chunk extends Batch {
  readonly job: ChunkJob;
  readonly first: number;
  readonly #items: unknown[];
  /** Which of the items of {@link kept} these are; -1: they are all. */
  readonly #from: number;
  readonly #form: Form;
  #primitive: boolean | null = null;
  #queueTimer: NodeJS.Timeout | null = null;
  #marked: unknown;
  /** The run that is to follow when the item that is overdue has ended. */
  #retry: Retry | null = null;

  /**
   * @param form What the items are.
   * @param kept The message that holds them, from its item `from` on.
   */
  constructor(
    job: ChunkJob,
    first: number,
    items: unknown[],
    { attempt, failures }: Runs,
    form: Form = 'read',
    kept: EncodedMessage | null = null,
    from = -1,
  ) {
    super(job.queue, job.fn, items.length, flagsOf(job) | (form === 'packed' ? Flag.Packed : from >= 0 ? Flag.Part : 0));
    this.#form = form;
    this.encoded = kept;
    this.#from = from;
    this.job = job;
    this.first = first;
    this.#items = items;
    this.attempt = attempt;
    this.failures = failures;
    this.site = job.site;
    this.mayRepeat = job.settings.retries.repeatsErrors;
    this.waits();
  }

  override waits(): void {
    const { queueTimeout } = this.job.settings;
    if (queueTimeout > 0) this.#queueTimer ??= setTimeout(() => this.#tooLate(), queueTimeout);
  }

  get timeout(): number {
    return this.job.settings.timeout;
  }

  payload(): unknown {
    return this.#items;
  }

  override message(): (Payload & { readonly codes?: readonly CodeRecord[] }) | null {
    if ((this.kind & Flag.Packed) !== 0) return new EncodedItems(this.#items);
    if (this.encoded === null || this.#from < 0) return this.encoded;
    return new MessagePart(this.encoded, this.#from, this.count);
  }

  get owned(): boolean {
    return this.own();
  }

  own(): boolean {
    if (this.#form !== 'read') return true;
    this.#primitive ??= this.#items.every(isPrimitive);
    return this.#primitive;
  }

  /** A chunk of some of its items. What they were when they were passed, they are. */
  #part(from: number, to: number, runs: Runs): Chunk {
    const items = this.#items.slice(from, to);
    const whole = this.own() ? null : this.encoded;
    const start = Math.max(0, this.#from) + from;
    const part = this.job.enter(new Chunk(this.job, this.first + from, items, runs, this.#form, whole, whole === null ? -1 : start));
    for (const freight of this.freights ?? []) part.addFreight(freight);
    return part;
  }

  override weighed(bytes: number): void {
    if ((this.kind & Flag.Part) === 0) this.job.weigh(this.count, bytes);
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

  failed(error: unknown, index: number): void {
    if (this.job.cancelled) return;
    if (!this.mayRepeat) {
      this.error(error, index);
      return;
    }
    const next = this.#afterFailure(error, false);
    if (next === null) return;
    if ('fatal' in next) this.error(next.fatal, index);
    else this.#repeat(index, next);
  }

  overdueEnded(index: number): void {
    if (this.#retry === null) return;
    const retry = this.#retry;
    this.#retry = null;
    if (!this.job.cancelled) this.#repeat(index, retry);
  }

  /** What is to follow; `null` when nobody waits any more: `when` may have ended that. */
  #afterFailure(error: unknown, crash: boolean): Retry | { readonly fatal: unknown } | null {
    const next = afterFailure(this.job.settings.retries, error, crash, this);
    return this.job.cancelled ? null : next;
  }

  #repeat(index: number, retry: Retry): void {
    this.job.retry(this.#part(index, index + 1, retry), retry, this.first + index);
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
    const next = this.mayRepeat ? this.#afterFailure(this.reason, false) : { fatal: this.reason };
    if (next !== null && 'fatal' in next) this.error(next.fatal, index);
    else this.#retry = next;
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
    return this.#items.map((item, i) => this.job.enter(new Chunk(this.job, this.first + i, [item], this, this.#form)));
  }

  unreadable(error: unknown): Batch[] {
    if (this.job.cancelled) return [];
    if (this.count > 1) return this.#apart();
    this.error(error, 0);
    return [];
  }

  /**
   * In parts, for one of its items is not as it should be, and nobody knows which: as messages of
   * their own, then in two.
   */
  #apart(): Batch[] {
    if ((this.kind & Flag.Packed) === 0) {
      const items = this.#items.map((item) => this.job.keep(item));
      if (items.some(isKept)) return this.job.chunks(this.first, items, this);
    }
    const middle = Math.ceil(this.count / 2);
    return [this.#part(0, middle, this), this.#part(middle, this.count, this)];
  }

  orphaned(blame: Blame, error: WorkerCrashError | undefined): Batch[] {
    if (this.job.cancelled) return [];
    if (blame === Blame.Items && this.count > 1) return this.#apart();
    const hopeless = isHopeless(this.fn, blame);
    // What rebuilding it kills one worker after the other, the rest of the items would too.
    if (blame === Blame.Function && hopeless) {
      markItem(error, this.first + this.received);
      this.job.sink.fail(error);
      return [];
    }
    const again: Chunk[] = [];
    let next = this.received;
    if (blame !== Blame.None) {
      if (this.overdue !== next) {
        const after = hopeless ? { fatal: error } : this.#afterFailure(error, true);
        if (after === null) return [];
        if ('fatal' in after) this.error(after.fatal, next);
        else this.#repeat(next, after);
      } else this.overdueEnded(next);
      next++;
    }
    if (next < this.count) again.push(this.#part(next, this.count, this));
    return again;
  }

  onReleased(): void {
    this.releaseFreights();
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

function flagsOf(job: ChunkJob): number {
  const spread = job.settings.spread ? Flag.Spread : 0;
  const announce = job.settings.timeout > 0 || job.settings.queueTimeout > 0 ? Flag.Announce : 0;
  return MessageKind.Chunk | spread | announce;
}
