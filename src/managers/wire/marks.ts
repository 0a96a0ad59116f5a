/**
 * Arguments that do not travel as values: functions, which are called back, and, with a serializer
 * of plain data, proxies.
 *
 * Looked at are the arguments themselves and the properties of a plain object that is the last one,
 * as options are. What is replaced leaves `null` in its place and is told beside the arguments:
 * `[index, key or null, what, data]`.
 */
import { taskParts } from '../../closures/index.js';
import { isClass } from '../registry.js';

/** One argument, or property of the last one, that was replaced. */
export type Mark = readonly [index: number, key: string | null, what: 'function' | 'proxy', data: unknown];

/** What replaces an argument; `undefined`: it is sent as it is. */
export type Replace = (value: object) => readonly [what: 'function' | 'proxy', data: unknown] | undefined;

/**
 * Returns whether a function is one that stays where it is: no class, and nothing that `task()`
 * made.
 */
export function staysHere(value: unknown): value is Function {
  return typeof value === 'function' && !isClass(value) && taskParts(value) === undefined;
}

/** Returns a plain object, as options are. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Returns the arguments and what was replaced among them; `null`: nothing was. */
export function markArguments(
  args: readonly unknown[],
  replace: Replace,
): readonly [args: unknown[], marks: Mark[]] | null {
  let sent: unknown[] | null = null;
  const marks: Mark[] = [];
  const last = args.length - 1;
  for (let i = 0; i <= last; i++) {
    const value = args[i];
    if (typeof value !== 'function' && (typeof value !== 'object' || value === null)) continue;
    const replaced = replace(value);
    if (replaced !== undefined) {
      sent ??= [...args];
      sent[i] = null;
      marks.push([i, null, ...replaced]);
    } else if (i === last && isPlainObject(value)) {
      let copy: Record<string, unknown> | null = null;
      for (const key of Object.keys(value)) {
        const part = value[key];
        const other =
          typeof part === 'function' || (typeof part === 'object' && part !== null) ? replace(part) : undefined;
        if (other === undefined) continue;
        copy ??= { ...value };
        copy[key] = null;
        marks.push([i, key, ...other]);
      }
      if (copy !== null) {
        sent ??= [...args];
        sent[i] = copy;
      }
    }
  }
  return sent === null ? null : [sent, marks];
}

/** Puts back what was replaced. @throws TypeError for marks that fit nothing. */
export function restoreArguments(
  args: unknown[],
  marks: unknown,
  restore: (what: unknown, data: unknown) => unknown,
): void {
  if (!Array.isArray(marks)) throw new TypeError('the marks are no list');
  for (const mark of marks as unknown[]) {
    if (!Array.isArray(mark)) throw new TypeError('a mark is no list');
    const [index, key, what, data] = mark as unknown[];
    if (typeof index !== 'number' || !(index in args)) throw new TypeError('a mark names no argument');
    if (key === null) args[index] = restore(what, data);
    else {
      const target = args[index];
      if (typeof key !== 'string' || !isPlainObject(target) || !Object.hasOwn(target, key))
        throw new TypeError('a mark names no property');
      Object.defineProperty(target, key, {
        value: restore(what, data),
        enumerable: true,
        writable: true,
        configurable: true,
      });
    }
  }
}
