import { from, type Observable, type OperatorFunction } from 'rxjs';
import {
  checkOverflow,
  checkSource,
  DONE,
  FAILED,
  MORE,
  type Overflow,
  openSource,
  type PullReader,
  type ReadState,
  type Source,
  streamOf,
  WAIT,
} from '../streams/index.js';
import { checkFunction, checkNumber, checkOptions } from '../util/options.js';
import { MapReader, SKIP } from './map-reader.js';
import { MergeReader } from './merge-reader.js';

/** How many items an operator works on at a time. */
export interface ConcurrencyOptions {
  /** Items under way at a time, at least 1. */
  readonly concurrency?: number | undefined;
}

/**
 * Items that an Observable which cannot be paused may be ahead, where no `overflow` says otherwise.
 */
const AHEAD = 1_024;

/**
 * Returns what opens a source of any kind to be pulled.
 * @throws ArgumentError `MP_INVALID_ARGUMENT` when it is none.
 */
function reading<T>(actor: string, source: Source<T>, overflow?: Overflow<T>): (wake: () => void) => PullReader<T> {
  checkSource(actor, source);
  return (wake) => openSource(source, { wake, capacity: () => AHEAD, overflow });
}

/**
 * As rxjs `map`, awaiting what `fn` promises, with the source pulled as results are taken.
 *
 * Semantics: results come in the order of the source. The first error ends the stream, after the
 * results before it. Backpressure: at most `concurrency` items (default 1) are mapped and not
 * taken. A source that can be pulled is pulled; an Observable that runs more than 1,024 items ahead
 * fails with StreamOverflowError (see {@link bounded}). Cancellation: leaving the stream returns
 * the source; calls under way are left to finish.
 *
 * @throws ArgumentError `MP_INVALID_ARGUMENT`, `MP_UNKNOWN_OPTION`.
 * @example
 * import { Pool } from 'multiprocess';
 * import { mapPull } from 'multiprocess/operators';
 *
 * await using pool = new Pool({ processes: 1 });
 * const stored = pool.imap((n: number) => n * n, [1, 2, 3]).pipe(mapPull(async (square) => `row ${square}`));
 * await stored.forEach((row) => console.log(row)); // row 1 row 4 row 9
 */
export function mapPull<T, R>(
  fn: (item: T, index: number) => R | PromiseLike<R>,
  options?: ConcurrencyOptions,
): OperatorFunction<T, R> {
  checkFunction('mapPull', 'fn', fn);
  const concurrency = concurrencyOf('mapPull', options, 1);
  return (source) => {
    const open = reading('mapPull', source);
    return streamOf<R>((wake) => {
      let index = 0;
      return new MapReader<T, R>(open, (item) => fn(item, index++), concurrency, wake);
    });
  };
}

/**
 * As rxjs `filter`, awaiting what `predicate` promises, with the source pulled. Otherwise as {@link
 * mapPull}.
 * @example
 * import { Pool } from 'multiprocess';
 * import { filterPull } from 'multiprocess/operators';
 *
 * await using pool = new Pool({ processes: 1 });
 * const even = pool.imap((n: number) => n * n, [1, 2, 3, 4]).pipe(filterPull((square) => square % 2 === 0));
 * await even.forEach((square) => console.log(square)); // 4 16
 */
export function filterPull<T>(
  predicate: (item: T, index: number) => unknown,
  options?: ConcurrencyOptions,
): OperatorFunction<T, T> {
  checkFunction('filterPull', 'predicate', predicate);
  const concurrency = concurrencyOf('filterPull', options, 1);
  return (source) => {
    const open = reading('filterPull', source);
    return streamOf<T>((wake) => {
      let index = 0;
      const choose = (item: T): PromiseLike<T | typeof SKIP> | T | typeof SKIP => {
        const chosen = predicate(item, index++);
        if (typeof (chosen as PromiseLike<unknown> | null)?.then !== 'function') return chosen ? item : SKIP;
        return (chosen as PromiseLike<unknown>).then((yes) => (yes ? item : SKIP));
      };
      return new MapReader<T, T>(open, choose, concurrency, wake);
    });
  };
}

/**
 * As rxjs `take`: the first `count` items; the source is returned with the last of them, and read
 * no further.
 * @example
 * import { Pool } from 'multiprocess';
 * import { takePull } from 'multiprocess/operators';
 *
 * function* naturals() {
 *   for (let n = 1; ; n++) yield n;
 * }
 * await using pool = new Pool({ processes: 1 });
 * const first = pool.imap((n: number) => n * n, naturals()).pipe(takePull(3));
 * await first.forEach((square) => console.log(square)); // 1 4 9
 */
export function takePull<T>(count: number): OperatorFunction<T, T> {
  checkNumber('takePull', 'count', count, { integer: true, infinite: true });
  return (source) => {
    const open = reading<T>('takePull', source);
    return streamOf<T>((wake) => new TakeReader(count, open, wake));
  };
}

/**
 * Arrays of `size` items, the last one perhaps shorter.
 *
 * Backpressure: up to `size` items are read ahead of what is taken. Cancellation: an array that is
 * not full is dropped when the stream is left.
 * @example
 * import { Pool } from 'multiprocess';
 * import { batchPull } from 'multiprocess/operators';
 *
 * await using pool = new Pool({ processes: 1 });
 * const batches = pool.imap((n: number) => n * n, [1, 2, 3, 4, 5]).pipe(batchPull(2));
 * await batches.forEach((batch) => console.log(batch)); // [ 1, 4 ] [ 9, 16 ] [ 25 ]
 */
export function batchPull<T>(size: number): OperatorFunction<T, T[]> {
  checkNumber('batchPull', 'size', size, { integer: true, min: 1 });
  return (source) => {
    const open = reading<T>('batchPull', source);
    return streamOf<T[]>((wake) => new BatchReader(size, open(wake)));
  };
}

/**
 * As rxjs `concatMap`: the items of the source that `fn` returns for each item, one source after
 * the other, each pulled. A promise is a source of one item.
 * @example
 * import { Pool } from 'multiprocess';
 * import { concatMapPull } from 'multiprocess/operators';
 *
 * await using pool = new Pool({ processes: 1 });
 * const words = pool.imap((line: string) => line.split(' '), ['a b', 'c']).pipe(concatMapPull((list) => list));
 * await words.forEach((word) => console.log(word)); // a b c
 */
export function concatMapPull<T, R>(
  fn: (item: T, index: number) => Source<R> | PromiseLike<R>,
): OperatorFunction<T, R> {
  checkFunction('concatMapPull', 'fn', fn);
  return merging('concatMapPull', fn, 1);
}

/**
 * As rxjs `mergeMap`, with up to `concurrency` (default 4) inner sources open at a time, each
 * pulled, one item of each in turn. A promise is a source of one item.
 * @example
 * import { Pool } from 'multiprocess';
 * import { mergeMapPull } from 'multiprocess/operators';
 *
 * await using pool = new Pool({ processes: 1 });
 * const pages = pool
 *   .imap((n: number) => n + 1, [1, 2])
 *   .pipe(mergeMapPull(async (n) => `page ${n}`, { concurrency: 2 }));
 * const seen: string[] = [];
 * await pages.forEach((page) => void seen.push(page));
 * console.log(seen.sort()); // [ 'page 2', 'page 3' ]
 */
export function mergeMapPull<T, R>(
  fn: (item: T, index: number) => Source<R> | PromiseLike<R>,
  options?: ConcurrencyOptions,
): OperatorFunction<T, R> {
  checkFunction('mergeMapPull', 'fn', fn);
  return merging('mergeMapPull', fn, concurrencyOf('mergeMapPull', options, 4));
}

function merging<T, R>(
  actor: string,
  fn: (item: T, index: number) => Source<R> | PromiseLike<R>,
  concurrency: number,
): OperatorFunction<T, R> {
  return (source) => {
    const open = reading(actor, source);
    return streamOf<R>((wake) => {
      let index = 0;
      return new MergeReader<T, R>(
        open,
        (item, inner) => reading(actor, innerSource(fn(item, index++)))(inner),
        concurrency,
        wake,
      );
    });
  };
}

/** What `fn` returned: a promise is a source of one item. */
function innerSource<R>(returned: Source<R> | PromiseLike<R>): Source<R> {
  return typeof (returned as PromiseLike<R> | null | undefined)?.then === 'function'
    ? from(returned as PromiseLike<R>)
    : (returned as Source<R>);
}

/**
 * A push source as one that can be pulled: what it emits before it is asked for waits, and
 * `overflow` says how much may.
 *
 * @throws ArgumentError `MP_INVALID_ARGUMENT`, `MP_UNKNOWN_OPTION`.
 * @example
 * import { Pool } from 'multiprocess';
 * import { bounded, poolMap } from 'multiprocess/operators';
 * import { range } from 'rxjs';
 *
 * await using pool = new Pool({ processes: 1 });
 * const newest = range(1, 1_000).pipe(bounded({ policy: 'drop-oldest', capacity: 2 }), poolMap(pool, (n) => n));
 * await newest.forEach((n) => console.log(n)); // 999 1000
 */
export function bounded<T>(overflow: Overflow<T>): OperatorFunction<T, T> {
  checkOverflow('bounded', overflow);
  return (source: Observable<T>) => streamOf<T>(reading<T>('bounded', source, overflow));
}

function concurrencyOf(actor: string, options: ConcurrencyOptions | undefined, standard: number): number {
  checkOptions(actor, options, ['concurrency'], { number: 'concurrency' });
  return checkNumber(actor, 'concurrency', options?.concurrency, { min: 1, integer: true, infinite: true }) ?? standard;
}

class TakeReader<T> implements PullReader<T> {
  readonly #source: PullReader<T> | null;
  #left: number;

  constructor(count: number, open: (wake: () => void) => PullReader<T>, wake: () => void) {
    this.#left = count;
    this.#source = count === 0 ? null : open(wake);
  }

  get error(): unknown {
    return this.#source?.error;
  }

  start(): void {
    this.#source?.start?.();
  }

  read(into: T[], max: number): ReadState {
    if (this.#source === null) return DONE;
    const before = into.length;
    const state = this.#source.read(into, Math.min(max, this.#left));
    this.#left -= into.length - before;
    if (state === DONE || state === FAILED || this.#left > 0) return state;
    this.#source.cancel().catch(() => {});
    return DONE;
  }

  async cancel(reason?: unknown): Promise<void> {
    await this.#source?.cancel(reason);
  }
}

class BatchReader<T> implements PullReader<T[]> {
  readonly #size: number;
  readonly #source: PullReader<T>;
  #batch: T[] = [];
  #over: typeof DONE | typeof FAILED | null = null;

  constructor(size: number, source: PullReader<T>) {
    this.#size = size;
    this.#source = source;
  }

  get error(): unknown {
    return this.#source.error;
  }

  start(): void {
    this.#source.start?.();
  }

  read(into: T[][], max: number): ReadState {
    for (let had = 0; had < max; ) {
      if (this.#over === null) {
        const state = this.#source.read(this.#batch, this.#size - this.#batch.length);
        if (state === DONE || state === FAILED) this.#over = state;
        else if (state === WAIT && this.#batch.length < this.#size) return WAIT;
      }
      if (this.#batch.length === 0) return this.#over as typeof DONE;
      if (this.#batch.length < this.#size && this.#over === null) continue;
      into.push(this.#batch);
      this.#batch = [];
      had++;
      if (this.#over !== null) return this.#over;
    }
    return MORE;
  }

  async cancel(reason?: unknown): Promise<void> {
    if (this.#over === null) await this.#source.cancel(reason);
  }
}
