/**
 * Items that this thread has put, that refer to shared objects, and that nobody has had yet: what
 * they refer to is kept until then.
 *
 * The memory of a queue that was closed here is kept as long, since that is where one sees it:
 * until all of them were delivered, or nobody is left who could read them.
 */
import { type Freight, holdUntil } from '../../memory/index.js';
import type { ItemMemory } from './item-memory.js';

export class ItemsUnderWay {
  readonly #memory: ItemMemory;
  #count = 0;
  /** Called when none is left, once the queue was closed here. */
  #onEmpty: (() => void) | null = null;
  /** Whether somebody may still come to read them. */
  #readable: (hurried: boolean) => boolean = () => true;

  constructor(memory: ItemMemory) {
    this.#memory = memory;
  }

  /** The item of the record at `position` refers to this. */
  add(position: number, freight: Freight): void {
    this.#count++;
    holdUntil(freight, (hurried) => {
      if (!this.#memory.block.closed && !this.#memory.isOver(position) && this.#readable(hurried)) return false;
      if (--this.#count === 0) this.#onEmpty?.();
      return true;
    });
  }

  /**
   * The queue is closed here: calls `then` when the memory is needed no more.
   * @param readable Whether anybody may read from it.
   */
  close(readable: (hurried: boolean) => boolean, then: () => void): void {
    if (this.#count === 0 || !readable(false)) {
      then();
      return;
    }
    this.#readable = readable;
    this.#onEmpty = then;
  }
}
