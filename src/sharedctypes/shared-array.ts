import { inspect } from 'node:util';
import { ATTACH, type BlockOnly, registerShareable } from '../memory/index.js';
import { checkOptions } from '../util/options.js';
import { entry } from '../util/package.js';
import { printedAsShown } from '../util/printed.js';
import { Guarded, lockOf, Pair, type SharedOptions, type ValueLock } from './guarded.js';
import { checkLength, RawArray } from './raw-array.js';
import { type ArrayOf, type Settable, sizeOf, type TypeCode, type ValueOf } from './types.js';

/** The class behind SharedArray; `constructors.ts` has what its users see. */
export class SharedArray<K extends TypeCode = TypeCode> extends Guarded implements Disposable, Iterable<ValueOf<K>> {
  readonly #raw: RawArray<K>;

  /**
   * @param type A type code, or a record type of `struct`.
   * @param sizeOrItems How many elements, all zero; or the elements.
   * @throws as {@link RawArray}; ArgumentError `MP_INVALID_ARGUMENT` for a lock that is none.
   */
  constructor(type: K, sizeOrItems: number | Iterable<Settable<K>>, options?: SharedOptions);
  /** @internal */
  constructor(pair: Pair<RawArray<K>>);
  constructor(type: K | Pair<RawArray<K>>, sizeOrItems?: number | Iterable<Settable<K>>, options?: SharedOptions) {
    if (type instanceof Pair) {
      super(type.lock);
      this.#raw = type.raw;
      return;
    }
    checkOptions('SharedArray', options, ['lock'], { boolean: 'lock' });
    const size = sizeOf('SharedArray', type);
    if (typeof sizeOrItems === 'number') checkLength('SharedArray', sizeOrItems, size);
    const raw = new RawArray(type, sizeOrItems!);
    const lock = lockOf('SharedArray', options?.lock, raw);
    super(lock as ValueLock);
    this.#raw = raw;
    // biome-ignore lint/correctness/noConstructorReturn: as in Python, without a lock there is no wrapper.
    if (lock === null) return raw as unknown as this;
  }

  /** @internal */
  static [ATTACH](_: BlockOnly, [raw, lock]: readonly unknown[]): SharedArray {
    return new SharedArray(new Pair(raw as RawArray, lock as ValueLock));
  }

  /** Type of its elements. */
  get type(): K {
    return this.#raw.type;
  }

  /** Number of elements. */
  get length(): number {
    return this.#raw.length;
  }

  /** The elements, live. See {@link RawArray.array}. */
  get array(): ArrayOf<K> {
    this.#raw.block.check('SharedArray.array');
    return this.#raw.array;
  }

  /** The text of an array of characters. See {@link RawArray.value}. */
  get value(): string | undefined {
    this.#raw.block.check('SharedArray.value');
    return this.#raw.value;
  }

  /** Sets the text. */
  set value(text: string) {
    this.#raw.block.check('SharedArray.value');
    this.#raw.value = text;
  }

  /** An element. See {@link RawArray.get}. */
  get(index: number): ValueOf<K> {
    this.#raw.block.check('SharedArray.get');
    return this.#raw.get(index);
  }

  /** Changes an element. See {@link RawArray.set}. */
  set(index: number, value: Settable<K>): void {
    this.#raw.block.check('SharedArray.set');
    this.#raw.set(index, value);
  }

  /** The array without its lock. */
  getObj(): RawArray<K> {
    return this.#raw;
  }

  /** The elements as they are when they are reached. */
  [Symbol.iterator](): IterableIterator<ValueOf<K>> {
    return this.#raw[Symbol.iterator]();
  }

  /**
   * Ends its use in this thread; the lock stays open. Others are not affected. Closing twice does
   * nothing.
   */
  close(): void {
    this.#raw.close();
  }

  /** As {@link close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal */
  [inspect.custom](): string {
    return this.#raw.block.closed ? 'SharedArray (closed)' : `SharedArray ${inspect(this.array)}`;
  }
}
printedAsShown(SharedArray);

registerShareable<SharedArray, BlockOnly>('SharedArray', {
  module: entry('sharedctypes/index'),
  class: SharedArray,
  toHandle: (array) => ({ block: array.getObj().block.handle }),
  closed: (array) => array.getObj().block.closed,
  parts: (array) => [array.getObj(), array.getLock()],
});
