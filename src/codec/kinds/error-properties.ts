/** The own properties of an error, `stack` among them, and errors without any. */
import { inspect, types } from 'node:util';

/** Flags of a property (properties.ts). */
const ENUMERABLE = 1;
const WRITABLE = 2;
const CONFIGURABLE = 4;
const HIDDEN = WRITABLE | CONFIGURABLE;
const FRAME = /^ {4}at /;

/** Returns a property, or `undefined` where its accessor throws. */
export function readable(value: object, key: string | symbol): unknown {
  try {
    return (value as Record<string | symbol, unknown>)[key];
  } catch {
    return undefined;
  }
}

/** Returns whether a key has no meaning in another process. */
export function isPrivateSymbol(key: string | symbol): boolean {
  return typeof key === 'symbol' && Symbol.keyFor(key) === undefined && !wellKnown.has(key);
}

const wellKnown = new Set<unknown>(
  Reflect.ownKeys(Symbol).map((key) => (Symbol as unknown as Record<string | symbol, unknown>)[key]),
);

/** The own properties of an error as shell children, `stack` as text. */
export function errorProperties(value: Error): unknown[] {
  const properties: unknown[] = [];
  if (Object.hasOwn(value, 'stack')) properties.push('stack', HIDDEN, stackOf(value));
  for (const key of Reflect.ownKeys(value)) {
    if (key === 'stack' || isPrivateSymbol(key)) continue;
    const property = Object.getOwnPropertyDescriptor(value, key);
    if (property === undefined) continue;
    const enumerable = property.enumerable ? ENUMERABLE : 0;
    if (property.get !== undefined || property.set !== undefined)
      properties.push(key, HIDDEN | enumerable, readable(value, key));
    else
      properties.push(
        key,
        (property.writable ? WRITABLE : 0) | (property.configurable ? CONFIGURABLE : 0) | enumerable,
        property.value,
      );
  }
  return properties;
}

function stackOf(value: Error): string | undefined {
  const stack = readable(value, 'stack');
  if (typeof stack === 'string') return stack;
  return types.isProxy(value) ? stackBehind(value) : undefined;
}

/**
 * The stack of an error behind a Proxy, which V8 gives to the error itself alone; `inspect` looks
 * through the Proxy.
 */
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

/** Returns what `make` makes, without a stack of its own. */
export function withoutStack<T extends Error>(make: () => T): T {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  const error = make();
  Error.stackTraceLimit = limit;
  delete (error as { stack?: string }).stack;
  return error;
}
