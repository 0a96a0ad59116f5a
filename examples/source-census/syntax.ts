import type { AnyNode, Program } from 'acorn';
import { addedPaths } from './complexity.js';
import { type FunctionNode, isFunction, namedBy } from './function-names.js';

/** One function, before offsets have become lines. */
export interface FoundFunction {
  readonly node: FunctionNode;
  readonly name: string;
  complexity: number;
}

/** How a source loads other modules: `import`/`export … from`, `import()`, and `require()` calls. */
export interface Imports {
  readonly static: number;
  readonly dynamic: number;
  readonly require: number;
}

/**
 * Visits every node once and counts.
 *
 * The stack is our own: generated sources nest deeper than the engine's. Code outside functions belongs to no
 * function; class field initialisers and static blocks belong to the function around the class.
 */
export function surveyTree(tree: Program, source: string): { functions: FoundFunction[]; imports: Imports } {
  const functions: FoundFunction[] = [];
  const imports = { static: 0, dynamic: 0, require: 0 };
  const names = new Map<AnyNode, string>();
  const nodes: AnyNode[] = [tree];
  const owners: (FoundFunction | undefined)[] = [undefined];

  for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
    let owner = owners.pop();
    const loads = importKind(node);
    if (loads !== undefined) imports[loads]++;
    const named = namedBy(node, source);
    if (named !== undefined) names.set(named[0], named[1]);
    if (isFunction(node)) {
      const own = node.type === 'ArrowFunctionExpression' ? undefined : node.id?.name;
      owner = { node, name: own ?? names.get(node) ?? '(anonymous)', complexity: 1 };
      functions.push(owner);
    } else if (owner !== undefined) {
      owner.complexity += addedPaths(node);
    }
    for (const child of children(node)) {
      nodes.push(child);
      owners.push(owner);
    }
  }
  return { functions, imports };
}

/** All nodes directly below, whatever the node's type: a field that is a node, or a list with nodes (and holes) in it. */
function children(node: AnyNode): AnyNode[] {
  const found: AnyNode[] = [];
  for (const field of Object.values(node) as unknown[]) {
    if (Array.isArray(field)) {
      for (const item of field as unknown[]) if (isNode(item)) found.push(item);
    } else if (isNode(field)) found.push(field);
  }
  return found;
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';
}

function importKind(node: AnyNode): keyof Imports | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
      return 'static';
    case 'ExportNamedDeclaration':
      return node.source ? 'static' : undefined;
    case 'ImportExpression':
      return 'dynamic';
    case 'CallExpression':
      return node.callee.type === 'Identifier' && node.callee.name === 'require' && node.arguments.length > 0
        ? 'require'
        : undefined;
    default:
      return undefined;
  }
}
