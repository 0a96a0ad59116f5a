/**
 * The kinds `function` and `class`: data and children back to a function.
 *
 * Whatever is late (a capture in a cycle, a property, a prototype) is put in place by `set`; the
 * rest at once.
 */
import { createRequire } from 'node:module';
import { dirname, isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isOriginal, objectWithIdentity, setIdentity } from '../../codec/identity.js';
import type { Built, NodeKind } from '../../codec/node.js';
import { exportOf, importFrom } from '../../modules/load-modules.js';
import { pathOf } from '../../util/file-names.js';
import { coverageOf } from '../coverage.js';
import { badPayload } from '../messages.js';
import { overlay } from '../references/namespace-overlay.js';
import { fromRoot } from '../references/vite.js';
import { childrenOf, restoreExtra } from '../send/properties.js';
import { checkFunctionData, type ExtraProperty, type FunctionData, requestsOf, type Slot } from '../wire.js';
import { ARGUMENTS, factoryOf } from './compile.js';
import { adoptPrototype } from './constructor-functions.js';
import { printAs, provenanceOf, remember, rememberMembers } from './provenance.js';

/** Rebuilds functions. */
export const functionKind: NodeKind = { tag: 'function', shell: false, code: true, modules: requestsOf, build };

/** Rebuilds classes: as functions, but a class that this process knows already is that one. */
export const classKind: NodeKind = {
  tag: 'class',
  shell: false,
  code: true,
  modules: requestsOf,
  build(data, children, late) {
    const { id } = checkFunctionData(data);
    const known = objectWithIdentity(id);
    if (known === undefined) return build(data, children, late);
    // The original is what its own process makes of it.
    return isOriginal(id) ? { value: known, set() {} } : renew(known as Function, data as FunctionData, children, late);
  },
};

function build(payload: unknown, children: unknown[], late: readonly number[]): Built {
  const data = checkFunctionData(payload);
  const isLate = new Set(late);
  if (isLate.has(data.receiver) || isLate.has(data.args))
    throw badPayload('an outer `this` that depends on the function itself');
  const params = data.slots.map((slot) => slot.name);
  // The variables of a class are those of the latest message.
  const lateParams = data.slots.flatMap((slot, index) =>
    slot.from === 'self' || (slot.from === 'child' && (isLate.has(slot.child) || data.id !== '')) ? [index] : [],
  );
  const values = data.slots.map((slot) => fill(slot, children));
  if (data.args >= 0) {
    params.push(ARGUMENTS);
    values.push(children[data.args]);
  }
  const factory = factoryOf(data, params, lateParams);
  const [made, setParam] = factory.apply(data.receiver < 0 ? undefined : children[data.receiver], values);
  const fn = data.form === 'member' ? member(made) : (made as Function);
  if (typeof fn !== 'function') throw badPayload('text that is no function');
  if (data.id !== '') setIdentity(fn, data.id);
  if (data.form === 'class') rememberMembers(fn);
  data.slots.forEach((slot, index) => {
    if (slot.from === 'self') setParam(index, fn);
  });
  finish(fn, data);
  const isHome = data.identity >= 0 && adoptPrototype(fn, children[data.identity]);
  const kept = [...children];
  const put = placer(fn, isHome ? withoutPrototype(data) : data, kept, values, setParam);
  const missing = new Set(late);
  put.rest(missing);
  remember(fn, { data, children: kept });
  if (data.id !== '') setters.set(fn, setParam);
  return {
    value: fn,
    set(index, child) {
      kept[index] = child;
      missing.delete(index);
      put.one(index, missing);
    },
  };
}

/** What sets the variables of a rebuilt class. */
const setters = new WeakMap<Function, (index: number, value: unknown) => void>();

/**
 * A class that came before is the same one. Its variables become those of this message; of its
 * static members, which are its state here, those that are new or, being primitive, were another
 * value in the message before.
 */
function renew(fn: Function, data: FunctionData, children: unknown[], late: readonly number[]): Built {
  const before = provenanceOf(fn);
  const setParam = setters.get(fn);
  if (before === undefined || setParam === undefined || before.data.text !== data.text) return { value: fn, set() {} };
  const kept = [...children];
  const missing = new Set(late);
  const last = new Map(
    before.data.extras.map((property) => [keyOf(property, before.children), heldBy(property, before.children)]),
  );
  const renewOne = (only: number | null): void => {
    data.slots.forEach((slot, index) => {
      if (slot.from !== 'child' || slot.private !== undefined || missing.has(slot.child)) return;
      if ((only === null || only === slot.child) && before.data.slots[index]?.name === slot.name)
        setParam(index, kept[slot.child]);
    });
    for (const property of data.extras) {
      const needs = childrenOf(property);
      if (needs.some((index) => missing.has(index)) || (only !== null && !needs.includes(only))) continue;
      const key = keyOf(property, kept);
      const value = heldBy(property, kept);
      if (!last.has(key) || (isPrimitive(value) && !Object.is(value, last.get(key)))) restoreExtra(fn, property, kept);
    }
  };
  renewOne(null);
  remember(fn, { data, children: kept });
  return {
    value: fn,
    set(index, child) {
      kept[index] = child;
      missing.delete(index);
      renewOne(index);
    },
  };
}

function keyOf({ on, key }: ExtraProperty, children: readonly unknown[]): string | symbol {
  return typeof key === 'string' ? `${on} ${key}` : (children[key] as symbol);
}

function heldBy({ value }: ExtraProperty, children: readonly unknown[]): unknown {
  return value < 0 ? undefined : children[value];
}

function isPrimitive(value: unknown): boolean {
  return value === null || (typeof value !== 'object' && typeof value !== 'function');
}

function fill(slot: Slot, children: readonly unknown[]): unknown {
  switch (slot.from) {
    case 'child':
      return children[slot.child];
    case 'members':
      return Object.fromEntries(slot.keys.map((key, index) => [key, children[slot.child + index]]));
    case 'module':
      return moduleValue(slot, children);
    case 'coverage':
      return coverageOf(slot.shape);
    case 'self':
      return undefined;
    case 'require':
      return createRequire(slot.url);
    case 'meta':
      return metaOf(slot.url);
    case 'import':
      return (specifier: string) => importFrom(slot.url, fromRoot(specifier));
  }
}

function moduleValue(
  { module, keys, child = 0 }: Slot & { readonly from: 'module' },
  children: readonly unknown[],
): unknown {
  const value = exportOf(module);
  if (keys === undefined) return value;
  if (typeof value !== 'object' || value === null) throw badPayload('members of what is no namespace');
  return overlay(value, keys, children.slice(child, child + keys.length));
}

/** `import.meta` of the module at `url`. */
function metaOf(url: string): object {
  const file = pathOf(url) ?? undefined;
  const meta = { url, filename: file, dirname: file && dirname(file), main: false };
  const resolve = (specifier: string): string => {
    if (specifier.startsWith('.') || specifier.startsWith('/')) return new URL(specifier, url).href;
    if (/^[a-z]+:/.test(specifier)) return specifier;
    const found = createRequire(url).resolve(specifier);
    return isAbsolute(found) ? pathToFileURL(found).href : `node:${found}`;
  };
  return Object.assign(Object.create(null) as object, meta, { resolve });
}

/** A method is the only property of its object: a value, or half of an accessor. */
function member(holder: unknown): Function {
  const [key] = Reflect.ownKeys(holder as object);
  const descriptor = Object.getOwnPropertyDescriptor(holder as object, key!)!;
  return (descriptor.value ?? descriptor.get ?? descriptor.set) as Function;
}

function finish(fn: Function, data: FunctionData): void {
  if (typeof fn.name === 'string' && fn.name !== data.name)
    Object.defineProperty(fn, 'name', { value: data.name, configurable: true });
  if (data.edits.length > 0) printAs(fn, data.text);
}

/** The prototype that is there already is as its owner has it. */
function withoutPrototype(data: FunctionData): FunctionData {
  return { ...data, prototypeParent: -1, extras: data.extras.filter(({ on }) => on === 'function') };
}

/** Puts children into place beside the parameters that were given to the factory. */
function placer(
  fn: Function,
  data: FunctionData,
  kept: unknown[],
  values: unknown[],
  setParam: (index: number, value: unknown) => void,
) {
  const slotOf = new Map<number, (child: unknown) => void>();
  data.slots.forEach((slot, index) => {
    if (slot.from === 'child') slotOf.set(slot.child, (child) => setParam(index, child));
    if (slot.from !== 'members' && slot.from !== 'module') return;
    const { keys = [], child: first = 0 } = slot;
    keys.forEach((key, offset) => {
      slotOf.set(first + offset, (child) => Reflect.set(values[index] as object, key, child));
    });
  });
  const prototypes = (missing: ReadonlySet<number>, only: number | null): void => {
    const wanted = (index: number) => index >= 0 && !missing.has(index) && (only === null || only === index);
    if (wanted(data.parent)) Object.setPrototypeOf(fn, kept[data.parent] as object | null);
    const { prototype } = fn as { prototype?: object };
    if (wanted(data.prototypeParent) && prototype !== undefined)
      Object.setPrototypeOf(prototype, kept[data.prototypeParent] as object | null);
  };
  const extras = (missing: ReadonlySet<number>, only: number | null): void => {
    for (const property of data.extras) {
      const needs = childrenOf(property);
      if (needs.some((index) => missing.has(index)) || (only !== null && !needs.includes(only))) continue;
      restoreExtra(fn, property, kept);
    }
  };
  return {
    rest(missing: ReadonlySet<number>): void {
      prototypes(missing, null);
      extras(missing, null);
    },
    one(index: number, missing: ReadonlySet<number>): void {
      slotOf.get(index)?.(kept[index]);
      prototypes(missing, index);
      extras(missing, index);
    },
  };
}
