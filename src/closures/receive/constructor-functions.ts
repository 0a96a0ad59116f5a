/**
 * Constructor functions: what classes are for older targets, and were before there were any. The
 * prototype of one has an identity (identity.ts), so that its instances are `instanceof` it on both
 * sides, whichever message brought them. The function itself is made anew for each message, with
 * its captures as they are; its copies share the prototype.
 */
import { identityOf, isOriginal, objectWithIdentity, setIdentity } from '../../codec/identity.js';
import type { Analysis } from '../analysis/analysis.js';
import { badPayload } from '../messages.js';

/** It sets members of `this`, or hands `this` to a helper or to the constructor above. */
const FILLS_THIS = /\bthis\s*(?:\.\s*[\w$]+\s*=(?!=)|[,)[])/;

/**
 * The identity of the prototype of a function that looks like a constructor; `null` for any other,
 * whose `prototype` nobody uses.
 */
export function prototypeIdentity(fn: Function, text: string, { plain }: Analysis): string | null {
  if (!plain) return null;
  const prototype: unknown = Object.getOwnPropertyDescriptor(fn, 'prototype')?.value;
  if (typeof prototype !== 'object' || prototype === null) return null;
  const isUsed = Reflect.ownKeys(prototype).length > 1 || Object.getPrototypeOf(prototype) !== Object.prototype;
  return isUsed || FILLS_THIS.test(text) ? identityOf(prototype) : null;
}

/**
 * Gives a rebuilt function the prototype of its identity. Returns whether that is the original one,
 * which stays as it is.
 */
export function adoptPrototype(fn: Function, id: unknown): boolean {
  if (typeof id !== 'string') throw badPayload('a prototype without an identity');
  const known = objectWithIdentity(id);
  if (known === undefined) {
    setIdentity(fn.prototype as object, id);
    return false;
  }
  fn.prototype = known;
  if (isOriginal(id)) return true;
  Object.defineProperty(known, 'constructor', { value: fn, writable: true, enumerable: false, configurable: true });
  return false;
}
