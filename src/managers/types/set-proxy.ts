import type { TaskStream } from '../../streams/index.js';
import { BaseProxy } from '../proxy.js';
import type { WatchOptions } from './change-log.js';
import { iterate } from './iterate.js';
import type { ListProxy } from './list-proxy.js';
import type { Page } from './page.js';
import type { RemoteMethods } from './remote-methods.js';
import type { ManagedSet, SetChange } from './set.js';

/** Operations that give a plain Set. */
type Plain = 'copy' | 'union' | 'intersection' | 'difference' | 'symmetricDifference';
/** Methods that take the members of others. */
type Taking =
  | 'update' | 'intersectionUpdate' | 'differenceUpdate' | 'symmetricDifferenceUpdate'
  | 'equals' | 'isSubsetOf' | 'isSupersetOf' | 'isDisjointFrom' | 'issubset' | 'issuperset' | 'isdisjoint'; // biome-ignore format: a table

/** What a set is combined with: any iterable, or a shared container of the same manager. */
export type SetOperand<T> = Iterable<T> | SetProxy<T> | ListProxy<T>;

/** The methods of a shared set, each of which asks the server. */
export interface SetProxy<T = unknown>
  extends RemoteMethods<ManagedSet<T>, 'watch' | 'page' | 'contents' | Plain | Taking> {}

/**
 * A manager's `set`, in a client: a Set that is shared, with Python's methods beside JavaScript's.
 *
 * Methods: those of {@link ManagedSet}, each as a call that is awaited.
 *
 * Python: `SyncManager.set` (3.14).
 *
 * @example
 * import { manager } from 'multiprocess';
 *
 * await using m = await manager();
 * const seen = await m.set(['a']);
 * await seen.add('b');
 * console.log(await seen.has('a'), await seen.size); // true 2
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the methods are added to the class that is made of it
export class SetProxy<T = unknown> extends BaseProxy<Set<T>> implements AsyncIterable<T> {
  /** All members, as a plain Set. */
  async copy(): Promise<Set<T>> {
    return new Set(await this.callMethod<T[]>('copy'));
  }

  /** As {@link copy}. */
  override getValue(): Promise<Set<T>> {
    return this.copy();
  }

  /** Members of this one or any other. */
  union(...others: SetOperand<T>[]): Promise<Set<T>> {
    return this.#plain('union', others);
  }

  /** Members of this one and all others. */
  intersection(...others: SetOperand<T>[]): Promise<Set<T>> {
    return this.#plain('intersection', others);
  }

  /** Members of this one and none of the others. */
  difference(...others: SetOperand<T>[]): Promise<Set<T>> {
    return this.#plain('difference', others);
  }

  /** Members of exactly one of the two. */
  symmetricDifference(other: SetOperand<T>): Promise<Set<T>> {
    return this.#plain('symmetricDifference', [other]);
  }

  /** Adds the members of all others. @throws ArgumentError; nothing was added then. */
  update(...others: SetOperand<T>[]): Promise<void> {
    return this.#with('update', others);
  }

  /** Keeps what is in all others too. */
  intersectionUpdate(...others: SetOperand<T>[]): Promise<void> {
    return this.#with('intersectionUpdate', others);
  }

  /** Takes out what is in any other. */
  differenceUpdate(...others: SetOperand<T>[]): Promise<void> {
    return this.#with('differenceUpdate', others);
  }

  /** Keeps what is in exactly one of the two. */
  symmetricDifferenceUpdate(other: SetOperand<T>): Promise<void> {
    return this.#with('symmetricDifferenceUpdate', [other]);
  }

  /** Returns whether both have the same members. */
  equals(other: SetOperand<T>): Promise<boolean> {
    return this.#with('equals', [other]);
  }

  /** Returns whether all members are in the other. */
  isSubsetOf(other: SetOperand<T>): Promise<boolean> {
    return this.#with('isSubsetOf', [other]);
  }

  /** Returns whether all members of the other are in this one. */
  isSupersetOf(other: SetOperand<T>): Promise<boolean> {
    return this.#with('isSupersetOf', [other]);
  }

  /** Returns whether they have no member in common. */
  isDisjointFrom(other: SetOperand<T>): Promise<boolean> {
    return this.#with('isDisjointFrom', [other]);
  }

  /** As {@link isSubsetOf}; Python's name. */
  issubset(other: SetOperand<T>): Promise<boolean> {
    return this.#with('issubset', [other]);
  }

  /** As {@link isSupersetOf}; Python's name. */
  issuperset(other: SetOperand<T>): Promise<boolean> {
    return this.#with('issuperset', [other]);
  }

  /** As {@link isDisjointFrom}; Python's name. */
  isdisjoint(other: SetOperand<T>): Promise<boolean> {
    return this.#with('isdisjoint', [other]);
  }

  /**
   * Returns what it holds, and then each change, as a stream: the first item is `{ type: 'state',
   * values }`. See `DictProxy.watch`.
   */
  watch(options?: WatchOptions): TaskStream<SetChange<T>> {
    return this.callStream('watch', [options]);
  }

  /** Its members; those that come or go meanwhile end it with an ArgumentError `MP_CHANGED`. */
  [Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    return iterate((at, count, shape) => this.callMethod<Page<T>>('page', [at, count, shape]));
  }

  async #plain(method: Plain, others: readonly SetOperand<T>[]): Promise<Set<T>> {
    return new Set(await this.#with<T[]>(method, others));
  }

  /** Others' members go as lists, which every serializer carries. */
  async #with<R>(method: string, others: readonly SetOperand<T>[]): Promise<R> {
    const lists = others.map((other) => (Symbol.iterator in Object(other) ? [...(other as Iterable<T>)] : other));
    return await this.callMethod<R>(method, lists);
  }
}
