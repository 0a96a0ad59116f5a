/**
 * Plain objects, with Object.prototype or none: their enumerable properties, getters read (as the
 * fast path does).
 *
 * The namespace that a bundler makes of a module is an object of getters. Before the module has run
 * its variables are empty; the namespace goes with its getters then, since the function that runs
 * the module may be sent beside it.
 *
 * Children: 0 integrity | key, value, key, value, …
 */
import { badPayload } from '../messages.js';
import type { Built, NodeKind, Reduction } from '../node.js';
import { reduceInstance } from './instance.js';
import { keyLabel } from './properties.js';
import { integrityOf, restoreIntegrity } from './shell.js';

const FROZEN = 3;

/** Reduces a plain object; `null` prototypes are kept. */
export function reducePlainObject(value: object): Reduction {
  const record = value as Record<string | symbol, unknown>;
  const integrity = integrityOf(value);
  const children: unknown[] = [integrity];
  for (const key of Object.keys(record)) {
    const child = record[key];
    if (child === undefined && isVariable(Object.getOwnPropertyDescriptor(record, key)?.get))
      return reduceInstance(value, undefined);
    children.push(key, child);
  }
  for (const key of Object.getOwnPropertySymbols(record)) {
    if (Object.prototype.propertyIsEnumerable.call(record, key)) children.push(key, record[key]);
  }
  return {
    kind: Object.getPrototypeOf(value) === null ? nullObjectKind.tag : objectKind.tag,
    data: undefined,
    children,
    label: (index) => (index === 0 ? '' : keyLabel(children[index - ((index + 1) % 2)] as string | symbol)),
    stateless: integrity === FROZEN,
    constant: integrity === FROZEN,
  };
}

/** `() => half`, `()=>(/* binding *\/ half)`, `function () { return half; }`. */
const RETURNS_VARIABLE =
  /^(?:\(\)\s*=>\s*\(?|function\s*\(\)\s*\{\s*return)\s*(?:\/\*[^*]*\*\/)?\s*[\w$]+\s*[;)]?\s*\}?$/;

/**
 * Whether a getter was made of a function that returns a variable. Those of object literals and
 * classes begin with `get`.
 */
function isVariable(getter: (() => unknown) | undefined): boolean {
  return getter !== undefined && RETURNS_VARIABLE.test(Function.prototype.toString.call(getter));
}

/** `{ … }` */
export const objectKind: NodeKind = { tag: 'o', shell: true, build: () => plain({}) };

/** `Object.create(null)` and its properties. */
export const nullObjectKind: NodeKind = { tag: 'n', shell: true, build: () => plain(Object.create(null) as object) };

function plain(value: object): Built {
  const record = value as Record<string | symbol, unknown>;
  let kept: readonly unknown[] = [];
  let missing = 0;
  return {
    value,
    fill(children, late) {
      if (children.length % 2 === 0) throw badPayload('an object has a key without a value');
      for (let i = 1; i < children.length; i += 2) put(record, children[i], children[i + 1]);
      missing = late.length;
      kept = children;
      if (missing === 0) restoreIntegrity(value, children[0]);
    },
    set(index, child) {
      if (index % 2 !== 0 || index === 0) throw badPayload('a key came late');
      put(record, kept[index - 1], child);
      missing--;
      if (missing === 0) restoreIntegrity(value, kept[0]);
    },
  };
}

function put(record: Record<string | symbol, unknown>, key: unknown, value: unknown): void {
  if (typeof key !== 'string' && typeof key !== 'symbol') throw badPayload('a key is no string');
  if (key === '__proto__')
    Object.defineProperty(record, key, { value, writable: true, enumerable: true, configurable: true });
  else record[key] = value;
}
