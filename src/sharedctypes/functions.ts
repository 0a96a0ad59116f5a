import { ArgumentError } from '../errors/index.js';
import { describe } from '../util/options.js';
import { SharedArray, Value } from './constructors.js';
import { lockOf, Pair, type SharedOptions, type ValueLock } from './guarded.js';
import { RawArray } from './raw-array.js';
import { RawValue } from './raw-value.js';
import { SharedArray as GuardedArray } from './shared-array.js';
import type { Settable, TypeCode } from './types.js';
import { Value as GuardedValue } from './value.js';

/** A shared object without a lock. */
export type Raw<K extends TypeCode> = RawValue<K> | RawArray<K>;
/** A shared object with one. */
export type Synchronized<K extends TypeCode> = Value<K> | SharedArray<K>;

/**
 * A new shared object with the same contents, independent of the original. A copy of one with a
 * lock has a new RLock.
 *
 * @throws ArgumentError when it is no shared value or array.
 * @example
 * import { Value } from 'multiprocess';
 * import { copy } from 'multiprocess/sharedctypes';
 *
 * const count = new Value('i', 1);
 * const other = copy(count);
 * count.value = 5;
 * console.log(other.value); // 1
 */
export function copy<T extends Raw<TypeCode> | Synchronized<TypeCode>>(object: T): T {
  if (object instanceof RawValue) return copyValue(object) as unknown as T;
  if (object instanceof RawArray) return copyArray(object) as unknown as T;
  if (object instanceof Value || object instanceof SharedArray)
    return synchronized(copy(object.getObj() as Raw<TypeCode>)) as unknown as T;
  throw new ArgumentError(
    `copy: the argument must be a Value, a SharedArray, a RawValue or a RawArray, not ${describe(object)}.`,
  );
}

function copyValue(from: RawValue): RawValue {
  from.block.check('copy');
  const to = new RawValue(from.type);
  to.block.bytes.set(from.block.bytes);
  return to;
}

function copyArray(from: RawArray): RawArray {
  from.block.check('copy');
  const to = new RawArray<TypeCode>(from.type, from.length as number | Iterable<Settable<TypeCode>>);
  new Uint8Array(to.block.buffer).set(new Uint8Array(from.block.buffer));
  return to;
}

/**
 * Gives a raw object a lock; the memory stays the same.
 *
 * @param lock Default: a new RLock.
 * @throws ArgumentError for an object that has one, or is none of ours.
 * @example
 * import { RawValue } from 'multiprocess';
 * import { synchronized } from 'multiprocess/sharedctypes';
 *
 * const raw = new RawValue('i', 1);
 * const guarded = synchronized(raw);
 * await guarded.update((n) => n + 1);
 * console.log(raw.value); // 2
 */
export function synchronized<K extends TypeCode>(object: RawValue<K>, lock?: ValueLock | null): Value<K>;
export function synchronized<K extends TypeCode>(object: RawArray<K>, lock?: ValueLock | null): SharedArray<K>;
export function synchronized<K extends TypeCode>(object: Raw<K>, lock?: ValueLock | null): Synchronized<K>;
export function synchronized<K extends TypeCode>(object: Raw<K>, lock?: SharedOptions['lock']): Synchronized<K> {
  const guard = lockOf('synchronized', typeof lock === 'boolean' ? ({} as ValueLock) : lock, null) as ValueLock;
  if (object instanceof RawValue) return new GuardedValue(new Pair(object, guard));
  if (object instanceof RawArray) return new GuardedArray(new Pair(object, guard));
  throw new ArgumentError(
    `synchronized: the argument must be a RawValue or a RawArray without a lock, not ${describe(object)}.`,
  );
}
