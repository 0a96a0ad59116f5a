/** How many entries a WeakMap or WeakSet has: only V8's inspector shows that. */
import { GROUP, post, type RemoteObject, withHolder, withSession } from './session.js';

interface InternalProperties {
  readonly internalProperties?: readonly { readonly name: string; readonly value?: RemoteObject & { readonly description?: string } }[];
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

function count(holderId: string): number {
  const { result } = post<{ result: RemoteObject }>('Runtime.callFunctionOn', {
    objectId: holderId,
    functionDeclaration: 'function () { return this.value }',
    objectGroup: GROUP,
  });
  const { internalProperties } = post<InternalProperties>('Runtime.getProperties', { objectId: result.objectId, ownProperties: true });
  const entries = internalProperties?.find(({ name }) => name === '[[Entries]]')?.value?.description;
  return Number(/\d+/.exec(entries ?? '')?.[0] ?? 0);
}
