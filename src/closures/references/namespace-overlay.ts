/**
 * The namespace or the exports of a module that was loaded here, with some members of another
 * process in the place of its own: what is shared there, and what leads to it. All else is read
 * from the module.
 */

/**
 * Returns an object with the members of `namespace`, of which those with `keys` are `members`. They
 * may be set later.
 */
export function overlay(namespace: object, keys: readonly string[], members: readonly unknown[]): object {
  const object = Object.create(Object.getPrototypeOf(namespace) as object | null) as object;
  for (const key of Object.keys(namespace)) {
    const index = keys.indexOf(key);
    Object.defineProperty(object, key, {
      enumerable: true,
      configurable: true,
      ...(index < 0
        ? accessorsOf(namespace as Record<string, unknown>, key)
        : { value: members[index], writable: true }),
    });
  }
  return object;
}

function accessorsOf(namespace: Record<string, unknown>, key: string): PropertyDescriptor {
  return {
    get: () => namespace[key],
    set: (value) => {
      namespace[key] = value;
    },
  };
}
