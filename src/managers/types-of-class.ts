/** The types that a class of managers has: its own, and those of the classes that it extends. */
import type { ManagedType } from './registry.js';
import type { SentType } from './wire/server-work.js';

/** Own types of each class of managers. */
const registries = new WeakMap<object, Map<string, ManagedType>>();

/** Returns the types that were registered for a class itself. */
export function ownTypesOf(managerClass: object): Map<string, ManagedType> {
  const own = registries.get(managerClass) ?? new Map<string, ManagedType>();
  registries.set(managerClass, own);
  return own;
}

/** Returns all types of a manager's class, where its own replace inherited ones. */
export function typesOf(manager: object): Map<string, ManagedType> {
  const chain: Map<string, ManagedType>[] = [];
  for (let at: unknown = manager.constructor; typeof at === 'function'; at = Object.getPrototypeOf(at)) {
    const own = registries.get(at);
    if (own !== undefined) chain.unshift(own);
  }
  return new Map(chain.flatMap((own) => [...own]));
}

/** Returns what a server is sent of a type. */
export function sentType(typeid: string, type: ManagedType): SentType {
  if (type.module !== undefined) return [typeid, type.module, null];
  const { proxyType: _, createMethod: __, ...rest } = type;
  return [typeid, null, rest];
}
