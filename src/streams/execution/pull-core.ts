/**
 * The pull core: one execution of a source through a job to one consumer.
 *
 *   source -> Feeder -> Job.submit … JobSink.value -> ResultRing -> take() -> consumer
 *
 *   state, and what holds besides | source   | results         | leaves it by
 *   OPEN                          | read     | counted         | an item fails -> OPEN, failing;
 *                                 |          |                 | source ends, all taken -> ENDED
 *   OPEN, failing                 | returned | counted up to   | all before it have a result ->
 *                                 |          |                 | OPEN, results closed
 *                                 |          | the failure     |
 *   OPEN, results closed          | returned | dropped         | the failure is at the head: taken
 *                                 |          |                 | -> ERRORED
 *   ENDED, ERRORED                | returned | dropped         | final: the ring is empty
 *
 *   The job's own failure closes the results at once; what lies in the ring is delivered before it.
 *   `stop` (the consumer leaves) and `endWithError` (an abort) are final from every state.
 *
 * Invariants
 * - A result that was not taken keeps its place in the window, so a consumer that stops reading
 * stops the source.
 * - Every value before an error is delivered before the error. Ordered: all indices below the
 *   failing one; unordered: all that arrived earlier. An abort alone skips the line.
 * - Once the state is not OPEN nothing is delivered, the ring is empty, and the source is not
 * touched again.
 * - Every batch of `value`/`error` calls is followed by `flush`; nothing is delivered in between,
 *   so a consumer never runs inside the backend's decoding loop.
 */
import { onAbort } from '../../util/abort.js';
import {
  type Counts,
  ENDED,
  ERRORED,
  type Feed,
  type FeedListener,
  type FeedState,
  OPEN,
  type Projector,
} from '../feeds/feed.js';
import { cancelled } from '../messages.js';
import { NOTHING } from '../sources/pull.js';
import type { Source } from '../sources/source.js';
import type { StreamFlowOptions } from '../stream-options.js';
import type { Backend, Job, JobSink } from './backend.js';
import { Feeder, type FeederOwner } from './feeder.js';
import { FirstFailure } from './first-failure.js';
import { Failure, ResultRing, SKIPPED } from './result-ring.js';

/** One execution of `source` through `backend`. */
export class PullCore<T, R> implements Feed<R>, JobSink<R>, FeederOwner {
  state: FeedState = OPEN;
  failure: unknown = undefined;
  onProgress: (() => void) | null = null;

  readonly #backend: Backend<T, R>;
  readonly #source: Source<T>;
  readonly #options: StreamFlowOptions<T>;
  readonly #listener: FeedListener;
  readonly #ordered: boolean;
  readonly #projector: Projector | undefined;
  /** Results are delivered as they are. */
  readonly #plain: boolean;
  readonly #ring = new ResultRing();
  #job: Job<T> | undefined;
  #feeder: Feeder<T> | undefined;
  /** Position of the next arrival, for unordered streams. */
  #tail = 0;
  #settled = 0;
  #failed = 0;
  #skipped = 0;
  /** Failures and skips in the ring: 0 on the fast path. */
  #exceptionalEntries = 0;
  /** While `errors` is 'fail'. */
  readonly #firstFailure = new FirstFailure();
  /** No result is awaited any more: the job was cancelled or failed. */
  #resultsClosed = false;
  /** What ends the stream when the ring has run dry although items are missing. */
  #jobFailure: Failure | undefined;
  /** Every item settled and was taken: there is nothing to cancel. */
  #complete = false;
  /** The consumer is inside take(), or has not started us, and will look at `state` itself. */
  #taking = true;
  #jobCancellation: Promise<unknown> | undefined;
  #unlisten: (() => void) | undefined;
  #returned: Promise<void> | undefined;

  constructor(
    backend: Backend<T, R>,
    source: Source<T>,
    options: StreamFlowOptions<T>,
    listener: FeedListener,
    shape: Projector | undefined,
  ) {
    this.#backend = backend;
    this.#source = source;
    this.#options = options;
    this.#listener = listener;
    this.#ordered = options.ordered ?? true;
    this.#projector = shape;
    this.#plain = shape === undefined && options.errors !== 'settle';
  }

  start(): void {
    this.#taking = false;
    if (this.state !== OPEN) {
      this.#listener.ready();
      return;
    }
    const signal = this.#options.signal;
    if (signal?.aborted === true) {
      this.endWithError(signal.reason);
      return;
    }
    if (signal !== undefined) this.#unlisten = onAbort(signal, this.#aborted);
    try {
      this.#job = this.#backend.open(this);
      this.#feeder = new Feeder(this.#source, this.#job, this.#options, this);
    } catch (error) {
      this.endWithError(error);
      return;
    }
    this.#feeder.start();
  }

  // The consumer's side

  take(): R | typeof NOTHING {
    const ring = this.#ring;
    const slot = ring.head & ring.mask;
    const value = ring.slots[slot];
    if (value === NOTHING || (this.#exceptionalEntries !== 0 && (value === SKIPPED || value instanceof Failure)))
      return this.#takeRare();
    ring.slots[slot] = NOTHING;
    ring.head++;
    return value as R;
  }

  taken(count: number): void {
    const feeder = this.#feeder!;
    feeder.gone += count;
    if (feeder.gone >= feeder.refillAt) this.#refill();
  }

  /** Nothing ordinary lies at the head. */
  #takeRare(): R | typeof NOTHING {
    if (this.state !== OPEN) return NOTHING;
    this.#taking = true;
    const skipped = this.#passSkipped();
    const value = this.#ring.at(this.#ring.head);
    if (value instanceof Failure) this.#finish(ERRORED, value.error).catch(() => {});
    else if (value === NOTHING && this.#jobFailure !== undefined)
      this.#finish(ERRORED, this.#jobFailure.error).catch(() => {});
    // A finite refillAt: the last refill stopped for want of room. All was taken now, so an idle
    // worker may have what there is.
    else if (this.#feeder !== undefined && this.#feeder.refillAt !== Number.POSITIVE_INFINITY) this.#refill();
    this.#taking = false;
    return skipped && this.state === OPEN ? this.take() : NOTHING;
  }

  stop(reason: unknown = cancelled()): Promise<void> {
    return this.state === OPEN ? this.#finish(ENDED, undefined, reason) : Promise.resolve();
  }

  endWithError(error: unknown): void {
    if (this.state === OPEN) this.#finish(ERRORED, error).catch(() => {});
  }

  snapshot(): Counts {
    const pulled = this.#feeder?.admitted ?? 0;
    const delivered = this.#ring.head - (this.#ordered ? this.#skipped : 0);
    const total = this.#feeder?.total;
    const live = this.state === OPEN;
    return {
      pulled,
      running: live && !this.#resultsClosed ? pulled - this.#settled : 0,
      buffered: live ? this.#settled - this.#skipped - delivered : 0,
      delivered,
      failed: this.#failed,
      ...(total === undefined ? {} : { total }),
    };
  }

  // The backend's side

  value(index: number, value: R): void {
    if (this.#resultsClosed) return;
    this.#settled++;
    this.#ring.putResult(
      this.#ordered ? index : this.#tail++,
      this.#plain ? value : this.#project(index, { status: 'fulfilled', value }),
    );
  }

  error(index: number, error: unknown): void {
    if (this.#resultsClosed) return;
    this.#settled++;
    this.#failed++;
    if (this.#options.errors === 'settle') {
      this.#ring.putResult(
        this.#ordered ? index : this.#tail++,
        this.#project(index, { status: 'rejected', reason: error }),
      );
    } else if (this.#options.errors !== 'skip') {
      const position = this.#ordered ? index : this.#tail++;
      this.#ring.putResult(position, new Failure(error));
      this.#exceptionalEntries++;
      this.#firstFailure.note(position);
      if (!this.#ordered) this.#resultsClosed = true;
    } else if (this.#ordered) {
      this.#ring.putResult(index, SKIPPED);
      this.#exceptionalEntries++;
    } else {
      this.#feeder!.gone++;
      this.#skipped++;
    }
  }

  flush(): void {
    if (this.state !== OPEN) return;
    if (this.#firstFailure.exists) this.#failSiblings();
    this.#passSkipped();
    if (this.#ring.at(this.#ring.head) !== NOTHING) this.#listener.ready();
    this.#refill();
    this.onProgress?.();
  }

  demand(): void {
    if (this.state === OPEN) this.#refill();
  }

  fail(error: unknown): void {
    if (this.state !== OPEN || this.#jobFailure !== undefined) return;
    this.#jobFailure = new Failure(error);
    void this.#stopSource(error);
    this.#cancelJob(error);
    this.#listener.ready();
  }

  // The feeder's questions

  get starving(): boolean {
    return this.#ring.at(this.#ring.head) === NOTHING;
  }

  sourceEnded(): void {
    this.#checkEnd();
  }

  #refill(): void {
    this.#feeder?.refill();
    this.#checkEnd();
  }

  /**
   * Whether there were skipped items at the head; they leave the window without anybody taking
   * them.
   */
  #passSkipped(): boolean {
    if (this.#exceptionalEntries === 0) return false;
    const before = this.#ring.head;
    while (this.#ring.at(this.#ring.head) === SKIPPED) {
      this.#ring.advance();
      this.#exceptionalEntries--;
      this.#skipped++;
      this.#feeder!.gone++;
    }
    return this.#ring.head !== before;
  }

  /**
   * An item failed: nothing more is pulled, and as soon as all positions before it are settled its
   * siblings are cancelled.
   */
  #failSiblings(): void {
    const error = this.#firstFailure.errorIn(this.#ring);
    void this.#stopSource(error);
    if (this.#firstFailure.isNext(this.#ring)) this.#cancelJob(error);
  }

  #checkEnd(): void {
    const feeder = this.#feeder;
    if (
      this.state !== OPEN ||
      feeder === undefined ||
      !feeder.ended ||
      feeder.gone !== feeder.admitted ||
      this.#jobFailure !== undefined
    )
      return;
    this.#complete = true;
    this.#finish(feeder.failed ? ERRORED : ENDED, feeder.error).catch(() => {});
  }

  #stopSource(reason: unknown): Promise<void> {
    if (this.#returned === undefined) {
      this.#returned = this.#feeder?.stop(reason) ?? Promise.resolve();
      this.#returned.catch(() => {}); // it reaches whoever awaits stop()
    }
    return this.#returned;
  }

  #cancelJob(reason: unknown): void {
    this.#resultsClosed = true;
    if (this.#job !== undefined) this.#jobCancellation ??= this.#job.cancel(reason);
  }

  readonly #aborted = (): void => this.endWithError(this.#options.signal?.reason);

  #finish(state: typeof ENDED | typeof ERRORED, error: unknown, reason: unknown = error): Promise<void> {
    this.state = state;
    this.failure = error;
    this.#resultsClosed = true;
    this.#ring.clear();
    this.#exceptionalEntries = 0;
    this.#unlisten?.();
    const returned = this.#stopSource(reason);
    if (!this.#complete) this.#cancelJob(reason);
    this.onProgress?.();
    if (!this.#taking) this.#listener.ready();
    if (this.#complete) this.#listener.closed();
    else void Promise.allSettled([returned, this.#jobCancellation]).then(() => this.#listener.closed());
    return returned;
  }

  /** The form in which a result is delivered when it is not the bare value. */
  #project(index: number, outcome: PromiseSettledResult<unknown>): unknown {
    const value = this.#options.errors === 'settle' ? outcome : (outcome as PromiseFulfilledResult<unknown>).value;
    return this.#projector === undefined ? value : this.#projector(index, value);
  }
}
