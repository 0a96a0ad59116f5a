/**
 * What of a referent can be reached: the list of its exposed members, which its proxies are made
 * of.
 *
 * A member is known by its place in the list. A shape never changes, and equal ones are one object
 * within a server; a client is told each once.
 */
import type { ManagedType } from './registry.js';
import { mayBeExposed } from './registry.js';

/** An exposed name. */
export interface Member {
  readonly name: string;
  readonly kind: 'method' | 'property';
}

/** What a proxy is made of. Plain data. */
export interface Shape {
  readonly typeid: string;
  /** The module that defines the type, if one does. */
  readonly module: string | null;
  readonly members: readonly Member[];
  /** Whether functions among arguments are sent, not called back. */
  readonly byValue: boolean;
}

/** Returns what a shape is known by. */
export function keyOfShape({ typeid, module, members, byValue }: Shape): string {
  return JSON.stringify([typeid, module, byValue, members.map(({ name, kind }) => [name, kind === 'method' ? 1 : 0])]);
}

/** Returns whether something that was received is one. */
export function isShape(value: unknown): value is Shape {
  const { typeid, module, members, byValue } = (value ?? {}) as Partial<Shape>;
  return (
    typeof typeid === 'string' &&
    (module === null || typeof module === 'string') &&
    typeof byValue === 'boolean' &&
    Array.isArray(members) &&
    members.every((member) => mayBeExposed(member?.name) && (member.kind === 'method' || member.kind === 'property'))
  );
}

/** Returns the shape of a referent of a type. */
export function shapeOf(typeid: string, type: ManagedType, referent: unknown): Shape {
  return {
    typeid,
    module: type.module ?? null,
    members: type.exposed === undefined ? publicMembers(referent) : type.exposed.map((name) => member(referent, name)),
    byValue: type.functions === 'value',
  };
}

function member(referent: unknown, name: string): Member {
  return { name, kind: isMethod(referent, name) ? 'method' : 'property' };
}

/**
 * Looks without calling a getter. A name that is nowhere counts as a method: calling it says so.
 */
function isMethod(referent: unknown, name: string): boolean {
  for (let at: unknown = Object(referent); at !== null; at = Object.getPrototypeOf(at)) {
    const descriptor = Object.getOwnPropertyDescriptor(at, name);
    if (descriptor !== undefined) return 'value' in descriptor && typeof descriptor.value === 'function';
  }
  return true;
}

const ROOT_PROTOTYPES = new Set<unknown>([Object.prototype, Function.prototype, null]);

/**
 * Names that do not begin with an underscore: methods of the classes down to Object, accessors, and
 * what the referent itself has.
 */
function publicMembers(referent: unknown): Member[] {
  const found = new Map<string, Member['kind']>();
  for (let at: unknown = Object(referent); !ROOT_PROTOTYPES.has(at); at = Object.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) {
      if (name.startsWith('_') || !mayBeExposed(name) || found.has(name)) continue;
      const descriptor = Object.getOwnPropertyDescriptor(at, name)!;
      if ('value' in descriptor) {
        if (typeof descriptor.value === 'function') found.set(name, 'method');
        else if (at === referent) found.set(name, 'property');
      } else if (descriptor.get !== undefined) found.set(name, 'property');
    }
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, kind]) => ({ name, kind }));
}
