import type { Census, LocatedFunction } from './census.js';
import type { Comparison } from './comparison.js';
import { COMPLEXITY_RULE } from './complexity.js';
import type { Findings } from './walk.js';

/** A finished or interrupted run. */
export interface Outcome {
  readonly directory: string;
  readonly workers: number;
  readonly partial: boolean;
  readonly census: Census;
  readonly findings: Findings;
  readonly seconds: number;
  /** `null` when there was nothing to compare, or no time for it. */
  readonly comparison: Comparison | null;
  /** Peak memory of the parent during the census, in bytes. */
  readonly parentMemory: number;
}

/** The outcome as plain data: the one object that `--json` prints. Sizes in bytes, times in seconds. */
export function toJson({ directory, workers, partial, census, findings, seconds, comparison, parentMemory }: Outcome) {
  const { longest, mostComplex, complexity, largestWorker, ...counts } = census;
  return {
    directory,
    ...(partial && { partial }),
    ...counts,
    complexity: { max: mostComplex[0]?.complexity ?? 0, mean: mean(census) },
    longestFunction: longest,
    mostComplex,
    findings,
    seconds: round(seconds),
    itemsPerSecond: round(perSecond(census.files, seconds)),
    megabytesPerSecond: round(perSecond(census.bytes / 1e6, seconds)),
    workers,
    speedup: comparison && round(comparison.speedup),
    comparison,
    peakMemory: { parent: parentMemory, largestWorker },
  };
}

/** The outcome for a reader. */
export function toText(outcome: Outcome): string {
  const { directory, partial, census, findings, seconds } = outcome;
  const title = partial
    ? `PARTIAL census of ${directory}, interrupted after ${seconds.toFixed(1)} s`
    : `Census of ${directory}`;
  return [
    title,
    '',
    ...totals(census),
    ...(census.longest
      ? ['', 'Longest function', `  ${count(census.longest.lines)} lines  ${place(census.longest)}`]
      : []),
    ...(census.mostComplex.length > 0
      ? ['', 'Most complex functions *', ...census.mostComplex.map(complexityRow)]
      : []),
    ...section('Files without a measurement', census.failures),
    ...section('Directories that could not be read', findings.unreadableDirectories),
    ...section('Symbolic links not followed', {
      'lead to what is counted elsewhere': findings.repeatedLinks,
      broken: findings.brokenLinks,
    }),
    '',
    ...performanceRows(outcome),
    '',
    `* McCabe's cyclomatic complexity: ${COMPLEXITY_RULE}.`,
    '',
  ].join('\n');
}

function totals(census: Census): string[] {
  const { imports, comments } = census;
  const calls = `${count(imports.dynamic)} dynamic, ${count(imports.require)} require calls`;
  return [
    row('files', `${count(census.files)} (${count(census.parsed)} parsed, ${count(census.failed)} failed)`),
    row('size', `${megabytes(census.bytes)}, ${count(census.lines)} lines`),
    row('functions', `${count(census.functions)}, mean complexity ${mean(census).toFixed(2)} *`),
    row('imports', `${count(imports.static)} static, ${calls}`),
    row('comments', `${count(comments.count)} on ${count(comments.lines)} lines`),
  ];
}

function performanceRows({ census, seconds, workers, comparison, parentMemory }: Outcome): string[] {
  const rates = `${count(perSecond(census.files, seconds))} files/s, ${perSecond(census.bytes / 1e6, seconds).toFixed(1)} MB/s`;
  const speedup =
    comparison &&
    `${comparison.speedup.toFixed(2)} times one process, on a sample of ${count(comparison.files)} files measured both ways`;
  return [
    row('time', `${seconds.toFixed(1)} s with ${count(workers)} ${workers === 1 ? 'worker' : 'workers'}: ${rates}`),
    row('speed-up', speedup ?? 'not measured'),
    row('peak memory', `parent ${megabytes(parentMemory)}, largest worker ${megabytes(census.largestWorker)}`),
  ];
}

function section(title: string, reasons: Readonly<Record<string, number>>): string[] {
  const rows = Object.entries(reasons).filter(([, times]) => times > 0);
  if (rows.length === 0) return [];
  rows.sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return ['', title, ...rows.map(([reason, times]) => `  ${count(times).padStart(7)}  ${reason}`)];
}

const row = (label: string, text: string): string => `  ${label.padEnd(12)} ${text}`;
const complexityRow = (each: LocatedFunction): string => `  ${count(each.complexity).padStart(7)}  ${place(each)}`;
const place = ({ file, line, name }: LocatedFunction): string => `${file}:${line}  ${name}`;
const count = (n: number): string => Math.round(n).toLocaleString('en');
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
const mean = ({ complexity, functions }: Census): number => (functions === 0 ? 0 : round(complexity / functions));
const perSecond = (amount: number, seconds: number): number => (seconds > 0 ? amount / seconds : 0);
const round = (n: number): number => Math.round(n * 1000) / 1000;
