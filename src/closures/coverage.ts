/**
 * Counters of coverage (istanbul, which nyc and jest use): code that was instrumented counts in an
 * object of its file, with maps of all statements that may take megabytes. A function that was sent
 * counts in the object that its file has in the worker, if it was loaded there, and otherwise in
 * one without maps that nobody reads.
 */

/** What is counted in a file. */
interface CoverageCounters {
  readonly path: string;
  readonly s: Record<string, number>;
  readonly f: Record<string, number>;
  readonly b: Record<string, number[]>;
  readonly bT?: Record<string, number[]>;
}

/** How many counters a file has: enough to make them anew. */
export interface CoverageShape {
  readonly path: string;
  readonly statements: number;
  readonly functions: number;
  /** Arms of each branch. */
  readonly branches: readonly number[];
  /**
   * Whether a function gives them, as istanbul writes it since 2019; before, the variable held
   * them.
   */
  readonly called: boolean;
}

/** The name under which istanbul lets the code of a file reach its counters. */
const ACCESSOR = /^cov_[0-9a-z]+$/;

/** The shape of the counters that a captured value is or gives; `null` for any other value. */
export function coverageShapeOf(name: string, value: unknown): CoverageShape | null {
  const called = typeof value === 'function' && ACCESSOR.test(name);
  const counters: unknown = called ? valueOrNull(value as () => unknown) : value;
  if (!isCounters(counters)) return null;
  const { path, s, f, b } = counters;
  return {
    path,
    statements: sizeOf(s),
    functions: sizeOf(f),
    branches: Object.values(b).map(({ length }) => length),
    called,
  };
}

function valueOrNull(give: () => unknown): unknown {
  try {
    return give();
  } catch {
    return null;
  }
}

function isCounters(value: unknown): value is CoverageCounters {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, 'statementMap')) return false;
  const { path, s, f, b } = value as Partial<CoverageCounters>;
  return typeof path === 'string' && typeof s === 'object' && typeof f === 'object' && typeof b === 'object';
}

function sizeOf(counters: object): number {
  return Object.keys(counters).length;
}

const unread = new Map<string, CoverageCounters>();

/** What a variable for counters holds in this process. */
export function coverageOf(shape: CoverageShape): unknown {
  return shape.called ? () => countersOf(shape) : countersOf(shape);
}

function countersOf(shape: CoverageShape): CoverageCounters {
  const { __coverage__: all } = globalThis as { __coverage__?: Record<string, CoverageCounters | undefined> };
  return all?.[shape.path] ?? unread.get(shape.path) ?? makeCounters(shape);
}

function makeCounters({ path, statements, functions, branches }: CoverageShape): CoverageCounters {
  const zeros = (count: number): number[] => new Array<number>(count).fill(0);
  const arms = () => Object.fromEntries(branches.map((count, index) => [index, zeros(count)]));
  const counters = (count: number) => Object.fromEntries(zeros(count).entries());
  const made = { path, s: counters(statements), f: counters(functions), b: arms(), bT: arms() };
  unread.set(path, made);
  return made;
}
