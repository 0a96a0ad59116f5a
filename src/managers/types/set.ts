import { inspect } from 'node:util';
import type { PullSource } from '../../streams/index.js';
import { ChangeLog, type ClearChange, type GapChange, type StateChange, type WatchOptions } from './change-log.js';
import { checkKey, itemsOf, once } from './contents.js';
import { changedDuring, isEmpty, noKey } from './messages.js';
import type { Page } from './page.js';

/** A change of a shared set, or its present state. */
export type SetChange<T> =
  | StateChange<{
      /** All members. */
      readonly values: readonly T[];
    }>
  | {
      /** A member came or went. */
      readonly type: 'add' | 'delete';
      /** The member. */
      readonly value: T;
    }
  | ClearChange
  | GapChange;

/**
 * The set that a manager's `set()` makes, in the server: a Set with Python's methods beside
 * JavaScript's.
 *
 * Semantics: members are primitives, or proxies. Operations that give a set give a list of members,
 * of which proxies make plain Sets; those that end in `Update` change this one. Arguments are any
 * iterables, or shared containers of the same manager. A method runs as a whole before the next one
 * of any client.
 *
 * Python: `SyncManager.set` (3.14). `a | b` is `union(b)`, `a |= b` is `update(b)`, `a <= b` is
 * `issubset(b)`, `a == b` is `equals(b)`.
 */
export class ManagedSet<T = unknown> {
  readonly #set = new Set<T>();
  readonly #changes = new ChangeLog<SetChange<T>>('set.watch', {
    state: (missed) => ({ type: 'state', values: [...this.#set], missed }),
    gap: (missed) => ({ type: 'gap', missed }),
  });
  /** Counts the members that came and went, for iterations. */
  #shape = 0;

  /** @param values Default: none. @throws ArgumentError `MP_TYPE`, `MP_KEY_TYPE`. */
  constructor(values?: Iterable<T>) {
    if (values !== undefined) void this.#addAll('set', itemsOf<T>('set', values));
  }

  /** Adds a member. @throws ArgumentError `MP_KEY_TYPE` for one that is an object. */
  add(value: T): Promise<void> | undefined {
    checkKey('set.add', value);
    return this.#add(value);
  }

  /** Returns whether it is a member. */
  has(value: T): boolean {
    return this.#set.has(value);
  }

  /** Takes a member out. @returns whether it was there. */
  delete(value: T): boolean | Promise<boolean> {
    return this.#set.has(value) ? once(this.#delete(value), true) : false;
  }

  /** Takes a member out, if it is there. */
  discard(value: T): Promise<void> | undefined {
    return this.#delete(value);
  }

  /** Takes a member out. @throws ArgumentError `MP_KEY` when it is not there. */
  remove(value: T): Promise<void> | undefined {
    if (!this.#set.has(value)) throw noKey('set.remove', value);
    return this.#delete(value);
  }

  /** Takes any member out. @throws ArgumentError `MP_EMPTY`. */
  pop(): T | Promise<T> {
    const first = this.#set.values().next();
    if (first.done === true) throw isEmpty('set.pop', 'set');
    return once(this.#delete(first.value), first.value);
  }

  /** Takes all members out. */
  clear(): Promise<void> | undefined {
    if (this.#set.size === 0) return undefined;
    this.#set.clear();
    this.#shape++;
    return this.#changes.watched ? this.#changes.add({ type: 'clear' }) : undefined;
  }

  /** How many members there are. */
  get size(): number {
    return this.#set.size;
  }

  /** All members, as they are now. */
  values(): T[] {
    return [...this.#set];
  }

  /** As {@link values}. */
  keys(): T[] {
    return [...this.#set];
  }

  /** All members, as pairs of twice the same. */
  entries(): [T, T][] {
    return [...this.#set.entries()];
  }

  /** All members. For clients a plain Set. */
  copy(): T[] {
    return [...this.#set];
  }

  // ---- operations that give a new set: lists of members, which every serializer carries, and of
  // which the proxy makes plain Sets

  /** Members of this one or any other. */
  union(...others: Iterable<T>[]): T[] {
    const result = new Set(this.#set);
    for (const other of others) for (const value of itemsOf<T>('set.union', other)) result.add(value);
    return [...result];
  }

  /** Members of this one and all others. */
  intersection(...others: Iterable<T>[]): T[] {
    const sets = others.map((other) => new Set(itemsOf<T>('set.intersection', other)));
    return [...this.#set].filter((value) => sets.every((other) => other.has(value)));
  }

  /** Members of this one and none of the others. */
  difference(...others: Iterable<T>[]): T[] {
    const result = new Set(this.#set);
    for (const other of others) for (const value of itemsOf<T>('set.difference', other)) result.delete(value);
    return [...result];
  }

  /** Members of exactly one of the two. */
  symmetricDifference(other: Iterable<T>): T[] {
    const result = new Set(this.#set);
    for (const value of new Set(itemsOf<T>('set.symmetricDifference', other)))
      if (!result.delete(value)) result.add(value);
    return [...result];
  }

  // ---- operations that change this one

  /** Adds the members of all others. @throws ArgumentError; nothing was added then. */
  update(...others: Iterable<T>[]): Promise<void> | undefined {
    return this.#addAll(
      'set.update',
      others.flatMap((other) => [...itemsOf<T>('set.update', other)]),
    );
  }

  /** Keeps what is in all others too. */
  intersectionUpdate(...others: Iterable<T>[]): Promise<void> | undefined {
    return this.#become(this.intersection(...others));
  }

  /** Takes out what is in any other. */
  differenceUpdate(...others: Iterable<T>[]): Promise<void> | undefined {
    return this.#become(this.difference(...others));
  }

  /** Keeps what is in exactly one of the two. */
  symmetricDifferenceUpdate(other: Iterable<T>): Promise<void> | undefined {
    return this.#become(this.symmetricDifference(other));
  }

  // ---- comparisons

  /** Returns whether both have the same members. */
  equals(other: Iterable<T>): boolean {
    const set = new Set(itemsOf<T>('set.equals', other));
    return set.size === this.#set.size && this.isSubsetOf(set);
  }

  /** Returns whether all members are in the other. */
  isSubsetOf(other: Iterable<T>): boolean {
    const set = new Set(itemsOf<T>('set.isSubsetOf', other));
    return [...this.#set].every((value) => set.has(value));
  }

  /** Returns whether all members of the other are in this one. */
  isSupersetOf(other: Iterable<T>): boolean {
    return [...itemsOf<T>('set.isSupersetOf', other)].every((value) => this.#set.has(value));
  }

  /** Returns whether they have no member in common. */
  isDisjointFrom(other: Iterable<T>): boolean {
    return ![...itemsOf<T>('set.isDisjointFrom', other)].some((value) => this.#set.has(value));
  }

  /** As {@link isSubsetOf}. */
  issubset(other: Iterable<T>): boolean {
    return this.isSubsetOf(other);
  }

  /** As {@link isSupersetOf}. */
  issuperset(other: Iterable<T>): boolean {
    return this.isSupersetOf(other);
  }

  /** As {@link isDisjointFrom}. */
  isdisjoint(other: Iterable<T>): boolean {
    return this.isDisjointFrom(other);
  }

  /** Returns what it holds, and then each change. */
  watch(options?: WatchOptions): PullSource<SetChange<T>> {
    return this.#changes.watch(options);
  }

  /** Some members for an iteration that has read `at` of them. @internal */
  page(at: number, count: number, shape?: number): Page<T> {
    if (shape !== undefined && shape !== this.#shape) throw changedDuring('set');
    const items: T[] = [];
    let i = 0;
    for (const value of this.#set) {
      if (i++ < at) continue;
      items.push(value);
      if (items.length === count) break;
    }
    return { items, shape: this.#shape, done: at + items.length >= this.#set.size };
  }

  /** @internal Its text, see `textOf`. */
  [inspect.custom](): string {
    return inspect(this.#set);
  }

  /** @internal As `Contents`. */
  contents(): Iterable<T> {
    return [...this.#set];
  }

  #add(value: T): Promise<void> | undefined {
    if (this.#set.has(value)) return undefined;
    this.#set.add(value);
    this.#shape++;
    return this.#changes.watched ? this.#changes.add({ type: 'add', value }) : undefined;
  }

  #addAll(actor: string, values: Iterable<T>): Promise<void> | undefined {
    const all = [...values];
    for (const value of all) checkKey(actor, value);
    let wait: Promise<void> | undefined;
    for (const value of all) wait = this.#add(value);
    return wait;
  }

  #delete(value: T): Promise<void> | undefined {
    if (!this.#set.delete(value)) return undefined;
    this.#shape++;
    return this.#changes.watched ? this.#changes.add({ type: 'delete', value }) : undefined;
  }

  #become(list: readonly T[]): Promise<void> | undefined {
    let wait: Promise<void> | undefined;
    const values = new Set(list);
    for (const value of [...this.#set]) if (!values.has(value)) wait = this.#delete(value);
    return this.#addAll('set', values) ?? wait;
  }
}
