/**
 * Cells: the shared home of a variable that a sent function assigns.
 *
 * Functions that share the variable are given the same object `{ v }`, whose identity the codec
 * keeps; their text reads and writes `cell.v`. V8 shows snapshots of scopes, not their identity.
 * Two functions count as sharing a variable when it is declared at the same place and all names of
 * that scope hold the same values, unless they cannot: two functions made by the same piece of
 * code, with no loop and no function between it and the declaration, belong to two variables. So
 * two counters of one factory keep apart, each with its own `up` and `get`, if each object is sent
 * whole. What remains: of two calls whose variables are alike in every value, `up` of one and `get`
 * of the other alone are taken for one call's.
 *
 * A cell lives until its message is written, or at most until the current job ends: later messages
 * must see later values.
 */
import { queueMicrotask } from '../../util/timers.js';

/** What stands in for the variable. */
export interface Cell {
  v: unknown;
}

interface Entry {
  readonly values: ReadonlyMap<string, unknown>;
  readonly cell: Cell;
  /** Functions that share it, by the place of those of which there can be only one. */
  readonly users: Map<number, Function>;
}

/** The function that asks for a cell. */
export interface CellUser {
  readonly fn: Function;
  /** Where it was written, if each variable has at most one function from there. */
  readonly place: number | null;
}

const cells = new WeakSet<object>();
const entries = new Map<string, Entry[]>();
const UNREADABLE = Symbol('unreadable');

/** The cell of the variable `name` in a captured scope. `key` says where it is declared. */
export function cellOf(
  key: string,
  name: string,
  scope: Readonly<Record<string, unknown>>,
  { fn, place }: CellUser,
): Cell {
  const values = snapshot(scope);
  let list = entries.get(key);
  if (list === undefined) {
    if (entries.size === 0) queueMicrotask(() => entries.clear());
    list = [];
    entries.set(key, list);
  }
  const known = list.find(
    (entry) => same(entry.values, values) && (place === null || (entry.users.get(place) ?? fn) === fn),
  );
  if (known !== undefined) {
    if (place !== null) known.users.set(place, fn);
    return known.cell;
  }
  const cell: Cell = { v: values.get(name) };
  list.push({ values, cell, users: new Map(place === null ? [] : [[place, fn]]) });
  cells.add(cell);
  return cell;
}

/** The message is written: the next one sees the values of its own time. */
export function forgetCells(): void {
  if (entries.size > 0) entries.clear();
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
