import { inspect } from 'node:util';
import { ArgumentError } from '../../errors/index.js';
import { ATTACH, allocateBlock, attachBlock, Block, type BlockOnly } from '../../memory/index.js';
import { describe } from '../../util/options.js';

/**
 * What the primitives have in common: shared memory of their own, and a text form.
 *
 * The memory is given back when the last process and thread that uses the object has closed it,
 * lost it to the collector, or ended. Closing affects this thread only.
 */
export abstract class SharedObject implements Disposable {
  /** @internal */
  readonly block: Block;

  /**
   * @internal
   * @param bytes Of a new one.
   * @param block That of one that another process or thread has made.
   */
  constructor(bytes: number, block: Block | undefined) {
    if (block !== undefined && !(block instanceof Block))
      throw new ArgumentError(`${new.target.name}: takes no arguments, not ${describe(block)}.`);
    this.block = block ?? allocateBlock(bytes);
  }

  /** @internal */
  static [ATTACH](
    this: new (
      block: Block,
    ) => SharedObject,
    { block }: BlockOnly,
    _parts: readonly unknown[],
  ): SharedObject {
    return new this(attachBlock(block));
  }

  /** @internal How it travels. */
  static toHandle({ block }: SharedObject): BlockOnly {
    return { block: block.handle };
  }

  /** @internal */
  static isClosed({ block }: SharedObject): boolean {
    return block.closed;
  }

  /**
   * Ends the use of the object in this thread; its methods throw `ClosedError` from here on.
   * Closing twice does nothing.
   */
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
