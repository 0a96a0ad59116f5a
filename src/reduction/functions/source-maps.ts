/**
 * Positions in compiled code (TypeScript, bundles) to positions in the source.
 *
 * A function that is rebuilt from a script with a source map gets {@link COMPILED} behind its URL: frames with that mark have
 * positions of compiled code. They are mapped where the script was loaded, that is in the process that sent the function,
 * and only when an error comes back; nothing of the map travels. Frames of files that a worker loaded itself and whose map it
 * did not use (`--enable-source-maps` is off) are mapped as well.
 */
import { readFileSync } from 'node:fs';
import { findSourceMap, SourceMap } from 'node:module';
import type { Place, Script } from './locate.js';

/** Stands behind the URL of rebuilt functions whose positions are those of compiled code. */
export const COMPILED = '#compiled';

const COMMENT = '//# sourceMappingURL=';
const FRAME = /((?:file:\/\/|\/)[^\s()]+?)(#compiled)?:(\d+):(\d+)(?=\)?$)/;

const generated = new WeakMap<Script, boolean>();
/** Scripts whose functions were marked, by URL. */
const scripts = new Map<string, Script>();
const maps = new Map<string, SourceMap | null>();

/** Whether the positions in a script are those of compiled code. */
export function isCompiled(script: Script): boolean {
  let answer = generated.get(script);
  if (answer === undefined) {
    // What the test runner vite compiles in memory it maps back itself.
    const comment = commentOf(script.source);
    answer =
      script.url.startsWith('file:') &&
      script.rebuilt === undefined &&
      (comment !== null ? !script.source.includes('=vite-generated') : findSourceMap(script.url) !== undefined);
    generated.set(script, answer);
    if (answer) scripts.set(script.url, script);
  }
  return answer;
}

/** A stack with the positions of compiled code replaced by those of the source, as far as maps are found. */
export function mapStack(stack: string): string {
  if (!stack.includes(COMPILED) && !/\.[cm]?js:\d/.test(stack)) return stack;
  return stack
    .split('\n')
    .map((line) => (/^\s+at /.test(line) ? line.replace(FRAME, mapFrame) : line))
    .join('\n');
}

function mapFrame(whole: string, file: string, mark: string | undefined, line: string, column: string): string {
  if (mark === undefined && (!/\.[cm]?js$/.test(file) || file.includes('/node_modules/'))) return whole;
  const url = file.startsWith('/') ? `file://${file}` : file;
  const entry = mapOf(url)?.findEntry(Number(line) - 1, Number(column) - 1) as
    | { originalSource?: string; originalLine?: number; originalColumn?: number }
    | undefined;
  if (entry?.originalSource === undefined || entry.originalLine === undefined)
    return mark === undefined ? whole : `${file}:${line}:${column}`;
  return `${sourceURL(entry.originalSource, url)}:${entry.originalLine + 1}:${(entry.originalColumn ?? 0) + 1}`;
}

/** `file:///src/main.ts:3`: where a function was written, by the source map of its script if it has one. */
export function sourcePlace({ script, line, column }: Pick<Place, 'script' | 'line' | 'column'>): {
  url: string;
  line: number;
  column: number;
} {
  const marked = script.url.endsWith(COMPILED);
  const url = marked ? script.url.slice(0, -COMPILED.length) : script.url;
  const plain = { url, line: line + 1, column: column + 1 };
  if (!marked && !isCompiled(script)) return plain;
  const entry = mapOf(url)?.findEntry(line, column) as Partial<Record<string, unknown>> | undefined;
  const { originalSource, originalLine, originalColumn } = entry ?? {};
  if (typeof originalSource !== 'string' || typeof originalLine !== 'number') return plain;
  return { url: sourceURL(originalSource, url), line: originalLine + 1, column: Number(originalColumn ?? 0) + 1 };
}

function sourceURL(source: string, url: string): string {
  return URL.canParse(source, url) ? new URL(source, url).href : source;
}

function mapOf(url: string): SourceMap | null {
  let map = maps.get(url);
  if (map === undefined) {
    map = (findSourceMap(url) as SourceMap | undefined) ?? readMap(url);
    maps.set(url, map);
  }
  return map;
}

function readMap(url: string): SourceMap | null {
  try {
    const comment = commentOf(scripts.get(url)?.source ?? readFileSync(new URL(url), 'utf8'));
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

/** The last `sourceMappingURL` comment, if nothing but blank lines and comments follow it. */
function commentOf(source: string): string | null {
  const at = source.lastIndexOf(COMMENT);
  if (at < 0 || (at > 0 && source[at - 1] !== '\n')) return null;
  const rest = source.slice(at + COMMENT.length);
  const end = rest.search(/\s/);
  const after = end < 0 ? '' : rest.slice(end).trim();
  return after === '' || after.split('\n').every((line) => line.startsWith('//')) ? (end < 0 ? rest : rest.slice(0, end)) : null;
}
