/** The error classes that both sides know by name: those of the language, and of this library. */
import * as errors from '../../errors/index.js';
import { badPayload } from '../messages.js';
import { localPrototype } from '../realms.js';

/** The error classes of the language. */
export const BUILTIN_ERRORS = [
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
  AggregateError,
] as const;

const builtins: Record<string, Function> = Object.assign(
  Object.create(null) as object,
  Object.fromEntries(BUILTIN_ERRORS.map((type) => [type.name, type])),
);
const byPrototype = new Map<unknown, string>(Object.entries(builtins).map(([name, type]) => [type.prototype, name]));
const library: Record<string, Function> = Object.assign(Object.create(null) as object, errors);

/** Returns the name of a builtin prototype, of whichever realm. */
export function builtinName(prototype: object): string | undefined {
  const name = byPrototype.get(prototype);
  if (name !== undefined) return name;
  const local = localPrototype(prototype);
  return local === undefined ? undefined : byPrototype.get(local);
}

/**
 * Returns the prototype of the first class that is known.
 * @param names names of classes, nearest first.
 */
export function prototypeOf(names: unknown): object {
  if (typeof names !== 'string') throw badPayload('an error has no class');
  for (const name of names.split(' ')) {
    const type = library[name] ?? builtins[name];
    if (type !== undefined) return type.prototype as object;
  }
  throw badPayload('an error has an unknown class');
}
