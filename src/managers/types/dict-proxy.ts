import type { TaskStream } from '../../streams/index.js';
import { BaseProxy } from '../proxy.js';
import type { WatchOptions } from './change-log.js';
import type { DictChange, DictSource, ManagedDict } from './dict.js';
import { iterate } from './iterate.js';
import { listed } from './listed.js';
import type { Page } from './page.js';
import type { RemoteMethods } from './remote-methods.js';

/** The methods of a shared dict, each of which asks the server. */
export interface DictProxy<K = unknown, V = unknown>
  extends RemoteMethods<ManagedDict<K, V>, 'watch' | 'page' | 'contents' | 'copy' | 'update'> {}

/**
 * A manager's `dict`, in a client: a Map that is shared, with Python's methods beside JavaScript's.
 *
 * Semantics: `await d.get(key)` gives a copy of the value; changing the copy changes nothing in the
 * server. Set it again (`d.set(key, changed)`), or keep a shared object in the dict: a proxy as a
 * value arrives as a proxy of the same object. `await d.size` is the number of keys. Iterating
 * gives the entries; keys that come or go meanwhile end it with an ArgumentError `MP_CHANGED`.
 *
 * Methods: those of {@link ManagedDict}, each as a call that is awaited.
 *
 * Python: `SyncManager.dict`, with the same pitfall (`d['x'].append(1)` changes a copy). A missing
 * key gives `undefined`, as in a Map; `pop` and `popitem` throw, as in Python.
 *
 * @example
 * import { manager } from 'multiprocess';
 *
 * await using m = await manager();
 * const ages = await m.dict<string, number>({ ada: 36 });
 * await ages.set('alan', 41);
 * console.log(await ages.get('ada'), await ages.size); // 36 2
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the methods are added to the class that is made of it
export class DictProxy<K = unknown, V = unknown> extends BaseProxy<Map<K, V>> implements AsyncIterable<[K, V]> {
  /**
   * Sets many: pairs of an iterable, which is read here, those of a plain object, or of a shared dict
   * of this manager.
   * @throws (as rejection) ArgumentError; nothing was set then.
   */
  async update(entries: DictSource<K, V> | DictProxy<K, V>): Promise<void> {
    await this.callMethod<void>('update', [listed(entries)]);
  }

  /** All entries, as a plain Map. */
  async copy(): Promise<Map<K, V>> {
    // As pairs, which every serializer carries.
    return new Map(await this.callMethod<[K, V][]>('entries'));
  }

  /** As {@link copy}. */
  override getValue(): Promise<Map<K, V>> {
    return this.copy();
  }

  /**
   * Returns what it holds, and then each change, as a stream: the first item is `{ type: 'state',
   * entries }`.
   *
   * Backpressure: changes wait in the server, up to `maxSize`; then `lag` decides. By default the
   * watcher is told the present state instead of what it missed, so it always ends up with what the
   * dict holds.
   *
   * @example
   * import { manager } from 'multiprocess';
   *
   * await using m = await manager();
   * const ages = await m.dict<string, number>({ ada: 36 });
   * for await (const change of ages.watch()) {
   *   if (change.type === 'set') {
   *     console.log(change.key, change.value); // alan 41
   *     break;
   *   }
   *   await ages.set('alan', 41); // the first item is the state
   * }
   */
  watch(options?: WatchOptions): TaskStream<DictChange<K, V>> {
    return this.callStream('watch', [options]);
  }

  /** Its entries, in the order of the keys. */
  [Symbol.asyncIterator](): AsyncGenerator<[K, V], void, undefined> {
    return iterate((at, count, shape) => this.callMethod<Page<[K, V]>>('page', [at, count, shape]));
  }
}
