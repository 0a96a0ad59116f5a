import { ShareableList, type ShareableValue, SharedMemory } from '../shared-memory/index.js';
import { BaseManager } from './manager.js';
import type { BaseProxy } from './proxy.js';
import { SHARED_MEMORY_TYPEIDS } from './types/index.js';

/**
 * A manager that makes named blocks of shared memory, and unlinks them when it ends.
 *
 * Semantics: blocks and lists are the usual ones; their bytes are read and written without the
 * server. Their names are gone after `shutdown()`, and when the server, or the program that started
 * it, is killed: the resource tracker removes them then, with a line on stderr. Close them where
 * they are used; unlinking is the manager's part.
 *
 * Python: `multiprocessing.managers.SharedMemoryManager`.
 *
 * @example
 * import { ShareableList } from 'multiprocess';
 * import { SharedMemoryManager } from 'multiprocess/managers';
 *
 * await using m = new SharedMemoryManager();
 * await m.start();
 * const list = await m.ShareableList([1, 'two', null]);
 * const same = ShareableList.attach(list.shm.name);
 * console.log(same.get(1)); // two
 */
export class SharedMemoryManager extends BaseManager {
  #blocks: Promise<BaseProxy> | null = null;

  /**
   * A new block of zero bytes.
   * @throws (as rejection) as `SharedMemory.create`; ProcessError `MP_NOT_STARTED`.
   */
  async SharedMemory(size: number): Promise<SharedMemory> {
    return SharedMemory.attach(await (await this.#made()).callMethod<string>('create', [size]));
  }

  /** A new list. @throws (as rejection) as `new ShareableList`; ProcessError `MP_NOT_STARTED`. */
  async ShareableList<T extends ShareableValue>(items: Iterable<T>): Promise<ShareableList<T>> {
    return ShareableList.attach<T>(await (await this.#made()).callMethod<string>('createList', [[...items]]));
  }

  #made(): Promise<BaseProxy> {
    const made = this.#blocks ?? (BaseManager.create(this, 'SharedBlocks', []) as Promise<BaseProxy>);
    this.#blocks = made;
    made.catch(() => {
      this.#blocks = null;
    });
    return made;
  }
}

for (const typeid of SHARED_MEMORY_TYPEIDS) SharedMemoryManager.register(typeid);
