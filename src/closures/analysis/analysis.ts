/**
 * What the text of a function says about it, cached by text: the names it takes from outside and
 * how it uses them, the things that tie it to the place where it was written, and the members a
 * class declares itself.
 */
import type * as acorn from 'acorn';
import { isStandardGlobal } from '../../codec/globals.js';
import { type ClassMember, classMembers, fieldKeys, isRepeatable, unevaluated } from './class-members.js';
import type { Findings, Span } from './findings.js';
import { type Reference, resolve, type Scope } from './scope.js';
import { type Form, parseFunction } from './syntax.js';
import { walkFunction } from './walk.js';

/** A name a function takes from outside. Positions are relative to the function's text. */
export interface FreeName {
  readonly name: string;
  readonly uses: readonly Use[];
  /** Whether the function assigns it. */
  readonly assigned: boolean;
  /** The members read, when it is only ever used as `name.member`. */
  readonly members: readonly string[] | null;
}

/** One use of a free name. */
export interface Use extends Span {
  readonly use: Reference['use'];
  readonly writes: boolean;
}

/** The members a class declares, with names known from its text. */
interface Declared {
  readonly statics: ReadonlySet<string>;
  readonly prototype: ReadonlySet<string>;
  /** Whether it has static fields or blocks. */
  readonly state: boolean;
}

/** The result. */
export interface Analysis {
  readonly form: Form;
  readonly arrow: boolean;
  /**
   * `function`, not async, not a generator, not a method: the only functions whose strictness can
   * be seen from outside.
   */
  readonly plain: boolean;
  readonly free: ReadonlyMap<string, FreeName>;
  /** Uses of the function's own name, when it is a function (not a class) with one. */
  readonly own: FreeName | null;
  readonly key: Span | null;
  /** The `extends` expression of a class, with its text when it is a plain name. */
  readonly heritage: (Span & { readonly name: string | null; readonly isNull: boolean }) | null;
  readonly declared: Declared | null;
  readonly members: readonly ClassMember[];
  /** A computed name of a field of its instances that cannot be evaluated once more. */
  readonly fieldKey: string | null;
  /**
   * What computed names of such fields take from outside. V8 shows what functions use, which these
   * are not.
   */
  readonly fieldKeyNames: readonly string[];
  readonly importMeta: readonly Span[];
  readonly dynamicImport: boolean;
  readonly directEval: boolean;
  readonly outerThis: boolean;
  /** The members it reads of an outer `this`; `null` when it uses that otherwise. */
  readonly thisMembers: readonly string[] | null;
  readonly outerSuper: boolean;
  readonly outerNewTarget: boolean;
  readonly outerPrivate: string | null;
  /** Whether the text sets its own strictness (a class, or a `'use strict'` of its own). */
  readonly selfStrict: boolean;
  /** Whether it may do something else if the code around is strict, but for names that it assigns. */
  readonly strictnessMatters: boolean;
}

const LIMIT = 4_096;
const cache = new Map<string, Analysis | null>();

/** Analyses the text of a function. `null` when it is no JavaScript source (native code). */
export function analyse(text: string): Analysis | null {
  let analysis = cache.get(text);
  if (analysis === undefined) {
    analysis = text.endsWith('{ [native code] }') ? null : read(text);
    if (cache.size >= LIMIT) cache.delete(cache.keys().next().value as string);
    cache.set(text, analysis);
  }
  return analysis;
}

function read(text: string): Analysis | null {
  const parsed = parseFunction(text);
  if (parsed === null) return null;
  const { node, offset } = parsed;
  const isClass = node.type === 'ClassExpression';
  const findings = walkFunction(node, false, isClass ? unevaluated(node) : undefined);
  const heritage = isClass && node.superClass ? node.superClass : null;
  const outside = resolve(findings.references);
  return {
    form: parsed.form,
    arrow: node.type === 'ArrowFunctionExpression',
    plain: node.type === 'FunctionExpression' && parsed.form === 'expression' && !node.async && !node.generator,
    free: freeNames(outside, offset),
    own: isClass ? null : ownName(node, findings, offset),
    key: parsed.key?.replace ? { start: parsed.key.start, end: parsed.key.end } : null,
    heritage: heritage === null ? null : describeHeritage(heritage, offset),
    declared: isClass ? declaredMembers(node) : null,
    members: isClass ? classMembers(node, text, offset) : [],
    fieldKey: isClass ? unrepeatable(node, text, offset) : null,
    fieldKeyNames: isClass ? namesInFieldKeys(node, outside) : [],
    importMeta: findings.importMeta.map((span) => ({ start: span.start - offset, end: span.end - offset })),
    dynamicImport: findings.dynamicImport,
    directEval: findings.directEval,
    outerThis: findings.outerThis,
    thisMembers: findings.thisMembers === null ? null : [...findings.thisMembers],
    outerSuper: findings.outerSuper,
    outerNewTarget: findings.outerNewTarget,
    outerPrivate: findings.outerPrivate,
    selfStrict: isClass || text.includes('use strict'),
    strictnessMatters: findings.strictnessMatters,
  };
}

function freeNames(references: readonly Reference[], offset: number): Map<string, FreeName> {
  const byName = new Map<string, Reference[]>();
  for (const reference of references) {
    const list = byName.get(reference.name);
    if (list === undefined) byName.set(reference.name, [reference]);
    else list.push(reference);
  }
  return new Map(Array.from(byName, ([name, list]) => [name, summary(name, list, offset)]));
}

function summary(name: string, list: readonly Reference[], offset: number): FreeName {
  const members = list.every((reference) => reference.use === 'member')
    ? new Set(list.map((reference) => reference.member!))
    : null;
  return {
    name,
    uses: list.map(({ start, end, use, writes }) => ({ start: start - offset, end: end - offset, use, writes })),
    assigned: list.some((reference) => reference.writes),
    members: members === null ? null : [...members],
  };
}

function ownName(
  node: acorn.FunctionExpression | acorn.ArrowFunctionExpression,
  findings: Findings,
  offset: number,
): FreeName | null {
  if (node.type !== 'FunctionExpression' || !node.id) return null;
  const { name } = node.id;
  const isOwn = (scope: Scope) => scope.lookup(name)?.kind === 'self' && scope.lookup(name)?.scope.start === node.start;
  const list = findings.references.filter((reference) => reference.name === name && isOwn(reference.scope));
  return summary(name, list, offset);
}

function describeHeritage(node: acorn.Expression, offset: number): Analysis['heritage'] {
  return {
    start: node.start - offset,
    end: node.end - offset,
    name: node.type === 'Identifier' ? node.name : null,
    isNull: node.type === 'Literal' && node.value === null,
  };
}

function unrepeatable(node: acorn.ClassExpression, text: string, offset: number): string | null {
  const key = fieldKeys(node).find((each) => !isRepeatable(each, isStandardGlobal));
  return key === undefined ? null : text.slice(key.start - offset, key.end - offset);
}

function namesInFieldKeys(node: acorn.ClassExpression, outside: readonly Reference[]): string[] {
  const keys = fieldKeys(node);
  return outside
    .filter(({ start, end }) => keys.some((key) => key.start <= start && end <= key.end))
    .map(({ name }) => name);
}

function declaredMembers(node: acorn.ClassExpression): Declared {
  const statics = new Set<string>();
  const prototype = new Set<string>();
  for (const member of node.body.body) {
    if (member.type !== 'MethodDefinition' || member.computed) continue;
    const { key } = member;
    const name = key.type === 'Identifier' ? key.name : key.type === 'Literal' ? String(key.value) : null;
    if (name !== null) (member.static ? statics : prototype).add(name);
  }
  const state = node.body.body.some(
    (member) => member.type === 'StaticBlock' || (member.type === 'PropertyDefinition' && member.static),
  );
  return { statics, prototype, state };
}
