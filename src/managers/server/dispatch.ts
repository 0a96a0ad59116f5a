/** What a client may have done with a type or an object, besides calling exposed methods. */

import { inspect } from 'node:util';
import { badFrame, notExposed } from '../messages.js';
import { isClass } from '../registry.js';
import { Ask } from '../wire/frames.js';
import type { Referent } from './referents.js';

/** What a client may ask about an object. */
export function inquire(referent: Referent, what: number, extra: number): unknown {
  const { object, shape, type } = referent;
  if (what === Ask.value)
    return type.value === undefined ? object : (type.value as (referent: unknown) => unknown)(object);
  if (what === Ask.text) return textOfObject(object);
  if (what === Ask.property) {
    const member = shape.members[extra];
    if (member?.kind === 'property') return (object as Record<string, unknown>)[member.name];
    throw notExposed(
      shape.typeid,
      member?.name,
      shape.members.map(({ name }) => name),
    );
  }
  throw badFrame('a question of an unknown sort');
}

/** The text of an object: its own, or, where it has none, what it holds. */
function textOfObject(object: unknown): string {
  const own = (Object(object) as { toString?: unknown }).toString;
  return own === undefined || own === Object.prototype.toString ? inspect(object) : String(object);
}

/** Makes an object: a class by `new`. */
export function makeObject(maker: unknown, args: unknown[]): unknown {
  if (isClass(maker)) return Reflect.construct(maker as never, args) as unknown;
  return (maker as (...given: unknown[]) => unknown)(...args);
}
