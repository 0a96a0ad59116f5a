/**
 * Instances of a user's class over a builtin class with content of its own (a RegExp, a typed
 * array, a URL, …): the content as a value of the builtin class, which becomes one of the user's
 * class on arrival. No constructor of that runs.
 *
 *   I   children: the class, the content, integrity | own properties
 */
import { inspect, types } from 'node:util';
import { hiddenPartsOf } from '../function-port.js';
import { badPayload } from '../messages.js';
import type { NodeKind, Reduction } from '../node.js';
import { noteOwner } from '../owners.js';
import { localPrototype } from '../realms.js';
import { boxedContent, regexpContent } from './atoms.js';
import { bufferContent, viewContent, viewPrototypes } from './binary.js';
import { platformContent } from './platform.js';
import { defineProperties, propertyLabel, pushProperties } from './properties.js';
import { integrityOf, restoreIntegrity } from './shell.js';

/**
 * Gives the content of an instance, `undefined` when it has none: it may only inherit from the
 * class.
 */
type Content = (value: object) => object | undefined;

const FIRST_PROPERTY = 3;

const contents = new Map<object, Content>([
  [ArrayBuffer.prototype, (value) => (types.isArrayBuffer(value) ? bufferContent(value) : undefined)],
  [RegExp.prototype, (value) => (types.isRegExp(value) ? regexpContent(value) : undefined)],
  ...[Number, String, Boolean, BigInt, Symbol].map((type): [object, Content] => [
    type.prototype,
    (value) => (types.isBoxedPrimitive(value) ? boxedContent(value) : undefined),
  ]),
  ...viewPrototypes.map((prototype): [object, Content] => [
    prototype,
    (value) => (ArrayBuffer.isView(value) ? viewContent(value, prototype) : undefined),
  ]),
]);
/** By the prototype of the user's class. */
const known = new WeakMap<object, Content | null>();

/**
 * Reduces an instance of `type` if that extends such a builtin class; `undefined` for any other
 * value.
 */
export function reduceOver(value: object, type: Function): Reduction | undefined {
  const prototype = Object.getPrototypeOf(value) as object;
  let content = known.get(prototype);
  if (content === undefined) {
    content = contentAbove(prototype);
    known.set(prototype, content);
  }
  const base = content?.(value);
  if (base === undefined) return undefined;
  noteOwner(value);
  const children: unknown[] = [type, base, integrityOf(value)];
  pushProperties(children, value, partOf(base, value));
  return {
    kind: overKind.tag,
    data: undefined,
    children,
    needs: [0, 1],
    beside: hiddenPartsOf(value),
    label: (index) =>
      index === 0 ? 'class' : index < FIRST_PROPERTY ? '' : propertyLabel(children, FIRST_PROPERTY, index),
  };
}

/** Whether the prototype is that of a builtin class with content. */
export function isContent(prototype: object): boolean {
  return contents.has(prototype) || platformContent(prototype) !== undefined;
}

function contentAbove(prototype: object): Content | null {
  if (contents.has(localPrototype(prototype) ?? prototype)) return null;
  for (let at: unknown = Object.getPrototypeOf(prototype); at !== null; at = Object.getPrototypeOf(at)) {
    const above = at as object;
    const found = contents.get(localPrototype(above) ?? above) ?? platformContent(above);
    if (found !== undefined) return found;
  }
  return null;
}

/**
 * Which properties are part of the content: elements, characters, `lastIndex`, and what a platform
 * class hides under symbols.
 */
function partOf(base: object, value: object): (key: string | symbol) => boolean {
  if (ArrayBuffer.isView(base))
    return hasExtraKeys(value) ? (key) => typeof key === 'string' && Object.hasOwn(base, key) : () => true;
  return (key) => Object.hasOwn(base, key) || (typeof key === 'symbol' && Symbol.keyFor(key) === undefined);
}

/** Listing the keys of a long typed array makes a string of each index. */
function hasExtraKeys(value: object): boolean {
  const { length } = value as { length?: number };
  if (length === undefined || length < 1000) return true;
  const shown = inspect(value, {
    maxArrayLength: 0,
    depth: 0,
    breakLength: Number.POSITIVE_INFINITY,
    customInspect: false,
    colors: false,
  });
  return !/^[^[]*\[ \.\.\. \d+ more items \]$/.test(shown);
}

export const overKind: NodeKind = {
  tag: 'I',
  shell: false,
  build(_data, children, late) {
    const [type, value] = children;
    const prototype: unknown = typeof type === 'function' ? type.prototype : undefined;
    if (typeof prototype !== 'object' || prototype === null) throw badPayload('an instance has no class');
    if (typeof value !== 'object' || value === null) throw badPayload('an instance has no content');
    const kept = [...children];
    let missing = late.length;
    const fill = () => {
      defineProperties(value, kept, FIRST_PROPERTY, missing === 0);
      if (missing === 0) restoreIntegrity(value, kept[2]);
    };
    Object.setPrototypeOf(value, prototype);
    fill();
    return {
      value,
      set(index, child) {
        kept[index] = child;
        if (--missing === 0) fill();
      },
    };
  },
};
