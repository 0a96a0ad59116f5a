/**
 * Turns the real source of a module into one whose shared-memory accesses can be scheduled one at a time.
 *
 *   TypeScript -> (types stripped) -> acorn -> every function that reaches shared memory becomes a generator
 *
 *   Atomics.store(words, i, v)   ->  (yield ['store', words, i, v])
 *   this.words[i]                ->  (yield ['read', this.words, i])         for the members that the config names
 *   this.words[i] = v            ->  (yield ['write', this.words, i, v])
 *   target.set(source, at)       ->  (yield ['set', target, source, at])
 *   rouse(words, i)              ->  (yield* rouse(words, i))                calls among rewritten functions, by name
 *   reader.ready                 ->  (yield* reader.ready())                 a getter that reaches shared memory
 *   this.#head                   ->  this.$head                              so that the explorer can compare states
 *
 * Constructors stay as they are: they run before the agents start. What cannot be rewritten is an error, never skipped.
 */

import { dirname, join } from 'node:path/posix';
import { type Node, parse } from 'acorn';
import ts from 'typescript';
import * as timers from '../../src/util/timers.js';

export interface Rewriting {
  /** Calls by these names are of generators, beside those that are found: callbacks and functions of `externals`. */
  readonly calls?: readonly string[];
  /** Members and parameters that hold typed arrays over shared memory. */
  readonly shared?: readonly string[];
}

export interface SourceModule {
  /** Path below src, without the extension. */
  readonly file: string;
  /** TypeScript. */
  readonly source: string;
}

type Tree = Node & Record<string, any>;

/** Loads the modules, rewritten, in the order given. `externals`: exports of what they import, by path below src, or by name. @returns the exports of all of them. */
export function loadRewritten(
  modules: readonly SourceModule[],
  externals: Readonly<Record<string, object>>,
  rewriting: Rewriting,
): Record<string, any> {
  const parsed = modules.map(({ file, source }) => {
    const text = ts.transpileModule(source, {
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
    }).outputText;
    return { file, text, tree: parse(text, { ecmaVersion: 2024, sourceType: 'module' }) as Tree };
  });
  const names = generatorNames(
    parsed.map(({ tree }) => tree),
    rewriting,
  );
  const known: Record<string, Record<string, unknown>> = { ...(externals as Record<string, Record<string, unknown>>) };
  const all: Record<string, unknown> = {};
  // Steps that depend on the real time would not be the same again.
  const clock = known['node:perf_hooks']?.['performance'] ?? performance;
  known['util/timers'] = { ...timers, performance: clock };
  for (const { file, text, tree } of parsed) {
    const exported: string[] = [];
    const code = new Printer(file, text, names, rewriting, exported).print(tree, false);
    const body = `'use strict';${code}\nreturn { ${exported.join(', ')} };`;
    const exports = new Function('$modules', body)(known) as Record<string, unknown>;
    known[file] = exports;
    Object.assign(all, exports);
  }
  return all;
}

interface Names {
  readonly functions: Set<string>;
  readonly getters: Set<string>;
}

/** The functions that reach shared memory, by a fixed point over the names they call. */
function generatorNames(trees: readonly Tree[], rewriting: Rewriting): Names {
  const names: Names = { functions: new Set(rewriting.calls?.map(plainName)), getters: new Set() };
  const candidates: { name: string; getter: boolean; body: Tree }[] = [];
  for (const tree of trees) {
    walk(tree, (node) => {
      if (node.type === 'FunctionDeclaration')
        candidates.push({ name: node['id'].name, getter: false, body: node['body'] });
      if (node.type === 'MethodDefinition' && node['kind'] !== 'constructor') {
        candidates.push({ name: nameOf(node['key']), getter: node['kind'] === 'get', body: node['value'].body });
      }
      return true;
    });
  }
  for (let before = -1; before !== names.functions.size + names.getters.size; ) {
    before = names.functions.size + names.getters.size;
    for (const { name, getter, body } of candidates) {
      if (reaches(body, names, rewriting)) (getter ? names.getters : names.functions).add(name);
    }
  }
  return names;
}

function reaches(body: Tree, names: Names, rewriting: Rewriting): boolean {
  let found = false;
  walk(body, (node) => {
    if (/Function/.test(node.type)) return false;
    if (isPoint(node, names, rewriting)) found = true;
    return !found;
  });
  return found;
}

function isPoint(node: Tree, names: Names, rewriting: Rewriting): boolean {
  if (node.type === 'CallExpression') {
    return isAtomics(node) || isRangeSet(node) || names.functions.has(calleeOf(node));
  }
  return (
    node.type === 'MemberExpression' &&
    (isShared(node, rewriting) || (!node['computed'] && names.getters.has(nameOf(node['property']))))
  );
}

const isAtomics = (node: Tree) =>
  node['callee'].type === 'MemberExpression' && node['callee'].object.name === 'Atomics';
const isRangeSet = (node: Tree) => calleeOf(node) === 'set' && node['arguments'].length === 2;
const nameOf = (key: Tree): string =>
  key.type === 'PrivateIdentifier' ? `$${key['name']}` : String(key['name'] ?? key['value']);

const plainName = (name: string): string => name.replace('#', '$');

function isShared(node: Tree, rewriting: Rewriting): boolean {
  const { object, computed } = node;
  if (!computed || !/^(MemberExpression|Identifier)$/.test(object.type)) return false;
  const holder = object.type === 'Identifier' ? object.name : nameOf(object.property);
  return (rewriting.shared ?? []).some((name) => plainName(name) === holder);
}

function calleeOf(node: Tree): string {
  const callee = node['callee'] as Tree;
  if (callee.type === 'Identifier') return callee['name'];
  return callee.type === 'MemberExpression' && !callee['computed'] ? nameOf(callee['property']) : '';
}

/** Visits the tree while `visit` answers `true`. */
function walk(node: Tree, visit: (node: Tree) => boolean): void {
  if (visit(node)) for (const child of childrenOf(node)) walk(child, visit);
}

function childrenOf(node: Tree): Tree[] {
  const children: Tree[] = [];
  for (const value of Object.values(node)) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (typeof item === 'object' && item !== null && typeof item.type === 'string' && typeof item.start === 'number')
        children.push(item);
    }
  }
  // Of a shorthand property key and value are the same text.
  return children
    .sort((a, b) => a.start - b.start)
    .filter((child, i) => i === 0 || child.start !== children[i - 1]!.start);
}

/** The key of an imported module: its path below src for a file, its own name for anything else. */
function moduleKey(specifier: string, importer: string): string {
  return specifier.startsWith('.') ? join(dirname(importer), specifier).replace(/\.js$/, '') : specifier;
}

class Printer {
  constructor(
    readonly file: string,
    readonly text: string,
    readonly names: Names,
    readonly rewriting: Rewriting,
    readonly exported: string[],
  ) {}

  /** The text of a node. `inside`: of a generator, where `yield` is allowed. */
  print(node: Tree, inside: boolean): string {
    switch (node.type) {
      case 'ImportDeclaration': {
        const names = node['specifiers'].map((one: Tree) => `${one['imported'].name}: ${one['local'].name}`);
        return `const { ${names.join(', ')} } = $modules[${JSON.stringify(moduleKey(node['source'].value, this.file))}];`;
      }
      case 'ExportNamedDeclaration': {
        const { declaration } = node;
        if (declaration === null) {
          if (node['specifiers'].length === 0) return '';
          throw new Error('generatorize: only exported declarations are understood');
        }
        this.exported.push(...(declaration.declarations?.map((one: Tree) => one['id'].name) ?? [declaration.id.name]));
        return this.print(declaration, inside);
      }
      case 'FunctionDeclaration': {
        const generator = this.names.functions.has(node['id'].name);
        return `function${generator ? '*' : ''} ${node['id'].name}(${this.parameters(node)}) ${this.print(node['body'], generator)}`;
      }
      case 'MethodDefinition': {
        const name = nameOf(node['key']);
        const names = node['kind'] === 'get' ? this.names.getters : this.names.functions;
        if (node['kind'] === 'constructor' || !names.has(name)) return this.pieces(node, false);
        return `${node['static'] ? 'static ' : ''}*${name}(${this.parameters(node['value'])}) ${this.print(node['value'].body, true)}`;
      }
      case 'ArrowFunctionExpression': {
        if (
          !reaches(
            { type: 'Wrapper', start: 0, end: 0, body: node['body'] } as unknown as Tree,
            this.names,
            this.rewriting,
          )
        ) {
          return this.pieces(node, false);
        }
        const body = this.print(node['body'], true);
        const block = node['body'].type === 'BlockStatement' ? body : `{ return ${body}; }`;
        return `(function* (${this.parameters(node)}) ${block}).bind(this)`;
      }
      case 'FunctionExpression':
        return this.pieces(node, false);
      case 'AssignmentExpression':
        if (node['left'].type === 'MemberExpression' && isShared(node['left'], this.rewriting)) {
          if (node['operator'] !== '=')
            throw new Error(`generatorize: ${this.text.slice(node.start, node.end)} reads and writes at once`);
          return this.step(inside, 'write', [node['left'].object, node['left'].property, node['right']]);
        }
        return this.pieces(node, inside);
      case 'MemberExpression':
        if (isShared(node, this.rewriting)) return this.step(inside, 'read', [node['object'], node['property']]);
        if (!node['computed'] && this.names.getters.has(nameOf(node['property']))) {
          return this.delegate(inside, `${this.pieces(node, inside)}()`);
        }
        return this.pieces(node, inside);
      case 'CallExpression':
        // In a constructor accesses are made at once; the agents do not run yet.
        if (isAtomics(node))
          return inside
            ? this.step(inside, node['callee'].property.name, node['arguments'])
            : this.pieces(node, inside);
        if (isRangeSet(node)) return this.step(inside, 'set', [node['callee'].object, ...node['arguments']]);
        if (this.names.functions.has(calleeOf(node))) return this.delegate(inside, this.pieces(node, inside));
        return this.pieces(node, inside);
      case 'Property':
        return node['shorthand'] ? this.text.slice(node.start, node.end) : this.pieces(node, inside);
      case 'PrivateIdentifier':
        return nameOf(node);
      default:
        return this.pieces(node, inside);
    }
  }

  parameters(node: Tree): string {
    return node['params'].map((one: Tree) => this.print(one, false)).join(', ');
  }

  step(inside: boolean, operation: string, operands: readonly Tree[]): string {
    if (!inside) throw new Error(`generatorize: shared access outside of a rewritten function (${operation})`);
    return `(yield ['${operation}', ${operands.map((operand) => this.print(operand, inside)).join(', ')}])`;
  }

  delegate(inside: boolean, call: string): string {
    if (!inside) throw new Error(`generatorize: ${call} outside of a rewritten function`);
    return `(yield* ${call})`;
  }

  /** The text with each child printed in its place. */
  pieces(node: Tree, inside: boolean): string {
    let result = '';
    let at = node.start;
    for (const child of childrenOf(node)) {
      result += this.text.slice(at, child.start) + this.print(child, inside);
      at = child.end;
    }
    return result + this.text.slice(at, node.end);
  }
}
