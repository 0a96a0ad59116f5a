const ITEMS_AT_ONCE = 4;

/** Items that a worker runs at once, of a pool that does not say: see vitest.config.ts. */
export let slots = 1;

/** Has workers of this file run several. Returns how many. */
export function makeConcurrent(): number {
  slots = ITEMS_AT_ONCE;
  return slots;
}
