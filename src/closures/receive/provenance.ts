/**
 * Where rebuilt functions came from, so that they can be sent on (to grandchildren, or home)
 * without an inspector.
 */
import type { FunctionData } from '../wire.js';

/** What a function was rebuilt from. `children` includes those that came late. */
export interface Provenance {
  readonly data: FunctionData;
  readonly children: unknown[];
}

const origins = new WeakMap<Function, Provenance>();
const printers = new WeakSet<Function>();
/** Methods and accessors that the text of a rebuilt class made: where they were put. */
const members = new WeakMap<object, { readonly owner: object; readonly key: string | symbol }>();

/** Remembers what a function was rebuilt from. */
export function remember(fn: Function, provenance: Provenance): void {
  origins.set(fn, provenance);
}

/** What a function was rebuilt from, if it was. */
export function provenanceOf(fn: Function): Provenance | undefined {
  return origins.get(fn);
}

/** Makes an edited function print its original text. */
export function printAs(fn: Function, text: string): void {
  const printer = () => text;
  printers.add(printer);
  Object.defineProperty(fn, 'toString', { value: printer, writable: true, enumerable: false, configurable: true });
}

/** Whether a value is a `toString` made by {@link printAs}. */
export function isPrinter(value: unknown): boolean {
  return typeof value === 'function' && printers.has(value);
}

/**
 * Remembers the methods and accessors that a rebuilt class has from its text. Edits have changed what they print, so that it says
 * nothing about that.
 */
export function rememberMembers(type: Function): void {
  for (const owner of [type, type.prototype as object]) {
    for (const key of Reflect.ownKeys(owner)) {
      const { value, get, set } = Object.getOwnPropertyDescriptor(owner, key)!;
      for (const part of [value, get, set] as unknown[])
        if (typeof part === 'function' && part !== type) members.set(part, { owner, key });
    }
  }
}

/** Whether the text of a rebuilt class put it there. */
export function isMemberOf(owner: object, key: string | symbol, part: unknown): boolean {
  if (typeof part !== 'function') return false;
  const member = members.get(part);
  return member?.owner === owner && member.key === key;
}
