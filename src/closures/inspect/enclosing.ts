/**
 * What the script around a function says about the names it captures: declared how, imported from where, ever assigned,
 * and which of its functions the module exports.
 *
 * A script is parsed once, when a function of it captures something, and kept as an outline up to {@link LARGEST}. Of larger ones, which
 * are bundles, only the imports are kept; what else their functions capture counts as variable.
 */
import type * as acorn from 'acorn';
import { type Binding, type ImportOrigin, resolve, runsOnce, type Scope } from '../analysis/scope.js';
import { parseProgram } from '../analysis/syntax.js';
import { exportedName, importedNames, type Placed, walkProgram } from '../analysis/walk.js';
import type { Place, Script } from './locate.js';

/** Characters of source beyond which no outline of a script is kept. */
export const LARGEST = 1 << 20;

/** A parsed script. */
interface Outline {
  readonly scope: Scope;
  readonly functions: ReadonlyMap<number, Placed[]>;
  readonly namespaces: readonly Binding[];
  /** Exported name -> local name, and the span of an anonymous default export. */
  readonly exports: ReadonlyMap<string, string>;
  readonly anonymousDefault: { readonly start: number; readonly end: number } | null;
}

const outlines = new WeakMap<Script, Outline | null>();

function outlineOf(script: Script, module: boolean): Outline | null {
  let outline = outlines.get(script);
  if (outline === undefined) {
    outline = script.source === '' || script.source.length > LARGEST ? null : read(script, module);
    outlines.set(script, outline);
  }
  return outline;
}

function read({ source, rebuilt }: Script, module: boolean): Outline | null {
  const program = parseProgram(source, module) ?? parseProgram(source, !module);
  if (program === null) return null;
  const { findings, scope } = walkProgram(program);
  // The captures of a rebuilt function are parameters around its script.
  for (const { name } of rebuilt?.slots ?? []) scope.declare(name, 'const', true);
  resolve(findings.references);
  const namespaces = [...scope.bindings.values()].filter(({ from }) => from?.name === '*');
  return { scope, functions: findings.functions, namespaces, ...readExports(program) };
}

const imports = new WeakMap<Script, ReadonlyMap<string, ImportOrigin>>();

/** Where a name at the top of a module comes from, if it is imported: for functions without {@link surroundings}. */
export function importIn(script: Script, name: string): ImportOrigin | undefined {
  const outline = outlineOf(script, true);
  if (outline !== null) return outline.scope.lookup(name)?.from;
  // To parse a megabyte takes a quarter of a second: most names can be told to be no imports.
  const statement = new RegExp(`(?<![\\w$.])import\\b[^;()]*?(?<![\\w$])${name.replaceAll('$', '\\$')}(?![\\w$])[^;()]*?\\bfrom\\b`);
  if (!statement.test(script.source)) return undefined;
  let found = imports.get(script);
  if (found === undefined) {
    const body = parseProgram(script.source, true)?.body ?? [];
    found = new Map(body.flatMap((node) => (node.type === 'ImportDeclaration' ? importedNames(node) : [])));
    imports.set(script, found);
  }
  return found.get(name);
}

function readExports(program: acorn.Program): Pick<Outline, 'exports' | 'anonymousDefault'> {
  const exports = new Map<string, string>();
  let anonymousDefault: Outline['anonymousDefault'] = null;
  for (const statement of program.body) {
    if (statement.type === 'ExportDefaultDeclaration') {
      const { declaration } = statement;
      if ((declaration.type === 'FunctionDeclaration' || declaration.type === 'ClassDeclaration') && declaration.id) {
        exports.set('default', declaration.id.name);
      } else if (declaration.type === 'Identifier') exports.set('default', declaration.name);
      else anonymousDefault = { start: declaration.start, end: declaration.end };
    } else if (statement.type === 'ExportNamedDeclaration' && !statement.source) {
      for (const { local, exported } of statement.specifiers) exports.set(exportedName(exported), exportedName(local));
      for (const name of declaredNames(statement.declaration)) exports.set(name, name);
    }
  }
  return { exports, anonymousDefault };
}

/** Only plain names: what a destructuring exports goes by value. */
function declaredNames(node: acorn.Declaration | null | undefined): string[] {
  if (!node) return [];
  if (node.type === 'VariableDeclaration') return node.declarations.flatMap(({ id }) => (id.type === 'Identifier' ? [id.name] : []));
  return node.id === null ? [] : [node.id.name];
}

/** Where a function starts, and where its body does. */
export interface Head {
  readonly start: number;
  readonly body: number;
}

/** The surroundings of one function. */
export interface Surroundings {
  /** Whether the code there is strict. */
  readonly strict: boolean;
  /** Whether it is a function declaration, whose own name is a variable outside it. */
  readonly declaration: boolean;
  /** Whose `this` an arrow there sees: the script's own, that of a function with this head, or one that has no frame of its own. */
  readonly receiver: 'script' | Head | 'other';
  /** The property of an instance that this function was written as: `run = …` in a class, `this.run = …` in a constructor. */
  readonly field: string | null;
  /** Whether each variable of this binding has at most one function that was made here. */
  isOnlyOne(binding: Binding): boolean;
  /** What a name means there. `null` when nothing in the script declares it. */
  lookup(name: string): Binding | null;
  /** What the script imports as namespaces. */
  readonly namespaces: readonly Binding[];
}

/** Finds a function's surroundings. `null` when the script could not be read. */
export function surroundings(place: Place, text: string, module: boolean): Surroundings | null {
  const outline = outlineOf(place.script, module);
  const placed = outline === null ? undefined : find(outline, place.start, place.start + text.length);
  if (outline === null || placed === undefined) return null;
  return {
    strict: placed.scope.strict,
    declaration: placed.node.type === 'FunctionDeclaration',
    receiver: receiverOf(placed.scope),
    field: fieldOf(placed, place),
    isOnlyOne: (binding) => runsOnce(placed.scope, binding.scope),
    lookup: (name) => placed.scope.lookup(name),
    namespaces: outline.namespaces,
  };
}

/** Arrows hand `this` through; fields and static blocks of classes have one of their own. */
function receiverOf(from: Scope): Surroundings['receiver'] {
  for (let scope: Scope | null = from; scope !== null; scope = scope.parent) {
    const owner = scope.owner as acorn.AnyNode;
    if (owner.type === 'FunctionDeclaration' || owner.type === 'FunctionExpression') return { start: owner.start, body: owner.body.start };
    if (owner.type === 'PropertyDefinition' || owner.type === 'StaticBlock') return 'other';
  }
  return 'script';
}

/** esbuild keeps the names of functions by `__name(function, "name")`. */
function unnamed(value: acorn.Expression | null | undefined): acorn.AnyNode | null | undefined {
  const named = value?.type === 'CallExpression' && value.callee.type === 'Identifier' && value.callee.name.startsWith('__name');
  return named ? value.arguments[0] : value;
}

/** As written, and what esbuild and TypeScript make of class fields for older targets. */
const ASSIGNED =
  /\bthis\.([\w$]+)\s*=\s*(?:__name\d*\()?$|__publicField\d*\(this,\s*"([\w$]+)",\s*(?:__name\d*\()?$|Object\.defineProperty\(this,\s*"([\w$]+)",\s*\{[^{}]*value:\s*$/;

function fieldOf({ node, scope }: Placed, place: Place): string | null {
  const owner = scope.owner as acorn.AnyNode;
  if (owner.type === 'PropertyDefinition') {
    if (owner.static || owner.computed || unnamed(owner.value)?.start !== node.start) return null;
    return owner.key.type === 'Identifier' ? owner.key.name : owner.key.type === 'Literal' ? String(owner.key.value) : null;
  }
  const before = place.script.source.slice(Math.max(0, place.start - 200), place.start);
  return ASSIGNED.exec(before)?.slice(1).find(Boolean) ?? null;
}

/** Of the functions that end where the text ends, the first that starts inside it: a method's node starts at its parameters. */
function find(outline: Outline, start: number, end: number): Placed | undefined {
  let best: Placed | undefined;
  for (const placed of outline.functions.get(end) ?? []) {
    if (placed.node.start >= start && (best === undefined || placed.node.start < best.node.start)) best = placed;
  }
  return best;
}

/** What a name holds; `undefined` before it is initialised. */
function valueIn(scope: Record<string, unknown>, name: string): unknown {
  try {
    return scope[name];
  } catch {
    return undefined;
  }
}

/** The name under which a module exports this function, checked against the values its own scope holds now. */
export function exportNameOf(fn: Function, place: Place, text: string, moduleScope: Record<string, unknown>): string | null {
  // Most functions are none of a module's own, and a script that only they are sent of need not be parsed.
  if (!Object.keys(moduleScope).some((name) => valueIn(moduleScope, name) === fn) && !/\bdefault\b/.test(place.script.source)) return null;
  const outline = outlineOf(place.script, true);
  if (outline === null) return null;
  for (const [exported, local] of outline.exports) if (valueIn(moduleScope, local) === fn) return exported;
  const { anonymousDefault } = outline;
  const isDefault = anonymousDefault?.start === place.start && anonymousDefault.end === place.start + text.length;
  return isDefault ? 'default' : null;
}
