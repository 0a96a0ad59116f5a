import { MultiprocessError } from '../../errors/index.js';
import { ShareableList, type ShareableValue, SharedMemory } from '../../shared-memory/index.js';

/**
 * The named blocks that a SharedMemoryManager's server has made, and unlinks when it ends. The
 * server's process answers for them to the resource tracker, so they are gone also when it is
 * killed; clients only attach.
 *
 * Python: `multiprocessing.managers._SharedMemoryTracker`.
 */
export class SharedBlocks {
  readonly #blocks = new Map<string, SharedMemory>();

  /** Makes a block. @returns its name. */
  create(size: number): string {
    return this.#keep(SharedMemory.create(size));
  }

  /** Makes a list. @returns the name of its block. */
  createList(items: readonly ShareableValue[]): string {
    return this.#keep(new ShareableList(items).shm);
  }

  /** Names of the blocks that are there. */
  names(): string[] {
    return [...this.#blocks.keys()];
  }

  /** Unlinks all. */
  unlink(): void {
    for (const block of this.#blocks.values()) {
      try {
        block.unlink();
      } catch (error) {
        // A client may have done so.
        if (!(error instanceof MultiprocessError) || error.code !== 'MP_BLOCK_NOT_FOUND') throw error;
      }
    }
    this.#blocks.clear();
  }

  #keep(block: SharedMemory): string {
    block.close();
    this.#blocks.set(block.name, block);
    return block.name;
  }
}
