import { inspect } from 'node:util';
import { ArgumentError } from '../../errors/index.js';
import { allocateBlock, attachBlock, type Block, type BlockHandle, isBlockHandle } from '../../memory/index.js';
import { describe } from '../../util/options.js';

/**
 * What the primitives have in common: shared memory of their own, and a text form.
 *
 * The memory is given back when the last process and thread that uses the object has closed it, lost it to the collector, or
 * ended. Closing affects this thread only.
 */
export abstract class SharedObject implements Disposable {
  /** @internal */
  readonly block: Block;

  /** @internal @param bytes Of a new one. @param handle Where the one is that another process or thread has made. */
  constructor(bytes: number, handle: BlockHandle | undefined) {
    if (handle !== undefined && !isBlockHandle(handle))
      throw new ArgumentError(`${new.target.name}: takes no arguments, not ${describe(handle)}.`);
    this.block = handle === undefined ? allocateBlock(bytes) : attachBlock(handle);
  }

  /** Ends the use of the object in this thread; its methods throw `ClosedError` from here on. Closing twice does nothing. */
  close(): void {
    this.block.close();
  }

  /** As {@link close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** State and owner in words, as Python's `repr`. */
  toString(): string {
    return this.block.closed ? `<${this.constructor.name}(closed)>` : this.shown();
  }

  /** The text of one that is open. */
  protected abstract shown(): string;

  /** @internal */
  [inspect.custom](): string {
    return this.toString();
  }
}
