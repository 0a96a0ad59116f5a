/**
 * Strict comparison of two values and the graphs below them: -0, holes, prototypes, property descriptors, key order,
 * integrity, binary content, and which references are shared.
 */
import { types } from 'node:util';

/** Where the graphs differ, or `undefined` when they do not. */
export function difference(a: unknown, b: unknown): string | undefined {
  const pairs = new Map<object, object>();
  const back = new Map<object, object>();
  const work: [unknown, unknown, string][] = [[a, b, 'value']];
  for (let item = work.pop(); item !== undefined; item = work.pop()) {
    const [x, y, path] = item;
    if (typeof x !== 'object' || x === null || typeof y !== 'object' || y === null) {
      if (!Object.is(x, y)) return `${path}: ${String(x)} became ${String(y)}`;
      continue;
    }
    if (pairs.has(x) || back.has(y)) {
      if (pairs.get(x) !== y || back.get(y) !== x) return `${path}: sharing differs`;
      continue;
    }
    pairs.set(x, y);
    back.set(y, x);
    const found = compare(x, y, path, work);
    if (found !== undefined) return found;
  }
  return undefined;
}

function compare(x: object, y: object, path: string, work: [unknown, unknown, string][]): string | undefined {
  if (Object.getPrototypeOf(x) !== Object.getPrototypeOf(y)) return `${path}: prototypes differ`;
  if (Object.isExtensible(x) !== Object.isExtensible(y) || frozen(x) !== frozen(y)) return `${path}: integrity differs`;
  if (types.isDate(x)) work.push([x.getTime(), Date.prototype.getTime.call(y), `${path} time`]);
  if (types.isRegExp(x)) work.push([String(x), String(y), `${path} source`]);
  if (types.isBoxedPrimitive(x))
    work.push([(x as { valueOf(): unknown }).valueOf(), (y as { valueOf(): unknown }).valueOf(), `${path} boxed`]);
  if (types.isMap(x)) {
    work.push([x.size, (y as Map<unknown, unknown>).size, `${path} size`]);
    const other = [...(y as Map<unknown, unknown>)];
    for (const [i, [key, value]] of [...x].entries()) {
      work.push([key, other[i]?.[0], `${path} key ${i}`], [value, other[i]?.[1], `${path} entry ${i}`]);
    }
  }
  if (types.isSet(x)) {
    const other = [...(y as Set<unknown>)];
    work.push([x.size, other.length, `${path} size`]);
    for (const [i, value] of [...x].entries()) work.push([value, other[i], `${path} member ${i}`]);
  }
  if (types.isArrayBuffer(x))
    return Buffer.compare(new Uint8Array(x), new Uint8Array(y as ArrayBuffer)) === 0
      ? undefined
      : `${path}: bytes differ`;
  if (ArrayBuffer.isView(x)) {
    const other = y as ArrayBufferView;
    work.push([x.byteLength, other.byteLength, `${path} length`]);
    if (Buffer.isBuffer(x)) return x.equals(y as Buffer) ? undefined : `${path}: bytes differ`;
    work.push([x.byteOffset, other.byteOffset, `${path} offset`], [x.buffer, other.buffer, `${path} buffer`]);
    return undefined;
  }
  return compareProperties(x, y, path, work);
}

function compareProperties(x: object, y: object, path: string, work: [unknown, unknown, string][]): string | undefined {
  const keys = Reflect.ownKeys(x);
  const others = Reflect.ownKeys(y);
  // `stack` is re-created, so it may stand elsewhere.
  const order = (list: (string | symbol)[]): string =>
    list
      .filter((key) => key !== 'stack')
      .map(String)
      .join('|');
  if (keys.length !== others.length || order(keys) !== order(others))
    return `${path}: keys ${keys.map(String)} became ${others.map(String)}`;
  for (const key of keys) {
    const p = Object.getOwnPropertyDescriptor(x, key)!;
    const q = Object.getOwnPropertyDescriptor(y, key)!;
    const where = `${path}.${String(key)}`;
    if (key === 'stack') {
      work.push([(x as Error).stack, (y as Error).stack, where]);
      continue;
    }
    if (p.enumerable !== q.enumerable || p.configurable !== q.configurable || p.writable !== q.writable)
      return `${where}: attributes differ`;
    work.push([p.value, q.value, where]);
    if (typeof p.get !== typeof q.get || typeof p.set !== typeof q.set) return `${where}: accessors differ`;
  }
  return undefined;
}

function frozen(value: object): number {
  if (ArrayBuffer.isView(value)) return 0;
  return Object.isFrozen(value) ? 2 : Object.isSealed(value) ? 1 : 0;
}

/** An array of `length` with holes before and between the given elements. */
export function holey(elements: readonly unknown[], length: number): unknown[] {
  const array: unknown[] = new Array(length);
  elements.forEach((element, i) => {
    array[length - 1 - i * 2] = element;
  });
  return array;
}
