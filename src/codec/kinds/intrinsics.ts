/**
 * Objects that exist in every process, sent by name: globalThis, namespaces such as Math and JSON,
 * and the prototypes of the builtin classes. (Builtin functions are reduced with all other
 * functions.)
 *
 *   g   data: the name; only names of this list are looked up
 */
import { badPayload } from '../messages.js';
import type { NodeKind, Reduction } from '../node.js';

const NAMESPACES = 'Math JSON Reflect Atomics Intl WebAssembly console process'.split(' ');
const CLASSES =
  `Object Function Array Number Boolean String Symbol BigInt Date RegExp Promise Map Set WeakMap WeakSet WeakRef
  ArrayBuffer SharedArrayBuffer DataView Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array
  Float32Array Float64Array BigInt64Array BigUint64Array Error AggregateError EvalError RangeError ReferenceError SyntaxError
  TypeError URIError Buffer URL URLSearchParams TextEncoder TextDecoder EventTarget Event AbortController AbortSignal`.split(
    /\s+/,
  );

let byName: Map<string, object> | undefined;
let byObject: Map<object, string> | undefined;

/** Reduces an intrinsic object; `undefined` for any other. */
export function reduceIntrinsic(value: object): Reduction | undefined {
  const name = names().get(value);
  return name === undefined
    ? undefined
    : { kind: intrinsicKind.tag, data: name, children: [], label: () => '', stateless: true, constant: true };
}

export const intrinsicKind: NodeKind = {
  tag: 'g',
  shell: false,
  build(data) {
    names();
    const value = typeof data === 'string' ? byName?.get(data) : undefined;
    if (value === undefined) throw badPayload('an intrinsic object is unknown');
    return { value };
  },
};

function names(): Map<object, string> {
  if (byObject !== undefined) return byObject;
  const table = new Map<string, object>([['globalThis', globalThis]]);
  const scope = globalThis as unknown as Record<string, object | undefined>;
  for (const name of NAMESPACES) add(table, name, scope[name]);
  for (const name of CLASSES)
    add(table, `${name}.prototype`, (scope[name] as { prototype?: object } | undefined)?.prototype);
  const typedArray = Object.getPrototypeOf(Uint8Array) as { prototype: object };
  add(table, 'TypedArray.prototype', typedArray.prototype);
  const iterator = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())) as object;
  add(table, 'Iterator.prototype', iterator);
  byName = table;
  byObject = new Map([...table].map(([name, value]) => [value, name]));
  return byObject;
}

function add(table: Map<string, object>, name: string, value: object | undefined): void {
  if (typeof value === 'object' && value !== null) table.set(name, value);
}
