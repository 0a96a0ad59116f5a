/**
 * Where a function was written: the script's URL and source, and the position of the function's text in it.
 *
 * The inspector's Runtime domain gives a script id and a position; the URL needs the Debugger domain, whose first use
 * costs tens of milliseconds. Cheaper, and tried first: the files on the call stack. A file whose text at that position
 * is the function's text is its source.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { compiledFactories } from './compile.js';
import { harvestScripts, type Mirror, mirror as mirrorOf } from './inspector.js';
import type { FunctionData } from './wire.js';

/** A script, with an index of its lines. */
export interface Script {
  readonly id: string;
  /** `file:`, `node:` or whatever the host called it; empty for code without a name. */
  readonly url: string;
  readonly source: string;
  /** Number of its first line: not 0 where the host gave one, as for functions rebuilt here. */
  readonly firstLine: number;
  /** For a script that was compiled here to rebuild a function: what it was compiled from. */
  readonly rebuilt?: FunctionData;
}

/** A function's place. */
export interface Place {
  readonly script: Script;
  /** Where the text of the function starts in the script: offset, and zero-based line and column. */
  readonly start: number;
  readonly line: number;
  readonly column: number;
}

const STACK_DEPTH = 40;
/** Files whose text is kept for the next function of the same stack. */
const SOURCES = 64;
const scripts = new Map<string, Script>();
const lineStarts = new WeakMap<Script, number[]>();

/** Finds a function from its mirror and text. `null` when the text is not where V8 says (should not happen). */
export function locate(mirror: Mirror, text: string, actor: string): Place | null {
  const { location } = mirror;
  if (location === null) return null;
  const known = scripts.get(location.scriptId);
  if (known !== undefined) return place(known, location, text);
  const guessed = fromFactories(location, text, actor) ?? fromStack(location, text);
  if (guessed !== null) {
    scripts.set(location.scriptId, guessed.script);
    return guessed;
  }
  harvest(location.scriptId, actor);
  const script = scripts.get(location.scriptId);
  return script === undefined ? null : place(script, location, text);
}

/** The sources of the user's own scripts are read along, since asking again costs as much as asking for all. */
function harvest(id: string, actor: string): void {
  const wanted = (scriptId: string, url: string) =>
    scriptId === id || (!scripts.has(scriptId) && url !== '' && !url.startsWith('node:') && !url.includes('/node_modules/'));
  for (const { scriptId, url, source, firstLine } of harvestScripts(actor, wanted)) {
    if (source === null && !url.startsWith('node:')) continue;
    if (!scripts.has(scriptId)) scripts.set(scriptId, { id: scriptId, url: asURL(url), source: source ?? '', firstLine });
  }
}

function asURL(url: string): string {
  return url.startsWith('/') ? pathToFileURL(url).href : url;
}

/** Offset of a line and column in a script. */
export function offsetIn(script: Script, line: number, column: number): number {
  return (linesOf(script)[line - script.firstLine] ?? 0) + column;
}

/** V8 reports the parameters (or the constructor); the text starts before them. */
function place(script: Script, location: { line: number; column: number }, text: string): Place | null {
  const starts = linesOf(script);
  const lineStart = starts[location.line - script.firstLine];
  if (lineStart === undefined) return null;
  const inside = lineStart + location.column;
  const start = script.source.lastIndexOf(text, inside);
  if (start < 0 || start + text.length <= inside) return script.source === '' ? { script, start: 0, ...location } : null;
  const line = lineAt(starts, start);
  return { script, start, line: line + script.firstLine, column: start - starts[line]! };
}

function linesOf(script: Script): number[] {
  let starts = lineStarts.get(script);
  if (starts === undefined) {
    starts = [0];
    for (const match of script.source.matchAll(/\r\n|[\n\r\u2028\u2029]/g)) starts.push(match.index + match[0].length);
    lineStarts.set(script, starts);
  }
  return starts;
}

/** Last line that starts at or before `offset`. */
function lineAt(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle]! <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Finds a function that was made by a function rebuilt here: among the scripts with its text at its position, the one with its id. */
export function fromFactories(location: { scriptId: string; line: number; column: number }, text: string, actor: string): Place | null {
  for (const { factory, code, firstLine, data } of compiledFactories()) {
    if (!code.includes(text)) continue;
    const script: Script = { id: location.scriptId, url: data.url, source: code, firstLine, rebuilt: data };
    const found = place(script, location, text);
    if (found === null || mirrorOf(factory, actor).location?.scriptId !== location.scriptId) continue;
    scripts.set(location.scriptId, script);
    return found;
  }
  return null;
}

function fromStack(location: { scriptId: string; line: number; column: number }, text: string): Place | null {
  for (const url of filesOnStack()) {
    const source = readSource(url);
    if (source === null) continue;
    const found = place({ id: location.scriptId, url, source, firstLine: 0 }, location, text);
    if (found !== null) return found;
  }
  return null;
}

const sources = new Map<string, string | null>();

function readSource(url: string): string | null {
  let source = sources.get(url);
  if (source === undefined) {
    try {
      source = readFileSync(fileURLToPath(url), 'utf8');
    } catch {
      source = null;
    }
    if (sources.size >= SOURCES) sources.clear();
    sources.set(url, source);
  }
  return source;
}

/** The folder of this library: no function that is sent stands in it, and searching a bundle costs milliseconds. */
const LIBRARY = new URL('../../', import.meta.url).href;

/** URLs of the files whose code is running now, nearest first, as V8 knows them: before any source map. */
function filesOnStack(): Set<string> {
  const found = new Set<string>();
  const { prepareStackTrace, stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = STACK_DEPTH;
    Error.prepareStackTrace = (_, sites) => sites;
    const sites = new Error().stack as unknown as NodeJS.CallSite[];
    for (const site of sites) {
      const url = asURL(site.getFileName() ?? '');
      if (url.startsWith('file:') && !url.startsWith(LIBRARY)) found.add(url);
    }
  } catch {
    // The host has frozen Error: the Debugger domain will tell.
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = stackTraceLimit;
  }
  return found;
}
