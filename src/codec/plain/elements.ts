/**
 * Whether an array consists of its elements and nothing else: no hole, no extra enumerable
 * property, no symbol key.
 *
 * Listing the keys of an array costs up to 30 ns an element, more than writing it. Object.values
 * makes no index strings, and for long arrays util.inspect with `maxArrayLength: 0` asks V8 for the
 * non-index keys alone, in constant time: it prints `[ ... 300 more items ]` exactly when there are
 * none. Should a Node version print it otherwise, the keys are listed: slower, never wrong.
 */
import { inspect } from 'node:util';

/** From this length on, asking inspect is cheaper. */
const LARGE = 256;
/** Up to this length, listing the keys is cheapest. */
const TINY = 3;
const options = { maxArrayLength: 0, depth: 0, breakLength: Number.POSITIVE_INFINITY, customInspect: false } as const;
const { getOwnPropertySymbols, keys, values } = Object;

/**
 * A hole in a long array may stay unnoticed here; the writer looks at every `undefined` it meets.
 */
export function hasOnlyElements(array: readonly unknown[]): boolean {
  const { length } = array;
  if (length >= LARGE && inspect(array, options) === `[ ... ${length} more items ]`) return true;
  const count = length <= TINY || length >= LARGE ? keys(array).length : values(array).length;
  return count === length && getOwnPropertySymbols(array).length === 0;
}
