/**
 * What only V8 knows of a function: its captured scopes, where it was written, what it binds or
 * proxies.
 */
import { fetchInto, heldValue, post, type RemoteObject, withHolder, withSession } from './session.js';

/** One captured scope, innermost first. `object` is V8's snapshot of its names. */
export interface CapturedScope {
  /** `Block (f)`, `Closure (f)`, `Module`, `Script`, `Global`, `With Block`, `Catch`. */
  readonly type: string;
  readonly object: Record<string, unknown>;
}

/** What the inspector shows of a function. */
export interface Mirror {
  readonly location: { readonly scriptId: string; readonly line: number; readonly column: number } | null;
  readonly scopes: readonly CapturedScope[];
  /** Private static fields of a class, with their `#`. */
  readonly privates: ReadonlyMap<string, unknown>;
  readonly bound: { readonly target: Function; readonly receiver: unknown; readonly args: readonly unknown[] } | null;
  readonly proxy: { readonly target: object; readonly handler: object | null } | null;
}

interface Property {
  readonly name: string;
  readonly value?: RemoteObject;
}

interface Properties {
  readonly internalProperties?: readonly Property[];
  readonly privateProperties?: readonly Property[];
}

/** Looks at a function. @throws SerializationError `MP_INSPECTOR_UNAVAILABLE`. */
export function mirror(fn: Function, actor: string): Mirror {
  return withSession(actor, () => look(fn));
}

function look(fn: Function): Mirror {
  const holder: { value: Function; out: unknown[] } = { value: fn, out: [] };
  return withHolder(holder, () => {
    const objectId = heldValue();
    const { internalProperties = [], privateProperties = [] } = post<Properties>('Runtime.getProperties', {
      objectId,
      ownProperties: true,
    });
    const internal = (name: string) => internalProperties.find((property) => property.name === name)?.value;
    fetchInto(
      objectId,
      ['[[Scopes]]', '[[TargetFunction]]', '[[BoundThis]]', '[[BoundArgs]]', '[[Target]]', '[[Handler]]']
        .map(internal)
        .concat(privateProperties.map(({ value }) => value)),
    );
    const location = internal('[[FunctionLocation]]')?.value as
      | { scriptId: string; lineNumber: number; columnNumber: number }
      | undefined;
    const [scopes, bound, receiver, args, target, handler, ...privates] = holder.out;
    return {
      location:
        location === undefined
          ? null
          : { scriptId: location.scriptId, line: location.lineNumber, column: location.columnNumber },
      scopes: scopes === undefined ? [] : readScopes(scopes),
      privates: new Map(privateProperties.map(({ name }, index) => [name, privates[index]])),
      bound: typeof bound === 'function' ? { target: bound, receiver, args: list(args) } : null,
      proxy: isObject(target) ? { target, handler: isObject(handler) ? handler : null } : null,
    };
  });
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** V8's lists have no prototype. */
function list(value: unknown): unknown[] {
  return Array.prototype.slice.call(value ?? []) as unknown[];
}

function readScopes(value: unknown): CapturedScope[] {
  return list(value).map((entry) => {
    const { description, object } = entry as { description: string; object: Record<string, unknown> };
    return { type: description, object };
  });
}
