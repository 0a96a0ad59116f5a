/**
 * `Value` and `SharedArray` as their users see them. With `lock: false` each constructor answers
 * with an object of another class, which the type of a class cannot say; the type of a constructor
 * can.
 */

import type { SharedOptions, ValueLock } from './guarded.js';
import type { RawArray } from './raw-array.js';
import type { RawValue } from './raw-value.js';
import { SharedArray as SharedArrayClass } from './shared-array.js';
import type { Settable, TypeCode } from './types.js';
import { Value as ValueClass } from './value.js';

/** Options of an object without a lock. */
export interface UnlockedOptions extends SharedOptions {
  readonly lock: false;
}

/** Options of an object with a lock: a new RLock, or the one given. */
export interface LockedOptions extends SharedOptions {
  readonly lock?: true | ValueLock | null | undefined;
}

/** How a {@link Value} is made: `new Value(type, initial?, { lock }?)`. */
export interface ValueConstructor {
  /** Without a lock: a {@link RawValue}, as in Python. */
  new <K extends TypeCode>(type: K, initial: Settable<K> | undefined, options: UnlockedOptions): RawValue<K>;
  /**
   * @param type A type code, or a record type of `struct`.
   * @param initial Default: zero.
   * @throws ArgumentError `MP_TYPE_CODE`, `MP_TYPE`, `MP_INVALID_ARGUMENT` for a lock that is none;
   * MultiprocessError `MP_SYSTEM`.
   */
  new <K extends TypeCode>(type: K, initial?: Settable<K>, options?: LockedOptions): Value<K>;
  /** Where it is decided at run time whether there is a lock. */
  new <K extends TypeCode>(type: K, initial?: Settable<K>, options?: SharedOptions): Value<K> | RawValue<K>;
  /** What its objects inherit. */
  readonly prototype: Value;
}

/** How a {@link SharedArray} is made: `new SharedArray(type, sizeOrItems, { lock }?)`. */
export interface SharedArrayConstructor {
  /** Without a lock: a {@link RawArray}, as in Python. */
  new <K extends TypeCode>(type: K, sizeOrItems: number | Iterable<Settable<K>>, options: UnlockedOptions): RawArray<K>;
  /**
   * @param type A type code, or a record type of `struct`.
   * @param sizeOrItems How many elements, all zero; or the elements.
   * @throws as {@link RawArray}; ArgumentError `MP_INVALID_ARGUMENT` for a lock that is none.
   */
  new <K extends TypeCode>(
    type: K,
    sizeOrItems: number | Iterable<Settable<K>>,
    options?: LockedOptions,
  ): SharedArray<K>;
  /** Where it is decided at run time whether there is a lock. */
  new <K extends TypeCode>(
    type: K,
    sizeOrItems: number | Iterable<Settable<K>>,
    options?: SharedOptions,
  ): SharedArray<K> | RawArray<K>;
  /** What its objects inherit. */
  readonly prototype: SharedArray;
}

/**
 * One value in shared memory with a lock.
 *
 * Semantics: `value` reads or writes without taking the lock (one read or write of a scalar is
 * whole); `update` does both in one step under it. It is shareable, and so is its lock. Integers
 * wrap as in C.
 *
 * Python: `Value(typecode_or_type, *args, lock=True)`. There `value` takes the lock for the single
 * access, which makes `+=` no safer. With `lock: false` the object is a {@link RawValue}, which has
 * neither lock nor `getObj`.
 *
 * @example
 * import { Value } from 'multiprocess';
 *
 * const counter = new Value('i', 0);
 * await counter.update((n) => n + 1);
 * console.log(counter.value); // 1
 */
export interface Value<K extends TypeCode = TypeCode> extends ValueClass<K> {}
/** Makes a {@link Value}, or a {@link RawValue} with `lock: false`. */
export const Value: ValueConstructor = ValueClass as unknown as ValueConstructor;

/**
 * An array of fixed length in shared memory with a lock.
 *
 * Semantics: `array` is the memory itself and takes no lock; take it with `runExclusive` or
 * `acquire` around what belongs together. It is shareable, and so is its lock. See {@link RawArray}
 * for the memory.
 *
 * Python: `Array(typecode_or_type, size_or_initializer, lock=True)`. With `lock: false` the object
 * is a {@link RawArray}.
 *
 * @example
 * import { SharedArray } from 'multiprocess';
 *
 * const sums = new SharedArray('f64', 2);
 * await sums.runExclusive(() => {
 *   sums.array[0]! += 1.5;
 * });
 * console.log(sums.array); // Float64Array(2) [ 1.5, 0 ]
 */
export interface SharedArray<K extends TypeCode = TypeCode> extends SharedArrayClass<K> {}
/** Makes a {@link SharedArray}, or a {@link RawArray} with `lock: false`. */
export const SharedArray: SharedArrayConstructor = SharedArrayClass as unknown as SharedArrayConstructor;
