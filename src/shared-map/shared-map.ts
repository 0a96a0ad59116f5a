import { ArgumentError, MapFullError, NotOwnerError } from '../errors/index.js';
import { Block, registerShareable } from '../memory/index.js';
import { PendingValue } from '../reduction/index.js';
import { HeldContexts, type Mutex, SharedObject, timedOut } from '../synchronize/index.js';
import { checkFunction, checkNumber, checkOptions } from '../util/options.js';
import { entry } from '../util/package.js';
import { boundsOf, type WaitOptions } from '../util/wait-options.js';
import { copyOf, keyFrom, keyOf, type MapKey } from './key.js';
import { CELL_BYTES, cellsFor, layoutOf, MAX_WORDS, STRIPES } from './layout.js';
import { ANY_STAMP, type FoundEntry, MapMemory, NO_STAMP, Put } from './map-memory.js';
import { decodeValue, decodeValueAsync, type EncodedValue, encodeValue, memoryToRead } from './value.js';

/** How large a {@link SharedMap} is: fixed when it is made. */
export interface SharedMapOptions {
  /** Most entries. At least 1. */
  readonly capacity: number;
  /**
   * Memory for keys and values, in bytes. An entry takes 16 bytes more than its key and its encoded
   * value, rounded up to 64; replacing a value takes the old and the new one for a moment. Default:
   * 1,024 for each entry of `capacity`, at least 1 MiB and at most 1 GiB. Pages that nothing was
   * written to take no memory; others stay with the map, and are used again.
   */
  readonly bytes?: number | undefined;
}

const DEFAULT_ENTRY_BYTES = 1_024;
const MIN_DEFAULT_BYTES = 2 ** 20;
const MAX_DEFAULT_BYTES = 2 ** 30;

/**
 * A map in shared memory, of a fixed size: strings or numbers to values, for processes and threads.
 *
 * Values: whatever can be queued, except shared objects and views of shared memory
 * (`MP_SHARED_IN_MAP`). Each `get` gives a copy of its own: change it and `set` it again, or
 * `update` it. Keys are compared as those of a Map: 1 is not '1', -0 is 0, NaN is itself.
 *
 * Semantics: each `get`, `set`, `has` and `delete` is one step for all who use the map. A reader
 * takes no lock and never sees half a value. Writers take turns for about a microsecond each, and
 * for as long as copying a value takes. `update` is one step too, however long its function takes.
 *
 * Iteration is weakly consistent: a key that is there from its beginning to its end comes exactly
 * once, with a value that it had meanwhile; what is set or deleted meanwhile may come or not. The
 * entries come in no order.
 *
 * Death: a process or thread that is killed at any moment leaves the old or the new value of what it
 * was changing, every other entry, and all memory to the others. One that is stopped (SIGSTOP) within
 * the microsecond in which it changes the map keeps other writers waiting, but no reader.
 *
 * Size: neither entries nor memory grow; what finds no room throws MapFullError `MP_MAP_FULL`, and
 * changes nothing. Memory is not torn into pieces: whatever is free can be used.
 *
 * Python has none; a dict of a manager can do more, and takes a round trip for each call.
 *
 * @example
 * import { Pool, SharedMap } from 'multiprocess';
 *
 * const counts = new SharedMap<string, number>({ capacity: 1_000 });
 * const pool = new Pool({ processes: 2 });
 * const count = async (word: string) => {
 *   await counts.update(word, (before = 0) => before + 1);
 * };
 * await pool.map(count, ['to', 'be', 'or', 'not', 'to', 'be']);
 * console.log([...counts].sort().join(' ')); // be,2 not,1 or,1 to,2
 * await pool.terminate();
 */
export class SharedMap<K extends string | number = string, V = unknown>
  extends SharedObject
  implements Iterable<[K, V]>
{
  readonly #memory: MapMemory;
  /** Held by updates, one for each stripe that has had any here. */
  readonly #locks: (Mutex | undefined)[] = [];
  /** Keys of the updates that run in this thread. */
  readonly #updates = new HeldContexts<string | number>();

  /**
   * An empty map.
   * @throws ArgumentError; MultiprocessError `MP_SYSTEM` without memory or descriptors.
   */
  constructor(options: SharedMapOptions);
  /** @internal */
  constructor(options: SharedMapOptions | Block);
  constructor(options: SharedMapOptions | Block) {
    if (options instanceof Block) {
      super(0, options);
    } else {
      const layout = layoutFor(options);
      super(4 * layout.words, undefined);
      MapMemory.format(this.block, layout);
    }
    this.#memory = new MapMemory(this.block);
  }

  /** Most entries. */
  get capacity(): number {
    return this.#memory.layout.capacity;
  }

  /** Memory for keys and values, in bytes. */
  get bytes(): number {
    return this.#memory.layout.cells * CELL_BYTES;
  }

  /** Entries that are there. */
  get size(): number {
    this.block.check('SharedMap.size');
    return this.#memory.size;
  }

  /**
   * The value of a key; `undefined` where there is none.
   * @throws ArgumentError `MP_TYPE` for what is no key; ClosedError; SerializationError
   * `MP_ASYNC_MODULE`.
   */
  get(key: K): V | undefined {
    this.block.check('SharedMap.get');
    const found = this.#memory.valueOf(keyOf('SharedMap.get', key), memoryToRead);
    return found === null ? undefined : (decodeValue(found) as V);
  }

  /** Whether a key is there. @throws ArgumentError `MP_TYPE`; ClosedError. */
  has(key: K): boolean {
    this.block.check('SharedMap.has');
    return this.#memory.contains(keyOf('SharedMap.has', key));
  }

  /**
   * Sets the value of a key, in one step. Never waits for an update: one that is running for this
   * key runs again, with this value.
   *
   * @throws MapFullError `MP_MAP_FULL`; SerializationError; ArgumentError `MP_TYPE`; NotOwnerError
   * `MP_DEADLOCK` within the function of an update of this key.
   */
  set(key: K, value: V): this {
    this.block.check('SharedMap.set');
    const encoded = encodeValue('SharedMap.set', value);
    const at = keyOf('SharedMap.set', key);
    this.#checkOwnUpdate('SharedMap.set', key);
    this.#put('SharedMap.set', at, encoded, ANY_STAMP);
    return this;
  }

  /**
   * Removes a key: whether it was there. As {@link set}, it waits for no update.
   * @throws ArgumentError `MP_TYPE`; NotOwnerError `MP_DEADLOCK` as {@link set}.
   */
  delete(key: K): boolean {
    this.block.check('SharedMap.delete');
    const at = keyOf('SharedMap.delete', key);
    this.#checkOwnUpdate('SharedMap.delete', key);
    return this.#memory.remove(at);
  }

  /**
   * Removes all entries, in one step but for who iterates, or for a death in between, which leaves a
   * part of them.
   * @throws NotOwnerError `MP_DEADLOCK` within the function of an update.
   */
  clear(): void {
    this.block.check('SharedMap.clear');
    this.#checkOwnUpdate('SharedMap.clear', undefined);
    this.#memory.clear();
  }

  /**
   * Changes the value of a key in one step: no other update of it comes in between, in any process,
   * and if it is set or deleted meanwhile, `fn` runs again with what is there then.
   *
   * Updates of one key wait for each other in turn, as acquirers of a `Lock` do, and so do those of
   * some other keys (one in 64). What dies within `fn` leaves the old value.
   *
   * @param fn Gets the value (`undefined` where there is none) and the key, and returns the new one,
   * or a promise of it. If it throws, the old value stays. It must not update this map, nor set or
   * delete this key (`MP_DEADLOCK`).
   * @returns what `fn` returned last. Rejects with what `fn` throws, and with `signal.reason`.
   * @throws TimeoutError `MP_TIMEOUT` when its turn did not come in time; MapFullError
   * `MP_MAP_FULL`; SerializationError; NotOwnerError `MP_DEADLOCK`.
   */
  async update(key: K, fn: (value: V | undefined, key: K) => V | PromiseLike<V>, options?: WaitOptions): Promise<V> {
    const actor = 'SharedMap.update';
    checkFunction(actor, 'fn', fn);
    const bounds = boundsOf(actor, options);
    this.block.check(actor);
    const at = copyOf(keyOf(actor, key));
    if (this.#updates.callers().length > 0)
      throw withinUpdate(actor, 'an update', 'call it after that one, or put both changes into one value');
    const lock = this.#lockOf(at.hash);
    const taking = lock.acquire(actor, bounds);
    if (taking !== null && !(await taking)) throw timedOut(actor, bounds, 'set()');
    this.block.check(actor);
    lock.recover();
    const entered = this.#updates.enter(key);
    try {
      for (;;) {
        const found = this.#memory.valueOf(at);
        const decoded = found === null ? undefined : decodeValueAsync(found);
        const before = (decoded instanceof PendingValue ? await decoded.ready : decoded) as V | undefined;
        const value = await entered.run(() => fn(before, key));
        this.block.check(actor);
        // In a copy of the program, which has this update too: it goes on where it began.
        if (!lock.ownedHere) await new Promise(() => {});
        if (this.#put(actor, at, encodeValue(actor, value), found?.stamp ?? NO_STAMP)) return value;
      }
    } finally {
      entered.leave();
      if (!this.block.closed && lock.ownedHere) lock.release(actor);
    }
  }

  /** The keys. Weakly consistent, see the class. */
  *keys(): IterableIterator<K> {
    for (const found of this.#entries('SharedMap.keys', false)) yield keyFrom(found.header, found.key) as K;
  }

  /** The values. Weakly consistent, see the class. */
  *values(): IterableIterator<V> {
    for (const { value } of this.#entries('SharedMap.values', true)) yield decodeValue(value!) as V;
  }

  /** Keys and values. Weakly consistent, see the class. */
  *entries(): IterableIterator<[K, V]> {
    for (const { header, key, value } of this.#entries('SharedMap.entries', true))
      yield [keyFrom(header, key) as K, decodeValue(value!) as V];
  }

  /** As {@link entries}. */
  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entries();
  }

  /** Ends the use of the map in this thread, its updates too. Others are not affected. */
  override close(): void {
    if (!this.block.closed) {
      for (const lock of this.#locks) if (lock?.ownedHere === true) lock.release('SharedMap.close');
    }
    super.close();
  }

  /** `<SharedMap(size=2, capacity=1000)>`. */
  protected override shown(): string {
    return `<SharedMap(size=${this.size}, capacity=${this.capacity})>`;
  }

  *#entries(actor: string, withValue: boolean): Generator<FoundEntry, void> {
    this.block.check(actor);
    for (let i = 0; i < this.#memory.entriesUsed; i++) {
      const found = this.#memory.entryAt(i, withValue);
      if (found === null) continue;
      yield found;
      this.block.check(actor);
    }
  }

  /** Whether it was put; `false`: something else was put or removed first. */
  #put(actor: string, key: MapKey, { words, bytes }: EncodedValue, expected: number): boolean {
    const put = this.#memory.put(key, words, bytes, expected);
    if (put === Put.NoEntry) {
      throw new MapFullError(
        `${actor}: the map is full: it has ${this.capacity} entries, its \`capacity\`; delete some, or make it with a larger \`capacity\`.`,
      );
    }
    if (put === Put.NoCells) {
      const wanted = cellsFor(key.words, bytes) * CELL_BYTES;
      const free = this.#memory.freeCells * CELL_BYTES;
      throw new MapFullError(
        `${actor}: the map has no room: the entry takes ${wanted} bytes, and ${free} of its ${this.bytes} are free; delete some entries, or make it with more \`bytes\`.`,
      );
    }
    return put === Put.Done;
  }

  #lockOf(hash: number): Mutex {
    const stripe = (hash >>> 8) & (STRIPES - 1);
    this.#locks[stripe] ??= this.#memory.lock(stripe);
    return this.#locks[stripe];
  }

  /** @throws NotOwnerError within the function of an update of the key, or of any. */
  #checkOwnUpdate(actor: string, key: K | undefined): void {
    const within = this.#updates.callers();
    if (within.some((own) => key === undefined || own === key || Object.is(own, key)))
      throw withinUpdate(actor, 'an update of the same key', 'return the new value from there instead');
  }
}

function withinUpdate(actor: string, what: string, repair: string): NotOwnerError {
  return new NotOwnerError(`${actor}: called within the function of ${what}, which would never end; ${repair}.`, {
    code: 'MP_DEADLOCK',
  });
}

function layoutFor(options: SharedMapOptions) {
  const actor = 'SharedMap';
  if (options === undefined)
    throw new ArgumentError(`${actor}: \`capacity\` is missing; pass { capacity: n }, the most entries it may have.`);
  checkOptions(actor, options, ['capacity', 'bytes'], { number: 'capacity' });
  const { capacity } = options;
  if (capacity === undefined)
    throw new ArgumentError(`${actor}: \`capacity\` is missing; give the most entries it may have.`);
  checkNumber(actor, 'capacity', capacity, { integer: true, min: 1 });
  checkNumber(actor, 'bytes', options.bytes, { integer: true, min: 1 });
  const usual = Math.min(Math.max(DEFAULT_ENTRY_BYTES * capacity, MIN_DEFAULT_BYTES), MAX_DEFAULT_BYTES);
  // Room for each entry in any case.
  const bytes = options.bytes ?? Math.max(usual, CELL_BYTES * capacity);
  const layout = layoutOf(capacity, Math.ceil(bytes / CELL_BYTES));
  if (layout.words > MAX_WORDS) {
    throw new ArgumentError(
      `${actor}: \`capacity\` ${capacity} and \`bytes\` ${bytes} take ${4 * layout.words} bytes in all; at most ${4 * MAX_WORDS} can be.`,
    );
  }
  return layout;
}

registerShareable('SharedMap', {
  module: entry('shared-map/index'),
  class: SharedMap,
  toHandle: SharedObject.toHandle,
  closed: SharedObject.isClosed,
});
