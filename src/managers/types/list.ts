import { inspect } from 'node:util';
import { ArgumentError } from '../../errors/index.js';
import type { PullSource } from '../../streams/index.js';
import { checkBoolean, checkFunction, checkNumber, checkOptions } from '../../util/options.js';
import { ChangeLog, type GapChange, type StateChange, type WatchOptions } from './change-log.js';
import { itemsOf, once, same } from './contents.js';
import { isEmpty, notInList, outOfRange } from './messages.js';
import type { Page } from './page.js';

/** A change of a shared list, or its present state. */
export type ListChange<T> =
  | StateChange<{
      /** All items. A list that was sorted or reversed is told of this way too. */
      readonly items: readonly T[];
    }>
  | {
      /** An item was replaced. */
      readonly type: 'set';
      /** Its index. */
      readonly index: number;
      /** A copy of the new item, unless it is a proxy. */
      readonly value: T;
    }
  | {
      /** Items went or came. */
      readonly type: 'splice';
      /** Index of the first of them. */
      readonly index: number;
      /** How many went. */
      readonly removed: number;
      /** Those that came in their place. */
      readonly items: readonly T[];
    }
  | GapChange;

/** Items that `repeat` makes at most: V8 grows an array of more in steps of seconds, or ends. */
const MOST_ITEMS = 2 ** 26;

/** How a list is sorted. */
export interface SortOptions<T> {
  /** What to compare of an item. Default: the item. Runs in the server. */
  readonly key?: ((item: T) => unknown) | undefined;
  /** Largest first. Default `false`. */
  readonly reverse?: boolean | undefined;
}

/**
 * The list that a manager's `list()` makes, in the server: an array with Python's methods beside
 * JavaScript's.
 *
 * Semantics: negative indices count from the end. What does not exist throws under Python's names
 * (`get`, `set`, `pop`, `remove`, `index`) and answers `undefined`, `-1` or `false` under
 * JavaScript's (`at`, `indexOf`, `includes`). Items are equal by value. A method runs as a whole
 * before the next one of any client.
 *
 * Python: `SyncManager.list`. `a[i]` is `get(i)`, `del a[i]` is `delete(i)`, `a[i:j]` is `slice(i,
 * j)`, `a += b` is `extend(b)`, `a *= n` is `repeat(n)`.
 */
export class ManagedList<T = unknown> {
  #items: T[];
  readonly #changes = new ChangeLog<ListChange<T>>('list.watch', {
    state: (missed) => ({ type: 'state', items: [...this.#items], missed }),
    gap: (missed) => ({ type: 'gap', missed }),
  });

  /** @param items Default: none. @throws ArgumentError `MP_TYPE`. */
  constructor(items?: Iterable<T>) {
    this.#items = items === undefined ? [] : [...itemsOf<T>('list', items)];
  }

  /**
   * Returns an item: a copy for the client, unless it is a proxy.
   * @throws ArgumentError `MP_LIST_INDEX`.
   */
  get(index: number): T {
    return this.#items[this.#index('list.get', index)] as T;
  }

  /** Returns an item, or `undefined`. */
  at(index: number): T | undefined {
    return this.#items.at(index);
  }

  /** Replaces an item. @throws ArgumentError `MP_LIST_INDEX`. */
  set(index: number, value: T): Promise<void> | undefined {
    const at = this.#index('list.set', index);
    this.#items[at] = value;
    return this.#changes.watched ? this.#changes.add({ type: 'set', index: at, value }) : undefined;
  }

  /** Takes an item out. @throws ArgumentError `MP_LIST_INDEX`. */
  delete(index: number): Promise<void> | undefined {
    return this.#splice(this.#index('list.delete', index), 1, []);
  }

  /** How many items there are. */
  get length(): number {
    return this.#items.length;
  }

  /** Adds an item at the end. */
  append(item: T): Promise<void> | undefined {
    return this.#splice(this.#items.length, 0, [item]);
  }

  /** Adds items at the end. @returns the new length. */
  push(...items: T[]): number | Promise<number> {
    const wait = this.#splice(this.#items.length, 0, items);
    return once(wait, this.#items.length);
  }

  /** Adds items at the end. @throws ArgumentError `MP_TYPE`. */
  extend(items: Iterable<T>): Promise<void> | undefined {
    return this.#splice(this.#items.length, 0, [...itemsOf<T>('list.extend', items)]);
  }

  /** Puts an item before the one at `index`; beyond either end, at that end. */
  insert(index: number, item: T): Promise<void> | undefined {
    checkNumber('list.insert', 'index', index, { integer: true, min: Number.MIN_SAFE_INTEGER });
    const { length } = this.#items;
    return this.#splice(Math.min(Math.max(index < 0 ? index + length : index, 0), length), 0, [item]);
  }

  /**
   * Takes an item out, by default the last.
   * @returns the item.
   * @throws ArgumentError `MP_EMPTY`, `MP_LIST_INDEX`.
   */
  pop(index = -1): T | Promise<T> {
    if (this.#items.length === 0) throw isEmpty('list.pop', 'list');
    const at = this.#index('list.pop', index);
    const item = this.#items[at] as T;
    return once(this.#splice(at, 1, []), item);
  }

  /** Takes the first item out that equals `value`. @throws ArgumentError `MP_LIST_VALUE`. */
  remove(value: T): Promise<void> | undefined {
    const at = this.indexOf(value);
    if (at < 0) throw notInList('list.remove', value);
    return this.#splice(at, 1, []);
  }

  /** Takes items out at `start`, and puts others there. @returns what went. */
  splice(start: number, count: number = Number.POSITIVE_INFINITY, ...items: T[]): T[] | Promise<T[]> {
    const { length } = this.#items;
    const at = Math.min(Math.max(start < 0 ? start + length : start, 0), length);
    const removed = Math.min(Math.max(count, 0), length - at);
    const gone = this.#items.slice(at, at + removed);
    return once(this.#splice(at, removed, items), gone);
  }

  /**
   * Index of the first item from `start` to before `stop` that equals `value`.
   * @throws ArgumentError `MP_LIST_VALUE`.
   */
  index(value: T, start = 0, stop: number = Number.POSITIVE_INFINITY): number {
    const { length } = this.#items;
    const end = Math.min(stop < 0 ? stop + length : stop, length);
    for (let i = Math.max(start < 0 ? start + length : start, 0); i < end; i++)
      if (same(this.#items[i], value)) return i;
    throw notInList('list.index', value);
  }

  /** Index of the first item from `start` on that equals `value`, or -1. */
  indexOf(value: T, start = 0): number {
    for (let i = Math.max(start < 0 ? start + this.#items.length : start, 0); i < this.#items.length; i++) {
      if (same(this.#items[i], value)) return i;
    }
    return -1;
  }

  /** Returns how many items equal `value`. */
  count(value: T): number {
    let found = 0;
    for (const item of this.#items) if (same(item, value)) found++;
    return found;
  }

  /** Returns whether an item equals `value`. */
  includes(value: T): boolean {
    return this.indexOf(value) >= 0;
  }

  /** Turns the order around. */
  reverse(): Promise<void> | undefined {
    this.#items.reverse();
    return this.#reordered();
  }

  /**
   * Sorts, in the server: by a comparison, as `Array.sort` takes it, or by `{ key, reverse }`, as
   * Python. Without a comparison numbers go by size, as in Python (JavaScript would compare their
   * texts), all else by code units.
   * @throws ArgumentError `MP_INVALID_ARGUMENT`, `MP_UNKNOWN_OPTION`.
   */
  sort(how?: ((a: T, b: T) => number) | SortOptions<T>): Promise<void> | undefined {
    if (typeof how !== 'function') {
      checkOptions('list.sort', how, ['key', 'reverse'], { boolean: 'reverse' });
      if (how?.key !== undefined) checkFunction('list.sort', 'key', how.key);
      checkBoolean('list.sort', 'reverse', how?.reverse);
    }
    // A comparison that throws leaves the list as it was.
    this.#items = sorted(this.#items, how);
    return this.#reordered();
  }

  /** Has the list `n` times in a row. @throws ArgumentError where those were too many items. */
  repeat(n: number): Promise<void> | undefined {
    checkNumber('list.repeat', 'n', n, { integer: true, min: Number.MIN_SAFE_INTEGER });
    const { length } = this.#items;
    if (n <= 0 || length === 0) return this.#splice(0, length, []);
    if (n * length > MOST_ITEMS) {
      throw new ArgumentError(
        `list.repeat: \`n\` must be at most ${Math.floor(MOST_ITEMS / length)}, not ${n}: of ${length} items it would make more than ${MOST_ITEMS}, which would keep the server from answering.`,
      );
    }
    return this.#splice(length, 0, Array.from({ length: n - 1 }, () => this.#items).flat(1));
  }

  /** Part of it, as a plain array. */
  slice(start?: number, end?: number): T[] {
    return this.#items.slice(start, end);
  }

  /** All of it, as a plain array. */
  copy(): T[] {
    return [...this.#items];
  }

  /** Takes all out. */
  clear(): Promise<void> | undefined {
    return this.#splice(0, this.#items.length, []);
  }

  /** Returns what it holds, and then each change. */
  watch(options?: WatchOptions): PullSource<ListChange<T>> {
    return this.#changes.watch(options);
  }

  /** Some items for an iteration that has read `at` of them. @internal */
  page(at: number, count: number): Page<T> {
    const items = this.#items.slice(at, at + count);
    return { items, shape: 0, done: items.length === 0 };
  }

  /** @internal Its text, see `textOf`. */
  [inspect.custom](): string {
    return inspect(this.#items);
  }

  /** @internal As `Contents`. */
  contents(): Iterable<T> {
    return [...this.#items];
  }

  #splice(index: number, removed: number, items: readonly T[]): Promise<void> | undefined {
    if (removed === 0 && items.length === 0) return undefined;
    // Not by arguments: there may be more than a call takes.
    if (index === this.#items.length) for (const item of items) this.#items.push(item);
    else if (items.length < 1024) this.#items.splice(index, removed, ...items);
    else this.#items = [...this.#items.slice(0, index), ...items, ...this.#items.slice(index + removed)];
    return this.#changes.watched ? this.#changes.add({ type: 'splice', index, removed, items }) : undefined;
  }

  #reordered(): Promise<void> | undefined {
    return this.#changes.watched ? this.#changes.add({ type: 'state', items: [...this.#items], missed: 0 }) : undefined;
  }

  #index(actor: string, index: number): number {
    const { length } = this.#items;
    const at = index < 0 ? index + length : index;
    if (!Number.isInteger(index) || at < 0 || at >= length) throw outOfRange(actor, index, length);
    return at;
  }
}

const numeric = (value: unknown): value is number | bigint => typeof value === 'number' || typeof value === 'bigint';

function sorted<T>(items: readonly T[], how: ((a: T, b: T) => number) | SortOptions<T> | undefined): T[] {
  if (typeof how === 'function') return [...items].sort(how);
  const key = how?.key ?? ((item: T): unknown => item);
  const keyed = items.map((item) => ({ item, key: key(item) }));
  const order = keyed.every((one) => numeric(one.key))
    ? (a: unknown, b: unknown) =>
        Number(a as number) < Number(b as number) ? -1 : Number(a as number) > Number(b as number) ? 1 : 0
    : (a: unknown, b: unknown) => {
        const [x, y] = [String(a), String(b)];
        return x < y ? -1 : x > y ? 1 : 0;
      };
  const sign = how?.reverse === true ? -1 : 1;
  return keyed.sort((a, b) => sign * order(a.key, b.key)).map(({ item }) => item);
}
