/** Typed values and arrays in shared memory. */

export {
  type LockedOptions,
  SharedArray,
  type SharedArrayConstructor,
  type UnlockedOptions,
  Value,
  type ValueConstructor,
} from './constructors.js';
export { copy, type Raw, type Synchronized, synchronized } from './functions.js';
export type { Guarded, SharedOptions, ValueLock } from './guarded.js';
export { RawArray } from './raw-array.js';
export { RawValue } from './raw-value.js';
export {
  type ArrayOf,
  type Elements,
  type ScalarCode,
  type Settable,
  type StructFields,
  type StructType,
  struct,
  type TypeCode,
  type ValueOf,
} from './types.js';
