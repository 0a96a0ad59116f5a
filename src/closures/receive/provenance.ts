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
