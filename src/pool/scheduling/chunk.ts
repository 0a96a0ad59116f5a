import { TimeoutError, type WorkerCrashError } from '../../errors/index.js';
import type { Payload } from '../../memory/index.js';
import type { CodeRecord } from '../../reduction/index.js';
import type { JobSink } from '../../streams/index.js';
import { clearTimeout, setImmediate, setTimeout } from '../../util/timers.js';
import { asGiven } from '../time-limit.js';
import type { SerializedFunction } from '../wire/function-registry.js';
import { Flag, MessageKind } from '../wire/protocol.js';
import { inPoolCall } from '../wire/remote-error.js';
import { Batch, isHopeless } from './batch.js';
import { Blame } from './blame.js';
import { notBegun } from './call.js';
import type { CallSite } from './call-site.js';
import { crashCopy } from './crash-copy.js';
import { EncodedItems, type EncodedMessage, isKept, isPrimitive, MessagePart } from './encoded-items.js';
import type { ItemAccount } from './item-account.js';
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
  /** Results are wanted together, when all are there. */
  readonly together: boolean;
  /** What items are grouped by. */
  readonly key: ((item: unknown) => unknown) | undefined;
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
  readonly context: EncodedMessage | null;
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
  /** Item `index` of the job fails without having been in a chunk. */
  settle(error: unknown, index: number): void;
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
export type Form = 'read' | 'copied' | 'packed';

/** Some consecutive items of a job, sent as one record. */
export class Chunk extends Batch {
  readonly job: ChunkJob;
  readonly first: number;
  protected readonly items: unknown[];
  /** Which of the items of {@link kept} these are; -1: they are all. */
  readonly #from: number;
  readonly #form: Form;
  #primitive: boolean | null = null;
  #queueTimer: NodeJS.Timeout | null = null;
  #marked: unknown;
  /** The runs that are to follow when items that are overdue have ended. */
  #retries: Map<number, Retry> | null = null;

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
    queue = job.queue,
  ) {
    super(queue, job.fn, items.length, flagsOf(job) | (form === 'packed' ? Flag.Packed : from >= 0 ? Flag.Part : 0));
    this.#form = form;
    this.encoded = kept;
    this.#from = from;
    this.job = job;
    this.first = first;
    this.items = items;
    this.attempt = attempt;
    this.failures = failures;
    this.site = job.site;
    if (job.context !== null) this.carry(job.context);
    this.mayRepeat = job.settings.retries.repeatsErrors;
  }

  override waits(): void {
    const { patience } = this;
    if (patience > 0) this.#queueTimer ??= setTimeout(() => this.#tooLate(), patience);
  }

  /** Milliseconds that it may wait for a worker; 0 for no limit. */
  protected get patience(): number {
    return this.job.settings.queueTimeout;
  }

  get timeout(): number {
    return this.job.settings.timeout;
  }

  payload(): readonly unknown[] {
    return this.items;
  }

  override message(): (Payload & { readonly codes?: readonly CodeRecord[] }) | null {
    if ((this.kind & Flag.Packed) !== 0) return new EncodedItems(this.items);
    if (this.encoded === null || this.#from < 0) return this.encoded;
    return new MessagePart(this.encoded, this.#from, this.count);
  }

  get owned(): boolean {
    return this.own();
  }

  own(): boolean {
    if (this.#form !== 'read') return true;
    this.#primitive ??= this.items.every(isPrimitive);
    return this.#primitive;
  }

  /** A chunk of some of its items. What they were when they were passed, they are. */
  #part(from: number, to: number, runs: Runs): Chunk {
    const items = this.items.slice(from, to);
    const whole = this.own() ? null : this.encoded;
    const start = Math.max(0, this.#from) + from;
    const part = this.job.enter(
      new Chunk(this.job, this.first + from, items, runs, this.#form, whole, whole === null ? -1 : start),
    );
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
    this.job.sink.value(this.at(index), value);
  }

  error(error: unknown, index: number): void {
    if (this.job.cancelled) return;
    // One error of all items is that of the first.
    if (error !== this.#marked) markItem(error, this.at(index));
    this.#marked = error;
    this.job.touch();
    this.job.sink.error(this.at(index), error);
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
    else this.repeat(index, next);
  }

  overdueEnded(index: number): void {
    const retry = this.#retries?.get(index);
    if (retry === undefined) return;
    this.#retries?.delete(index);
    if (!this.job.cancelled) this.repeat(index, retry);
  }

  /** What is to follow; `null` when nobody waits any more: `when` may have ended that. */
  #afterFailure(error: unknown, crash: boolean): Retry | { readonly fatal: unknown } | null {
    const next = afterFailure(this.job.settings.retries, error, crash, this);
    return this.job.cancelled ? null : next;
  }

  /** Has an item run again that failed. */
  protected repeat(index: number, retry: Retry): void {
    this.job.retry(this.#part(index, index + 1, retry), retry, this.at(index));
  }

  override started(): void {
    if (this.#queueTimer !== null) clearTimeout(this.#queueTimer);
    this.#queueTimer = null;
  }

  expire(index: number, begun: boolean): number {
    const subject = `Item ${this.at(index)}`;
    const { timeout } = this;
    const message = begun
      ? `${subject} ran longer than its timeout of ${asGiven(timeout)} ms; it was told to stop.`
      : notBegun(subject, timeout);
    this.reason = new TimeoutError(message);
    const next = this.mayRepeat ? this.#afterFailure(this.reason, false) : { fatal: this.reason };
    if (next !== null && 'fatal' in next) this.error(next.fatal, index);
    else if (next !== null) {
      this.#retries ??= new Map();
      this.#retries.set(index, next);
    }
    this.job.flush();
    return this.job.settings.grace;
  }

  report(): void {}

  place(index: number): number {
    return this.first + index;
  }

  subject(index: number): string {
    return `item ${this.at(index)}`;
  }

  refused(error: unknown): Batch[] {
    if (this.count === 1) {
      // The sink must not be called from inside submit.
      setImmediate(() => {
        this.error(
          inPoolCall(error, this.job.settings.actor, this.site, (path) => path.replace(/\[0\]$/, `item ${this.at(0)}`)),
          0,
        );
        this.job.flush();
      });
      return [];
    }
    return this.singly();
  }

  /** Each by itself: the one that cannot be encoded fails alone. */
  protected singly(): Batch[] {
    return this.items.map((item, i) => this.job.enter(new Chunk(this.job, this.first + i, [item], this, this.#form)));
  }

  unreadable(error: unknown): Batch[] {
    if (this.job.cancelled) return [];
    if (this.count > 1) return this.apart();
    this.error(error, 0);
    return [];
  }

  /**
   * In parts, for one of its items is not as it should be, and nobody knows which: as messages of
   * their own, then in two.
   */
  protected apart(): Batch[] {
    if ((this.kind & Flag.Packed) === 0) {
      const items = this.items.map((item) => this.job.keep(item));
      if (items.some(isKept)) return this.job.chunks(this.first, items, this);
    }
    const middle = Math.ceil(this.count / 2);
    return [this.#part(0, middle, this), this.#part(middle, this.count, this)];
  }

  orphaned(blame: Blame, error: WorkerCrashError | undefined): Batch[] {
    if (this.job.cancelled) return [];
    const { account } = this;
    if (blame === Blame.Items && this.count > 1 && (account === null || account.begun === 0)) return this.apart();
    const hopeless = isHopeless(this.fn, blame, this.job.settings.retries);
    // What rebuilding it kills one worker after the other, the rest of the items would too.
    if (blame === Blame.Function && hopeless) {
      markItem(error, this.at(this.received));
      this.job.sink.fail(error);
      return [];
    }
    if (account !== null) return this.#unfinished(account, blame, hopeless, error);
    let next = this.received;
    if (blame !== Blame.None) {
      if (this.overdue !== next) {
        const after = hopeless ? { fatal: error } : this.#afterFailure(error, true);
        if (after === null) return [];
        if ('fatal' in after) this.error(after.fatal, next);
        else this.repeat(next, after);
      } else this.overdueEnded(next);
      next++;
    }
    return this.rest(next);
  }

  /** Settles the items that ran, of several at once, and returns those that have not begun. */
  #unfinished(account: ItemAccount, blame: Blame, hopeless: boolean, error: WorkerCrashError | undefined): Batch[] {
    const begun = account.begun === 0 && blame !== Blame.None ? 1 : account.begun;
    // With nothing to blame the worker lives, and what has begun ends there.
    for (let index = 0; index < begun && blame !== Blame.None; index++) {
      if (account.ended(index)) continue;
      if (account.overdue.has(index)) {
        this.overdueEnded(index);
        continue;
      }
      // Others may have it already.
      const own = error === undefined ? undefined : crashCopy(error);
      const after = hopeless ? { fatal: own } : this.#afterFailure(own, true);
      if (after === null) return [];
      if ('fatal' in after) this.error(after.fatal, index);
      else this.repeat(index, after);
    }
    return this.rest(begun);
  }

  /** The items from `from` on, for another worker. */
  protected rest(from: number): Batch[] {
    return from < this.count ? [this.#part(from, this.count, this)] : [];
  }

  /** The index of an item in its map or stream. */
  protected at(index: number): number {
    return this.first + index;
  }

  /** How messages call all of its items. */
  protected get span(): string {
    return `Items ${this.first} to ${this.first + this.count - 1}`;
  }

  onReleased(): void {
    this.releaseFreights();
    this.started();
    this.job.left(this);
  }

  #tooLate(): void {
    this.#queueTimer = null;
    if (this.job.cancelled || !this.job.withdraw(this)) return;
    const message = `${this.span} waited longer than their queueTimeout of ${asGiven(this.job.settings.queueTimeout)} ms for a worker; they were not run.`;
    for (let i = 0; i < this.count; i++) this.error(new TimeoutError(message, { code: 'MP_QUEUE_TIMEOUT' }), i);
    this.job.flush();
  }
}

function flagsOf(job: ChunkJob): number {
  const spread = job.settings.spread ? Flag.Spread : 0;
  const announce = job.settings.timeout > 0 || job.settings.queueTimeout > 0 ? Flag.Announce : 0;
  // The time of an item that is announced is counted from the result before it.
  const quiet = job.settings.together && announce === 0 ? Flag.Quiet : 0;
  return MessageKind.Chunk | spread | announce | quiet;
}
