/**
 * Errors: an error arrives with its class, its own properties (`message`, `cause`, `errors`, `code`, …) and the text
 * of its stack, which is the sender's.
 *
 *   e   an error of a builtin class, or of a class of this library; data: names, nearest first
 *   x   a DOMException; children: message, name, stack, cause
 * Errors of a user's class are instances (instance.ts) with the base `Error`.
 */
import { inspect, types } from 'node:util';
import * as errors from '../../errors/index.js';
import { badPayload } from '../failure.js';
import type { NodeKind, Reduction } from '../node.js';
import { pushProperties } from './properties.js';
import { shell, shellKind } from './shell.js';

const LINEAGE = Symbol.for('multiprocess.error.lineage');
const ENUMERABLE_NOT = 6;

/** The error classes of the language. */
export const BUILTIN_ERRORS = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError] as const;

const builtins: Record<string, Function> = Object.assign(
  Object.create(null) as object,
  Object.fromEntries(BUILTIN_ERRORS.map((type) => [type.name, type])),
);
const byPrototype = new Map<unknown, string>(Object.entries(builtins).map(([name, type]) => [type.prototype, name]));
const own: Record<string, Function> = Object.assign(Object.create(null) as object, errors);

/** Reduces an error of a builtin or library class; `undefined` for a user's class. */
export function reduceError(value: Error): Reduction | undefined {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (typeof DOMException === 'function' && prototype === DOMException.prototype) return reduceDomException(value as DOMException);
  const builtin = byPrototype.get(prototype);
  if (builtin !== undefined) return errorShell(value, builtin);
  const lineage: unknown = Object.hasOwn(prototype as object, LINEAGE) ? (value as unknown as Record<symbol, unknown>)[LINEAGE] : undefined;
  return Array.isArray(lineage) ? errorShell(value, [...lineage, 'Error'].join(' ')) : undefined;
}

/** An error whose class cannot be sent, as one of the nearest builtin class. */
export function reduceAsBuiltinError(value: Error): Reduction {
  for (let at: unknown = value; at !== null; at = Object.getPrototypeOf(at)) {
    const name = byPrototype.get(at);
    if (name !== undefined) return errorShell(value, name);
  }
  return errorShell(value, 'Error');
}

/** Causes and their causes that {@link sendableError} looks into. */
const DEEPEST = 8;

/**
 * An error of the same class and stack, whose own properties that cannot be sent (the `request` of a failed call, a socket)
 * are replaced by a line of text.
 */
export function sendableError(value: Error, canSend: (part: unknown) => boolean, depth = 0): Error {
  const copy = createError(Object.getPrototypeOf(value) as object);
  for (const key of Reflect.ownKeys(value)) {
    const { value: part, enumerable } = { value: readable(value, key), ...Object.getOwnPropertyDescriptor(value, key) };
    const sent = canSend(part)
      ? part
      : types.isNativeError(part) && depth < DEEPEST
        ? sendableError(part, canSend, depth + 1)
        : textOf(part);
    Object.defineProperty(copy, key, { value: sent, enumerable: enumerable === true, writable: true, configurable: true });
  }
  return copy;
}

function readable(value: object, key: string | symbol): unknown {
  try {
    return (value as Record<string | symbol, unknown>)[key];
  } catch {
    return undefined;
  }
}

function textOf(part: unknown): string {
  return inspect(part, { depth: 0, breakLength: Number.POSITIVE_INFINITY }).slice(0, 200);
}

/** The own properties of an error as shell children, `stack` as text. */
export function errorProperties(value: Error): unknown[] {
  const properties: unknown[] = [];
  if (Object.hasOwn(value, 'stack')) properties.push('stack', ENUMERABLE_NOT, stackOf(value));
  pushProperties(properties, value, (key) => key === 'stack');
  return properties;
}

/** A fresh error without a stack of its own, of the given prototype. */
export function createError(prototype?: object): Error {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  const error = new Error();
  Error.stackTraceLimit = limit;
  delete (error as { stack?: string }).stack;
  return prototype === undefined ? error : (Object.setPrototypeOf(error, prototype) as Error);
}

export const errorKind: NodeKind = shellKind<Error>({
  tag: 'e',
  create(data) {
    if (typeof data !== 'string') throw badPayload('an error has no class');
    for (const name of data.split(' ')) {
      const type = own[name] ?? builtins[name];
      if (type !== undefined) return createError(type.prototype as object);
    }
    throw badPayload('an error has an unknown class');
  },
});

export const domExceptionKind: NodeKind = {
  tag: 'x',
  shell: false,
  build(_data, [message, name, stack, cause]) {
    if (typeof message !== 'string' || typeof name !== 'string') throw badPayload('a DOMException has no name');
    const value = new DOMException(message, name);
    if (typeof stack === 'string') Object.defineProperty(value, 'stack', { value: stack, writable: true, configurable: true });
    if (cause !== undefined) Object.defineProperty(value, 'cause', { value: cause, writable: true, configurable: true });
    return { value };
  },
};

function errorShell(value: Error, data: string): Reduction {
  return shell(errorKind.tag, data, value, [], errorProperties(value), () => '');
}

function reduceDomException(value: DOMException): Reduction {
  const labels = ['.message', '.name', '.stack', '.cause'];
  const children = [value.message, value.name, stackOf(value), (value as { cause?: unknown }).cause];
  return { kind: domExceptionKind.tag, data: undefined, children, label: (index) => labels[index] ?? '' };
}

function stackOf(value: Error): unknown {
  try {
    const { stack } = value;
    return typeof stack === 'string' ? stack : undefined;
  } catch {
    return undefined;
  }
}
