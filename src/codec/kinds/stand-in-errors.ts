/**
 * Errors of a class that cannot be sent: one that Node keeps to itself, or one with #private
 * fields. A class of the same name stands in for it.
 *
 *   E   data: base (as for e in errors.ts), name, whether its text shows its code
 */
import { badPayload } from '../messages.js';
import type { NodeKind, Reduction } from '../node.js';
import { prototypeOf } from './error-classes.js';
import { createError, errorProperties, isPrivateSymbol, readable } from './error-properties.js';
import { shell, shellKind } from './shell.js';

/** A class that is known by its name alone. */
export interface StandIn {
  /** Its builtin base. */
  readonly base: string;
  /** Its name; empty: that of its base. */
  readonly name: string;
  /** Whether `String(error)` shows `error.code`, as that of Node's errors does. */
  readonly coded: boolean;
}

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]{0,99}$/u;
/** Classes that are kept: programs have few. */
const MAX_STAND_INS = 256;

/** By the prototype of their class. */
export const standIns = new WeakMap<object, StandIn>();
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

/** Reduces an error to a stand-in. */
export function standInShell(value: Error, data: StandIn): Reduction {
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
  if (data.coded)
    Object.defineProperty(prototype, 'toString', { value: codedText, writable: true, configurable: true });
  if (standInByKey.size >= MAX_STAND_INS) standInByKey.clear();
  standInByKey.set(key, prototype);
  standIns.set(prototype, data);
  return prototype;
}

function codedText(this: Error & { code?: unknown }): string {
  return `${this.name} [${String(this.code)}]: ${this.message}`;
}

/**
 * Whether the prototype is that of an error class of Node, whose name is that of its base:
 * `constructor` is a getter there. Nothing else of it matters.
 */
export function isOfNode(prototype: object): boolean {
  if (Object.getOwnPropertyDescriptor(prototype, 'constructor')?.get === undefined) return false;
  return Reflect.ownKeys(prototype).every((key) => key === 'constructor' || key === 'toString' || isPrivateSymbol(key));
}

/** Returns the name of an error's class, or `''`. */
export function nameOfClass(value: Error): string {
  const type: unknown = readable(value, 'constructor');
  const name: unknown = typeof type === 'function' ? type.name : '';
  return typeof name === 'string' && IDENTIFIER.test(name) ? name : '';
}
