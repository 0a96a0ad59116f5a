/**
 * What has changed in a shared object, for those who watch it: one list of changes, and a cursor
 * for each watcher.
 *
 *   #changes   [ first … end )     what the slowest watcher may still read
 *   watcher    at                  number of the next change it reads; first <= at <= end, or it has lagged
 *              fresh               it has to be told the present state first
 *
 * Invariant: a watcher is told the state as it is when it reads, and then every change after that,
 * in order; where its policy lets it miss some, what it reads next says so. A change that nobody
 * watches costs a comparison.
 *
 * Bound: a watcher holds back at most `maxSize` changes of the list; with `lag: 'block'` also those
 * whose writers wait for it.
 */
import { ArgumentError, StreamOverflowError } from '../../errors/index.js';
import type { Lag } from '../../queues/index.js';
import { DONE, FAILED, MORE, PULL, type PullSource, type ReadState, WAIT } from '../../streams/index.js';
import { type Deferred, deferred } from '../../util/deferred.js';
import { checkNumber, checkOptions, describe } from '../../util/options.js';
import { performance, setImmediate, setTimeout } from '../../util/timers.js';
import { SharedBatch, type SharedReader } from '../server/shared-batch.js';

/** Batches for clients end where the number of the next change is a multiple of this. */
const BATCH_ALIGNMENT = 256;
/** Milliseconds between two wake-ups while changes come without a pause. */
const WAKE_INTERVAL_MS = 1;
/** Encoded batches that are kept. */
const MAX_BATCHES = 32;

/** What a watcher does that does not keep up. */
export interface WatchOptions {
  /**
   * What happens when more than `maxSize` changes wait for the watcher. `'latest'` (default): it is
   * told the present state instead of them. `'drop-oldest'`: it misses the oldest. `'error'`: it
   * ends with StreamOverflowError `MP_WATCH_LAG`. `'block'`: methods that change the object answer
   * only once it has caught up.
   */
  readonly lag?: Lag | undefined;
  /** Changes that may wait for the watcher in the server. Default 1024. */
  readonly maxSize?: number | undefined;
}

/**
 * The present state among a watcher's changes: its first item, and what replaces changes that it
 * was too slow for.
 */
export type StateChange<S extends object> = S & {
  /** Tells it from changes. */
  readonly type: 'state';
  /** How many changes it replaces that the watcher was not told. */
  readonly missed: number;
};

/** All was taken out. */
export interface ClearChange {
  /** Tells it from other changes. */
  readonly type: 'clear';
}

/** With `lag: 'drop-oldest'`: changes before the next one were lost. */
export interface GapChange {
  /** Tells it from changes. */
  readonly type: 'gap';
  /** How many were lost. */
  readonly missed: number;
}

const LAGS: readonly Lag[] = ['latest', 'drop-oldest', 'error', 'block'];
const DEFAULT_MAX_SIZE = 1024;
/** Changes behind the slowest watcher that are kept rather than moved. */
const MAX_READ_CHANGES = 1024;

/** How the items are made that are no changes. */
export interface WatchItems<C> {
  /**
   * Returns the present state; `missed`: how many changes it stands for that the watcher was not
   * told.
   */
  state(missed: number): C;
  /** Says that `missed` changes are lost; absent where nobody needs to know. */
  gap?(missed: number): C;
}

export class ChangeLog<C> {
  readonly #actor: string;
  readonly #items: WatchItems<C>;
  readonly #watchers = new Set<Watcher<C>>();
  #changes: C[] = [];
  #first = 0;
  /** Watchers that have read everything. */
  #sleeping: Watcher<C>[] = [];
  #waking = false;
  /** When watchers were woken last. */
  #woken = Number.NEGATIVE_INFINITY;
  #blocking = 0;
  /** Batches that were read last, by the number of their first change. */
  readonly #batches = new Map<number, SharedBatch>();

  /** @param actor Who watches, in messages: `ManagedDict.watch`. */
  constructor(actor: string, items: WatchItems<C>) {
    this.#actor = actor;
    this.#items = items;
  }

  /** Whether anybody watches: whether a change has to be described at all. */
  get watched(): boolean {
    return this.#watchers.size > 0;
  }

  /** Number of the change that comes next. @internal */
  get end(): number {
    return this.#first + this.#changes.length;
  }

  /**
   * Tells the watchers.
   * @returns what a writer waits for: `undefined`, unless a watcher with `lag: 'block'` is too far
   * behind.
   */
  add(change: C): Promise<void> | undefined {
    if (this.#watchers.size === 0) return undefined;
    this.#changes.push(change);
    if (this.#sleeping.length > 0) this.#wakeSoon();
    if (this.#changes.length >= 2 * MAX_READ_CHANGES) this.#trim();
    return this.room();
  }

  /** Returns what a writer waits for. */
  room(): Promise<void> | undefined {
    if (this.#blocking === 0) return undefined;
    const waits: Promise<void>[] = [];
    for (const watcher of this.#watchers) {
      const room = watcher.room();
      if (room !== undefined) waits.push(room);
    }
    return waits.length === 0 ? undefined : Promise.all(waits).then(() => {});
  }

  /**
   * Returns a source of the present state and what follows; each reading is a watcher.
   * @throws ArgumentError.
   */
  watch(options?: WatchOptions): PullSource<C> {
    checkOptions(this.#actor, options, ['lag', 'maxSize']);
    const lag = options?.lag ?? 'latest';
    if (!LAGS.includes(lag)) {
      throw new ArgumentError(
        `${this.#actor}: \`lag\` must be one of ${LAGS.map((one) => `'${one}'`).join(', ')}, not ${describe(lag)}.`,
      );
    }
    const maxSize =
      checkNumber(this.#actor, 'maxSize', options?.maxSize, { integer: true, min: 1 }) ?? DEFAULT_MAX_SIZE;
    return { [PULL]: (wake) => this.#open(new Watcher(this, this.#actor, this.#items, lag, maxSize, wake)) };
  }

  #open(watcher: Watcher<C>): Watcher<C> {
    this.#watchers.add(watcher);
    if (watcher.lag === 'block') this.#blocking++;
    return watcher;
  }

  /** @internal */
  close(watcher: Watcher<C>): void {
    if (!this.#watchers.delete(watcher)) return;
    if (watcher.lag === 'block') this.#blocking--;
    if (this.#watchers.size > 0) return;
    this.#first = this.end;
    this.#changes = [];
    this.#batches.clear();
  }

  /** @internal */
  sleep(watcher: Watcher<C>): void {
    this.#sleeping.push(watcher);
  }

  /** Appends changes from number `at` on. @internal */
  copy(at: number, count: number, into: C[]): void {
    const from = at - this.#first;
    for (let i = from; i < from + count; i++) into.push(this.#changes[i] as C);
  }

  /**
   * Returns the changes from number `at` on, one object for all who read the same ones: up to the
   * next multiple of {@link BATCH_ALIGNMENT}, so that watchers that have fallen apart come together
   * again.
   * @internal
   */
  batch(at: number, most: number): SharedBatch {
    const count = Math.min(most, this.end - at, BATCH_ALIGNMENT - (at % BATCH_ALIGNMENT));
    const known = this.#batches.get(at);
    if (known !== undefined && known.items.length === count) return known;
    const items: C[] = [];
    this.copy(at, count, items);
    const batch = new SharedBatch(items);
    this.#batches.set(at, batch);
    if (this.#batches.size > MAX_BATCHES) this.#batches.delete(this.#batches.keys().next().value as number);
    return batch;
  }

  /**
   * Those who sleep are woken together, once what runs now and what is ready to run has made its
   * changes; while changes come without a pause, once a millisecond: to wake a process costs more
   * than to tell it of a change.
   */
  #wakeSoon(): void {
    if (this.#waking) return;
    this.#waking = true;
    if (performance.now() - this.#woken >= WAKE_INTERVAL_MS) setImmediate(this.#wake);
    else setTimeout(this.#wake, WAKE_INTERVAL_MS);
  }

  readonly #wake = (): void => {
    this.#waking = false;
    this.#woken = performance.now();
    const asleep = this.#sleeping;
    this.#sleeping = [];
    for (const watcher of asleep) watcher.wake();
  };

  /** Forgets what all have read, or may miss. */
  #trim(): void {
    let kept = this.end;
    for (const watcher of this.#watchers) kept = Math.min(kept, watcher.needs);
    const passed = kept - this.#first;
    if (passed < MAX_READ_CHANGES || 2 * passed < this.#changes.length) return;
    this.#changes = this.#changes.slice(passed);
    this.#first = kept;
  }
}

const NONE = Symbol('none');

/** One reading of the changes. */
class Watcher<C> implements SharedReader<C> {
  error: unknown = undefined;
  readonly lag: Lag;
  readonly wake: () => void;
  readonly #log: ChangeLog<C>;
  readonly #actor: string;
  readonly #items: WatchItems<C>;
  readonly #maxSize: number;
  #at: number;
  #fresh = true;
  #over = false;
  #room: Deferred<void> | null = null;

  constructor(log: ChangeLog<C>, actor: string, items: WatchItems<C>, lag: Lag, maxSize: number, wake: () => void) {
    this.#log = log;
    this.#actor = actor;
    this.#items = items;
    this.lag = lag;
    this.#maxSize = maxSize;
    this.wake = () => {
      if (!this.#over) wake();
    };
    this.#at = log.end;
  }

  /** Number of the first change that it may still want. */
  get needs(): number {
    if (this.#fresh) return this.#log.end;
    return this.lag === 'block' ? this.#at : Math.max(this.#at, this.#log.end - this.#maxSize - 1);
  }

  /** Returns what a writer waits for, if this watcher holds it up. */
  room(): Promise<void> | undefined {
    if (this.lag !== 'block' || this.#behind() <= this.#maxSize) return undefined;
    this.#room ??= deferred<void>();
    return this.#room.promise;
  }

  read(into: C[], max: number): ReadState {
    if (this.#over) return this.error === undefined ? DONE : FAILED;
    const item = this.#catchUp();
    if (this.#over) return FAILED;
    if (item !== NONE) into.push(item as C);
    const count = Math.min(item === NONE ? max : max - 1, this.#behind());
    if (count > 0) this.#log.copy(this.#at, count, into);
    return this.#passed(count, count + (item === NONE ? 0 : 1) === max);
  }

  readShared(max: number): { batch: SharedBatch | null; state: ReadState } {
    if (this.#over) return { batch: null, state: this.error === undefined ? DONE : FAILED };
    const item = this.#catchUp();
    if (this.#over) return { batch: null, state: FAILED };
    // What replaces changes is this watcher's own.
    if (item !== NONE) return { batch: new SharedBatch([item]), state: MORE };
    if (this.#behind() === 0) return { batch: null, state: this.#passed(0, false) };
    const batch = this.#log.batch(this.#at, max);
    return {
      batch,
      state: this.#passed(batch.items.length, this.#behind() > batch.items.length || batch.items.length === max),
    };
  }

  /**
   * Returns what it is told in place of changes: the state at first, or what its policy says when
   * it has lagged; NONE in general.
   */
  #catchUp(): C | typeof NONE {
    const behind = this.#behind();
    if (this.#fresh || (this.lag === 'latest' && behind > this.#maxSize)) {
      const item = this.#items.state(this.#fresh ? 0 : behind);
      this.#fresh = false;
      this.#at = this.#log.end;
      return item;
    }
    if (behind <= this.#maxSize || this.lag === 'block') return NONE;
    if (this.lag === 'drop-oldest') {
      const missed = behind - this.#maxSize;
      this.#at += missed;
      return this.#items.gap === undefined ? NONE : this.#items.gap(missed);
    }
    this.#end();
    this.error = new StreamOverflowError(
      `${this.#actor}: the watcher is ${behind} changes behind; read faster, give it a larger \`maxSize\`, or choose another \`lag\`.`,
      { code: 'MP_WATCH_LAG' },
    );
    return NONE;
  }

  /** So many changes were read. @param more Whether the reader may go on at once. */
  #passed(count: number, more: boolean): ReadState {
    this.#at += count;
    if (this.#room !== null && this.#behind() <= this.#maxSize) this.#makeRoom();
    if (more) return MORE;
    this.#log.sleep(this);
    return WAIT;
  }

  cancel(): Promise<void> {
    this.#end();
    return Promise.resolve();
  }

  /** Changes that it has not read; none while it is to be told the state. */
  #behind(): number {
    return this.#fresh ? 0 : this.#log.end - this.#at;
  }

  #end(): void {
    this.#over = true;
    this.#log.close(this);
    this.#makeRoom();
  }

  #makeRoom(): void {
    this.#room?.resolve();
    this.#room = null;
  }
}
