/**
 * Progress of the latest execution, multicast and sampled: at once, then at most every 50 ms while
 * items flow, and a last time when the execution finishes. An execution nobody watches has
 * `onProgress === null` and pays one comparison a batch.
 */
import { Observable, Subject, type Subscriber } from 'rxjs';
import { clearTimeout, performance, setTimeout } from '../../util/timers.js';
import { type Counts, OPEN, type Progress } from '../feeds/feed.js';
import { inOwnContext } from '../feeds/own-context.js';
import { Rate } from './rate.js';

/** Milliseconds between two samples. */
const SAMPLE_INTERVAL_MS = 50;

/** What can be watched. */
export interface ProgressSource {
  /** 0 while it runs. */
  readonly state: number;
  onProgress: (() => void) | null;
  snapshot(): Counts;
}

/** Connects the watchers of one stream with its executions. */
export class ProgressHub {
  /** Emits samples of the execution under way (or the next one) and completes with it. */
  readonly observable: Observable<Progress>;
  #subject = new Subject<Progress>();
  #watched: ProgressSource | undefined;
  #rate = new Rate();
  #last = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor() {
    this.observable = inOwnContext(new Observable((subscriber) => this.#watch(subscriber)));
  }

  /** A new execution begins; it is the one that is watched from here on. */
  attach(watched: ProgressSource): void {
    if (this.#watched !== undefined) this.#watched.onProgress = null;
    this.#watched = watched;
    this.#rate = new Rate();
    this.#last = Number.NEGATIVE_INFINITY;
    if (this.#subject.observed) watched.onProgress = this.#touch;
  }

  #watch(subscriber: Subscriber<Progress>): () => void {
    const watched = this.#watched;
    if (watched !== undefined && watched.state === OPEN) {
      subscriber.next(this.#look(watched));
      watched.onProgress = this.#touch;
    }
    const subject = this.#subject;
    const subscription = subject.subscribe(subscriber);
    return () => {
      subscription.unsubscribe();
      if (subject !== this.#subject || subject.observed) return;
      this.#quiet();
      if (this.#watched !== undefined) this.#watched.onProgress = null;
    };
  }

  readonly #touch = (): void => {
    const watched = this.#watched!;
    if (watched.state !== OPEN) {
      this.#finish(watched);
      return;
    }
    const wait = this.#last + SAMPLE_INTERVAL_MS - performance.now();
    if (wait <= 0) this.#sample();
    else this.#timer ??= setTimeout(this.#sample, wait).unref();
  };

  readonly #sample = (): void => {
    this.#quiet();
    this.#last = performance.now();
    this.#subject.next(this.#look(this.#watched!));
  };

  #look(watched: ProgressSource): Progress {
    const counts = watched.snapshot();
    const settled = counts.pulled - counts.running;
    const rate = this.#rate.measure(settled);
    if (counts.total === undefined) return { ...counts, rate };
    const left = counts.total - settled;
    // What ended before all was done will not be done.
    if (left > 0 && (rate === 0 || watched.state !== OPEN)) return { ...counts, rate };
    return { ...counts, rate, eta: left <= 0 ? 0 : (1000 * left) / rate };
  }

  #finish(watched: ProgressSource): void {
    this.#quiet();
    watched.onProgress = null;
    this.#watched = undefined;
    const subject = this.#subject;
    this.#subject = new Subject();
    subject.next(this.#look(watched));
    subject.complete();
  }

  #quiet(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
