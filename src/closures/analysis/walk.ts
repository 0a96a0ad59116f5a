/**
 * The walk over a syntax tree that builds its {@link Scope}s and notes what ties a function to its
 * surroundings beside names: an outer `this`, `super`, `new.target`, private names, direct `eval`,
 * `import.meta` and `import()`.
 *
 * "Outer" is relative to the node the walk starts at.
 */
import type * as acorn from 'acorn';
import { Findings } from './findings.js';
import { importedNames, requiredNames } from './import-names.js';
import { type BindingKind, type Owner, type Reference, Scope } from './scope.js';

type FunctionNode =
  | acorn.FunctionDeclaration
  | acorn.FunctionExpression
  | acorn.ArrowFunctionExpression
  | acorn.AnonymousFunctionDeclaration;
type ClassNode = acorn.ClassDeclaration | acorn.ClassExpression | acorn.AnonymousClassDeclaration;
type Node = acorn.AnyNode;

/**
 * What an expression sees of its surroundings: how many functions stand around it that give it a
 * `this`, a home object, …
 */
interface Context {
  readonly self: boolean;
  readonly home: boolean;
  readonly target: boolean;
  readonly privates: readonly Set<string>[];
}

const OUTSIDE: Context = { self: false, home: false, target: false, privates: [] };

/**
 * Walks a function or class on its own, but for the nodes that are `skipped`. `members` of the
 * class itself have a home.
 */
export function walkFunction(
  node: FunctionNode | ClassNode,
  strict: boolean,
  skipped?: ReadonlySet<acorn.AnyNode>,
): Findings {
  const walker = new Walker(skipped);
  walker.visit(node, new Scope(null, node.start, true, strict, owner('program', node.start)), OUTSIDE);
  return walker.findings;
}

/** Walks a function as a script is walked: its scope has nothing in it but what is around it. */
export function walkAround(node: FunctionNode | ClassNode): { findings: Findings; scope: Scope } {
  const walker = new Walker();
  const scope = new Scope(null, node.start, true, false, owner('program', node.start));
  walker.visit(node, scope, OUTSIDE);
  return { findings: walker.findings, scope };
}

/** Walks a script or module. */
export function walkProgram(program: acorn.Program): { findings: Findings; scope: Scope } {
  const walker = new Walker();
  const strict = program.sourceType === 'module' || hasUseStrict(program.body);
  const scope = new Scope(null, program.start, true, strict, owner('program', program.start));
  for (const statement of program.body) walker.visit(statement, scope, OUTSIDE);
  return { findings: walker.findings, scope };
}

function owner(kind: Owner['kind'], start: number, body = start, name: string | null = null): Owner {
  return { kind, start, body, name };
}

function fieldOwner({ start, key, computed, value }: acorn.PropertyDefinition): Owner {
  const known = computed
    ? null
    : key.type === 'Identifier'
      ? key.name
      : key.type === 'Literal'
        ? String(key.value)
        : null;
  return owner('field', start, unnamed(value)?.start ?? start, known);
}

/** esbuild keeps the names of functions by `__name(function, "name")`. */
function unnamed(value: acorn.Expression | null | undefined): acorn.AnyNode | null | undefined {
  const named =
    value?.type === 'CallExpression' && value.callee.type === 'Identifier' && value.callee.name.startsWith('__name');
  return named ? value.arguments[0] : value;
}

class Walker {
  readonly findings = new Findings();

  constructor(readonly skipped?: ReadonlySet<acorn.AnyNode>) {}

  visit(node: Node | null | undefined, scope: Scope, context: Context): void {
    if (node === null || node === undefined || this.skipped?.has(node) === true) return;
    switch (node.type) {
      case 'Identifier':
        this.#refer(node, scope, false);
        return;
      case 'ThisExpression':
        if (!context.self) this.#outerThis(null);
        return;
      case 'Super':
        if (!context.home) this.findings.outerSuper = true;
        return;
      case 'MetaProperty':
        if (node.meta.name === 'import') this.findings.importMeta.push({ start: node.start, end: node.end });
        else if (!context.target) this.findings.outerNewTarget = true;
        return;
      case 'ImportExpression':
        this.findings.dynamicImport = true;
        break;
      case 'WithStatement':
      case 'UnaryExpression':
      case 'Literal':
        if (!scope.strict && isReadByStrictness(node)) this.findings.strictnessMatters = true;
        break;
      case 'PrivateIdentifier':
        if (!context.privates.some((names) => names.has(node.name))) this.findings.outerPrivate ??= node.name;
        return;
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        this.#function(node, scope, context);
        return;
      case 'ClassDeclaration':
      case 'ClassExpression':
        this.#class(node, scope, context);
        return;
      case 'BlockStatement':
        this.#all(node.body, this.#block(node, scope), context);
        return;
      case 'ForStatement':
      case 'ForInStatement':
      case 'ForOfStatement':
        this.#loop(node, this.#loopScope(node, scope), context);
        return;
      case 'WhileStatement':
      case 'DoWhileStatement': {
        const inner = this.#loopScope(node, scope);
        this.visit(node.test, inner, context);
        this.visit(node.body, inner, context);
        return;
      }
      case 'SwitchStatement':
        this.visit(node.discriminant, scope, context);
        this.#all(node.cases, this.#block(node, scope), context);
        return;
      case 'CatchClause': {
        const inner = this.#block(node, scope);
        if (node.param) this.#declare(node.param, inner, 'catch', true, context);
        this.visit(node.body, inner, context);
        return;
      }
      case 'VariableDeclaration':
        for (const declarator of node.declarations) {
          const kind = node.kind === 'let' || node.kind === 'var' ? node.kind : 'const';
          const origins = requiredNames(declarator);
          const initialised = declarator.init !== null && declarator.init !== undefined;
          this.#pattern(declarator.id, scope, context, ({ name }) =>
            scope.declare(name, kind, initialised, origins.get(name)),
          );
          this.visit(declarator.init, scope, context);
        }
        return;
      case 'AssignmentExpression':
        this.#assign(node.left, scope, context);
        this.visit(node.right, scope, context);
        return;
      case 'UpdateExpression':
        this.#assign(node.argument as acorn.Pattern, scope, context);
        return;
      case 'MemberExpression':
        if (node.object.type === 'Identifier' && !node.computed && node.property.type === 'Identifier') {
          this.#refer(node.object, scope, false, 'member', node.property.name);
        } else if (node.object.type === 'ThisExpression' && !context.self && !node.computed) {
          this.#outerThis((node.property as acorn.Identifier | acorn.PrivateIdentifier).name);
        } else this.visit(node.object, scope, context);
        if (node.computed || node.property.type === 'PrivateIdentifier') this.visit(node.property, scope, context);
        return;
      case 'CallExpression':
        if (node.callee.type === 'Identifier') {
          if (node.callee.name === 'eval' && scope.lookup('eval') === null) this.findings.directEval = true;
          this.#refer(node.callee, scope, false, 'call');
        } else {
          // What is called on `this` needs all of it.
          if (node.callee.type === 'MemberExpression' && node.callee.object.type === 'ThisExpression' && !context.self)
            this.#outerThis(null);
          this.visit(node.callee, scope, context);
        }
        this.#all(node.arguments, scope, context);
        return;
      case 'TaggedTemplateExpression':
        if (node.tag.type === 'Identifier') this.#refer(node.tag, scope, false, 'call');
        else this.visit(node.tag, scope, context);
        this.visit(node.quasi, scope, context);
        return;
      case 'Property':
        this.#property(node, scope, context);
        return;
      case 'LabeledStatement':
        this.visit(node.body, scope, context);
        return;
      case 'BreakStatement':
      case 'ContinueStatement':
        return;
      case 'ImportDeclaration':
        this.#imports(node, scope);
        return;
      case 'ExportNamedDeclaration':
        this.visit(node.declaration, scope, context);
        return;
      case 'ExportDefaultDeclaration': {
        const declared = node.declaration as Node;
        // `export default function () {}` has no name to declare.
        if (declared.type === 'FunctionDeclaration' && !declared.id) this.#function(declared, scope, context);
        else this.visit(declared, scope, context);
        return;
      }
      case 'ExportAllDeclaration':
        return;
    }
    for (const value of Object.values(node) as unknown[]) {
      if (Array.isArray(value)) this.#all(value as Node[], scope, context);
      else if (isNode(value)) this.visit(value, scope, context);
    }
  }

  #outerThis(member: string | null): void {
    this.findings.outerThis = true;
    if (member === null) this.findings.thisMembers = null;
    else this.findings.thisMembers?.add(member);
  }

  #all(nodes: readonly (Node | null)[], scope: Scope, context: Context): void {
    for (const node of nodes) this.visit(node, scope, context);
  }

  #block(node: Node, scope: Scope): Scope {
    return new Scope(scope, node.start, false, scope.strict, scope.owner);
  }

  #loopScope(node: Node, scope: Scope): Scope {
    const inner = this.#block(node, scope);
    inner.repeats = true;
    return inner;
  }

  #refer(
    node: acorn.Identifier,
    scope: Scope,
    writes: boolean,
    use: Reference['use'] = 'plain',
    member: string | null = null,
  ): void {
    this.findings.references.push({ name: node.name, start: node.start, end: node.end, scope, writes, use, member });
  }

  #place(node: FunctionNode | ClassNode, scope: Scope): void {
    const same = this.findings.functions.get(node.end);
    const placed = { start: node.start, isDeclaration: node.type === 'FunctionDeclaration', scope };
    if (same === undefined) this.findings.functions.set(node.end, [placed]);
    else same.push(placed);
  }

  #loop(node: acorn.ForStatement | acorn.ForInStatement | acorn.ForOfStatement, scope: Scope, context: Context): void {
    if (node.type === 'ForStatement') {
      this.#all([node.init ?? null, node.test ?? null, node.update ?? null], scope, context);
    } else {
      if (node.left.type === 'VariableDeclaration') {
        const { kind } = node.left;
        // A `var` or an outer `let` gets a new value each turn; a `const` or `let` of the head is a
        // new binding each turn.
        for (const { id } of node.left.declarations) {
          this.#declare(id, scope, kind === 'var' || kind === 'let' ? kind : 'const', kind !== 'var', context);
        }
      } else this.#assign(node.left, scope, context);
      this.visit(node.right, scope, context);
    }
    this.visit(node.body, scope, context);
  }

  #property(node: acorn.Property | acorn.AssignmentProperty, scope: Scope, context: Context): void {
    if (node.computed) this.visit(node.key, scope, context);
    if (node.shorthand && node.value.type === 'Identifier') {
      this.#refer(node.value, scope, false, 'shorthand');
    } else if (node.value.type === 'FunctionExpression' && (node.method || node.kind !== 'init')) {
      this.#function(node.value, scope, { ...context, home: true });
    } else this.visit(node.value, scope, context);
  }

  #function(node: FunctionNode, scope: Scope, context: Context): void {
    this.#place(node, scope);
    if (!scope.strict && node.type !== 'ArrowFunctionExpression') this.findings.strictnessMatters = true;
    let around = scope;
    if (node.type === 'FunctionDeclaration') {
      if (node.id) {
        scope.declare(node.id.name, 'function', true);
        // Annex B: a function in a sloppy block is a `var` of the function around as well.
        if (!scope.strict && !scope.boundary) scope.declare(node.id.name, 'var', false);
      }
    } else if (node.type === 'FunctionExpression' && node.id) {
      around = new Scope(scope, node.start, false, scope.strict, scope.owner);
      around.declare(node.id.name, 'self', true);
    }
    const arrow = node.type === 'ArrowFunctionExpression';
    const strict = scope.strict || (node.body.type === 'BlockStatement' && hasUseStrict(node.body.body));
    const self = owner(arrow ? 'arrow' : 'function', node.start, node.body.start);
    const params = new Scope(around, node.start, true, strict, self);
    const inner: Context = arrow
      ? context
      : { self: true, home: context.home, target: true, privates: context.privates };
    // Only a method keeps the home object that its definition gave it; a plain function inside has
    // none.
    if (!arrow) params.declare('arguments', 'implicit', true);
    for (const param of node.params) this.#declare(param, params, 'param', true, inner);
    if (node.body.type !== 'BlockStatement') this.visit(node.body, params, inner);
    else this.#all(node.body.body, new Scope(params, node.body.start, true, strict, self), inner);
  }

  #class(node: ClassNode, scope: Scope, context: Context): void {
    this.#place(node, scope);
    if (node.type === 'ClassDeclaration' && node.id) scope.declare(node.id.name, 'class', true);
    const inner = new Scope(scope, node.start, false, true, scope.owner);
    if (node.id) inner.declare(node.id.name, 'self', true);
    this.visit(node.superClass, inner, context);
    const names = new Set<string>();
    for (const member of node.body.body) {
      if (member.type !== 'StaticBlock' && member.key.type === 'PrivateIdentifier') names.add(member.key.name);
    }
    const privates = [...context.privates, names];
    const body: Context = { self: true, home: true, target: true, privates };
    for (const member of node.body.body) {
      if (member.type === 'StaticBlock') {
        if (this.skipped?.has(member) === true) continue;
        this.#all(member.body, new Scope(inner, member.start, true, true, owner('block', member.start)), body);
        continue;
      }
      if (member.computed) this.visit(member.key, inner, { ...context, privates });
      if (member.type === 'MethodDefinition') this.#function(member.value, inner, body);
      else this.visit(member.value, new Scope(inner, member.start, true, true, fieldOwner(member)), body);
    }
  }

  #imports(node: acorn.ImportDeclaration, scope: Scope): void {
    for (const [name, from] of importedNames(node)) scope.declare(name, 'import', true, { from });
  }

  /** Declares the names of a pattern and walks its defaults and computed keys. */
  #declare(pattern: acorn.Pattern, scope: Scope, kind: BindingKind, initialised: boolean, context: Context): void {
    this.#pattern(pattern, scope, context, (name) => scope.declare(name.name, kind, initialised));
  }

  #assign(pattern: acorn.Pattern, scope: Scope, context: Context): void {
    this.#pattern(pattern, scope, context, (name, shorthand) =>
      this.#refer(name, scope, true, shorthand ? 'shorthand' : 'plain'),
    );
  }

  #pattern(
    node: acorn.Pattern,
    scope: Scope,
    context: Context,
    leaf: (name: acorn.Identifier, shorthand: boolean) => void,
  ): void {
    switch (node.type) {
      case 'Identifier':
        leaf(node, false);
        return;
      case 'ObjectPattern':
        for (const property of node.properties) {
          if (property.type === 'RestElement') {
            this.#pattern(property.argument, scope, context, leaf);
            continue;
          }
          if (property.computed) this.visit(property.key, scope, context);
          const { value } = property;
          if (property.shorthand && value.type === 'Identifier') leaf(value, true);
          else if (property.shorthand && value.type === 'AssignmentPattern' && value.left.type === 'Identifier') {
            leaf(value.left, true);
            this.visit(value.right, scope, context);
          } else this.#pattern(value, scope, context, leaf);
        }
        return;
      case 'ArrayPattern':
        for (const element of node.elements) if (element) this.#pattern(element, scope, context, leaf);
        return;
      case 'RestElement':
        this.#pattern(node.argument, scope, context, leaf);
        return;
      case 'AssignmentPattern':
        this.#pattern(node.left, scope, context, leaf);
        this.visit(node.right, scope, context);
        return;
      default:
        if (node.type === 'MemberExpression') this.#assignMember(node, scope, context);
        else this.visit(node, scope, context);
    }
  }

  /** What has a member assigned is needed as a whole. */
  #assignMember(node: acorn.MemberExpression, scope: Scope, context: Context): void {
    if (!scope.strict) this.findings.strictnessMatters = true;
    if (node.object.type === 'ThisExpression' && !context.self) this.#outerThis(null);
    if (node.object.type !== 'Identifier') {
      this.visit(node, scope, context);
      return;
    }
    this.#refer(node.object, scope, false);
    if (node.computed || node.property.type === 'PrivateIdentifier') this.visit(node.property, scope, context);
  }
}

function isReadByStrictness(node: acorn.WithStatement | acorn.UnaryExpression | acorn.Literal): boolean {
  if (node.type === 'UnaryExpression') return node.operator === 'delete';
  return node.type === 'WithStatement' || /^0\d|\\\d/.test(node.raw ?? '');
}

function hasUseStrict(body: readonly acorn.AnyNode[]): boolean {
  for (const statement of body) {
    if (statement.type !== 'ExpressionStatement' || typeof statement.directive !== 'string') return false;
    if (statement.directive === 'use strict') return true;
  }
  return false;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';
}
