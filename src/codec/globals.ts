/**
 * Values that every process has under a name: ECMAScript intrinsics by identity, and the platform's
 * globals.
 *
 * A path leads from a global to the value: `Array`, `prototype`, `map`. A key that is a well-known
 * symbol is written `@iterator`, an accessor's halves `<size` and `>size`. Platform globals are
 * looked up by name only, since walking them would load half of Node.
 */

import { localPrototype } from './realms.js';

/** A path from a global to a value. */
export type GlobalPath = readonly string[];

const ECMASCRIPT =
  'Object Function Array Number Boolean String Symbol BigInt Date Promise RegExp Error AggregateError EvalError RangeError ReferenceError ' +
  'SyntaxError TypeError URIError SuppressedError ArrayBuffer SharedArrayBuffer Uint8Array Int8Array Uint16Array Int16Array Uint32Array ' +
  'Int32Array Float16Array Float32Array Float64Array Uint8ClampedArray BigUint64Array BigInt64Array DataView Map Set WeakMap WeakSet WeakRef ' +
  'FinalizationRegistry Proxy Reflect JSON Math Intl Atomics Iterator AsyncDisposableStack DisposableStack Temporal WebAssembly globalThis ' +
  'Infinity NaN undefined eval parseInt parseFloat isFinite isNaN decodeURI decodeURIComponent encodeURI encodeURIComponent escape unescape';

const PLATFORM =
  'process global Buffer console queueMicrotask structuredClone atob btoa setTimeout setInterval setImmediate clearTimeout clearInterval ' +
  'clearImmediate URL URLSearchParams URLPattern TextEncoder TextDecoder TextEncoderStream TextDecoderStream AbortController AbortSignal ' +
  'Event EventTarget CustomEvent MessageChannel MessagePort MessageEvent BroadcastChannel DOMException Blob File FormData Headers Request ' +
  'Response fetch WebSocket CloseEvent EventSource ErrorEvent crypto Crypto CryptoKey SubtleCrypto performance Performance PerformanceEntry ' +
  'PerformanceMark PerformanceMeasure PerformanceObserver PerformanceObserverEntryList PerformanceResourceTiming ReadableStream ' +
  'ReadableStreamDefaultReader ReadableStreamBYOBReader ReadableStreamBYOBRequest ReadableByteStreamController ' +
  'ReadableStreamDefaultController TransformStream TransformStreamDefaultController WritableStream WritableStreamDefaultController ' +
  'WritableStreamDefaultWriter ByteLengthQueuingStrategy CountQueuingStrategy CompressionStream DecompressionStream navigator Navigator ' +
  'localStorage sessionStorage Storage QuotaExceededError gc';

/** Platform objects whose methods are looked for by name. All of them are loaded at start-up. */
const OWNERS = [
  'console',
  'process',
  'performance',
  'Buffer',
  'URL',
  'URLSearchParams',
  'AbortSignal',
  'EventTarget',
  'TextEncoder',
  'TextDecoder',
];

const intrinsicNames = ECMASCRIPT.split(' ');
const standard = new Set([...intrinsicNames, ...PLATFORM.split(' ')]);

/** Intrinsics that no global names directly. */
const HIDDEN: Readonly<Record<string, () => unknown>> = {
  '%TypedArray%': () => Object.getPrototypeOf(Uint8Array),
  '%GeneratorFunction%': () => function* () {}.constructor,
  '%AsyncFunction%': () => (async () => {}).constructor,
  '%AsyncGeneratorFunction%': () => async function* () {}.constructor,
  '%ArrayIteratorPrototype%': () => Object.getPrototypeOf([].values()),
  '%MapIteratorPrototype%': () => Object.getPrototypeOf(new Map().values()),
  '%SetIteratorPrototype%': () => Object.getPrototypeOf(new Set().values()),
  '%StringIteratorPrototype%': () => Object.getPrototypeOf(''[Symbol.iterator]()),
};

/** Whether a free name means the same in every process of this host. */
export function isStandardGlobal(name: string): boolean {
  return standard.has(name);
}

let byIdentity: Map<unknown, GlobalPath> | undefined;

/** The path of an intrinsic, or of a platform global or its method; `null` for anything else. */
export function globalPathOf(value: object): GlobalPath | null {
  byIdentity ??= walkIntrinsics();
  return byIdentity.get(value) ?? platformPath(value) ?? foreignPath(value, byIdentity);
}

/** A builtin class of another realm goes as ours, as its instances do. */
function foreignPath(value: object, paths: ReadonlyMap<unknown, GlobalPath>): GlobalPath | null {
  const prototype: unknown = typeof value === 'function' ? value.prototype : undefined;
  const local = typeof prototype === 'object' && prototype !== null ? localPrototype(prototype) : undefined;
  return paths.get(local?.constructor) ?? null;
}

function platformPath(value: object): GlobalPath | null {
  if (value === globalThis.console) return ['console'];
  if (value === globalThis.process) return ['process'];
  if (typeof value !== 'function' || value.name === '') return null;
  const world = globalThis as Record<string, unknown>;
  if (standard.has(value.name) && world[value.name] === value) return [value.name];
  for (const owner of OWNERS) {
    if (dataValue(world[owner], value.name) === value) return [owner, value.name];
    const prototype: unknown = typeof world[owner] === 'function' ? (world[owner] as Function).prototype : undefined;
    if (dataValue(prototype, value.name) === value) return [owner, 'prototype', value.name];
  }
  return null;
}

function dataValue(owner: unknown, key: string): unknown {
  for (
    let object = owner as object | null | undefined;
    object != null;
    object = Object.getPrototypeOf(object) as object | null
  ) {
    const descriptor = Object.getOwnPropertyDescriptor(object, key);
    if (descriptor !== undefined) return descriptor.value;
  }
  return undefined;
}

function walkIntrinsics(): Map<unknown, GlobalPath> {
  const found = new Map<unknown, GlobalPath>();
  const visit = (value: unknown, path: GlobalPath): void => {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null || found.has(value)) return;
    found.set(value, path);
    if (value === globalThis) return;
    for (const key of Reflect.ownKeys(value)) {
      const step = stepOf(key);
      const descriptor = Object.getOwnPropertyDescriptor(value, key);
      if (step === null || descriptor === undefined) continue;
      if ('value' in descriptor) visit(descriptor.value, [...path, step]);
      visit(descriptor.get, [...path, `<${step}`]);
      visit(descriptor.set, [...path, `>${step}`]);
    }
  };
  const world = globalThis as Record<string, unknown>;
  // The short names first, so that Array is not found as Object.prototype.…constructor.
  for (const name of intrinsicNames) if (name in world && !found.has(world[name])) found.set(world[name], [name]);
  for (const name of intrinsicNames) {
    if (!(name in world)) continue;
    const value = world[name];
    found.delete(value);
    visit(value, [name]);
  }
  for (const [name, find] of Object.entries(HIDDEN)) visit(find(), [name]);
  return found;
}

function stepOf(key: string | symbol): string | null {
  if (typeof key === 'string') return /^[@<>%]/.test(key) ? null : key;
  const name = key.description?.startsWith('Symbol.') ? key.description.slice('Symbol.'.length) : null;
  return name !== null && (Symbol as unknown as Record<string, unknown>)[name] === key ? `@${name}` : null;
}

/** Follows a path. `undefined` when this process has no such value. */
export function followGlobalPath(path: GlobalPath): unknown {
  const [root, ...steps] = path;
  const hidden = HIDDEN[root!];
  let value: unknown = hidden !== undefined ? hidden() : (globalThis as Record<string, unknown>)[root!];
  for (const step of steps) {
    if (value === null || value === undefined) return undefined;
    value = follow(value as object, step);
  }
  return value;
}

function follow(owner: object, step: string): unknown {
  const half = step.startsWith('<') ? 'get' : step.startsWith('>') ? 'set' : null;
  const name = half === null ? step : step.slice(1);
  const key = name.startsWith('@') ? (Symbol as unknown as Record<string, symbol>)[name.slice(1)]! : name;
  return half === null
    ? (owner as Record<string | symbol, unknown>)[key]
    : Object.getOwnPropertyDescriptor(owner, key)?.[half];
}
