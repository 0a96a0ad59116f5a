import { constants } from 'node:buffer';
import { inspect } from 'node:util';
import { ArgumentError } from '../errors/index.js';
import {
  ATTACH,
  allocateMapped,
  attachMapped,
  type BlockOnly,
  type MappedBlock,
  noteMemory,
  registerShareable,
} from '../memory/index.js';
import { describe } from '../util/options.js';
import { entry } from '../util/package.js';
import { printedAsShown } from '../util/printed.js';
import { type Accessor, accessor } from './record.js';
import {
  type ArrayOf,
  isStruct,
  type Settable,
  scalarOf,
  sizeOf,
  type TypeCode,
  type TypeData,
  typeData,
  typeOf,
  type ValueOf,
} from './types.js';

/** Bytes of the largest array: a page of its memory is for the library. */
const MAX_BYTES = constants.MAX_LENGTH - 4096;

/**
 * Checks how many elements of a size an array is to have.
 * @throws ArgumentError `MP_INVALID_ARGUMENT`.
 */
export function checkLength(actor: string, length: unknown, size: number): void {
  if (!Number.isSafeInteger(length) || (length as number) < 0)
    throw new ArgumentError(`${actor}: the size must be a whole number of at least 0, not ${describe(length)}.`);
  if (size * (length as number) <= MAX_BYTES) return;
  throw new ArgumentError(
    `${actor}: ${length} elements of ${size} bytes are more than this Node.js allows one array, ${Math.floor(MAX_BYTES / size)} of them; make several arrays.`,
  );
}

/** An array as it travels. */
interface Handle extends BlockOnly {
  readonly type: TypeData;
  readonly length: number;
}

/**
 * An array of fixed length in shared memory, without a lock.
 *
 * Semantics: `array` is the memory itself; its `buffer` holds these elements and nothing else, and
 * keeps them as long as any view of it is held. Each array takes whole pages (4 KiB). It is
 * shareable, and so are its buffer and every view of it: what is captured, passed or returned
 * arrives as the same memory (`slice()` gives a copy). The buffer belongs to this thread:
 * `postMessage` cannot transfer it.
 *
 * Python: `RawArray(typecode_or_type, size_or_initializer)`. Slices are those of the typed array:
 * `subarray`, `slice`, `set`.
 *
 * @example
 * import { RawArray } from 'multiprocess';
 *
 * const squares = new RawArray('f64', [1, 4, 9]);
 * console.log(squares.array[1]); // 4
 */
export class RawArray<K extends TypeCode = TypeCode> implements Disposable, Iterable<ValueOf<K>> {
  /** Type of its elements. */
  readonly type: K;
  /** Number of elements. */
  readonly length: number;
  /** @internal */
  readonly block: MappedBlock;
  readonly #array: ArrayOf<K>;
  readonly #read: (index: number) => unknown;
  readonly #write: (index: number, value: unknown) => void;

  /**
   * @param type A type code, or a record type of `struct`.
   * @param sizeOrItems How many elements, all zero; or the elements; for `c` and `u` also a string.
   * @throws ArgumentError `MP_TYPE_CODE`, `MP_TYPE`, `MP_INVALID_ARGUMENT` for a bad size;
   * MultiprocessError `MP_SYSTEM` without memory.
   */
  constructor(type: K, sizeOrItems: number | Iterable<Settable<K>>);
  /** @internal */
  constructor(type: K, length: number, block: MappedBlock);
  constructor(type: K, sizeOrItems: number | Iterable<Settable<K>>, attached?: MappedBlock) {
    const size = sizeOf('RawArray', type);
    const items = typeof sizeOrItems === 'number' ? null : itemsOf(sizeOrItems);
    const length = items?.length ?? (sizeOrItems as number);
    if (attached === undefined) checkLength('RawArray', length, size);
    this.type = type;
    this.length = length;
    const block = attached ?? allocateMapped(Math.max(1, size * length));
    this.block = block;
    noteMemory(block.buffer, this);
    if (isStruct(type)) {
      const check = () => block.check('RawArray.array');
      const records: Accessor[] = Array.from({ length }, (_, i) => accessor(type, block.buffer, i * size, check));
      this.#array = Object.freeze(records.map((record) => record.get())) as ArrayOf<K>;
      this.#read = (index) => records[index]!.get();
      this.#write = (index, value) => records[index]!.set(value);
    } else {
      const { view: View, read, write } = scalarOf('RawArray', type);
      const view = new View(block.buffer, 0, length);
      this.#array = view as unknown as ArrayOf<K>;
      this.#read = (index) => read(view[index]!);
      this.#write = (index, value) => {
        view[index] = write(value) as number;
      };
    }
    if (items === null) return;
    try {
      for (let i = 0; i < length; i++) this.#write(i, items[i]);
    } catch (error) {
      block.close();
      throw error;
    }
  }

  /** @internal */
  static [ATTACH]({ block, type, length }: Handle): RawArray {
    return new RawArray(typeOf(type), length, attachMapped(block));
  }

  /**
   * The elements, live: a typed array (BigInt64Array and BigUint64Array for 64 bits), or live
   * records.
   * @throws ClosedError.
   */
  get array(): ArrayOf<K> {
    this.block.check('RawArray.array');
    return this.#array;
  }

  /**
   * An element.
   * @param index A negative one counts from the end.
   * @throws ArgumentError `MP_INDEX` outside the array; ClosedError.
   */
  get(index: number): ValueOf<K> {
    return this.#read(this.#at('get', index)) as ValueOf<K>;
  }

  /** Changes an element. @throws ArgumentError `MP_INDEX`, `MP_TYPE`; ClosedError. */
  set(index: number, value: Settable<K>): void {
    this.#write(this.#at('set', index), value);
  }

  /**
   * Of characters (`c`, `u`): the text up to the first NUL, as `value` of a ctypes array. Setting
   * it leaves what follows the NUL. `undefined` for other types.
   * @throws ArgumentError `MP_INVALID_ARGUMENT` for a text longer than the array; ClosedError.
   */
  get value(): string | undefined {
    if (this.type !== 'c' && this.type !== 'u') return undefined;
    let text = '';
    for (let i = 0; i < this.length; i++) {
      const character = this.get(i) as string;
      if (character === '\0') break;
      text += character;
    }
    return text;
  }

  /** Sets the text, and a NUL after it where there is room. */
  set value(text: string) {
    if (this.type !== 'c' && this.type !== 'u')
      throw new ArgumentError('RawArray: only arrays of characters have a `value`; use `array`.');
    const characters = [...text];
    if (characters.length > this.length) {
      throw new ArgumentError(`RawArray: a text of ${characters.length} characters does not fit into ${this.length}.`);
    }
    for (const [i, character] of characters.entries()) this.set(i, character as Settable<K>);
    if (characters.length < this.length) this.set(characters.length, '\0' as Settable<K>);
  }

  /** The elements as they are when they are reached. */
  *[Symbol.iterator](): IterableIterator<ValueOf<K>> {
    for (let i = 0; i < this.length; i++) yield this.get(i);
  }

  /**
   * Ends its use in this thread; views become empty. Others are not affected. Closing twice does
   * nothing.
   */
  close(): void {
    this.block.close();
  }

  /** As {@link close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal */
  [inspect.custom](): string {
    return this.block.closed ? 'RawArray (closed)' : `RawArray ${inspect(this.array)}`;
  }

  #at(method: string, index: number): number {
    if (this.block.closed) this.block.check(`RawArray.${method}`);
    const at = index < 0 ? index + this.length : index;
    if (Number.isInteger(at) && at >= 0 && at < this.length) return at;
    throw new ArgumentError(
      `RawArray.${method}: index ${String(index)} is out of range; the array has ${this.length} elements.`,
      {
        code: 'MP_INDEX',
      },
    );
  }
}
printedAsShown(RawArray);

function itemsOf(items: Iterable<unknown>): readonly unknown[] {
  if (typeof (items as Iterable<unknown> | null | undefined)?.[Symbol.iterator] !== 'function') {
    throw new ArgumentError(`RawArray: the second argument must be a size or an iterable, not ${describe(items)}.`);
  }
  return [...items];
}

registerShareable<RawArray, Handle>('RawArray', {
  module: entry('sharedctypes/index'),
  class: RawArray,
  toHandle: ({ block, type, length }) => ({ block: block.handle, type: typeData(type), length }),
  closed: ({ block }) => block.closed,
});
