import type { ScalarCode, ValueOf } from '../../sharedctypes/index.js';
import { BaseProxy } from '../proxy.js';
import type { ManagedArray } from './array.js';
import { iterate } from './iterate.js';
import { listed } from './listed.js';
import type { Page } from './page.js';
import type { RemoteMethods } from './remote-methods.js';

/** The methods of a shared array, each of which asks the server. */
export interface ArrayProxy<K extends ScalarCode = ScalarCode>
  extends RemoteMethods<ManagedArray<K>, 'page' | 'contents' | 'fill'> {}

/**
 * A manager's `Array`, in a client: a fixed number of elements of one type. `await a.length` is how
 * many.
 *
 * Methods: those of {@link ManagedArray}, each as a call that is awaited.
 *
 * Python: `SyncManager.Array`. Where all processes run on one machine, a `SharedArray` needs no
 * server.
 *
 * @example
 * import { manager } from 'multiprocess';
 *
 * await using m = await manager();
 * const sums = await m.Array('d', 3);
 * await sums.set(0, 1.5);
 * console.log(await sums.copy()); // [ 1.5, 0, 0 ]
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the methods are added to the class that is made of it
export class ArrayProxy<K extends ScalarCode = ScalarCode>
  extends BaseProxy<ValueOf<K>[]>
  implements AsyncIterable<ValueOf<K>>
{
  /**
   * Changes the elements from `start` on to those of an iterable, which is read here, or of a shared
   * container.
   * @throws (as rejection) ArgumentError `MP_LIST_INDEX`, `MP_TYPE`; nothing was changed then.
   */
  async fill(items: Parameters<ManagedArray<K>['fill']>[0], start = 0): Promise<void> {
    await this.callMethod<void>('fill', [listed(items), start]);
  }

  /** Its elements. */
  [Symbol.asyncIterator](): AsyncGenerator<ValueOf<K>, void, undefined> {
    return iterate((at, count) => this.callMethod<Page<ValueOf<K>>>('page', [at, count]));
  }
}
