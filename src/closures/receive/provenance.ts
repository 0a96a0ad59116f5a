/**
 * Where rebuilt functions came from, so that they can be sent on (to grandchildren, or home) without an inspector; and
 * the identity of classes, so that a class that comes home is itself and its instances are `instanceof` it.
 */

import { crypto } from '../../util/crypto.js';
import type { FunctionData } from '../wire.js';

/** What a function was rebuilt from. `children` includes those that came late. */
export interface Provenance {
  readonly data: FunctionData;
  readonly children: unknown[];
}

const origins = new WeakMap<Function, Provenance>();
const printers = new WeakSet<Function>();
const ids = new WeakMap<Function, string>();
const classes = new Map<string, WeakRef<Function>>();
const gone = new FinalizationRegistry<string>((id) => {
  if (classes.get(id)?.deref() === undefined) classes.delete(id);
});

let prefix: string | undefined;
let count = 0;

/** Remembers what a function was rebuilt from. */
export function remember(fn: Function, provenance: Provenance): void {
  origins.set(fn, provenance);
}

/** What a function was rebuilt from, if it was. */
export function provenanceOf(fn: Function): Provenance | undefined {
  return origins.get(fn);
}

/** The identity of a class, given at its first crossing. */
export function classId(fn: Function): string {
  const known = ids.get(fn);
  if (known !== undefined) return known;
  prefix ??= crypto().randomUUID();
  const id = `${prefix}:${count++}`;
  knowClass(id, fn);
  return id;
}

/** Binds an identity to this process's copy of the class. */
export function knowClass(id: string, fn: Function): void {
  ids.set(fn, id);
  classes.set(id, new WeakRef(fn));
  gone.register(fn, id);
}

/** This process's copy of a class. */
export function classWithId(id: string): Function | undefined {
  return id === '' ? undefined : classes.get(id)?.deref();
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
