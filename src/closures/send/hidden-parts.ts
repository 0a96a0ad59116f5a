/**
 * Where a class that goes by reference keeps what is no property of its instances: WeakMaps and
 * WeakSets of its module, which compilers make of #private members and the user of caches. Of a
 * class by value they are captures and travel with it.
 */
import { isWeak, noteVariable, type Weak } from '../../codec/kinds/weak.js';
import { analyse } from '../analysis/analysis.js';
import { mirror } from '../inspect/inspector.js';

const found = new WeakMap<Function, readonly Weak[]>();

/**
 * Those of the classes of an instance that hold something of it. `isReference` says which classes
 * go by reference.
 */
export function hiddenPartsOf(instance: object, isReference: (type: Function) => boolean): readonly Weak[] {
  const parts: Weak[] = [];
  for (let at: unknown = Object.getPrototypeOf(instance); at !== null; at = Object.getPrototypeOf(at as object)) {
    const type: unknown = Object.getOwnPropertyDescriptor(at as object, 'constructor')?.value;
    if (typeof type !== 'function' || type.prototype !== at) continue;
    let known = found.get(type);
    if (known === undefined) {
      known = partsOf(type, isReference);
      found.set(type, known);
    }
    for (const weak of known) if (weak.has(instance)) parts.push(weak);
  }
  return parts;
}

/** Whatever fills an entry for an instance is called with `this`. */
const FILLS = /\(\s*this\b/;

function partsOf(type: Function, isReference: (type: Function) => boolean): readonly Weak[] {
  const text = Function.prototype.toString.call(type);
  if (!FILLS.test(text) || text.endsWith('{ [native code] }') || !isReference(type)) return [];
  const names = analyse(text)?.free ?? new Map<string, unknown>();
  const { scopes } = mirror(type, `class ${type.name}`);
  const parts: Weak[] = [];
  for (const name of names.keys()) {
    const value = valueIn(scopes.find(({ object }) => Object.hasOwn(object, name))?.object, name);
    if (!isWeak(value)) continue;
    noteVariable(value, { fn: type, name });
    parts.push(value);
  }
  return parts;
}

/** `undefined` before it is initialised. */
function valueIn(scope: Record<string, unknown> | undefined, name: string): unknown {
  try {
    return scope?.[name];
  } catch {
    return undefined;
  }
}
