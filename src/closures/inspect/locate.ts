/**
 * Where a function was written: the script's URL and source, and the position of the function's
 * text in it.
 *
 * The inspector's Runtime domain gives a script id and a position, and the URLs of what runs now;
 * V8 gives the source (script-source.ts). The Debugger domain, whose first use costs tens of
 * milliseconds, is asked for URLs of scripts that do not run, and for what V8 does not give.
 *
 * Invariant: what {@link scripts} holds under an id is the source that V8 has under this id.
 */
import { fileUrlOf } from '../../util/file-names.js';
import { compiledFactories } from '../receive/compile.js';
import type { FunctionData } from '../wire.js';
import { framesWithScripts, harvestScripts, type ListedScript } from './debugger.js';
import { type Mirror, mirror as mirrorOf } from './inspector.js';
import { type ScriptSource, scriptSourceOf } from './script-source.js';

/** A script, with an index of its lines. */
export interface Script {
  readonly id: string;
  /** `file:`, `node:` or whatever the host called it; empty for code without a name. */
  readonly url: string;
  readonly source: string;
  /**
   * Numbers of its first line and of that line's first column: not 0 where the host gave them, as
   * for functions rebuilt here. The column is `null` until a function of that line was met.
   */
  readonly firstLine: number;
  firstColumn: number | null;
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
const lineStarts = new WeakMap<Script, readonly number[]>();

/**
 * Finds a function from its mirror and text. `internal`: it is part of Node. `null`: it stands
 * nowhere as it prints, which goes for what `vm.compileFunction` returns.
 */
export function locate(fn: Function, { location }: Mirror, text: string, actor: string): Place | 'internal' | null {
  if (location === null) return 'internal';
  const { scriptId } = location;
  if (unlisted.has(scriptId)) return 'internal';
  const script = scripts.get(scriptId) ?? fromFactories(location, text, actor)?.script ?? find(fn, location, actor);
  // Scripts in Node's snapshot are not even listed.
  if (script === undefined || script.url.startsWith('node:')) return 'internal';
  if (script.firstColumn === null && script.firstLine === location.line) {
    const read = scriptSourceOf(fn);
    if (read !== null) script.firstColumn = location.column - read.position;
  }
  return place(script, location, text);
}

/** Reads a script that was not met yet. */
function find(fn: Function, location: Location, actor: string): Script | undefined {
  const { scriptId } = location;
  const read = scriptSourceOf(fn);
  if (read === null) return harvest(scriptId, actor);
  const url = urlOnStack(scriptId, read.source, actor) ?? urlOfScript(scriptId, actor);
  return unlisted.has(scriptId) ? undefined : keep(scriptOf(read, location, url));
}

/** With the numbers of its lines and columns, by the function whose location V8 has told. */
function scriptOf({ source, position }: ScriptSource, { scriptId, line, column }: Location, url: string): Script {
  const starts = lineStartsOf(source);
  const row = lineAt(starts, position);
  const script: Script = {
    id: scriptId,
    url,
    source,
    firstLine: line - row,
    firstColumn: row === 0 ? column - position : null,
  };
  lineStarts.set(script, starts);
  return script;
}

/**
 * URL of a script, if it runs now. A name that a script gives itself stands for that of its host
 * there, which the Debugger domain prefers.
 */
function urlOnStack(id: string, source: string, actor: string): string | undefined {
  if (/\/\/[#@] sourceURL=/.test(source)) return undefined;
  const frame = framesWithScripts(actor, STACK_DEPTH).find(({ scriptId }) => scriptId === id);
  return frame === undefined ? undefined : asURL(frame.url);
}

function keep(script: Script): Script {
  if (scripts.size >= SCRIPTS) scripts.delete(scripts.keys().next().value as string);
  scripts.set(script.id, script);
  return script;
}

/**
 * Reads a script whose source V8 gives to the Debugger domain only. Asking again costs as much as
 * asking for all: the sources of the program's own scripts are read along, those of the package that
 * is asked for, and of all packages with the second one.
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
  listScripts(actor);
  if (!urls.has(id)) unlisted.add(id);
  return urls.get(id) ?? '';
}

function listScripts(actor: string): readonly ListedScript[] {
  return harvestScripts(actor, (listed) => {
    noteListed(listed);
    return () => false;
  });
}

const packages = new Set<string>();

/** The installed package that a script belongs to; empty for the program's own. */
function packageOf(url: string): string {
  return /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+\//.exec(url)?.[0] ?? '';
}

function asURL(url: string): string {
  return fileUrlOf(url) ?? url;
}

/** Offset of a line and column in a script. */
export function offsetIn(script: Script, line: number, column: number): number {
  const row = line - script.firstLine;
  return (linesOf(script)[row] ?? 0) + column - (row === 0 ? firstColumnOf(script) : 0);
}

function firstColumnOf(script: Script): number {
  script.firstColumn ??= listScripts('').find(({ scriptId }) => scriptId === script.id)?.firstColumn ?? 0;
  return script.firstColumn;
}

/** V8 reports the parameters (or the constructor); the text starts before them. */
function place(script: Script, location: Pick<Location, 'line' | 'column'>, text: string): Place | null {
  const starts = linesOf(script);
  if (starts[location.line - script.firstLine] === undefined) return null;
  const inside = offsetIn(script, location.line, location.column);
  const start = script.source.lastIndexOf(text, inside);
  if (start < 0 || start + text.length <= inside) return null;
  const row = lineAt(starts, start);
  return {
    script,
    start,
    line: row + script.firstLine,
    column: start - starts[row]! + (row === 0 ? firstColumnOf(script) : 0),
  };
}

function linesOf(script: Script): readonly number[] {
  const starts = lineStarts.get(script) ?? lineStartsOf(script.source);
  lineStarts.set(script, starts);
  return starts;
}

function lineStartsOf(source: string): readonly number[] {
  const starts = [0];
  for (const match of source.matchAll(/\r\n|[\n\r\u2028\u2029]/g)) starts.push(match.index + match[0].length);
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
    const script: Script = {
      id: location.scriptId,
      url: data.url,
      source: code,
      firstLine,
      firstColumn,
      rebuilt: data,
    };
    const found = place(script, location, text);
    if (found === null || mirrorOf(factory, actor).location?.scriptId !== location.scriptId) continue;
    keep(script);
    return found;
  }
  return null;
}
