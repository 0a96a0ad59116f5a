import type { TaskStream } from '../../streams/index.js';
import { BaseProxy } from '../proxy.js';
import type { WatchOptions } from './change-log.js';
import { iterate } from './iterate.js';
import type { ListChange, ManagedList } from './list.js';
import { listed } from './listed.js';
import type { Page } from './page.js';
import type { RemoteMethods } from './remote-methods.js';

/** The methods of a shared list, each of which asks the server. */
export interface ListProxy<T = unknown>
  extends RemoteMethods<ManagedList<T>, 'watch' | 'page' | 'contents' | 'extend'> {}

/**
 * A manager's `list`, in a client: an array that is shared, with Python's methods beside
 * JavaScript's.
 *
 * Semantics: `await a.get(i)` gives a copy of the item; changing the copy changes nothing in the
 * server. `await a.length` is the number of items. Negative indices count from the end. Items that
 * change during an iteration are seen as they are when they are reached.
 *
 * Methods: those of {@link ManagedList}, each as a call that is awaited.
 *
 * Python: `SyncManager.list`, with the same pitfall (`a[0].append(1)` changes a copy).
 *
 * @example
 * import { manager } from 'multiprocess';
 *
 * await using m = await manager();
 * const jobs = await m.list(['a', 'b']);
 * await jobs.append('c');
 * console.log(await jobs.get(-1), await jobs.length); // c 3
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the methods are added to the class that is made of it
export class ListProxy<T = unknown> extends BaseProxy<T[]> implements AsyncIterable<T> {
  /**
   * Adds items at the end: those of an iterable, which is read here, or of a shared container.
   * @throws (as rejection) ArgumentError `MP_TYPE`.
   */
  async extend(items: Iterable<T> | ListProxy<T>): Promise<void> {
    await this.callMethod<void>('extend', [listed(items)]);
  }

  /**
   * Returns what it holds, and then each change, as a stream: the first item is `{ type: 'state',
   * items }`. See `DictProxy.watch`.
   */
  watch(options?: WatchOptions): TaskStream<ListChange<T>> {
    return this.callStream('watch', [options]);
  }

  /** Its items. */
  [Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    return iterate((at, count) => this.callMethod<Page<T>>('page', [at, count]));
  }
}
