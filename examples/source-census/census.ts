import type { Examined } from './examine.js';
import type { FunctionMeasure } from './measure.js';
import { rejectionReason } from './reasons.js';

/** How many of the most complex functions are named. */
export const TOP = 10;

/** A function and the file it stands in, relative to the directory of the census. */
export interface LocatedFunction extends FunctionMeasure {
  readonly file: string;
}

/** An examined file with its name. */
export type CensusItem = Examined & { readonly file: string };

/** Everything known after some files. `files` = `parsed` + `failed`. */
export interface Census {
  readonly files: number;
  readonly parsed: number;
  readonly failed: number;
  readonly bytes: number;
  readonly lines: number;
  readonly functions: number;
  /** Sum over all functions. */
  readonly complexity: number;
  readonly imports: { readonly static: number; readonly dynamic: number; readonly require: number };
  readonly comments: { readonly count: number; readonly lines: number };
  readonly longest: LocatedFunction | null;
  readonly mostComplex: readonly LocatedFunction[];
  /** How often each reason occurred. */
  readonly failures: Readonly<Record<string, number>>;
  /** Peak memory of the largest worker heard from, in bytes. */
  readonly largestWorker: number;
}

export const emptyCensus: Census = {
  files: 0,
  parsed: 0,
  failed: 0,
  bytes: 0,
  lines: 0,
  functions: 0,
  complexity: 0,
  imports: { static: 0, dynamic: 0, require: 0 },
  comments: { count: 0, lines: 0 },
  longest: null,
  mostComplex: [],
  failures: {},
  largestWorker: 0,
};

/** The census after one more file. The outcome does not depend on the order in which files arrive. */
export function include(census: Census, result: PromiseSettledResult<CensusItem>): Census {
  if (result.status === 'rejected') return withFailure(census, rejectionReason(result.reason));
  const item = result.value;
  const read = {
    ...census,
    bytes: census.bytes + item.bytes,
    lines: census.lines + item.lines,
    largestWorker: Math.max(census.largestWorker, item.memory),
  };
  if ('failure' in item) return withFailure(read, item.failure);

  const { file, measured } = item;
  const { imports, comments } = census;
  const located = measured.mostComplex.map((each) => ({ ...each, file }));
  const longest = [census.longest, measured.longest && { ...measured.longest, file }].filter((each) => each !== null);
  return {
    ...read,
    files: census.files + 1,
    parsed: census.parsed + 1,
    functions: census.functions + measured.functions,
    complexity: census.complexity + measured.complexity,
    imports: {
      static: imports.static + measured.imports.static,
      dynamic: imports.dynamic + measured.imports.dynamic,
      require: imports.require + measured.imports.require,
    },
    comments: { count: comments.count + measured.comments.count, lines: comments.lines + measured.comments.lines },
    longest: longest.sort((a, b) => b.lines - a.lines || byPlace(a, b))[0] ?? null,
    mostComplex: [...census.mostComplex, ...located]
      .sort((a, b) => b.complexity - a.complexity || byPlace(a, b))
      .slice(0, TOP),
  };
}

function withFailure(census: Census, reason: string): Census {
  return {
    ...census,
    files: census.files + 1,
    failed: census.failed + 1,
    failures: { ...census.failures, [reason]: (census.failures[reason] ?? 0) + 1 },
  };
}

function byPlace(a: LocatedFunction, b: LocatedFunction): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line;
}
