/**
 * The array face of the pull core, for `Pool.map`: every result at the index of its item, in one
 * array.
 *
 *   source -> Feeder -> Job.submit … JobSink.value -> results[index]
 *
 * Invariants
 * - An item leaves the window when it settles, so inputs are read no further ahead than workers
 * need.
 * - The promise settles once: after all items settled, or, if the source failed, the job failed or
 *   the work was cancelled, after (`source`) or without (`job`, `cancel`) waiting for the items
 *   that run.
 * - `results` grows in step, never sparsely: an array with holes would turn into a dictionary.
 */
import type { Observable } from 'rxjs';
import { onAbort } from '../../util/abort.js';
import { deferred } from '../../util/deferred.js';
import { type Counts, ENDED, type FeedState, OPEN, type Progress } from '../feeds/feed.js';
import { cancelled } from '../messages.js';
import { checkSource, type Source } from '../sources/source.js';
import type { FlowOptions } from '../stream-options.js';
import type { Backend, Job, JobSink } from './backend.js';
import { Feeder, type FeederOwner } from './feeder.js';
import { ProgressHub, type ProgressSource } from './progress.js';
import { SKIPPED } from './result-ring.js';

/** A collection under way. */
export interface Collection<R> {
  /** The results, in the order of the source. */
  readonly promise: Promise<R[]>;
  /** Resolves when no item runs any more. Never rejects. */
  readonly closed: Promise<void>;
  /** See `TaskStream.progress`; `delivered` counts results in their place. */
  readonly progress: Observable<Progress>;
  /** Gives the work up: the promise rejects at once with `reason` (default: an AbortError). */
  cancel(reason?: unknown): void;
}

/**
 * Runs `source` through `backend` and collects the results. Begins at once. The options are taken
 * as checked (`checkFlowOptions`).
 *
 * Semantics: all items settle before the error that occurred first is raised; with `errors: 'skip'`
 * the results are those of the items that did not fail, with `'settle'` each is a
 * `PromiseSettledResult`. A source that fails
 * cancels the items under way and rejects with its own error. An empty source gives `[]`.
 * Backpressure: the window bounds the items in flight, not the results. Cancellation: `cancel()`
 * and an aborted `signal` return the source, cancel the job and reject at once. Python: `Pool.map`,
 * which makes a list of its input first.
 *
 * @throws ArgumentError `MP_INVALID_ARGUMENT` at once, when `source` is none.
 */
export function collect<T, R>(
  actor: string,
  source: Source<T>,
  backend: Backend<T, R>,
  options: FlowOptions<T> = {},
): Collection<R> {
  checkSource(actor, source);
  return new Collector(source, backend, options);
}

class Collector<T, R> implements Collection<R>, JobSink<R>, FeederOwner, ProgressSource {
  state: FeedState = OPEN;
  onProgress: (() => void) | null = null;
  /** There is always room for a result. */
  readonly starving = true;

  readonly #result = deferred<R[]>();
  readonly #closed = deferred<void>();
  readonly #hub = new ProgressHub();
  readonly #signal: AbortSignal | undefined;
  #unlisten: (() => void) | undefined;
  #results: unknown[] = [];
  readonly #errors: 'fail' | 'skip' | 'settle';
  #job: Job<T> | undefined;
  #feeder: Feeder<T> | undefined;
  #failed = 0;
  #firstError: unknown;

  constructor(source: Source<T>, backend: Backend<T, R>, options: FlowOptions<T>) {
    this.#signal = options.signal;
    this.#errors = options.errors ?? 'fail';
    this.#hub.attach(this);
    this.#begin(source, backend, options);
  }

  #begin(source: Source<T>, backend: Backend<T, R>, options: FlowOptions<T>): void {
    if (this.#signal?.aborted === true) {
      this.#giveUp(this.#signal.reason);
      return;
    }
    if (this.#signal !== undefined) this.#unlisten = onAbort(this.#signal, this.#aborted);
    try {
      this.#job = backend.open(this);
      this.#feeder = new Feeder(source, this.#job, options, this);
    } catch (error) {
      this.#giveUp(error);
      return;
    }
    this.#feeder.start();
  }

  get promise(): Promise<R[]> {
    return this.#result.promise;
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  get progress(): Observable<Progress> {
    return this.#hub.observable;
  }

  cancel(reason: unknown = cancelled()): void {
    this.#giveUp(reason);
  }

  value(index: number, value: R): void {
    if (this.state !== OPEN) return;
    this.#put(index, this.#errors === 'settle' ? { status: 'fulfilled', value } : value);
  }

  error(index: number, error: unknown): void {
    if (this.state !== OPEN) return;
    if (this.#failed++ === 0) this.#firstError = error;
    this.#put(index, this.#errors === 'settle' ? { status: 'rejected', reason: error } : SKIPPED);
  }

  #put(index: number, result: unknown): void {
    const results = this.#results;
    if (index === results.length) results.push(result);
    else {
      while (results.length <= index) results.push(undefined);
      results[index] = result;
    }
    this.#feeder!.gone++;
  }

  flush(): void {
    this.demand();
    this.onProgress?.();
  }

  demand(): void {
    if (this.state !== OPEN) return;
    this.#feeder?.refill();
    this.sourceEnded();
  }

  fail(error: unknown): void {
    this.#giveUp(error);
  }

  /** The source ended, or items settled after it had. */
  sourceEnded(): void {
    const feeder = this.#feeder!;
    if (this.state !== OPEN || !feeder.ended) return;
    if (feeder.failed) {
      void this.#windDown(feeder.error).then(() => this.#result.reject(feeder.error));
      return;
    }
    if (feeder.gone < feeder.admitted) return;
    const results = this.#results;
    this.#finish();
    if (this.#failed === 0 || this.#errors === 'settle') this.#result.resolve(results as R[]);
    else if (this.#errors === 'skip') this.#result.resolve(results.filter((result) => result !== SKIPPED) as R[]);
    else this.#result.reject(this.#firstError);
    this.#closed.resolve();
  }

  snapshot(): Counts {
    const pulled = this.#feeder?.admitted ?? 0;
    const gone = this.#feeder?.gone ?? 0;
    const total = this.#feeder?.total;
    const running = this.state === OPEN ? pulled - gone : 0;
    return {
      pulled,
      running,
      buffered: 0,
      delivered: gone - this.#failed,
      failed: this.#failed,
      ...(total === undefined ? {} : { total }),
    };
  }

  readonly #aborted = (): void => this.#giveUp(this.#signal?.reason);

  #giveUp(reason: unknown): void {
    if (this.state !== OPEN) return;
    this.#result.reject(reason);
    void this.#windDown(reason);
  }

  #windDown(reason: unknown): Promise<void> {
    this.#finish();
    const returned = this.#feeder?.stop(reason);
    void Promise.allSettled([returned, this.#job?.cancel(reason)]).then(() => this.#closed.resolve());
    return this.#closed.promise;
  }

  #finish(): void {
    this.state = ENDED;
    this.#results = [];
    this.#unlisten?.();
    this.onProgress?.();
  }
}
