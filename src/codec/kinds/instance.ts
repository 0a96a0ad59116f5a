/**
 * Instances: an object of a user's class travels as its class (reduced as a function), its own
 * property descriptors, and what it inherits from a builtin base. No constructor runs on the other
 * side.
 *
 *   i   data: base name; base children: the class, then elements, entries or members
 *   p   the same for an object made by Object.create(prototype); the first base child is that
 *       prototype
 *   q   the prototype of a class itself; child: the class
 */
import { types } from 'node:util';
import { hiddenPartsOf } from '../function-port.js';
import { badPayload } from '../messages.js';
import type { NodeKind, Reduction } from '../node.js';
import { noteOwner } from '../owners.js';
import { builtinWithPrototype } from '../realms.js';
import { arrayParts, createArray, fillArray } from './arrays.js';
import { entryLabel, fillMap, fillSet, mapEntries, memberLabel, setMembers } from './collections.js';
import { createError, errorProperties } from './error-properties.js';
import { isError } from './errors.js';
import { pushProperties } from './properties.js';
import { BASE, shell, shellKind } from './shell.js';

type Base = 'Object' | 'Array' | 'Map' | 'Set' | 'Error' | 'Date';

/**
 * Node's EventEmitter keeps these symbols on every instance; they hold options that default on the
 * other side.
 */
const emitterSymbols = new Set(['kCapture', 'shapeMode']);

/**
 * In the REPL an EventEmitter belongs to the domain of the session, which lives in this process.
 */
function isDomain(value: object, key: string): boolean {
  return key === 'domain' && (value as { domain?: object | null }).domain?.constructor?.name === 'Domain';
}

/** The class of an object: the `constructor` of its prototype, when that is truly its class. */
export function classOf(value: object): Function | undefined {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null ? undefined : classWithPrototype(prototype as object);
}

/**
 * The class whose `prototype` this object is. `--frozen-intrinsics` makes `constructor` of the
 * builtin prototypes an accessor.
 */
export function classWithPrototype(prototype: object): Function | undefined {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, 'constructor');
  const own: unknown = descriptor?.get === undefined ? descriptor?.value : builtinWithPrototype(prototype);
  return typeof own === 'function' && own.prototype === prototype ? own : undefined;
}

/** Reduces the prototype object of a class. */
export function reducePrototype(type: Function): Reduction {
  // A class in progress has this prototype among what it needs: then the prototype follows, since
  // it is taken from the class.
  return { kind: prototypeKind.tag, data: undefined, children: [type], label: () => 'class', needs: [0] };
}

/** Reduces an instance, given its class, or its prototype when it has none. */
export function reduceInstance(value: object, type: Function | undefined): Reduction {
  const base = baseOf(value);
  noteOwner(value);
  const own: unknown[] = [];
  let children: unknown[] = [];
  let label: (index: number) => string = () => '';
  let data = `${base} -1`;
  if (base === 'Array') {
    const parts = arrayParts(value as unknown[]);
    children = parts.base;
    own.push(...parts.properties);
    data = `${base} ${parts.length}`;
    label = (index) => `[${index}]`;
  } else if (base === 'Error') {
    own.push(...errorProperties(value as Error));
  } else {
    if (base === 'Map') {
      children = mapEntries(value as Map<unknown, unknown>);
      label = entryLabel(children);
    } else if (base === 'Set') {
      children = setMembers(value as Set<unknown>);
      label = memberLabel;
    } else if (base === 'Date') data = `${base} ${Date.prototype.getTime.call(value)}`;
    pushProperties(own, value, (key) =>
      typeof key === 'symbol' ? emitterSymbols.has(key.description ?? '') : isDomain(value, key),
    );
  }
  const first: unknown = type ?? Object.getPrototypeOf(value);
  const firstLabel = type === undefined ? 'prototype' : 'class';
  const kind = type === undefined ? createdKind.tag : instanceKind.tag;
  const reduction = shell(kind, data, value, [first, ...children], own, (index) =>
    index === 0 ? firstLabel : label(index - 1),
  );
  const beside = type === undefined ? [] : hiddenPartsOf(value);
  return beside.length === 0 ? reduction : { ...reduction, beside };
}

export const instanceKind: NodeKind = kind('i', (type) => {
  const prototype: unknown = typeof type === 'function' ? type.prototype : undefined;
  if (typeof prototype !== 'object' || prototype === null) throw badPayload('an instance has no class');
  return prototype;
});

export const createdKind: NodeKind = kind('p', (prototype) => {
  if (typeof prototype !== 'object' && typeof prototype !== 'function') throw badPayload('an object has no prototype');
  return prototype;
});

export const prototypeKind: NodeKind = {
  tag: 'q',
  shell: false,
  build(_data, [type]) {
    const prototype: unknown = typeof type === 'function' ? type.prototype : undefined;
    if (typeof prototype !== 'object' || prototype === null) throw badPayload('a prototype has no class');
    return { value: prototype };
  },
};

function kind(tag: string, prototypeOf: (first: unknown) => object | null): NodeKind {
  return shellKind<object>({
    tag,
    create,
    fill(target, children, end, final) {
      if (end <= BASE) throw badPayload('an instance has no class');
      const first = children[BASE];
      // Until a late class is there, the object has the prototype of its base.
      if (final || first !== undefined) adopt(target, prototypeOf(first));
      if (Array.isArray(target)) fillArray(target, children, BASE + 1, end);
      else if (types.isMap(target)) fillMap(target, children, BASE + 1, end);
      else if (types.isSet(target)) fillSet(target, children, BASE + 1, end);
      else if (end !== BASE + 1) throw badPayload('an instance has elements but no base that holds them');
    },
  });
}

function adopt(target: object, prototype: object | null): void {
  try {
    Object.setPrototypeOf(target, prototype);
  } catch (cause) {
    throw badPayload('an object is its own prototype', cause);
  }
}

function create(data: unknown): object {
  const [base, detail] = String(data).split(' ');
  switch (base) {
    case 'Object':
      return {};
    case 'Array':
      return createArray(Number(detail));
    case 'Map':
      return new Map();
    case 'Set':
      return new Set();
    case 'Error':
      return createError();
    case 'Date':
      return new Date(Number(detail));
    default:
      throw badPayload('an instance has an unknown base');
  }
}

function baseOf(value: object): Base {
  if (Array.isArray(value)) return 'Array';
  if (types.isMap(value)) return 'Map';
  if (types.isSet(value)) return 'Set';
  // Not isError: a DOMException has a kind of its own.
  if (types.isNativeError(value) || (types.isProxy(value) && isError(value))) return 'Error';
  return types.isDate(value) ? 'Date' : 'Object';
}
