/**
 * Typed values and arrays in shared memory. Python: `multiprocessing.sharedctypes`.
 *
 * @packageDocumentation
 */

// With a lock

export {
  type LockedOptions,
  SharedArray,
  type SharedArrayConstructor,
  type UnlockedOptions,
  Value,
  type ValueConstructor,
} from './constructors.js';
export { type Synchronized, synchronized } from './functions.js';
export type { Guarded, SharedOptions, ValueLock } from './guarded.js';

// Without a lock

export { copy, type Raw } from './functions.js';
export { RawArray } from './raw-array.js';
export { RawValue } from './raw-value.js';

// Types

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
