import { inspect } from 'node:util';
import { ArgumentError } from '../../errors/index.js';
import { type ScalarCode, type Settable, scalarOf, type ValueOf } from '../../sharedctypes/index.js';
import { describe } from '../../util/options.js';
import { itemsOf } from './contents.js';
import { outOfRange } from './messages.js';
import type { Page } from './page.js';

/** A typed array, whichever. */
interface Elements extends ArrayLike<number | bigint> {
  [index: number]: number | bigint;
}

/**
 * The array that a manager's `Array(type, sizeOrItems)` makes, in the server: a fixed number of
 * elements of one type.
 *
 * Semantics: negative indices count from the end. An element that the type cannot hold is refused,
 * as by `SharedArray`.
 *
 * Python: `SyncManager.Array`, an `array.array`. `a[i]` is `get(i)`, `a[i] = x` is `set(i, x)`,
 * `a[i:j]` is `slice(i, j)`.
 */
export class ManagedArray<K extends ScalarCode = ScalarCode> {
  readonly #type: K;
  readonly #scalar: ReturnType<typeof scalarOf>;
  readonly #elements: Elements;

  /**
   * @param type A type code.
   * @param sizeOrItems How many elements, all zero; or the elements.
   * @throws ArgumentError `MP_TYPE_CODE`, `MP_TYPE`.
   */
  constructor(type: K, sizeOrItems: number | Iterable<Settable<K>>) {
    this.#type = type;
    this.#scalar = scalarOf('Array', type);
    const items = typeof sizeOrItems === 'number' ? null : [...itemsOf<Settable<K>>('Array', sizeOrItems)];
    const size = items === null ? (sizeOrItems as number) : items.length;
    if (!Number.isInteger(size) || size < 0)
      throw new ArgumentError(`Array: the size must be an integer of at least 0, not ${describe(size)}.`);
    const { view, size: bytes } = this.#scalar;
    this.#elements = new view(new ArrayBuffer(size * bytes), 0, size) as unknown as Elements;
    items?.forEach((item, i) => {
      this.#elements[i] = this.#scalar.write(item);
    });
  }

  /** Type code of the elements. */
  get type(): K {
    return this.#type;
  }

  /** How many elements there are. */
  get length(): number {
    return this.#elements.length;
  }

  /** Returns an element. @throws ArgumentError `MP_LIST_INDEX`. */
  get(index: number): ValueOf<K> {
    return this.#read(this.#index('Array.get', index));
  }

  /** Returns an element, or `undefined`. */
  at(index: number): ValueOf<K> | undefined {
    const at = index < 0 ? index + this.#elements.length : index;
    return at >= 0 && at < this.#elements.length ? this.#read(at) : undefined;
  }

  /** Changes an element. @throws ArgumentError `MP_LIST_INDEX`, `MP_TYPE`. */
  set(index: number, value: Settable<K>): void {
    this.#elements[this.#index('Array.set', index)] = this.#scalar.write(value);
  }

  /**
   * Changes the elements from `start` on.
   * @throws ArgumentError `MP_LIST_INDEX`, `MP_TYPE`; nothing was changed then.
   */
  fill(items: Iterable<Settable<K>>, start = 0): void {
    const elements = [...itemsOf<Settable<K>>('Array.fill', items)].map((item) => this.#scalar.write(item));
    if (elements.length === 0) return;
    const at = this.#index('Array.fill', start);
    this.#index('Array.fill', at + elements.length - 1);
    elements.forEach((element, i) => {
      this.#elements[at + i] = element;
    });
  }

  /** Part of it, as a plain array. */
  slice(start = 0, end: number = this.#elements.length): ValueOf<K>[] {
    return this.copy().slice(start, end);
  }

  /** All of it, as a plain array. */
  copy(): ValueOf<K>[] {
    return Array.from(this.#elements, (_, i) => this.#read(i));
  }

  /** Some elements for an iteration that has read `at` of them. @internal */
  page(at: number, count: number): Page<ValueOf<K>> {
    const items = this.slice(at, at + count);
    return { items, shape: 0, done: items.length === 0 };
  }

  /** @internal Its text, see `textOf`. */
  [inspect.custom](): string {
    const shown = Array.from({ length: Math.min(100, this.#elements.length) }, (_, i) => this.#read(i));
    const more = this.#elements.length - shown.length;
    return `Array('${this.#type}', ${inspect(shown)}${more > 0 ? ` and ${more} more` : ''})`;
  }

  /** @internal As `Contents`. */
  contents(): Iterable<ValueOf<K>> {
    return this.copy();
  }

  #read(index: number): ValueOf<K> {
    return this.#scalar.read(this.#elements[index] as number) as ValueOf<K>;
  }

  #index(actor: string, index: number): number {
    const { length } = this.#elements;
    const at = index < 0 ? index + length : index;
    if (!Number.isInteger(index) || at < 0 || at >= length) throw outOfRange(actor, index, length);
    return at;
  }
}
