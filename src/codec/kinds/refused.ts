/**
 * What cannot be sent at all: values whose state lives in this thread or process alone. Each says
 * what to do instead.
 */
import { createRequire } from 'node:module';
import { types } from 'node:util';
import { otherCopyOf, ownerOfMemory, versionOf } from '../../memory/shareable/shareable.js';
import { repairOfLocal } from '../../util/local-class.js';
import { declaresPrivates } from '../function-port.js';
import { isStandardGlobal } from '../globals.js';
import { type Refusal, Refused } from '../messages.js';
import { localPrototype } from '../realms.js';
import { sharedMemory } from './binary.js';
import { BUILTIN_ERRORS } from './error-classes.js';
import { isContent } from './over.js';

const require = createRequire(import.meta.url);

/** Classes of Node's modules that subclasses may extend: their state is ordinary properties. */
const OPEN_BASES = new Set(['EventEmitter']);
/** Modules whose classes hold handles. Only loaded ones are asked. */
const MODULES =
  'events stream net http https http2 tls dgram fs child_process cluster crypto worker_threads zlib readline repl vm perf_hooks async_hooks diagnostics_channel buffer util url timers string_decoder'.split(
    ' ',
  );

/** What to do about an open connection, stream, timer, … */
const INSIDE = "open it inside the function, or once in each worker in the pool's `initializer`";
const REPAIRS: Readonly<Record<string, string>> = {
  AbortSignal: 'pass it as the `signal` option of the call and read currentTask().signal in the function',
  AbortController:
    'keep it here, pass its signal as the `signal` option of the call and read currentTask().signal in the function',
  Blob: 'send its bytes: new Uint8Array(await blob.arrayBuffer())',
  File: 'send its name and bytes: new Uint8Array(await file.arrayBuffer())',
  FormData: 'send its entries: [...form]',
  Request: 'send its url, method and headers, and make it inside the function',
  Response: 'send its status, headers and body: new Uint8Array(await response.arrayBuffer())',
  MessagePort: 'use pipe(), whose connections can be sent to threads and processes',
  MessageChannel: 'use pipe(), whose connections can be sent to threads and processes',
  BroadcastChannel: 'use a Topic, or open the channel by its name inside the function',
  PerformanceEntry: 'send what its toJSON() gives',
  PerformanceMark: 'send what its toJSON() gives',
  PerformanceMeasure: 'send what its toJSON() gives',
  PerformanceResourceTiming: 'send what its toJSON() gives',
};

const ONE_VERSION =
  'install one version (`npm ls multiprocess` shows who asks for which, `npm dedupe` joins those that may be one)';
/** What a Subject is among processes. */
const TOPIC =
  'use a Topic (`new Topic()`, which has `next`, `subscribe` and `pipe` as well and is one object in all processes)';

/** By their tag, since their names are those of many classes. */
const WASM: Readonly<Record<string, string>> = {
  'WebAssembly.Module': 'send its bytes, and compile them on the other side: new WebAssembly.Module(bytes)',
  'WebAssembly.Instance': 'send the bytes of its module, and make the instance on the other side',
  'WebAssembly.Memory':
    'send a copy of its bytes: new Uint8Array(memory.buffer).slice(), or keep the data in a SharedMemory',
};

/** Refuses values of builtin types that are bound to this process. @throws Refused. */
export function refuseNative(value: object): void {
  const tag = tagOf(value);
  if (types.isPromise(value)) {
    throw refused('MP_PROMISE', 'a Promise', 'it settles in this thread only', 'await it and send the result');
  }
  if (types.isWeakMap(value) || types.isWeakSet(value) || tag === 'WeakRef' || tag === 'FinalizationRegistry') {
    const what = `a ${types.isWeakMap(value) ? 'WeakMap' : types.isWeakSet(value) ? 'WeakSet' : tag}`;
    throw refused(
      'MP_WEAK',
      what,
      'what it holds weakly cannot be listed',
      'send the objects themselves in a Map or Set',
    );
  }
  if (types.isSharedArrayBuffer(value) && ownerOfMemory(value) === undefined) throw sharedMemory();
  if (types.isGeneratorObject(value))
    throw native('a running generator', 'call the generator function on the other side, or send its items as an array');
  if (tag.endsWith(' Iterator') || types.isMapIterator(value) || types.isSetIterator(value)) {
    throw native(`a ${tag}`, 'send what it iterates over, or its items as an array');
  }
  const wasm = WASM[tag];
  if (wasm !== undefined) throw native(`a ${tag}`, wasm);
  if (types.isCryptoKey(value)) {
    throw native('a CryptoKey', "send await crypto.subtle.exportKey('jwk', key), and import that inside the function");
  }
  // Deno has no such values, and no name for them.
  if (types.isExternal?.(value) || types.isModuleNamespaceObject(value)) {
    throw native(
      types.isModuleNamespaceObject(value) ? 'a module namespace' : nameOf(value),
      'import or create it on the other side',
    );
  }
}

/**
 * Refuses instances of platform classes, of user classes over one, and of classes with private
 * fields.
 * @throws Refused.
 */
export function refuseInstance(value: object, isError: boolean): void {
  const other = otherCopyOf(value);
  if (other !== undefined) {
    const what = `${nameOf(value)} of another installed copy of this package, ${other.version} in ${other.folder}`;
    throw refused(
      'MP_OTHER_COPY',
      what,
      `only copies of one version share objects, and this one is ${versionOf()}`,
      ONE_VERSION,
    );
  }
  const local = repairOfLocal(value);
  if (local !== undefined) throw native(nameOf(value), local);
  if (hasSubscribers(value)) {
    const what = `${nameOf(value)} with subscribers`;
    throw refused(
      'MP_SUBSCRIBERS',
      what,
      'copies of them would be called over there, and they themselves never',
      TOPIC,
    );
  }
  for (let at: unknown = Object.getPrototypeOf(value); at !== null; at = Object.getPrototypeOf(at)) {
    const prototype = at as object;
    // Object.prototype, of whichever realm.
    if (Object.getPrototypeOf(prototype) === null) break;
    const type: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value;
    if (typeof type !== 'function' || type.prototype !== prototype) continue;
    if (isState(type)) {
      if (!isError && !ORDINARY.has(type) && types.isProxy(value)) throw proxied(type);
      continue;
    }
    if (isPlatform(type)) {
      if (isError || OPEN_BASES.has(type.name)) continue;
      const what = nameOf(value);
      const over = classNameOf(value) === type.name ? '' : ` (over ${type.name})`;
      const repair = over === '' ? INSIDE : `${INSIDE}, or ${rebuiltBy(classNameOf(value))}`;
      throw native(`${what}${over}`, REPAIRS[type.name] ?? repair);
    }
    if (hasPrivateFields(type)) {
      throw refused(
        'MP_PRIVATE_FIELDS',
        nameOf(value),
        `class ${type.name} has #private fields, which cannot be read from outside`,
        `create it inside the function, or ${rebuiltBy(type.name)}`,
      );
    }
  }
  if (hasHandle(value)) throw native(nameOf(value), INSIDE);
}

/** Says how to send instances of a class, and where: who registered it elsewhere finds out here. */
function rebuiltBy(name: string): string {
  return (
    `say how it is rebuilt: a method [Symbol.for('multiprocess.reduce')]() of the class, or register(${name || 'Class'}, reduce), ` +
    'which counts only in the process or thread that calls it: call it in a module that both sides import'
  );
}

/** Names the value in a message: `an instance of Socket`. */
function nameOf(value: object): string {
  const name = classNameOf(value);
  return name === '' ? 'an object' : `an instance of ${name}`;
}

function classNameOf(value: object): string {
  const name: unknown = (value as { constructor?: { name?: unknown } }).constructor?.name;
  return typeof name === 'string' ? name : '';
}

function tagOf(value: object): string {
  const tag: unknown = (value as Record<symbol, unknown>)[Symbol.toStringTag];
  return typeof tag === 'string' ? tag : '';
}

const STATE = new Set<unknown>([Object, Array, Map, Set, Date, Object.getPrototypeOf(Uint8Array), ...BUILTIN_ERRORS]);
/** Those of which a Proxy shows all there is. */
const ORDINARY = new Set<unknown>([Object, Array, ...BUILTIN_ERRORS]);

const states = new WeakMap<Function, boolean>();

/** Builtin bases whose state is carried (instance.ts, over.ts), of whichever realm. */
function isState(type: Function): boolean {
  let answer = states.get(type);
  if (answer === undefined) {
    const prototype = type.prototype as object;
    answer = STATE.has(type) || isContent(prototype) || localPrototype(prototype) !== undefined;
    states.set(type, answer);
  }
  return answer;
}

function proxied(type: Function): Refused {
  return refused(
    'MP_NATIVE_OBJECT',
    `a Proxy of a ${type.name}`,
    'what that holds cannot be read through the Proxy',
    'send the object behind it, or a copy of that',
  );
}

/**
 * A class whose module was never loaded has no instance; loading all of them to ask would take tens
 * of milliseconds.
 */
function loadedModules(): string[] {
  const { moduleLoadList } = process as unknown as { moduleLoadList?: unknown };
  if (!Array.isArray(moduleLoadList)) return MODULES;
  const loaded = new Set<unknown>(moduleLoadList);
  return MODULES.filter((name) => loaded.has(`NativeModule ${name}`));
}

const platform = new WeakMap<Function, boolean>();

function isPlatform(type: Function): boolean {
  const known = platform.get(type);
  if (known !== undefined) return known;
  const { name } = type;
  const source = Function.prototype.toString.call(type);
  const scope = globalThis as unknown as Record<string, unknown>;
  let answer =
    isTransferable(type) ||
    /\{\s*\[native code\]\s*\}$/.test(source) ||
    (isStandardGlobal(name) && Object.hasOwn(scope, name) && scope[name] === type);
  for (const module of answer ? [] : loadedModules()) {
    const exported = require(`node:${module}`) as Record<string, unknown>;
    if (exported[name] === type || (exported as unknown) === type) answer = true;
  }
  platform.set(type, answer);
  return answer;
}

/**
 * Classes that Node keeps to itself and that hold a handle: `postMessage` knows how to pass them.
 */
function isTransferable({ prototype }: Function): boolean {
  const symbols = Object.getOwnPropertySymbols(prototype as object);
  return symbols.some(({ description }) => description?.startsWith('messaging_') === true);
}

const privates = new WeakMap<Function, boolean>();

/** What compilers make of them for older targets, entries of WeakMaps, travels (weak.ts). */
function hasPrivateFields(type: Function): boolean {
  const known = privates.get(type);
  if (known !== undefined) return known;
  const source = Function.prototype.toString.call(type);
  const answer = source.startsWith('class') && source.includes('#') && declaresPrivates(source);
  privates.set(type, answer);
  return answer;
}

/** A Subject of RxJS, of whichever copy. */
function hasSubscribers(value: object): boolean {
  if (!Object.hasOwn(value, 'observers')) return false;
  const { observers, next, subscribe } = value as Partial<Record<'observers' | 'next' | 'subscribe', unknown>>;
  return (
    Array.isArray(observers) && observers.length > 0 && typeof next === 'function' && typeof subscribe === 'function'
  );
}

/** Objects of classes that Node does not export, told by the handle they keep. */
function hasHandle(value: object): boolean {
  if (Object.hasOwn(value, '_handle') && typeof (value as { _handle: unknown })._handle === 'object') return true;
  const name = classNameOf(value);
  return (name === 'Timeout' || name === 'Immediate') && typeof (value as { hasRef?: unknown }).hasRef === 'function';
}

function native(what: string, repair: string): Refused {
  return refused(
    'MP_NATIVE_OBJECT',
    what,
    'it belongs to the thread that made it and has no meaning in another thread or process',
    repair,
  );
}

function refused(code: string, what: string, why: string, repair: string): Refused {
  const refusal: Refusal = { code, what, why, repair };
  return new Refused(refusal);
}
