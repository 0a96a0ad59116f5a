/** What shared containers take as items, keys and members. */
import { isDeepStrictEqual } from 'node:util';
import { badKey, notIterable } from './messages.js';
import { isProxy, referentOf } from './shared.js';

/**
 * A container of the server, which others of it read directly. No class says that it implements it:
 * what is internal is not declared.
 */
interface Contents {
  /** Its items, as Python iterates them: a dict's are its keys. */
  contents(): Iterable<unknown>;
}

const isContents = (object: unknown): object is Contents =>
  typeof (object as Partial<Contents> | undefined)?.contents === 'function';

/**
 * Returns the items of an argument: any iterable, or a shared container of this server.
 * @throws ArgumentError `MP_TYPE`.
 */
export function itemsOf<T>(actor: string, source: unknown): Iterable<T> {
  const shared = referentOf(source) ?? source;
  if (isContents(shared)) return shared.contents() as Iterable<T>;
  if (typeof (source as Partial<Iterable<T>> | null | undefined)?.[Symbol.iterator] === 'function')
    return source as Iterable<T>;
  throw notIterable(actor, source);
}

/** Refuses as a key or a member what cannot be found again. @throws ArgumentError `MP_KEY_TYPE`. */
export function checkKey(actor: string, key: unknown): void {
  const kind = typeof key;
  if ((kind === 'object' || kind === 'function') && key !== null && !isProxy(key)) throw badKey(actor, key);
}

/** Returns whether two items are equal: by value, as copies are. */
export function same(a: unknown, b: unknown): boolean {
  return (
    a === b ||
    (typeof a === 'object' && typeof b === 'object' && isDeepStrictEqual(a, b)) ||
    (Number.isNaN(a) && Number.isNaN(b))
  );
}

/** `result`, once `wait` is over, if there is something to wait for. */
export function once<R>(wait: Promise<void> | undefined, result: R): R | Promise<R> {
  return wait === undefined ? result : wait.then(() => result);
}
