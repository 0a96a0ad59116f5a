/**
 * Functions around a place of a long script, each parsed by itself: a bundle of megabytes takes a
 * parser seconds, and what a function sees of the functions around it is in their text.
 *
 * V8 says where functions are (the ranges that coverage counts by). It lists those it keeps, so one
 * that is listed is there, and one that is not may be there as well.
 */

import type { Placed } from '../analysis/findings.js';
import { resolve } from '../analysis/scope.js';
import { parseFunction } from '../analysis/syntax.js';
import { walkAround } from '../analysis/walk.js';
import type { Script } from './locate.js';
import { post, withSession } from './session.js';

/** Characters of a function that is parsed for what stands in it. */
const MAX_REGION = 1 << 17;
/** Characters of the functions that are parsed for one name. */
const MAX_FOR_NAME = 1 << 17;

/** A piece of a script, by offsets. */
interface Range {
  readonly start: number;
  readonly end: number;
}

/** A parsed function. */
export interface Region extends Range {
  /** The functions and classes in it by where they end, in its own positions. */
  readonly functions: ReadonlyMap<number, Placed[]>;
  /** The names that it takes from outside, and its own, which may be one of those. */
  readonly free: ReadonlySet<string>;
  /** What positions in the script exceed its own by. */
  readonly shift: number;
}

/** What is known of a script. */
interface Known {
  ranges: readonly Range[];
  /** Starts of functions that V8 does not list. */
  readonly unlisted: Set<number>;
  readonly regions: Map<string, Region | null>;
}

const known = new WeakMap<Script, Known>();

/** A function's place in the largest function around it that is short. */
export interface Inside {
  readonly region: Region;
  readonly placed: Placed;
}

/**
 * Returns the largest function around the text at `start` that is short and can be parsed, with the
 * text's place in it; `null` where V8 shows none.
 */
export function regionAround(script: Script, start: number, end: number): Inside | null {
  const { ranges } = knownWith(script, start, end);
  for (const range of around(ranges, start, end)) {
    const region = regionOf(script, range);
    const placed = region === null ? undefined : placedIn(region.functions, start - region.shift, end - region.shift);
    if (region !== null && placed !== undefined) return { region, placed };
  }
  return null;
}

/**
 * Of functions that end where a text ends, the first that starts inside it: a method's node starts
 * at its parameters.
 */
export function placedIn(functions: ReadonlyMap<number, Placed[]>, start: number, end: number): Placed | undefined {
  let best: Placed | undefined;
  for (const placed of functions.get(end) ?? []) {
    if (placed.start >= start && (best === undefined || placed.start < best.start)) best = placed;
  }
  return best;
}

/**
 * Returns those of some offsets of a name at which it may mean something outside of the functions
 * around: none that is short declares it.
 */
export function notShadowed(script: Script, name: string, offsets: readonly number[]): number[] {
  const found = knownOf(script);
  let left = MAX_FOR_NAME;
  return offsets.filter((at) => {
    const range = around(found.ranges, at, at + name.length).at(0);
    if (range === undefined) return true;
    if (!found.regions.has(keyOf(range))) left -= range.end - range.start;
    const region = left < 0 ? null : regionOf(script, range);
    return region === null || region.free.has(name);
  });
}

/** Short functions around, the largest first. */
function around(ranges: readonly Range[], start: number, end: number): Range[] {
  const found: Range[] = [];
  for (
    let index = firstFrom(ranges, start - MAX_REGION);
    index < ranges.length && ranges[index]!.start <= start;
    index++
  ) {
    const range = ranges[index]!;
    const isItself = range.start === start && range.end === end;
    if (range.end >= end && range.end - range.start <= MAX_REGION && !isItself) found.push(range);
  }
  return found;
}

function knownOf(script: Script): Known {
  let found = known.get(script);
  if (found === undefined) {
    found = { ranges: rangesOf(script), unlisted: new Set(), regions: new Map() };
    known.set(script, found);
  }
  return found;
}

/** V8 is asked again for a function that it did not list the last time: it may be newer. */
function knownWith(script: Script, start: number, end: number): Known {
  const isNew = !known.has(script);
  const found = knownOf(script);
  if (isListed(found.ranges, start, end) || found.unlisted.has(start)) return found;
  if (!isNew) found.ranges = merged(found.ranges, rangesOf(script));
  if (!isListed(found.ranges, start, end)) found.unlisted.add(start);
  return found;
}

function isListed(ranges: readonly Range[], start: number, end: number): boolean {
  for (let index = firstFrom(ranges, start); ranges[index]?.start === start; index++)
    if (ranges[index]!.end === end) return true;
  return false;
}

/** The first that starts at an offset or after it. */
function firstFrom(ranges: readonly Range[], offset: number): number {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ranges[middle]!.start < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

interface Coverage {
  readonly scriptId: string;
  readonly functions: readonly {
    readonly ranges: readonly { readonly startOffset: number; readonly endOffset: number }[];
  }[];
}

/**
 * Of the functions of a script that V8 keeps, those that start first come first, the longer before
 * the shorter. This changes nothing about coverage that is being taken.
 */
function rangesOf({ id, source }: Script): readonly Range[] {
  const { result } = withSession('', () => post<{ result: readonly Coverage[] }>('Profiler.getBestEffortCoverage'));
  const { functions = [] } = result.find(({ scriptId }) => scriptId === id) ?? {};
  return functions
    .map(({ ranges: [whole] }) => ({ start: whole!.startOffset, end: whole!.endOffset }))
    .filter(({ start, end }) => end - start < source.length)
    .sort(byStart);
}

function byStart(a: Range, b: Range): number {
  return a.start - b.start || b.end - a.end;
}

/** What V8 has dropped since is still there in the script. */
function merged(before: readonly Range[], now: readonly Range[]): readonly Range[] {
  return [...new Map([...before, ...now].map((range) => [keyOf(range), range])).values()].sort(byStart);
}

function keyOf({ start, end }: Range): string {
  return `${start}:${end}`;
}

function regionOf(script: Script, range: Range): Region | null {
  const { regions } = knownOf(script);
  const key = keyOf(range);
  let region = regions.get(key);
  if (region === undefined) {
    region = parse(script.source.slice(range.start, range.end), range);
    regions.set(key, region);
  }
  return region;
}

function parse(text: string, range: Range): Region | null {
  const parsed = parseFunction(text);
  if (parsed === null) return null;
  const { findings, scope } = walkAround(parsed.node);
  const free = new Set(resolve(findings.references).map(({ name }) => name));
  // Of a declaration, which looks like an expression by itself, the name is a variable around it.
  const own = parsed.node.type === 'ArrowFunctionExpression' ? undefined : parsed.node.id?.name;
  if (own !== undefined) free.add(own);
  scope.shift = range.start - parsed.offset;
  return { ...range, functions: findings.functions, free, shift: scope.shift };
}
