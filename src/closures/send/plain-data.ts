/**
 * Whether a value is plain data all through: primitives, and arrays and ordinary objects of them,
 * without accessors, functions or cycles. Such imports are copied; anything else is imported again
 * on the other side.
 */
const MAX_OBJECTS = 10_000;

/** Gives up, with `false`, on values of more than {@link MAX_OBJECTS} objects. */
export function isPlainData(value: unknown): boolean {
  const budget = { left: MAX_OBJECTS };
  return isPlain(value, budget, 0);
}

function isPlain(value: unknown, budget: { left: number }, depth: number): boolean {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return typeof value !== 'symbol';
  if (typeof value === 'function' || depth > 100 || --budget.left < 0) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== Array.prototype) return false;
  // To list the keys of a long array takes longer than to count its objects.
  if (Array.isArray(value) && hasMoreObjects(value, budget.left)) return false;
  for (const key of Reflect.ownKeys(value)) {
    const descriptor = Object.getOwnPropertyDescriptor(value, key)!;
    if (typeof key === 'symbol' || !('value' in descriptor) || !isPlain(descriptor.value, budget, depth + 1))
      return false;
  }
  return true;
}

function hasMoreObjects(list: readonly unknown[], most: number): boolean {
  let count = 0;
  return list.length > most && list.some((each) => typeof each === 'object' && each !== null && ++count > most);
}
