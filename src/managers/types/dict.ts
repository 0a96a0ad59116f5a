import { inspect } from 'node:util';
import { ArgumentError } from '../../errors/index.js';
import type { PullSource } from '../../streams/index.js';
import { describe } from '../../util/options.js';
import { ChangeLog, type ClearChange, type GapChange, type StateChange, type WatchOptions } from './change-log.js';
import { checkKey, itemsOf, once } from './contents.js';
import { changedDuring, isEmpty, noKey } from './messages.js';
import type { Page } from './page.js';
import { referentOf } from './shared.js';

/** A change of a shared dict, or its present state. */
export type DictChange<K, V> =
  | StateChange<{
      /** All entries, in the order of the keys. */
      readonly entries: readonly (readonly [K, V])[];
    }>
  | {
      /** A key has a new value. */
      readonly type: 'set';
      /** The key, which may be new. */
      readonly key: K;
      /** A copy of the value, unless it is a proxy. */
      readonly value: V;
    }
  | {
      /** A key is gone. */
      readonly type: 'delete';
      /** The key. */
      readonly key: K;
    }
  | ClearChange
  | GapChange;

/**
 * Entries as a dict takes them: pairs, a Map, a plain object, or a shared dict of the same manager.
 */
export type DictSource<K, V> = Iterable<readonly [K, V]> | (K extends string ? Readonly<Record<string, V>> : never);

/**
 * The dict that a manager's `dict()` makes, in the server: a Map with Python's methods beside
 * JavaScript's.
 *
 * Semantics: keys keep the order in which they came. `get` of a missing key gives `undefined`, as a
 * Map's; Python's own names (`pop`, `popitem`) throw. A method runs as a whole before the next one
 * of any client.
 *
 * Python: `SyncManager.dict`. `d[k]` is `get(k)`, `d[k] = v` is `set(k, v)`, `del d[k]` is
 * `delete(k)`, `len(d)` is `size`.
 */
export class ManagedDict<K = unknown, V = unknown> {
  readonly #map = new Map<K, V>();
  readonly #changes = new ChangeLog<DictChange<K, V>>('dict.watch', {
    state: (missed) => ({ type: 'state', entries: [...this.#map], missed }),
    gap: (missed) => ({ type: 'gap', missed }),
  });
  /** Counts the keys that came and went, for iterations. */
  #shape = 0;

  /** @param entries Default: none. @throws ArgumentError. */
  constructor(entries?: DictSource<K, V>) {
    if (entries !== undefined) void this.update(entries);
  }

  /**
   * Returns the value of a key: a copy for the client, unless it is a proxy; `otherwise` (default
   * `undefined`) where there is none.
   */
  get(key: K, otherwise?: V): V | undefined {
    const value = this.#map.get(key);
    return value === undefined && !this.#map.has(key) ? otherwise : value;
  }

  /** Sets the value of a key. @throws ArgumentError `MP_KEY_TYPE` for a key that is an object. */
  set(key: K, value: V): Promise<void> | undefined {
    checkKey('dict.set', key);
    return this.#put(key, value);
  }

  /** Returns whether there is such a key. */
  has(key: K): boolean {
    return this.#map.has(key);
  }

  /** Takes a key out. @returns whether it was there. */
  delete(key: K): boolean | Promise<boolean> {
    return this.#map.has(key) ? once(this.#take(key), true) : false;
  }

  /** How many keys there are. */
  get size(): number {
    return this.#map.size;
  }

  /** All keys, as they are now. */
  keys(): K[] {
    return [...this.#map.keys()];
  }

  /** All values, as they are now. */
  values(): V[] {
    return [...this.#map.values()];
  }

  /** All pairs, as they are now. */
  entries(): [K, V][] {
    return [...this.#map];
  }

  /** Takes all keys out. */
  clear(): Promise<void> | undefined {
    if (this.#map.size === 0) return undefined;
    this.#map.clear();
    this.#shape++;
    return this.#changes.watched ? this.#changes.add({ type: 'clear' }) : undefined;
  }

  /**
   * Takes a key out.
   *
   * @returns its value; where there is none, the second argument. @throws ArgumentError `MP_KEY`
   * for a missing key without a second argument.
   */
  pop(key: K, ...otherwise: [V?]): V | Promise<V> {
    if (!this.#map.has(key)) {
      if (otherwise.length === 0) throw noKey('dict.pop', key);
      return otherwise[0] as V;
    }
    const value = this.#map.get(key) as V;
    return once(this.#take(key), value);
  }

  /** Takes the youngest key out. @returns it and its value. @throws ArgumentError `MP_EMPTY`. */
  popitem(): [K, V] | Promise<[K, V]> {
    const last = [...this.#map].at(-1);
    if (last === undefined) throw isEmpty('dict.popitem', 'dict');
    return once(this.#take(last[0]), last);
  }

  /** Returns the value of a key, which is set to `value` first where there is none. */
  setdefault(key: K, value: V): V | Promise<V> {
    if (this.#map.has(key)) return this.#map.get(key) as V;
    checkKey('dict.setdefault', key);
    return once(this.#put(key, value), value);
  }

  /**
   * Sets many: pairs, those of a Map, of a plain object, or of a shared dict of this manager.
   * @throws ArgumentError; nothing was set then.
   */
  update(entries: DictSource<K, V>): Promise<void> | undefined {
    const pairs = pairsOf<K, V>('dict.update', entries);
    for (const [key] of pairs) checkKey('dict.update', key);
    let wait: Promise<void> | undefined;
    for (const [key, value] of pairs) wait = this.#put(key, value);
    return wait;
  }

  /** All entries, as a plain Map. */
  copy(): Map<K, V> {
    return new Map(this.#map);
  }

  /** Some entries for an iteration that has read `at` of them. @internal */
  page(at: number, count: number, shape?: number): Page<[K, V]> {
    if (shape !== undefined && shape !== this.#shape) throw changedDuring('dict');
    const items: [K, V][] = [];
    let i = 0;
    for (const entry of this.#map) {
      if (i++ < at) continue;
      items.push(entry);
      if (items.length === count) break;
    }
    return { items, shape: this.#shape, done: at + items.length >= this.#map.size };
  }

  /** Returns what it holds, and then each change. */
  watch(options?: WatchOptions): PullSource<DictChange<K, V>> {
    return this.#changes.watch(options);
  }

  /** @internal Its text, see `textOf`. */
  [inspect.custom](): string {
    return inspect(this.#map);
  }

  /** @internal As `Contents`. */
  contents(): Iterable<K> {
    return this.#map.keys();
  }

  #take(key: K): Promise<void> | undefined {
    this.#map.delete(key);
    this.#shape++;
    return this.#changes.watched ? this.#changes.add({ type: 'delete', key }) : undefined;
  }

  #put(key: K, value: V): Promise<void> | undefined {
    const before = this.#map.size;
    this.#map.set(key, value);
    if (this.#map.size !== before) this.#shape++;
    return this.#changes.watched ? this.#changes.add({ type: 'set', key, value }) : undefined;
  }
}

/** Returns the pairs of an argument, all of them looked at before one is used. */
function pairsOf<K, V>(actor: string, source: unknown): (readonly [K, V])[] {
  const shared = referentOf(source);
  if (shared instanceof ManagedDict) return (shared as ManagedDict<K, V>).entries();
  if (typeof source !== 'object' || source === null) {
    throw new ArgumentError(`${actor}: ${describe(source)} has no entries; give pairs, a Map or an object.`, {
      code: 'MP_TYPE',
    });
  }
  if (!(Symbol.iterator in source)) return Object.entries(source) as unknown as [K, V][];
  const pairs = [...itemsOf<readonly [K, V]>(actor, source)];
  for (const pair of pairs) {
    if (!Array.isArray(pair) || pair.length !== 2) {
      throw new ArgumentError(`${actor}: ${describe(pair)} is no pair; give pairs of a key and a value.`, {
        code: 'MP_TYPE',
      });
    }
  }
  return pairs;
}
