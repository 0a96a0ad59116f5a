/**
 * Errors: an error arrives with its class, its own properties (`message`, `cause`, `errors`,
 * `code`, …) and the text of its stack, which is the sender's.
 *
 *   e   an error of a builtin class, or of a class of this library; data: names, nearest first
 *   E   an error of a class that cannot be sent (stand-in-errors.ts)
 *   x   a DOMException (dom-exceptions.ts)
 * Errors of a user's class are instances (instance.ts) with the base `Error`.
 *
 * An error tells what went wrong, so it always gets through: its accessors are read, and what hangs
 * on it under a symbol of this process is left out.
 */
import { types } from 'node:util';
import type { NodeKind, Reduction } from '../node.js';
import { isDomException, isDomPrototype, reduceDomException } from './dom-exceptions.js';
import { builtinName, prototypeOf } from './error-classes.js';
import { createError, errorProperties } from './error-properties.js';
import { shell, shellKind } from './shell.js';
import { isOfNode, nameOfClass, type StandIn, standInShell, standIns } from './stand-in-errors.js';

const LINEAGE = Symbol.for('multiprocess.error.lineage');

/**
 * Whether a class is one that an error can be of without its being sent: of the language, the
 * platform or this library.
 */
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

/** Reduces an error of a builtin or library class; `undefined` for a user's class. */
export function reduceError(value: Error): Reduction | undefined {
  const prototype = Object.getPrototypeOf(value) as object;
  if (isDomException(value)) return isDomPrototype(prototype) ? reduceDomException(value, undefined) : undefined;
  const builtin = builtinName(prototype);
  if (builtin !== undefined) return errorShell(value, builtin);
  const lineage: unknown = Object.hasOwn(prototype, LINEAGE)
    ? (value as unknown as Record<symbol, unknown>)[LINEAGE]
    : undefined;
  if (Array.isArray(lineage)) return errorShell(value, [...lineage, 'Error'].join(' '));
  const known = standIns.get(prototype);
  if (known !== undefined) return standInShell(value, known);
  return isOfNode(prototype) ? reduceAsBuiltinError(value) : undefined;
}

/**
 * An error whose class cannot be sent: of the nearest builtin class, with a class in between that
 * has the name of its own.
 */
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
  const data: StandIn = {
    base,
    name: name === base ? '' : name,
    coded: coded && typeof (value as { code?: unknown }).code === 'string',
  };
  return data.name === '' && !data.coded ? errorShell(value, base) : standInShell(value, data);
}

export const errorKind: NodeKind = shellKind<Error>({
  tag: 'e',
  create: (data) => createError(prototypeOf(data)),
});

function errorShell(value: Error, data: string): Reduction {
  return shell(errorKind.tag, data, value, [], errorProperties(value), () => '');
}
