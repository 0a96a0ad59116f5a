/**
 * Properties of a function or class that its text alone does not give: found on the sending side,
 * restored on the other.
 *
 * A class's text makes its methods and accessors; they are left out as long as they are the ones
 * from the text. Static fields are properties only (class-now.ts).
 */
import { noteOwner } from '../../codec/owners.js';
import { localPrototype } from '../../codec/realms.js';
import type { Analysis } from '../analysis/analysis.js';
import { isMemberOf, isPrinter } from '../receive/provenance.js';
import type { ExtraProperty, FunctionData } from '../wire.js';
import type { Children } from './children.js';
import { computedNames } from './class-now.js';

const OWN: ReadonlySet<string | symbol> = new Set(['length', 'name', 'prototype', 'arguments', 'caller']);
const WRITABLE = 1;
const ENUMERABLE = 2;
const CONFIGURABLE = 4;

/** What {@link collectExtras} found. */
export type Extras = Pick<FunctionData, 'extras' | 'parent' | 'prototypeParent'>;

/** Collects the properties and prototypes that have to travel beside the text. */
export function collectExtras(fn: Function, text: string, analysis: Analysis, children: Children): Extras {
  const extras: ExtraProperty[] = [];
  const isClass = analysis.form === 'class';
  if (isClass) noteOwner(fn);
  const computed = isClass ? computedNames(fn, text, analysis) : undefined;
  for (const key of Reflect.ownKeys(fn)) {
    const descriptor = Object.getOwnPropertyDescriptor(fn, key)!;
    if (OWN.has(key) && !(isClass && isStaticMember(descriptor, key))) continue;
    if (
      isPrinter(descriptor.value) ||
      isFromText(fn, descriptor, key, analysis.declared?.statics, computed?.statics, text)
    )
      continue;
    extras.push(extra('function', key, descriptor, children));
  }
  const prototype: unknown = Object.getOwnPropertyDescriptor(fn, 'prototype')?.value;
  let prototypeParent = -1;
  if (typeof prototype === 'object' && prototype !== null) {
    for (const key of Reflect.ownKeys(prototype)) {
      const descriptor = Object.getOwnPropertyDescriptor(prototype, key)!;
      if (key === 'constructor' && descriptor.value === fn) continue;
      if (isFromText(prototype, descriptor, key, analysis.declared?.prototype, computed?.prototype, text)) continue;
      extras.push(extra('prototype', key, descriptor, children));
    }
    const above: unknown = Object.getPrototypeOf(prototype);
    if (analysis.plain && !isBuiltinPrototype(above, Object.prototype))
      prototypeParent = children.add(above, 'prototype of .prototype');
  }
  const above: unknown = Object.getPrototypeOf(fn);
  const parent =
    analysis.plain && !isBuiltinPrototype(above, Function.prototype) ? children.add(above, 'prototype') : -1;
  return { extras, parent, prototypeParent };
}

/** A static member that takes the place of `name` or `length`, which every function has. */
function isStaticMember({ writable, value }: PropertyDescriptor, key: string | symbol): boolean {
  if (key !== 'name' && key !== 'length') return false;
  return writable !== false || typeof value !== (key === 'name' ? 'string' : 'number');
}

/** Whether it is the builtin prototype, of whichever realm. */
function isBuiltinPrototype(prototype: unknown, builtin: object): boolean {
  return prototype === builtin || (prototype !== null && localPrototype(prototype as object) === builtin);
}

/**
 * A member that the class's text declares and that is still that one: functions print their part of
 * the text, unless they are those of a rebuilt class.
 */
function isFromText(
  owner: object,
  descriptor: PropertyDescriptor,
  key: string | symbol,
  declared: ReadonlySet<string> | undefined,
  computed: ReadonlySet<string | symbol> | undefined,
  text: string,
): boolean {
  if (declared === undefined || computed === undefined) return false;
  const parts = [descriptor.value, descriptor.get, descriptor.set].filter((part) => part !== undefined);
  if (parts.length > 0 && parts.every((part) => isMemberOf(owner, key, part))) return true;
  const printed = parts.every(
    (part) => typeof part === 'function' && text.includes(Function.prototype.toString.call(part)),
  );
  return printed && parts.length > 0 && (computed.has(key) || (typeof key === 'string' && declared.has(key)));
}

function extra(
  on: ExtraProperty['on'],
  key: string | symbol,
  descriptor: PropertyDescriptor,
  children: Children,
): ExtraProperty {
  const label = typeof key === 'string' ? `.${key}` : `[${String(key)}]`;
  const at = on === 'function' ? label : `.prototype${label}`;
  const part = (value: unknown, name: string) => (value === undefined ? -1 : children.add(value, name));
  const accessor = 'get' in descriptor || 'set' in descriptor;
  return {
    on,
    key: typeof key === 'string' ? key : children.add(key, `key ${label}`),
    flags:
      (descriptor.writable === true ? WRITABLE : 0) |
      (descriptor.enumerable === true ? ENUMERABLE : 0) |
      (descriptor.configurable === true ? CONFIGURABLE : 0),
    value: accessor ? -1 : children.add(descriptor.value, at),
    get: part(descriptor.get, `get ${at}`),
    set: part(descriptor.set, `set ${at}`),
  };
}

/** Puts one property back. */
export function restoreExtra(fn: Function, property: ExtraProperty, children: readonly unknown[]): void {
  const owner: unknown = property.on === 'function' ? fn : (fn as { prototype?: unknown }).prototype;
  if (typeof owner !== 'object' && typeof owner !== 'function') return;
  const key = typeof property.key === 'string' ? property.key : (children[property.key] as symbol);
  const enumerable = (property.flags & ENUMERABLE) !== 0;
  const configurable = (property.flags & CONFIGURABLE) !== 0;
  const child = (index: number) => (index < 0 ? undefined : children[index]) as never;
  const descriptor: PropertyDescriptor =
    property.value >= 0
      ? { value: child(property.value), writable: (property.flags & WRITABLE) !== 0, enumerable, configurable }
      : { get: child(property.get), set: child(property.set), enumerable, configurable };
  Reflect.defineProperty(owner as object, key, descriptor);
}

/** The children a property needs before it can be put back. */
export function childrenOf(property: ExtraProperty): number[] {
  const key = typeof property.key === 'number' ? property.key : -1;
  return [key, property.value, property.get, property.set].filter((index) => index >= 0);
}
