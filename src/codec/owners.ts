/**
 * Which instance a function was met on as an own property: an arrow that is a class field has that
 * instance as its `this`, and V8 does not show it.
 */
const owners = new WeakMap<Function, object>();

/** Notes the functions among the own properties of an instance that is being sent. */
export function noteOwner(instance: object): void {
  for (const key of Object.keys(instance)) {
    const value: unknown = Object.getOwnPropertyDescriptor(instance, key)?.value;
    if (typeof value === 'function') owners.set(value, instance);
  }
}

/** The instance on which a function was met last. */
export function ownerOf(fn: Function): object | undefined {
  return owners.get(fn);
}
