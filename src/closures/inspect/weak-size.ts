/** How many entries a WeakMap or WeakSet has: only V8's inspector shows that. */
import { heldValue, post, type RemoteObject, withHolder, withSession } from './session.js';

interface InternalProperties {
  readonly internalProperties?: readonly {
    readonly name: string;
    readonly value?: RemoteObject & { readonly description?: string };
  }[];
}

/**
 * Counts entries, with those whose keys are garbage that was not collected yet. 0 where there is no
 * inspector.
 */
export function weakSize(weak: object): number {
  try {
    return withSession('', () => withHolder({ value: weak, out: [] }, count));
  } catch {
    return 0;
  }
}

function count(): number {
  const { internalProperties } = post<InternalProperties>('Runtime.getProperties', {
    objectId: heldValue(),
    ownProperties: true,
  });
  const entries = internalProperties?.find(({ name }) => name === '[[Entries]]')?.value?.description;
  return Number(/\d+/.exec(entries ?? '')?.[0] ?? 0);
}
