/**
 * Cells: the shared home of a variable that a sent function assigns.
 *
 * Functions that share the variable are given the same object `{ v }`, whose identity the codec keeps; their text reads
 * and writes `cell.v`. V8 shows snapshots of scopes, not their identity, so two functions count as sharing a variable when
 * it is declared at the same place and all names of that scope hold the same values. Two calls of one function whose
 * variables are alike in every value are taken for one: give such closures something of their own to tell them apart.
 *
 * A cell lives until the current job ends: one dump is synchronous, and later dumps must see later values.
 */

/** What stands in for the variable. */
export interface Cell {
  v: unknown;
}

interface Entry {
  readonly values: ReadonlyMap<string, unknown>;
  readonly cell: Cell;
}

const cells = new WeakSet<object>();
const entries = new Map<string, Entry[]>();
const UNREADABLE = Symbol('unreadable');

/** The cell of the variable `name` in a captured scope. `key` says where it is declared. */
export function cellOf(key: string, name: string, scope: Readonly<Record<string, unknown>>): Cell {
  const values = snapshot(scope);
  let list = entries.get(key);
  if (list === undefined) {
    if (entries.size === 0) queueMicrotask(() => entries.clear());
    list = [];
    entries.set(key, list);
  }
  const known = list.find((entry) => same(entry.values, values));
  if (known !== undefined) return known.cell;
  const cell: Cell = { v: values.get(name) };
  list.push({ values, cell });
  cells.add(cell);
  return cell;
}

/** Whether a value stands in for a variable. */
export function isCell(value: unknown): value is Cell {
  return typeof value === 'object' && value !== null && cells.has(value);
}

function snapshot(scope: Readonly<Record<string, unknown>>): Map<string, unknown> {
  const values = new Map<string, unknown>();
  for (const name of Object.getOwnPropertyNames(scope)) {
    try {
      values.set(name, scope[name]);
    } catch {
      values.set(name, UNREADABLE);
    }
  }
  return values;
}

function same(a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): boolean {
  if (a.size !== b.size) return false;
  for (const [name, value] of a) if (!b.has(name) || !Object.is(value, b.get(name))) return false;
  return true;
}
