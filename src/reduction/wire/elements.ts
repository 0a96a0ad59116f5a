/**
 * Whether an array consists of its elements and nothing else: no extra property, no symbol key.
 *
 * Listing the keys of an array costs 5 ns an element, as much as writing it. util.inspect with `maxArrayLength: 0`
 * asks V8 for the non-index keys alone, in constant time, and prints `[ ... 3 more items ]` exactly when there are
 * none. Should a Node version print it otherwise, the answer falls back to listing the keys: slower, never wrong.
 */
import { inspect } from 'node:util';

/** From this length on, asking inspect is cheaper than listing the keys. */
const LARGE = 128;
const options = { maxArrayLength: 0, depth: 0, breakLength: Number.POSITIVE_INFINITY, customInspect: false } as const;

/** `false` also for short arrays with holes; a hole in a long array is for the caller to find. */
export function hasOnlyElements(array: readonly unknown[]): boolean {
  const { length } = array;
  // `length` itself is the one more.
  if (length < LARGE) return Reflect.ownKeys(array).length === length + 1;
  if (inspect(array, options) === `[ ... ${length} more items ]`) return true;
  return Reflect.ownKeys(array).length === length + 1;
}
