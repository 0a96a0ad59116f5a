/**
 * Errors: an error arrives with its class, its own properties (`message`, `cause`, `errors`, `code`, …) and the text
 * of its stack, which is the sender's.
 *
 *   e   an error of a builtin class, or of a class of this library; data: names, nearest first
 *   E   an error of a class that cannot be sent: one that Node keeps to itself, or one with #private fields;
 *       data: base (as for e), name, whether its text shows its code
 *   x   a DOMException; data: name, message, quota and requested of a QuotaExceededError; base child: its class, if that is a user's
 * Errors of a user's class are instances (instance.ts) with the base `Error`.
 *
 * An error tells what went wrong, so it always gets through: its accessors are read, and what hangs on it under a symbol of
 * this process is left out.
 */
import { inspect, types } from 'node:util';
import * as errors from '../../errors/index.js';
import { badPayload } from '../messages.js';
import type { NodeKind, Reduction } from '../node.js';
import { localPrototype } from '../realms.js';
import { BASE, shell, shellKind } from './shell.js';

const LINEAGE = Symbol.for('multiprocess.error.lineage');
/** Flags of a property (properties.ts). */
const ENUMERABLE = 1;
const WRITABLE = 2;
const CONFIGURABLE = 4;
const HIDDEN = WRITABLE | CONFIGURABLE;
const FRAME = /^ {4}at /;

/** The error classes of the language. */
export const BUILTIN_ERRORS = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError] as const;

const builtins: Record<string, Function> = Object.assign(
  Object.create(null) as object,
  Object.fromEntries(BUILTIN_ERRORS.map((type) => [type.name, type])),
);
const byPrototype = new Map<unknown, string>(Object.entries(builtins).map(([name, type]) => [type.prototype, name]));
const own: Record<string, Function> = Object.assign(Object.create(null) as object, errors);

/** Whether a class is one that an error can be of without its being sent: of the language, the platform or this library. */
export function isBuiltinError(type: Function): boolean {
  const prototype = type.prototype as object;
  return builtinName(prototype) !== undefined || Object.hasOwn(prototype, LINEAGE) || isDomPrototype(prototype);
}

/** Whether a value is an error: made by an error class, of whichever realm, or a Proxy of one. */
export function isError(value: unknown): value is Error {
  if (types.isNativeError(value)) return true;
  if (typeof value !== 'object' || value === null) return false;
  return isDomException(value) || (types.isProxy(value) && value instanceof Error);
}

/** A class of its own name in DOMException's family, which Node 20 does not count among the native errors. */
export function isDomException(value: object): value is DOMException {
  return typeof DOMException === 'function' && value instanceof DOMException;
}

/** Reduces an error of a builtin or library class; `undefined` for a user's class. */
export function reduceError(value: Error): Reduction | undefined {
  const prototype = Object.getPrototypeOf(value) as object;
  if (isDomException(value)) return isDomPrototype(prototype) ? reduceDomException(value, undefined) : undefined;
  const builtin = builtinName(prototype);
  if (builtin !== undefined) return errorShell(value, builtin);
  const lineage: unknown = Object.hasOwn(prototype, LINEAGE) ? (value as unknown as Record<symbol, unknown>)[LINEAGE] : undefined;
  if (Array.isArray(lineage)) return errorShell(value, [...lineage, 'Error'].join(' '));
  const known = standIns.get(prototype);
  if (known !== undefined) return standInShell(value, known);
  return isOfNode(prototype) ? reduceAsBuiltinError(value) : undefined;
}

/** An error whose class cannot be sent: of the nearest builtin class, with a class in between that has the name of its own. */
export function reduceAsBuiltinError(value: Error): Reduction {
  if (isDomException(value)) return reduceDomException(value, undefined);
  let base = 'Error';
  let at: unknown = Object.getPrototypeOf(value);
  let coded = false;
  for (; at !== null; at = Object.getPrototypeOf(at)) {
    const found = builtinName(at as object);
    if (found !== undefined) {
      base = found;
      break;
    }
    if (Object.hasOwn(at as object, 'toString')) coded = true;
  }
  const name = nameOfClass(value);
  const data: StandIn = { base, name: name === base ? '' : name, coded: coded && typeof (value as { code?: unknown }).code === 'string' };
  return data.name === '' && !data.coded ? errorShell(value, base) : standInShell(value, data);
}

function builtinName(prototype: object): string | undefined {
  const name = byPrototype.get(prototype);
  if (name !== undefined) return name;
  const local = localPrototype(prototype);
  return local === undefined ? undefined : byPrototype.get(local);
}

/**
 * Whether the prototype is that of an error class of Node, whose name is that of its base: `constructor` is a getter there.
 * Nothing else of it matters.
 */
function isOfNode(prototype: object): boolean {
  if (Object.getOwnPropertyDescriptor(prototype, 'constructor')?.get === undefined) return false;
  return Reflect.ownKeys(prototype).every((key) => key === 'constructor' || key === 'toString' || isPrivateSymbol(key));
}

/** The name of its class, or `''`. */
function nameOfClass(value: Error): string {
  const type: unknown = readable(value, 'constructor');
  const name: unknown = typeof type === 'function' ? type.name : '';
  return typeof name === 'string' && IDENTIFIER.test(name) ? name : '';
}

/** Causes and their causes that {@link sendableError} looks into. */
const DEEPEST = 8;

/**
 * An error of the same class and stack, whose own properties that cannot be sent (the `request` of a failed call, a socket)
 * are replaced by a line of text.
 */
export function sendableError(value: Error, canSend: (part: unknown) => boolean, depth = 0): Error {
  const copy = blank(value);
  for (const key of Reflect.ownKeys(value)) {
    if (isPrivateSymbol(key)) continue;
    const enumerable = Object.getOwnPropertyDescriptor(value, key)?.enumerable === true;
    const sent = sendablePart(readable(value, key), canSend, depth);
    Object.defineProperty(copy, key, { value: sent, enumerable, writable: true, configurable: true });
  }
  return copy;
}

function sendablePart(part: unknown, canSend: (part: unknown) => boolean, depth: number): unknown {
  if (canSend(part)) return part;
  if (depth < DEEPEST) {
    if (isError(part)) return sendableError(part, canSend, depth + 1);
    if (Array.isArray(part)) return part.map((member) => sendablePart(member, canSend, depth + 1));
  }
  if (typeof part === 'string') return part.slice(0, 200);
  return inspect(part, { depth: 0, breakLength: Number.POSITIVE_INFINITY }).slice(0, 200);
}

/** One of the same class without properties of its own. */
function blank(value: Error): Error {
  const prototype = Object.getPrototypeOf(value) as object;
  return isDomException(value) ? (Object.setPrototypeOf(createDom(domData(value)), prototype) as Error) : createError(prototype);
}

function readable(value: object, key: string | symbol): unknown {
  try {
    return (value as Record<string | symbol, unknown>)[key];
  } catch {
    return undefined;
  }
}

/** Whether a key has no meaning in another process: what is kept under it is its owner's affair. */
function isPrivateSymbol(key: string | symbol): boolean {
  return typeof key === 'symbol' && Symbol.keyFor(key) === undefined && !wellKnown.has(key);
}

const wellKnown = new Set<unknown>(Reflect.ownKeys(Symbol).map((key) => (Symbol as unknown as Record<string | symbol, unknown>)[key]));

/** The own properties of an error as shell children, `stack` as text. */
export function errorProperties(value: Error): unknown[] {
  const properties: unknown[] = [];
  if (Object.hasOwn(value, 'stack')) properties.push('stack', HIDDEN, stackOf(value));
  for (const key of Reflect.ownKeys(value)) {
    if (key === 'stack' || isPrivateSymbol(key)) continue;
    const property = Object.getOwnPropertyDescriptor(value, key);
    if (property === undefined) continue;
    const enumerable = property.enumerable ? ENUMERABLE : 0;
    if (property.get !== undefined || property.set !== undefined) properties.push(key, HIDDEN | enumerable, readable(value, key));
    else properties.push(key, (property.writable ? WRITABLE : 0) | (property.configurable ? CONFIGURABLE : 0) | enumerable, property.value);
  }
  return properties;
}

function stackOf(value: Error): string | undefined {
  const stack = readable(value, 'stack');
  if (typeof stack === 'string') return stack;
  return types.isProxy(value) ? stackBehind(value) : undefined;
}

/** The stack of an error behind a Proxy, which V8 gives to the error itself alone; `inspect` looks through the Proxy. */
function stackBehind(proxy: Error): string | undefined {
  const lines = inspect(proxy, { customInspect: false, showProxy: false, depth: 0, colors: false }).split('\n');
  const first = lines.findIndex((line) => FRAME.test(line));
  if (first < 0) return undefined;
  const rest = lines.findIndex((line, index) => index > first && !FRAME.test(line));
  return lines
    .slice(0, rest < 0 ? undefined : rest)
    .join('\n')
    .replace(/ \{$/, '');
}

/** A fresh error without a stack of its own, of the given prototype. */
export function createError(prototype?: object): Error {
  const error = withoutStack(() => new Error());
  return prototype === undefined ? error : (Object.setPrototypeOf(error, prototype) as Error);
}

function withoutStack<T extends Error>(make: () => T): T {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  const error = make();
  Error.stackTraceLimit = limit;
  delete (error as { stack?: string }).stack;
  return error;
}

// ---- builtin classes and those of this library

export const errorKind: NodeKind = shellKind<Error>({
  tag: 'e',
  create: (data) => createError(prototypeOf(data)),
});

function prototypeOf(names: unknown): object {
  if (typeof names !== 'string') throw badPayload('an error has no class');
  for (const name of names.split(' ')) {
    const type = own[name] ?? builtins[name];
    if (type !== undefined) return type.prototype as object;
  }
  throw badPayload('an error has an unknown class');
}

function errorShell(value: Error, data: string): Reduction {
  return shell(errorKind.tag, data, value, [], errorProperties(value), () => '');
}

// ---- stand-ins

/** A class that is known by its name alone. */
interface StandIn {
  /** Its builtin base. */
  readonly base: string;
  /** Its name; empty: that of its base. */
  readonly name: string;
  /** Whether `String(error)` shows `error.code`, as that of Node's errors does. */
  readonly coded: boolean;
}

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]{0,99}$/u;
/** Stand-ins that are kept: programs have few. */
const KEPT = 256;

const standIns = new WeakMap<object, StandIn>();
const standInByKey = new Map<string, object>();

export const standInKind: NodeKind = shellKind<Error>({
  tag: 'E',
  create(data) {
    const { base, name, coded } = (data ?? {}) as Partial<StandIn>;
    if (typeof name !== 'string' || typeof coded !== 'boolean' || (name !== '' && !IDENTIFIER.test(name))) {
      throw badPayload('an error has no class');
    }
    return createError(standIn({ base: String(base), name, coded }));
  },
});

function standInShell(value: Error, data: StandIn): Reduction {
  return shell(standInKind.tag, data, value, [], errorProperties(value), () => '');
}

/** The prototype of a class of that name: one for each name, as the class was one. */
function standIn(data: StandIn): object {
  const key = `${data.base} ${data.name} ${data.coded}`;
  const known = standInByKey.get(key);
  if (known !== undefined) return known;
  const above = prototypeOf(data.base) as { constructor: new (message?: string) => Error };
  const type = data.name === '' ? above.constructor : { [data.name]: class extends above.constructor {} }[data.name]!;
  const prototype = (data.name === '' ? Object.create(above) : type.prototype) as object;
  Object.defineProperty(prototype, 'constructor', { value: type, writable: true, configurable: true });
  if (data.coded) Object.defineProperty(prototype, 'toString', { value: codedText, writable: true, configurable: true });
  if (standInByKey.size >= KEPT) standInByKey.clear();
  standInByKey.set(key, prototype);
  standIns.set(prototype, data);
  return prototype;
}

function codedText(this: Error & { code?: unknown }): string {
  return `${this.name} [${String(this.code)}]: ${this.message}`;
}

// ---- DOMException

interface DomData {
  readonly name: string;
  readonly message: string;
  /** Of a QuotaExceededError, which Node has since version 26: both numbers, or `null`. */
  readonly quota?: { readonly quota: number | null; readonly requested: number | null };
}

type Quota = DOMException & { readonly quota: number | null; readonly requested: number | null };
type QuotaType = new (message: string, options: object) => DOMException;

export const domExceptionKind: NodeKind = shellKind<DOMException>({
  tag: 'x',
  create(data) {
    const { name, message } = (data ?? {}) as Partial<DomData>;
    if (typeof message !== 'string' || typeof name !== 'string') throw badPayload('a DOMException has no name');
    return createDom(data as DomData);
  },
  fill(target, children, end, final) {
    if (end === BASE) return;
    const type = children[BASE];
    if (!final && type === undefined) return;
    if (typeof type !== 'function' || typeof type.prototype !== 'object') throw badPayload('a DOMException has no class');
    Object.setPrototypeOf(target, type.prototype as object);
  },
});

/** Reduces a DOMException; `type`: its class, where that is a user's. */
export function reduceDomException(value: DOMException, type: Function | undefined): Reduction {
  const base = type === undefined ? [] : [type];
  return shell(domExceptionKind.tag, domData(value), value, base, errorProperties(value), () => 'class');
}

function domData(value: DOMException): DomData {
  const { name, message } = value;
  const type = quotaType();
  if (type === undefined || !(value instanceof type)) return { name, message };
  const { quota, requested } = value as Quota;
  return { name, message, quota: { quota, requested } };
}

function createDom({ name, message, quota }: DomData): DOMException {
  const type = quota === undefined ? undefined : quotaType();
  if (type === undefined) return withoutStack(() => new DOMException(message, name));
  const options = Object.fromEntries(Object.entries(quota!).filter(([, limit]) => limit !== null));
  return withoutStack(() => new type(message, options));
}

function isDomPrototype(prototype: object): boolean {
  return prototype === DOMException.prototype || prototype === quotaType()?.prototype;
}

function quotaType(): QuotaType | undefined {
  const type = (globalThis as { QuotaExceededError?: unknown }).QuotaExceededError;
  return typeof type === 'function' ? (type as QuotaType) : undefined;
}
