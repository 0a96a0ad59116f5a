/**
 * WeakMaps and WeakSets that functions and instances hold: caches, and what compilers make of
 * #private members. What one holds cannot be listed, but it can be asked: it arrives with the
 * entries whose keys travel in the same message. So instances of a class whose #private fields were
 * compiled to WeakMaps arrive with them. It has an identity (identity.ts): later messages add to
 * it.
 *
 *   weak       data: `map` or `set`, identity. By value
 *   variable   (closures/kinds.ts) one that a function which goes by reference uses under a name
 *   entries    children: the WeakMap, then kind of key, key, value for each entry (`true` in a
 *              WeakSet)
 *
 * Which keys an original has already is its own affair: entries of keys that the receiver may have
 * had before (classes, exports) are not taken over there.
 */
import { types } from 'node:util';
import { identityOf, isOriginal, objectWithIdentity, setIdentity } from '../identity.js';
import { badPayload, Refused } from '../messages.js';
import type { NodeKind, Reduction } from '../node.js';

/** A WeakMap or WeakSet. */
export type Weak = WeakMap<object, unknown> | WeakSet<object>;

/** A variable of a function that goes by reference. */
export interface WeakVariable {
  readonly fn: Function;
  readonly name: string;
}

const variables = new WeakMap<Weak, WeakVariable>();

/** Kinds of values that a receiver may have had before the message. */
const NAMED = new Set(['class', 'global', 'module', 'h']);
const FRESH_KEY = 0;
const NAMED_KEY = 1;

export function isWeak(value: unknown): value is Weak {
  return types.isWeakMap(value) || types.isWeakSet(value);
}

/** Notes that the other side finds this one as a variable of a function that it has. */
export function noteVariable(weak: Weak, variable: WeakVariable): void {
  variables.set(weak, variable);
}

/**
 * Reduces one without its entries. `undefined` for any other value, and for subclasses, which hold
 * more.
 */
export function reduceWeak(value: object): Reduction | undefined {
  if (!isWeak(value)) return undefined;
  const variable = variables.get(value);
  if (variable !== undefined) {
    return { kind: 'variable', data: variable.name, children: [variable.fn], label: () => 'class', stateless: true };
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== WeakMap.prototype && prototype !== WeakSet.prototype) return undefined;
  const kind = types.isWeakMap(value) ? 'map' : 'set';
  return { kind: weakKind.tag, data: [kind, identityOf(value)], children: [], label: String, stateless: true };
}

/**
 * The entries whose keys are among `keys`, as a reduction; `null` when there are none. `kindOf`
 * gives the kind that a key is reduced to.
 */
export function reduceEntries(weak: Weak, keys: Iterable<object>, kindOf: (key: object) => string): Reduction | null {
  const children: unknown[] = [weak];
  for (const key of keys) {
    if (!weak.has(key)) continue;
    const value: unknown = types.isWeakMap(weak) ? weak.get(key) : true;
    children.push(NAMED.has(kindOf(key)) ? NAMED_KEY : FRESH_KEY, key, value);
  }
  if (children.length === 1) return null;
  return {
    kind: entriesKind.tag,
    data: undefined,
    children,
    label: (index) => (index % 3 === 0 ? 'value in a WeakMap' : ''),
  };
}

/** @throws Refused: what is read of it would be gone on the other side. */
export function refuseUnread(weak: Weak, size: number): never {
  const isMap = types.isWeakMap(weak);
  throw new Refused({
    code: 'MP_WEAK',
    what: `a ${isMap ? 'WeakMap' : 'WeakSet'} of ${size} ${size === 1 ? 'entry' : 'entries'}`,
    why: 'it arrives with entries about objects that are sent with it, and none of its keys is',
    repair: isMap
      ? 'send what belongs to an item with the item (`items.map((item) => [item, about.get(item)])`), or use a Map whose keys are strings or numbers'
      : 'send with an item whether it is in the set (`items.map((item) => [item, seen.has(item)])`), or use a Set of strings or numbers',
  });
}

export const weakKind: NodeKind = {
  tag: 'weak',
  shell: false,
  build(data) {
    const [kind, id] = Array.isArray(data) ? (data as readonly unknown[]) : [];
    if (typeof id !== 'string') throw badPayload('a WeakMap has no identity');
    const known = objectWithIdentity(id);
    if (known !== undefined) return { value: known };
    const made = kind === 'map' ? new WeakMap() : new WeakSet();
    setIdentity(made, id);
    return { value: made };
  },
};

export const entriesKind: NodeKind = {
  tag: 'entries',
  shell: false,
  build(_data, children, late) {
    const [weak] = children;
    if (!isWeak(weak) || late.length > 0 || children.length % 3 !== 1) throw badPayload('entries without a WeakMap');
    const isHome = isOriginal(identityOf(weak));
    for (let i = 1; i < children.length; i += 3) {
      const [kind, key, value] = children.slice(i, i + 3) as [unknown, object, unknown];
      if (kind === NAMED_KEY && isHome) continue;
      if (types.isWeakMap(weak)) weak.set(key, value);
      else weak.add(key);
    }
    return { value: weak };
  },
};
