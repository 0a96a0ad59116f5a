/** Typed values and arrays in shared memory. */

export { copy, type Raw, type Synchronized, synchronized } from './functions.js';
export type { Guarded, SharedOptions, ValueLock } from './guarded.js';
export { RawArray } from './raw-array.js';
export { RawValue } from './raw-value.js';
export { SharedArray } from './shared-array.js';
export {
  type ArrayOf,
  type ScalarCode,
  type Settable,
  type StructFields,
  type StructType,
  struct,
  type TypeCode,
  type ValueOf,
} from './types.js';
export { Value } from './value.js';
