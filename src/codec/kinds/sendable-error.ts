/** Errors that have properties which cannot be sent. */
import { inspect } from 'node:util';
import { createDom, domData, isDomException } from './dom-exceptions.js';
import { createError, isPrivateSymbol, readable } from './error-properties.js';
import { isError } from './errors.js';

/** How many causes of causes {@link sendableError} looks into. */
const MAX_CAUSES = 8;

/**
 * An error of the same class and stack, whose own properties that cannot be sent (the `request` of
 * a failed call, a socket) are replaced by a line of text.
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
  if (depth < MAX_CAUSES) {
    if (isError(part)) return sendableError(part, canSend, depth + 1);
    if (Array.isArray(part)) return part.map((member) => sendablePart(member, canSend, depth + 1));
  }
  if (typeof part === 'string') return part.slice(0, 200);
  return inspect(part, { depth: 0, breakLength: Number.POSITIVE_INFINITY }).slice(0, 200);
}

/** One of the same class without properties of its own. */
function blank(value: Error): Error {
  const prototype = Object.getPrototypeOf(value) as object;
  return isDomException(value)
    ? (Object.setPrototypeOf(createDom(domData(value)), prototype) as Error)
    : createError(prototype);
}
