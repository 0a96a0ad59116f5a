/**
 * What the script around a function says about the names it captures: declared how, imported from
 * where, ever assigned, and which of its functions the module exports.
 *
 * A script is parsed once, when that is asked for the first time, and kept as an outline without
 * its syntax tree. A long one is looked at first (glance.ts): most of what is asked can be told so,
 * at once.
 */
import type * as acorn from 'acorn';
import type { Placed } from '../analysis/findings.js';
import { isStrictScript, LONG_SCRIPT, mayBeStrictInside, mayNameItself, namespaceImports } from '../analysis/glance.js';
import { exportedName } from '../analysis/import-names.js';
import { type Binding, resolve, runsOnce, type Scope } from '../analysis/scope.js';
import { parseProgram } from '../analysis/syntax.js';
import { walkProgram } from '../analysis/walk.js';
import type { Place, Script } from './locate.js';
import { declaredOutside, exportSeen, isHuge, namesImportedBy, SOMEWHERE } from './long-script.js';
import { type Inside, placedIn, regionAround } from './region.js';

/**
 * Characters of source whose outlines are kept: about as many bytes of memory each. The latest one
 * stays in any case.
 */
const MAX_OUTLINED_CHARACTERS = 1 << 25;

/** A parsed script. */
interface Outline {
  readonly scope: Scope;
  readonly functions: ReadonlyMap<number, Placed[]>;
  readonly namespaces: readonly Binding[];
  /** Exported name -> local name, and the span of an anonymous default export. */
  readonly exports: ReadonlyMap<string, string>;
  readonly anonymousDefault: { readonly start: number; readonly end: number } | null;
}

/** The least recently used first. */
const outlines = new Map<Script, Outline | null>();
let outlined = 0;

function outlineOf(script: Script, module: boolean): Outline | null {
  let outline = outlines.get(script);
  if (outline === undefined) {
    outline = script.source === '' ? null : read(script, module);
    outlined += script.source.length;
  } else outlines.delete(script);
  outlines.set(script, outline);
  for (const [oldest] of outlines) {
    if (outlined <= MAX_OUTLINED_CHARACTERS || outlines.size === 1) break;
    outlines.delete(oldest);
    outlined -= oldest.source.length;
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
  if (node.type === 'VariableDeclaration')
    return node.declarations.flatMap(({ id }) => (id.type === 'Identifier' ? [id.name] : []));
  return node.id === null ? [] : [node.id.name];
}

/** Where a function starts, and where its body does. */
interface Head {
  readonly start: number;
  readonly body: number;
}

/** The surroundings of one function. */
export interface Surroundings {
  /** Whether the code there is strict. */
  readonly strict: boolean;
  /** Whether it is a function declaration, whose own name is a variable outside it. */
  readonly declaration: boolean;
  /**
   * Whose `this` an arrow there sees: the script's own, that of a function with this head, or one
   * that has no frame of its own.
   */
  readonly receiver: 'script' | Head | 'other';
  /**
   * The property that this function was written as: `run = …` or `static run = …` in a class,
   * `this.run = …` in a constructor.
   */
  readonly field: string | null;
  /** Whether a name is the own name of a function expression around. */
  isOwnName(name: string): boolean;
  /** Whether each variable of this binding has at most one function that was made here. */
  isOnlyOne(binding: Binding): boolean;
  /** What a name means there. `null` when nothing in the script declares it. */
  lookup(name: string): Binding | null;
  /** What the script imports as namespaces. */
  readonly namespaces: readonly Pick<Binding, 'name' | 'from'>[];
}

/** Finds a function's surroundings. `null` when the script could not be read. */
export function surroundings(place: Place, text: string, module: boolean): Surroundings | null {
  const { script } = place;
  return isLong(script) ? new LongSurroundings(place, text, module) : parsed(place, text, module);
}

function isLong(script: Script): boolean {
  return (
    isHuge(script) || (script.source.length > LONG_SCRIPT && script.rebuilt === undefined && !outlines.has(script))
  );
}

function parsed(place: Place, text: string, module: boolean): Surroundings | null {
  const outline = outlineOf(place.script, module);
  const placed = outline === null ? undefined : placedIn(outline.functions, place.start, place.start + text.length);
  if (outline === null || placed === undefined) return null;
  return {
    strict: placed.scope.strict,
    declaration: placed.isDeclaration,
    receiver: receiverOf(placed.scope),
    field: fieldOf(placed, place),
    isOwnName: (name) => placed.scope.lookup(name)?.kind === 'self',
    isOnlyOne: (binding) => runsOnce(placed.scope, binding.scope),
    lookup: (name) => placed.scope.lookup(name),
    namespaces: outline.namespaces,
  };
}

/**
 * Those of a long script. What stands in a short function around is read by parsing that, the rest
 * by a look at the script; all of the script is parsed only for what neither tells.
 */
class LongSurroundings implements Surroundings {
  readonly #place: Place;
  readonly #text: string;
  readonly #module: boolean;
  #parsed: Surroundings | null | undefined;
  #inside: Inside | null | undefined;

  constructor(place: Place, text: string, module: boolean) {
    this.#place = place;
    this.#text = text;
    this.#module = module;
  }

  get #exact(): Surroundings | null {
    this.#parsed ??= parsed(this.#place, this.#text, this.#module);
    return this.#parsed;
  }

  get #placed(): Placed | undefined {
    const { script, start } = this.#place;
    if (this.#inside === undefined && isHuge(script))
      this.#inside = regionAround(script, start, start + this.#text.length);
    return this.#inside?.placed;
  }

  get strict(): boolean {
    if (this.#module || isStrictScript(this.#place.script.source) === true || this.#placed?.scope.strict === true)
      return true;
    // A class, which is strict, or a directive may stand around a function that was parsed.
    return mayBeStrictInside(this.#place.script.source) && this.#exact?.strict === true;
  }

  get declaration(): boolean {
    return this.#placed?.isDeclaration ?? this.#exact?.declaration ?? false;
  }

  get receiver(): Surroundings['receiver'] {
    const known = this.#placed === undefined ? 'script' : receiverOf(this.#placed.scope);
    return known === 'script' ? (this.#exact?.receiver ?? 'other') : known;
  }

  get field(): string | null {
    return this.#placed === undefined ? (this.#exact?.field ?? null) : fieldOf(this.#placed, this.#place);
  }

  get namespaces(): Surroundings['namespaces'] {
    if (!this.#module) return [];
    let known = namespaces.get(this.#place.script);
    if (known === undefined) {
      known = namespaceImports(this.#place.script.source)
        .flatMap(namesImportedBy)
        .filter(({ from }) => from.name === '*');
      namespaces.set(this.#place.script, known);
    }
    return known;
  }

  isOwnName(name: string): boolean {
    return mayNameItself(this.#place.script.source, name) && this.#exact?.isOwnName(name) === true;
  }

  isOnlyOne(binding: Binding): boolean {
    if (this.#placed !== undefined && this.#placed.scope.root === binding.scope.root)
      return runsOnce(this.#placed.scope, binding.scope);
    // What was told by a look is declared outside of the function that was parsed, or there is one
    // of it.
    return binding.scope === SOMEWHERE ? false : (this.#exact?.isOnlyOne(binding) ?? false);
  }

  lookup(name: string): Binding | null {
    const { script } = this.#place;
    const inside = this.#placed === undefined ? null : declaredInside(this.#placed, name);
    return inside ?? declaredOutside(script, name, this.#module) ?? this.#exact?.lookup(name) ?? null;
  }
}

/** What a name means in a function that was parsed by itself. Its own name may be a variable around it. */
function declaredInside({ scope }: Placed, name: string): Binding | null {
  const binding = scope.lookup(name);
  const isOwn = binding?.kind === 'self' && binding.scope.parent?.parent === null;
  return isOwn ? null : binding;
}

const namespaces = new WeakMap<Script, Surroundings['namespaces']>();

/** Arrows hand `this` through; fields and static blocks of classes have one of their own. */
function receiverOf(from: Scope): Surroundings['receiver'] {
  for (let scope: Scope | null = from; scope !== null; scope = scope.parent) {
    const { kind, start, body } = scope.owner;
    const { shift } = scope.root;
    if (kind === 'function') return { start: start + shift, body: body + shift };
    if (kind === 'field' || kind === 'block') return 'other';
  }
  return 'script';
}

/** As written, and what esbuild and TypeScript make of class fields for older targets. */
const ASSIGNED =
  /\bthis\.([\w$]+)\s*=\s*(?:__name\d*\()?$|__publicField\d*\(this,\s*"([\w$]+)",\s*(?:__name\d*\()?$|Object\.defineProperty\(this,\s*"([\w$]+)",\s*\{[^{}]*value:\s*$/;

function fieldOf({ start, scope }: Placed, place: Place): string | null {
  const { kind, body, name } = scope.owner;
  if (kind === 'field') return body === start ? name : null;
  const before = place.script.source.slice(Math.max(0, place.start - 200), place.start);
  return ASSIGNED.exec(before)?.slice(1).find(Boolean) ?? null;
}

/** What a name holds; `undefined` before it is initialised. */
function valueIn(scope: Record<string, unknown>, name: string): unknown {
  try {
    return scope[name];
  } catch {
    return undefined;
  }
}

/**
 * The name under which a module exports this function, checked against the values its own scope
 * holds now.
 */
export function exportNameOf(
  fn: Function,
  place: Place,
  text: string,
  moduleScope: Record<string, unknown>,
): string | null {
  // Most functions are none of a module's own, and a script that only they are sent of need not be
  // parsed.
  const locals = Object.keys(moduleScope).filter((name) => valueIn(moduleScope, name) === fn);
  const { script, start } = place;
  if (locals.length === 0 && !/\b(?:export|as)\s+default\b/.test(script.source)) return null;
  const isAnonymous = /\bexport\s+default[\s(]*$/.test(script.source.slice(Math.max(0, start - 100), start));
  const seen = isHuge(script) && !isAnonymous ? exportSeen(script.source, locals) : undefined;
  if (seen !== undefined) return seen;
  const outline = outlineOf(place.script, true);
  if (outline === null) return null;
  for (const [exported, local] of outline.exports) if (valueIn(moduleScope, local) === fn) return exported;
  const { anonymousDefault } = outline;
  const isDefault = anonymousDefault?.start === place.start && anonymousDefault.end === place.start + text.length;
  return isDefault ? 'default' : null;
}
