/**
 * Whether an object can go by value as far as can be told without writing it: nothing in it is
 * bound to this thread.
 */

import { refuseInstance, refuseNative } from '../../codec/kinds/refused.js';
import { Refused } from '../../codec/messages.js';
import { isShareable } from '../../memory/shareable/shareable.js';

/** Objects that are looked at. */
const MAX_OBJECTS = 4_000;

/** Looks at members, elements and entries; functions are not looked into. */
export function isCopyable(value: object): boolean {
  const seen = new Set<object>([value]);
  for (const object of seen) {
    if (isShareable(object)) continue;
    if (seen.size > MAX_OBJECTS || isRefused(object)) return false;
    for (const part of partsOf(object)) {
      if (typeof part === 'object' && part !== null) seen.add(part);
    }
  }
  return true;
}

function isRefused(object: object): boolean {
  try {
    refuseNative(object);
    refuseInstance(object, false);
    return false;
  } catch (error) {
    if (error instanceof Refused) return true;
    throw error;
  }
}

function* partsOf(object: object): Iterable<unknown> {
  for (const key of Reflect.ownKeys(object)) yield Object.getOwnPropertyDescriptor(object, key)?.value;
  if (object instanceof Map) for (const [key, value] of object) yield* [key, value];
  if (object instanceof Set) yield* object;
}
