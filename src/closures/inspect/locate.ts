/**
 * Where a function was written: the script's URL and source, and the position of the function's
 * text in it.
 *
 * The inspector's Runtime domain gives a script id and a position; URL and source need the Debugger
 * domain, whose first use costs tens of milliseconds. Cheaper, and tried first, for a script that
 * runs now: its file, if that has the hash that V8 took of what it runs. A file that was stripped
 * of types, transformed by a loader or edited since has another one.
 *
 * Invariant: what {@link scripts} holds under an id is the source that V8 has under this id.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { crypto } from '../../util/crypto.js';
import { compiledFactories } from '../receive/compile.js';
import type { FunctionData } from '../wire.js';
import { framesWithScripts, harvestScripts, type ListedScript } from './debugger.js';
import { type Mirror, mirror as mirrorOf } from './inspector.js';

/** A script, with an index of its lines. */
export interface Script {
  readonly id: string;
  /** `file:`, `node:` or whatever the host called it; empty for code without a name. */
  readonly url: string;
  readonly source: string;
  /**
   * Numbers of its first line and of that line's first column: not 0 where the host gave them, as
   * for functions rebuilt here.
   */
  readonly firstLine: number;
  readonly firstColumn: number;
  /** For a script that was compiled here to rebuild a function: what it was compiled from. */
  readonly rebuilt?: FunctionData;
}

/** A function's place. */
export interface Place {
  readonly script: Script;
  /**
   * Where the text of the function starts in the script: offset, and zero-based line and column.
   */
  readonly start: number;
  readonly line: number;
  readonly column: number;
}

/** Where V8 says that a function is. */
type Location = NonNullable<Mirror['location']>;

const STACK_DEPTH = 40;
/** Scripts that are kept: each piece of generated code is one of its own. */
const SCRIPTS = 4_096;
const scripts = new Map<string, Script>();
const lineStarts = new WeakMap<Script, number[]>();

/**
 * Finds a function from its mirror and text. `internal`: it is part of Node. `null`: it stands
 * nowhere as it prints, which goes for what `vm.compileFunction` returns.
 */
export function locate({ location }: Mirror, text: string, actor: string): Place | 'internal' | null {
  if (location === null) return 'internal';
  if (unlisted.has(location.scriptId)) return 'internal';
  const known = scripts.get(location.scriptId) ?? fromFactories(location, text, actor)?.script ?? fromStack(location, actor);
  const script = known ?? harvest(location.scriptId, actor);
  // Scripts in Node's snapshot are not even listed.
  if (script === undefined || script.url.startsWith('node:')) return 'internal';
  return place(script, location, text);
}

function keep(script: Script): Script {
  if (scripts.size >= SCRIPTS) scripts.delete(scripts.keys().next().value as string);
  scripts.set(script.id, script);
  return script;
}

/**
 * Asking again costs as much as asking for all: the sources of the program's own scripts are read
 * along, those of the package that is asked for, and of all packages with the second one.
 */
function harvest(id: string, actor: string): Script | undefined {
  const found = harvestScripts(actor, (listed) => {
    noteListed(listed);
    const asked = packageOf(listed.find(({ scriptId }) => scriptId === id)?.url ?? '');
    const all = asked !== '' && packages.size > 0 && !packages.has(asked);
    if (asked !== '') packages.add(asked);
    return ({ scriptId, url }) => {
      if (scriptId === id) return true;
      if (scripts.has(scriptId) || url === '' || url.startsWith('node:')) return false;
      const owner = packageOf(url);
      return owner === '' || all || owner === asked;
    };
  });
  for (const { scriptId, url, source, firstLine, firstColumn } of found) {
    if (source === null || scripts.has(scriptId)) continue;
    keep({ id: scriptId, url: asURL(url), source, firstLine, firstColumn });
  }
  if (!scripts.has(id)) unlisted.add(id);
  return scripts.get(id);
}

/** URLs of all scripts, as of the last time that they were listed. */
let urls: ReadonlyMap<string, string> = new Map();
/** Scripts of functions that exist and that V8 does not list, which it never will. */
const unlisted = new Set<string>();

function noteListed(listed: readonly ListedScript[]): void {
  urls = new Map(listed.map(({ scriptId, url }) => [scriptId, asURL(url)]));
}

/** URL of a script of which a function exists; empty where it has none. */
export function urlOfScript(id: string, actor: string): string {
  const known = scripts.get(id)?.url ?? urls.get(id);
  if (known !== undefined || unlisted.has(id)) return known ?? '';
  harvestScripts(actor, (listed) => {
    noteListed(listed);
    return () => false;
  });
  if (!urls.has(id)) unlisted.add(id);
  return urls.get(id) ?? '';
}

const packages = new Set<string>();

/** The installed package that a script belongs to; empty for the program's own. */
function packageOf(url: string): string {
  return /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+\//.exec(url)?.[0] ?? '';
}

function asURL(url: string): string {
  return url.startsWith('/') ? pathToFileURL(url).href : url;
}

/** Offset of a line and column in a script. */
export function offsetIn(script: Script, line: number, column: number): number {
  const row = line - script.firstLine;
  return (linesOf(script)[row] ?? 0) + column - (row === 0 ? script.firstColumn : 0);
}

/** V8 reports the parameters (or the constructor); the text starts before them. */
function place(script: Script, location: Pick<Location, 'line' | 'column'>, text: string): Place | null {
  const starts = linesOf(script);
  if (starts[location.line - script.firstLine] === undefined) return null;
  const inside = offsetIn(script, location.line, location.column);
  const start = script.source.lastIndexOf(text, inside);
  if (start < 0 || start + text.length <= inside) return null;
  const row = lineAt(starts, start);
  return { script, start, line: row + script.firstLine, column: start - starts[row]! + (row === 0 ? script.firstColumn : 0) };
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

/**
 * Finds a function that was made by a function rebuilt here: among the scripts with its text at its
 * position, the one with its id.
 */
export function fromFactories(location: Location, text: string, actor: string): Place | null {
  for (const { factory, code, firstLine, firstColumn, data } of compiledFactories()) {
    if (!code.includes(text)) continue;
    const script: Script = { id: location.scriptId, url: data.url, source: code, firstLine, firstColumn, rebuilt: data };
    const found = place(script, location, text);
    if (found === null || mirrorOf(factory, actor).location?.scriptId !== location.scriptId) continue;
    keep(script);
    return found;
  }
  return null;
}

/** The script, if it runs now and its file has what V8 runs. */
function fromStack({ scriptId }: Location, actor: string): Script | undefined {
  const frame = framesWithScripts(actor, STACK_DEPTH).find((each) => each.scriptId === scriptId);
  const url = frame === undefined ? '' : asURL(frame.url);
  if (!url.startsWith('file:')) return undefined;
  const hashes = hashesOnStack(url);
  // Several scripts of one URL run: a module that was loaded again after an edit.
  if (hashes.size !== 1) return undefined;
  try {
    // Node takes off the mark of the byte order.
    const source = readFileSync(fileURLToPath(url), 'utf8').replace(/^\ufeff/, '');
    if (!hashes.has(crypto().createHash('sha256').update(source).digest('hex'))) return undefined;
    return keep({ id: scriptId, url, source, firstLine: 0, firstColumn: 0 });
  } catch {
    // No such file, by now.
    return undefined;
  }
}

/** What V8 took as the hashes of the scripts of a URL that run now: of their text as UTF-8. */
function hashesOnStack(url: string): ReadonlySet<string> {
  const found = new Set<string>();
  const { prepareStackTrace, stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = STACK_DEPTH;
    Error.prepareStackTrace = (_, sites) => sites;
    const sites = new Error().stack as unknown as (NodeJS.CallSite & { getScriptHash(): string })[];
    for (const site of sites) if (asURL(site.getFileName() ?? '') === url) found.add(site.getScriptHash());
  } catch {
    // The host has frozen Error: the Debugger domain will tell.
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = stackTraceLimit;
  }
  return found;
}
