/**
 * What a look at a long script tells of the names that it declares outside of its functions.
 *
 * Invariant. Names that are looked at stay so, also when the script is parsed later: the cell of a
 * variable is found by where it is declared, which a look does not tell.
 */
import {
  declarationsOf,
  exportOf,
  importStatement,
  isOutsideTemplates,
  mayBeCode,
  requireDeclarator,
  requiredModuleOf,
  usesOf,
} from '../analysis/glance.js';
import { importedNames } from '../analysis/import-names.js';
import { type Binding, type ImportOrigin, Scope } from '../analysis/scope.js';
import { parseProgram } from '../analysis/syntax.js';
import { walkProgram } from '../analysis/walk.js';
import type { Script } from './locate.js';
import { notShadowed } from './region.js';

/** Parameters of the CommonJS wrapper, which count as such only where nothing declares them. */
const WRAPPED = new Set(['module', 'exports', 'require']);
/** Where a name is declared of which no more is known than that. */
export const SOMEWHERE = new Scope(null, -1, true, true, { kind: 'program', start: -1, body: -1, name: null });

const FIXED: Omit<Binding, 'name'> = {
  kind: 'const',
  scope: SOMEWHERE,
  initialised: true,
  assigned: false,
  assignedInside: false,
};

/** The binding of a name that never changes, if that can be told without parsing. */
function glanceAt(source: string, name: string, module: boolean): Binding | null {
  if (WRAPPED.has(name)) return null;
  const declared = declarationsOf(source, name);
  if (declared === null) return null;
  const statement = module ? importStatement(source, name) : null;
  if (statement !== null) {
    const from = declared > 0 ? undefined : namesImportedBy(statement).find((each) => each.name === name)?.from;
    return from === undefined ? null : { name, ...FIXED, kind: 'import', from };
  }
  const required = requiredModuleOf(source, name);
  if (required === undefined || (required !== null && declared !== 1)) return null;
  return { name, ...FIXED, ...(required === null ? {} : { required }) };
}

/** Characters from which on a script is parsed only for what nothing else tells. */
const HUGE_SCRIPT = 1 << 17;

/** Whether parsing a script takes longer than all that its functions need. */
export function isHuge({ source, rebuilt }: Script): boolean {
  return source.length > HUGE_SCRIPT && rebuilt === undefined;
}

/** Offsets of a name that are looked at. */
const MAX_DOUBTFUL = 1_000;

/**
 * The binding of a name that other functions of the script use for themselves. What may be an
 * assignment counts as one: the variable is then a cell, which is right for one that never changes
 * too. `null` where the name may come from a module, and for those of the wrapper.
 */
function bindingSomewhere(script: Script, name: string, module: boolean): Binding | null {
  const { source } = script;
  if (WRAPPED.has(name)) return null;
  const { declarations, doubtful } = usesOf(source, name, MAX_DOUBTFUL);
  const isCut = doubtful.length >= MAX_DOUBTFUL;
  const uses = isCut ? [] : notShadowed(script, name, [...declarations.map(({ at }) => at), ...doubtful]);
  const statement = module ? importStatement(source, name) : null;
  if (statement !== null) return isCut || uses.length > 0 ? null : importedOnce(script, name, statement);
  if (!module && requiredModuleOf(source, name) !== null) return isCut ? null : requiredOnce(source, name, uses);
  const assigned = isCut || uses.length > 1 || doubtful.includes(uses[0] ?? -1);
  return { name, ...FIXED, kind: 'let', assigned, assignedInside: assigned };
}

/** The binding of a name that an import at the top of the script declares. */
function importedOnce(script: Script, name: string, statement: string): Binding | null {
  const at = script.source.indexOf(name, script.source.indexOf(statement));
  const from = namesImportedBy(statement).find((each) => each.name === name)?.from;
  return from === undefined || notShadowed(script, name, [at]).length === 0
    ? null
    : { name, ...FIXED, kind: 'import', from };
}

/** The binding of a name that one declarator fills by `require`, and nothing else. */
function requiredOnce(source: string, name: string, uses: readonly number[]): Binding | null {
  const declarator = requireDeclarator(source, name);
  if (declarator === null || !uses.every((at) => at >= declarator.start && at < declarator.end)) return null;
  const program = parseProgram(`var ${source.slice(declarator.start, declarator.end)}`, false);
  const required = program === null ? undefined : walkProgram(program).scope.bindings.get(name)?.required;
  return required === undefined ? null : { name, ...FIXED, required };
}

export function namesImportedBy(statement: string): { readonly name: string; readonly from: ImportOrigin }[] {
  const [node] = parseProgram(statement, true)?.body ?? [];
  return node?.type === 'ImportDeclaration' ? importedNames(node).map(([name, from]) => ({ name, from })) : [];
}

/**
 * Names of one script that are looked at. Each takes a search of all of it, so for more than these
 * it is parsed: a package that is bundled in and sent by value has hundreds.
 */
const MAX_NAMES = 32;
const outside = new WeakMap<Script, Map<string, Binding | null>>();

/** What a name means outside of all functions, where a look at the script tells: once for all that use it. */
export function declaredOutside(script: Script, name: string, module: boolean): Binding | null {
  const names = outside.get(script) ?? new Map<string, Binding | null>();
  outside.set(script, names);
  let binding = names.get(name);
  if (binding === undefined && names.size >= MAX_NAMES && isHuge(script)) return null;
  if (binding === undefined) {
    binding = glanceAt(script.source, name, module) ?? (isHuge(script) ? bindingSomewhere(script, name, module) : null);
    names.set(name, binding);
  }
  return binding;
}

/** Characters at the end of a script that are parsed to see whether they are statements. */
const MAX_REST = 1 << 16;

/** Whether a statement begins here. Within a template, what follows would end that and not parse. */
function isStatement(source: string, at: number): boolean {
  if (!mayBeCode(source, at)) return false;
  return source.length - at > MAX_REST ? isOutsideTemplates(source, at) : parseProgram(source.slice(at), true) !== null;
}

/**
 * The name under which a module exports one of these variables of its own; `null` if it exports
 * none, `undefined` where a parser has to say.
 */
export function exportSeen(source: string, locals: readonly string[]): string | null | undefined {
  for (const local of locals) {
    const found = exportOf(source, local);
    if (found !== null) return found !== undefined && isStatement(source, found.at) ? found.name : undefined;
  }
  return null;
}
