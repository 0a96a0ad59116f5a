/**
 * What the text of a long script says about one name without parsing it: a megabyte takes a parser
 * half a second, and a search a millisecond.
 *
 * Invariant: an answer is given only if a parser would give the same. Whatever could be an
 * assignment that is not seen for certain (a pattern, a second declarator) is answered with `null`:
 * parse.
 */

import type { RequireOrigin } from './scope.js';

/** Characters beyond which a script is looked at before it is parsed. */
export const LONG_SCRIPT = 1 << 12;
/** Characters that are searched for the end of what may be a pattern. */
const MAX_PATTERN = 4_096;

/**
 * How often the script declares a name that none of its code assigns otherwise. `null` where a
 * parser has to say.
 */
export function declarationsOf(source: string, name: string): number | null {
  let declared = 0;
  let repeatable = 0;
  for (let at = source.indexOf(name); at >= 0; at = source.indexOf(name, at + name.length)) {
    const end = at + name.length;
    if (isWordPart(source.charCodeAt(at - 1)) || isWordPart(source.charCodeAt(end))) continue;
    const before = previous(source, at - 1);
    const isSpread = source[before] === '.' && source[before - 1] === '.' && source[before - 2] === '.';
    // What stands on the line before may be a comment.
    const isSameLine = !source.slice(before + 1, at).includes('\n');
    if (source[before] === '.' && !isSpread && isSameLine) continue;
    const after = next(source, end);
    const keyword = isSameLine ? wordBefore(source, before) : '';
    const isDeclared = keyword === 'const' || keyword === 'let' || keyword === 'var' || keyword === 'function' || keyword === 'class';
    if (isDeclared) declared++;
    if (keyword === 'var' || keyword === 'function') repeatable++;
    if (isStep(source, before - 1) || isStep(source, after)) return null;
    if (isAssignment(source, after) && !isDeclared) return null;
    if (/^(?:of|in)\b/.test(source.slice(after, after + 3)) && keyword !== 'const' && keyword !== 'let') return null;
    if ((isSpread || '[{,:'.includes(source[before] ?? ' ')) && ',]}='.includes(source[after] ?? ' ') && mayBePattern(source, after))
      return null;
  }
  // A second `var` or function of one name assigns it.
  return repeatable > 1 ? null : declared;
}

/** Whether a name may be the own name of a function or class expression somewhere. */
export function mayNameItself(source: string, name: string): boolean {
  return new RegExp(`\\b(?:function\\s*\\*?|class)\\s*${escaped(name)}(?![\\w$])`).test(source);
}

/** What may be the import of a name: the statement. */
export function importStatement(source: string, name: string): string | null {
  const word = `(?<![\\w$.])${escaped(name)}(?![\\w$])`;
  const found = new RegExp(
    `(?<![\\w$.])import\\b[^;()'"]*?${word}[^;()'"]*?\\bfrom\\s*(["'])[^"'\\n]*\\1(?:\\s*with\\s*\\{[^}]*\\})?`,
  ).exec(source);
  return found?.[0] ?? null;
}

/** The statements that may import a namespace. */
export function namespaceImports(source: string): string[] {
  const statement = /(?<![\w$.])import\b[^;()'"]*?\*\s*as\s+[\w$]+\s+from\s*(["'])[^"'\n]*\1(?:\s*with\s*\{[^}]*\})?/g;
  return [...source.matchAll(statement)].map(([whole]) => whole);
}

/**
 * What `require` fills a variable with. `null` if none does; `undefined` where a parser has to say.
 */
export function requiredModuleOf(source: string, name: string): RequireOrigin | null | undefined {
  const word = `(?<![\\w$.])${escaped(name)}(?![\\w$])`;
  if (!new RegExp(`${word}[^;=]{0,400}=[^;]{0,400}\\brequire\\s*\\(`).test(source)) return null;
  const helper = '((?:__importStar|__importDefault|__toESM)\\d*\\(\\s*)?';
  const whole = new RegExp(`\\b(?:const|let|var)\\s+${word}\\s*=\\s*${helper}require\\(\\s*(["'])([^"'\\n]+)\\2\\s*\\)(?!\\s*\\.)`);
  const found = whole.exec(source);
  return found === null ? undefined : { specifier: found[3]!, name: null, wrapped: found[1] !== undefined };
}

/** Whether the script as a whole is strict. `null` where a parser has to say. */
export function isStrictScript(source: string): boolean | null {
  if (/^(?:#![^\n]*\n)?(?:\s|\/\/[^\n]*\n|\/\*[\s\S]*?\*\/)*(['"])use strict\1/.test(source)) return true;
  return source.includes('use strict') ? null : false;
}

function escaped(name: string): string {
  return name.replaceAll('$', '\\$');
}

/** Letters, digits, `_`, `$`, and whatever is not ASCII. */
function isWordPart(code: number): boolean {
  return (
    (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57) || code === 95 || code === 36 || code > 127
  );
}

function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13);
}

function previous(source: string, at: number): number {
  let index = at;
  while (index >= 0 && isSpace(source.charCodeAt(index))) index--;
  return index;
}

function next(source: string, at: number): number {
  let index = at;
  while (index < source.length && isSpace(source.charCodeAt(index))) index++;
  return index;
}

function wordBefore(source: string, end: number): string {
  let start = end;
  // A generator: `function* name`.
  if (source[start] === '*') start = previous(source, start - 1);
  const last = start;
  while (start >= 0 && isWordPart(source.charCodeAt(start))) start--;
  return source.slice(start + 1, last + 1);
}

function isStep(source: string, at: number): boolean {
  const pair = source.slice(Math.max(0, at), at + 2);
  return pair === '++' || pair === '--';
}

/** `=`, `+=`, `??=`, … but no comparison and no arrow. */
function isAssignment(source: string, at: number): boolean {
  return /^(?:=(?![=>])|(?:\*\*|<<|>>>?|&&|\|\||\?\?|[-+*/%&|^])=)/.test(source.slice(at, at + 5));
}

/** Whether brackets around end in front of `=`, `of` or `in`. */
function mayBePattern(source: string, from: number): boolean {
  let depth = 0;
  const end = Math.min(source.length, from + MAX_PATTERN);
  for (let at = from; at < end; at++) {
    const letter = source[at]!;
    if (letter === '"' || letter === "'" || letter === '`') at = endOfString(source, at, letter);
    else if ('([{'.includes(letter)) depth++;
    else if (')]}'.includes(letter)) {
      if (--depth >= 0) continue;
      // The end of a call, of parameters or of a statement: none of them is assigned to.
      if (letter === ')') return false;
      const after = next(source, at + 1);
      if (isAssignment(source, after) || /^(?:of|in)\b/.test(source.slice(after, after + 3))) return true;
      if (!',]}=:'.includes(source[after] ?? ';')) return false;
      depth = 0;
    } else if (letter === ';' && depth === 0) return false;
  }
  return end < source.length;
}

function endOfString(source: string, start: number, quote: string): number {
  for (let at = start + 1; at < source.length; at++) {
    if (source[at] === '\\') at++;
    else if (source[at] === quote) return at;
  }
  return source.length;
}
