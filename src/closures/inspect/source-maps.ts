/**
 * Positions in compiled code (TypeScript, bundles) to positions in the source.
 *
 * A function that is rebuilt from a script with a source map gets a mark behind its URL,
 * `#compiled`, and `#compiled2` if it is the second script of that URL (a module that was loaded
 * again after an edit): frames with that mark have positions of compiled code. They are mapped
 * where the script was loaded, that is in the process that sent the function, and only when an
 * error comes back; nothing of the map travels. Frames of files that a worker loaded itself and
 * whose map it did not use (`--enable-source-maps` is off) are mapped as well.
 */
import { readFileSync } from 'node:fs';
import { findSourceMap, SourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';
import { BEFORE_FILE_NAME, FILE_NAME, FILE_PLACE, fileUrlOf, isInstalled } from '../../util/file-names.js';
import { HostFrame } from './host-frame.js';
import type { Place, Script } from './locate.js';

/** Stands behind the URL of rebuilt functions whose positions are those of compiled code. */
const COMPILED = '#compiled';

const COMMENT = '//# sourceMappingURL=';
const FRAME = new RegExp(`${BEFORE_FILE_NAME}(${FILE_NAME})(${COMPILED}\\d*)?:(\\d+):(\\d+)(?=\\)?$)`);

const marks = new WeakMap<Script, string>();
/** Scripts whose functions were marked, by URL with its mark; the latest of them. */
const scripts = new Map<string, Script>();
const SCRIPTS = 1_024;
const maps = new Map<string, SourceMap | null>();

/**
 * What stands behind the URL of functions of this script: empty where their positions are those of
 * the source.
 */
export function markOf(script: Script): string {
  let mark = marks.get(script);
  if (mark === undefined) {
    mark = isCompiled(script) ? nextMark(script) : '';
    marks.set(script, mark);
  }
  return mark;
}

function isCompiled({ source, url, rebuilt }: Script): boolean {
  if (!url.startsWith('file:') || rebuilt !== undefined) return false;
  return commentOf(source) !== null || findSourceMap(url) !== undefined || isMappedByHost(source, url);
}

/** Whether a hook compiled the file, and maps stacks of this process by a map that only it has. */
function isMappedByHost(source: string, url: string): boolean {
  if (typeof Error.prepareStackTrace !== 'function') return false;
  try {
    return readFileSync(new URL(url), 'utf8') !== source;
  } catch {
    // No such file, by now.
    return false;
  }
}

function nextMark(script: Script): string {
  let mark = COMPILED;
  for (let count = 2; scripts.has(script.url + mark); count++) mark = COMPILED + count;
  if (scripts.size >= SCRIPTS) scripts.delete(scripts.keys().next().value as string);
  scripts.set(script.url + mark, script);
  maps.delete(script.url + mark);
  return mark;
}

/**
 * A stack with the positions of compiled code replaced by those of the source, as far as maps are
 * found.
 */
export function mapStack(stack: string): string {
  if (!stack.includes(COMPILED) && !/\.[cm]?js:\d/.test(stack)) return stack;
  return stack
    .split('\n')
    .map((line) => (/^\s+at /.test(line) ? line.replace(FRAME, mapFrame) : line))
    .join('\n');
}

function mapFrame(whole: string, file: string, mark: string | undefined, line: string, column: string): string {
  if (mark === undefined && (!/\.[cm]?js$/.test(file) || isInstalled(file))) return whole;
  const url = fileUrlOf(file) ?? file;
  const entry = mapOf(url, mark ?? '')?.findEntry(Number(line) - 1, Number(column) - 1) as
    | { originalSource?: string; originalLine?: number; originalColumn?: number }
    | undefined;
  if (entry?.originalSource === undefined || entry.originalLine === undefined)
    return mark === undefined ? whole : (placeByHost(url, Number(line), Number(column)) ?? `${file}:${line}:${column}`);
  return `${sourceURL(entry.originalSource, url)}:${entry.originalLine + 1}:${(entry.originalColumn ?? 0) + 1}`;
}

/**
 * `file:///src/main.ts:3`: where a function was written, by the source map of its script if it has
 * one.
 */
export function sourcePlace({ script, line, column }: Pick<Place, 'script' | 'line' | 'column'>): {
  url: string;
  line: number;
  column: number;
} {
  // Of a function that was rebuilt here, the mark is part of the URL.
  const own = /#compiled\d*$/.exec(script.url)?.[0];
  const url = own === undefined ? script.url : script.url.slice(0, -own.length);
  const mark = own ?? markOf(script);
  const plain = { url, line: line + 1, column: column + 1 };
  if (mark === '') return plain;
  const entry = mapOf(url, mark)?.findEntry(line, column) as Partial<Record<string, unknown>> | undefined;
  const { originalSource, originalLine, originalColumn } = entry ?? {};
  if (typeof originalSource !== 'string' || typeof originalLine !== 'number') {
    const [, by, at, from] = FILE_PLACE.exec(placeByHost(url, line + 1, column + 1) ?? '') ?? [];
    return by === undefined ? plain : { url: sourceURL(by, url), line: Number(at), column: Number(from) };
  }
  return { url: sourceURL(originalSource, url), line: originalLine + 1, column: Number(originalColumn ?? 0) + 1 };
}

/** The place in the source of one in compiled code, as `prepareStackTrace` of a compiler's hook prints it. */
function placeByHost(url: string, line: number, column: number): string | undefined {
  const { prepareStackTrace } = Error;
  if (typeof prepareStackTrace !== 'function') return undefined;
  try {
    const stack: unknown = prepareStackTrace(new Error(), [new HostFrame(fileURLToPath(url), line, column)]);
    const [, file, at, from] = FILE_PLACE.exec(String(stack).trim()) ?? [];
    return file === undefined ? undefined : `${fileUrlOf(file)}:${at}:${from}`;
  } catch {
    // It wants more of a frame than there is.
    return undefined;
  }
}

function sourceURL(source: string, url: string): string {
  return URL.canParse(source, url) ? new URL(source, url).href : source;
}

function mapOf(url: string, mark: string): SourceMap | null {
  const key = url + mark;
  let map = maps.get(key);
  if (map === undefined) {
    const script = scripts.get(key);
    const known = findSourceMap(url) as SourceMap | undefined;
    // Node knows the map of the latest script of a URL, and of those without a comment.
    map = script === undefined ? (known ?? readMap(url)) : (readMap(url, script.source) ?? known ?? null);
    maps.set(key, map);
  }
  return map;
}

function readMap(url: string, source?: string): SourceMap | null {
  try {
    const comment = commentOf(source ?? readFileSync(new URL(url), 'utf8'));
    if (comment === null) return null;
    const data = /^data:application\/json[^,]*?(;base64)?,(.*)$/s.exec(comment);
    const text =
      data === null
        ? readFileSync(new URL(comment, url), 'utf8')
        : data[1] === undefined
          ? decodeURIComponent(data[2]!)
          : Buffer.from(data[2]!, 'base64').toString();
    return new SourceMap(JSON.parse(text) as never);
  } catch {
    // No map, or none that can be read: the positions stay as they are.
    return null;
  }
}

/**
 * The last `sourceMappingURL` comment, if nothing but blank lines, comments and the end of a host's
 * wrapper (vite's `}}`) follow it.
 */
function commentOf(source: string): string | null {
  const at = source.lastIndexOf(COMMENT);
  if (at < 0 || (at > 0 && source[at - 1] !== '\n')) return null;
  const rest = source.slice(at + COMMENT.length);
  const end = rest.search(/\s/);
  const after = end < 0 ? '' : rest.slice(end).trim();
  return after === '' || after.split('\n').every((line) => /^(?:\/\/|[\s})\];]*$)/.test(line))
    ? end < 0
      ? rest
      : rest.slice(0, end)
    : null;
}
