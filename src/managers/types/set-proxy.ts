import type { TaskStream } from '../../streams/index.js';
import { BaseProxy } from '../proxy.js';
import type { WatchOptions } from './change-log.js';
import { iterate } from './iterate.js';
import type { Page } from './page.js';
import type { RemoteMethods } from './remote-methods.js';
import type { ManagedSet, SetChange } from './set.js';

/** The methods of a shared set, each of which asks the server. */
export interface SetProxy<T = unknown> extends RemoteMethods<ManagedSet<T>, 'watch' | 'page' | 'contents'> {}

/**
 * A manager's `set`, in a client: a Set that is shared, with Python's methods beside JavaScript's.
 *
 * Python: `SyncManager.set` (3.14).
 *
 * @example
 * const seen = await m.set(['a']);
 * await seen.add('b');
 * console.log(await seen.has('a'), await seen.size); // true 2
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the methods are added to the class that is made of it
export class SetProxy<T = unknown> extends BaseProxy<Set<T>> implements AsyncIterable<T> {
  /** What it holds, and then each change, as a stream: the first item is `{ type: 'state', values }`. See `DictProxy.watch`. */
  watch(options?: WatchOptions): TaskStream<SetChange<T>> {
    return this.callStream('watch', [options]);
  }

  /** Its members; those that come or go meanwhile end it with an ArgumentError `MP_CHANGED`. */
  [Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    return iterate((at, count, shape) => this.callMethod<Page<T>>('page', [at, count, shape]));
  }
}
