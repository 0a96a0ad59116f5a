import { inspect } from 'node:util';
import { ATTACH, allocateBlock, attachBlock, Block, type BlockOnly, registerShareable } from '../memory/index.js';
import { entry } from '../util/package.js';
import { printedAsShown } from '../util/printed.js';
import { type Accessor, accessor } from './record.js';
import { type Settable, sizeOf, type TypeCode, type TypeData, typeData, typeOf, type ValueOf } from './types.js';

/** A value as it travels. */
interface Handle extends BlockOnly {
  readonly type: TypeData;
}

/**
 * One value in shared memory, without a lock.
 *
 * Semantics: a single read or write of a scalar is whole; reading, computing and writing back is
 * not one step: take a {@link Value} for that. It is shareable. Integers wrap as in C.
 *
 * Python: `RawValue(typecode_or_type, *args)`.
 *
 * @example
 * import { RawValue } from 'multiprocess';
 *
 * const flag = new RawValue('i', 7);
 * flag.value += 1;
 * console.log(flag.value); // 8
 */
export class RawValue<K extends TypeCode = TypeCode> implements Disposable {
  /** Its type. */
  readonly type: K;
  /** @internal */
  readonly block: Block;
  readonly #accessor: Accessor;

  /**
   * @param type A type code, or a record type of `struct`.
   * @param initial Default: zero.
   * @throws ArgumentError `MP_TYPE_CODE`, `MP_TYPE`; MultiprocessError `MP_SYSTEM` without memory
   * or descriptors.
   */
  constructor(type: K, initial?: Settable<K>);
  /** @internal */
  constructor(type: K, block: Block);
  constructor(type: K, from?: Settable<K> | Block) {
    const size = sizeOf('RawValue', type);
    this.type = type;
    const block = from instanceof Block ? from : allocateBlock(size);
    this.block = block;
    this.#accessor = accessor(type, block.region.buffer, block.offset, () => block.check('RawValue.value'));
    if (from === undefined || from instanceof Block) return;
    try {
      this.#accessor.set(from);
    } catch (error) {
      block.close();
      throw error;
    }
  }

  /** @internal */
  static [ATTACH]({ block, type }: Handle): RawValue {
    return new RawValue(typeOf(type), attachBlock(block));
  }

  /**
   * The value. That of a record type is a live object: its properties are the shared memory;
   * setting it sets the fields given.
   * @throws ArgumentError `MP_TYPE` for a value the type cannot hold; ClosedError.
   */
  get value(): ValueOf<K> {
    return this.#accessor.get() as ValueOf<K>;
  }

  /** Sets it. */
  set value(value: Settable<K>) {
    this.#accessor.set(value);
  }

  /** Ends its use in this thread. Others are not affected. Closing twice does nothing. */
  close(): void {
    this.block.close();
  }

  /** As {@link close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal */
  [inspect.custom](): string {
    return this.block.closed ? 'RawValue (closed)' : `RawValue(${inspect(this.value)})`;
  }
}
printedAsShown(RawValue);

registerShareable<RawValue, Handle>('RawValue', {
  module: entry('sharedctypes/index'),
  class: RawValue,
  toHandle: ({ block, type }) => ({ block: block.handle, type: typeData(type) }),
  closed: ({ block }) => block.closed,
});
