/** Comparing large typed arrays: `toEqual` looks at each element, which takes seconds for a megabyte. */
import { expect } from 'vitest';

/** Expects `actual` to hold the bytes of `wanted`. */
export function expectBytes(actual: unknown, wanted: Uint8Array): void {
  expect(actual).toBeInstanceOf(Uint8Array);
  expect(Buffer.compare(actual as Uint8Array, wanted)).toBe(0);
}
