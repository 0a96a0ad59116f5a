/**
 * Copies of plain items, so that what a source gives counts as it is when it is read. A copy costs
 * a tenth of a message of its own, and the items of a chunk are still encoded together, each shape
 * of record once.
 */

/** Most objects inside an item that are copied; beyond that a message of its own is as cheap. */
const MAX_COPIED_OBJECTS = 16;
/** Most elements of an array that are copied, for the same reason. */
const MAX_COPIED_ELEMENTS = 256;

const objectPrototype = Object.prototype;
const arrayPrototype = Array.prototype;
const { getOwnPropertySymbols, getPrototypeOf } = Object;
const { isExtensible } = Reflect;

/**
 * A copy of a record or an array of primitives, records and arrays; `undefined` where something
 * else is in it, an object occurs twice, or it is large. What the codec's fast path
 * (codec/plain/plain-writer.ts) takes as a record or an array is one here.
 */
export function plainCopy(item: object): object | undefined {
  return container(item, [item]);
}

/** @param met The objects met so far: one that occurs twice is one object at the other side too. */
function container(value: object, met: object[]): object | undefined {
  const prototype: unknown = getPrototypeOf(value);
  if (prototype === objectPrototype) return record(value as Record<string, unknown>, met);
  return prototype === arrayPrototype && Array.isArray(value) ? array(value, met) : undefined;
}

function record(value: Record<string, unknown>, met: object[]): object | undefined {
  if (value['constructor'] !== Object || !isExtensible(value) || getOwnPropertySymbols(value).length > 0)
    return undefined;
  // Getters are read, as the codec reads them.
  const copy: Record<string, unknown> = { ...value };
  for (const key in copy) {
    const member = copy[key];
    if (typeof member === 'function') return undefined;
    if (typeof member !== 'object' || member === null) continue;
    const inner = nested(member, met);
    if (inner === undefined) return undefined;
    copy[key] = inner;
  }
  return copy;
}

function array(value: readonly unknown[], met: object[]): object | undefined {
  const { length } = value;
  if (
    length > MAX_COPIED_ELEMENTS ||
    !isExtensible(value) ||
    Object.keys(value).length !== length ||
    getOwnPropertySymbols(value).length > 0
  )
    return undefined;
  const copy = value.slice();
  for (let i = 0; i < length; i++) {
    const element = copy[i];
    if (typeof element === 'function') return undefined;
    if (typeof element !== 'object' || element === null) continue;
    const inner = nested(element, met);
    if (inner === undefined) return undefined;
    copy[i] = inner;
  }
  return copy;
}

function nested(value: object, met: object[]): object | undefined {
  if (met.length === MAX_COPIED_OBJECTS || met.includes(value)) return undefined;
  met.push(value);
  return container(value, met);
}
