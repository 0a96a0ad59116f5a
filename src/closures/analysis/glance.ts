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

/** Where a script declares a name, and where it may assign it otherwise. */
export interface NameUses {
  readonly declarations: readonly Declaration[];
  /** Offsets of what only a parser can tell from an assignment. */
  readonly doubtful: readonly number[];
}

/** A declaration by its keyword. */
export interface Declaration {
  readonly at: number;
  /** Whether a second one of its kind is allowed, which assigns the name. */
  readonly isRepeatable: boolean;
}

/**
 * How often the script declares a name that none of its code assigns otherwise. `null` where a
 * parser has to say.
 */
export function declarationsOf(source: string, name: string): number | null {
  const { declarations, doubtful } = usesOf(source, name, 1);
  // A second `var` or function of one name assigns it.
  return doubtful.length > 0 || declarations.filter(({ isRepeatable }) => isRepeatable).length > 1
    ? null
    : declarations.length;
}

/** @param most Stops after so many doubtful ones. */
export function usesOf(source: string, name: string, most: number): NameUses {
  const declarations: Declaration[] = [];
  const doubtful: number[] = [];
  for (let at = source.indexOf(name); at >= 0 && doubtful.length < most; at = source.indexOf(name, at + name.length)) {
    const end = at + name.length;
    if (isWordPart(source.charCodeAt(at - 1)) || isWordPart(source.charCodeAt(end))) continue;
    const before = previous(source, at - 1);
    const isSpread = source[before] === '.' && source[before - 1] === '.' && source[before - 2] === '.';
    // What stands on the line before may be a comment.
    const isSameLine = !source.slice(before + 1, at).includes('\n');
    if (source[before] === '.' && !isSpread && isSameLine) continue;
    const keyword = isSameLine ? wordBefore(source, before) : '';
    if (isDeclaration(keyword)) declarations.push({ at, isRepeatable: keyword === 'var' || keyword === 'function' });
    if (mayAssign(source, before, next(source, end), keyword, isSpread)) doubtful.push(at);
  }
  return { declarations, doubtful };
}

function isDeclaration(keyword: string): boolean {
  return keyword === 'const' || keyword === 'let' || keyword === 'var' || keyword === 'function' || keyword === 'class';
}

/** Whether a name may be assigned, by what stands before and after it. */
function mayAssign(source: string, before: number, after: number, keyword: string, isSpread: boolean): boolean {
  if (isStep(source, before - 1) || isStep(source, after)) return true;
  if (isAssignment(source, after) && !isDeclaration(keyword)) return true;
  if (/^(?:of|in)\b/.test(source.slice(after, after + 3)) && keyword !== 'const' && keyword !== 'let') return true;
  const mayBeElement = (isSpread || '[{,:'.includes(source[before] ?? ' ')) && ',]}='.includes(source[after] ?? ' ');
  return mayBeElement && mayBePattern(source, after);
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
  const whole = new RegExp(
    `\\b(?:const|let|var)\\s+${word}\\s*=\\s*${helper}require\\(\\s*(["'])([^"'\\n]+)\\2\\s*\\)(?!\\s*\\.)`,
  );
  const found = whole.exec(source);
  return found === null ? undefined : { specifier: found[3]!, name: null, wrapped: found[1] !== undefined };
}

/**
 * What may be the only declarator that fills a name by `require`: `name = require('x')`,
 * `{ name } = require('x')`. `null` where there is none, or more than one.
 */
export function requireDeclarator(
  source: string,
  name: string,
): { readonly start: number; readonly end: number } | null {
  const word = `(?<![\\w$.])${escaped(name)}(?![\\w$])`;
  const found = [
    ...source.matchAll(
      new RegExp(`(?:${word}|\\{[^{}]*${word}[^{}]*\\})\\s*=\\s*(?:[\\w$.]+\\s*\\(\\s*)*require\\s*\\(`, 'g'),
    ),
  ];
  const [first] = found;
  return first === undefined || found.length > 1
    ? null
    : { start: first.index, end: endOfExpression(source, first.index + first[0].length - 1) };
}

/** Where an expression ends that begins before a bracket: at what closes one around, or separates. */
function endOfExpression(source: string, from: number): number {
  let depth = 0;
  for (let at = from; at < source.length; at++) {
    const letter = source[at]!;
    if (letter === '"' || letter === "'" || letter === '`') at = endOfString(source, at, letter);
    else if ('([{'.includes(letter)) depth++;
    else if (')]}'.includes(letter)) {
      if (depth-- === 0) return at;
    } else if (depth === 0 && ',;\n'.includes(letter)) return at;
  }
  return source.length;
}

/**
 * The first statement that may export a variable, with the name that it gives; `null` if none does,
 * `undefined` where a parser has to say.
 */
export function exportOf(
  source: string,
  local: string,
): { readonly at: number; readonly name: string } | null | undefined {
  const word = `${escaped(local)}(?![\\w$])`;
  const declared = new RegExp(`^(default\\s+)?(?:async\\s+)?(?:function\\s*\\*?|class|const|let|var)\\s+${word}`);
  const named = new RegExp(`^default\\s+${word}\\s*(?:[;\\n]|$)`);
  const listed = new RegExp(`[{,]\\s*${word}\\s*(?:as\\s+(?:([\\w$]+)|(["'])(.*?)\\2)\\s*)?[,}]`);
  const later = new RegExp(`^(?:const|let|var)\\s[^;]*?,\\s*${word}\\s*=`);
  for (const { 0: keyword, index } of source.matchAll(/(?<![\w$.])export(?![\w$])\s*/g)) {
    const start = index + keyword.length;
    let found: string | undefined;
    if (source[start] === '{') {
      const end = source.indexOf('}', start) + 1;
      const [, plain, , quoted] = listed.exec(source.slice(start, end)) ?? [undefined, undefined, undefined, undefined];
      const isListed = listed.test(source.slice(start, end)) && !/^\s*from\b/.test(source.slice(end, end + 100));
      if (isListed) found = plain ?? quoted ?? local;
    } else {
      const text = source.slice(start, start + MAX_PATTERN);
      const [match, isDefault] = declared.exec(text) ?? [undefined, undefined];
      if (match !== undefined) found = isDefault === undefined ? local : 'default';
      else if (named.test(text)) found = 'default';
      else if (later.test(text)) return undefined;
    }
    if (found !== undefined) return { at: index, name: found };
  }
  return null;
}

/** Whether a statement may begin here: not in a comment, and not within a line of another one. */
export function mayBeCode(source: string, at: number): boolean {
  const line = source.slice(source.lastIndexOf('\n', at - 1) + 1, at).trim();
  return (line === '' || /[;}]$/.test(line)) && source.lastIndexOf('/*', at) <= source.lastIndexOf('*/', at);
}

/** Whether no template is open here, if all ticks are those of templates. */
export function isOutsideTemplates(source: string, at: number): boolean {
  let ticks = 0;
  for (let tick = source.indexOf('`'); tick >= 0 && tick < at; tick = source.indexOf('`', tick + 1)) ticks++;
  return ticks % 2 === 0;
}

/** Whether the script as a whole is strict. `null` where a parser has to say. */
export function isStrictScript(source: string): boolean | null {
  const at = firstToken(source);
  if (/^(?:'use strict'|"use strict")/.test(source.slice(at, at + 12))) return true;
  return source.includes('use strict') ? null : false;
}

/**
 * Where a script's first token begins. Space and comments are passed one by one: a single pattern
 * for all of them goes back into those that it has passed, without end where there are thousands.
 */
function firstToken(source: string): number {
  const between = /\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\//y;
  let at = source.startsWith('#!') ? source.indexOf('\n') : 0;
  if (at < 0) return source.length;
  for (between.lastIndex = at; between.test(source); ) at = between.lastIndex;
  return at;
}

/**
 * Whether some code of a script that is not strict as a whole is: classes are, and functions with a
 * directive.
 */
export function mayBeStrictInside(source: string): boolean {
  return source.includes('use strict') || /(?<![\w$.])class(?![\w$])/.test(source);
}

function escaped(name: string): string {
  return name.replaceAll('$', '\\$');
}

/** Letters, digits, `_`, `$`, and whatever is not ASCII. */
function isWordPart(code: number): boolean {
  return (
    (code >= 97 && code <= 122) ||
    (code >= 65 && code <= 90) ||
    (code >= 48 && code <= 57) ||
    code === 95 ||
    code === 36 ||
    code > 127
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
