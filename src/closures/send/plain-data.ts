/**
 * Whether a value is plain data all through: primitives, and arrays and ordinary objects of them, without accessors,
 * functions or cycles. Such imports are copied; anything else is imported again on the other side.
 */
const MOST = 10_000;

/** Gives up, with `false`, on values of more than {@link MOST} parts. */
export function isPlainData(value: unknown): boolean {
  const budget = { left: MOST };
  return isPlain(value, budget, 0);
}

function isPlain(value: unknown, budget: { left: number }, depth: number): boolean {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return typeof value !== 'symbol';
  if (typeof value === 'function' || depth > 100 || --budget.left < 0) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== Array.prototype) return false;
  for (const key of Reflect.ownKeys(value)) {
    const descriptor = Object.getOwnPropertyDescriptor(value, key)!;
    if (typeof key === 'symbol' || !('value' in descriptor) || !isPlain(descriptor.value, budget, depth + 1)) return false;
  }
  return true;
}
