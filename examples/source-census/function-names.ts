import type { AnyNode, ArrowFunctionExpression, FunctionDeclaration, FunctionExpression } from 'acorn';

/** The three node types that are functions; methods and accessors hold a FunctionExpression. */
export type FunctionNode = FunctionDeclaration | FunctionExpression | ArrowFunctionExpression;

export function isFunction(node: AnyNode | null | undefined): node is FunctionNode {
  return (
    node?.type === 'FunctionExpression' ||
    node?.type === 'ArrowFunctionExpression' ||
    node?.type === 'FunctionDeclaration'
  );
}

/** The function that `parent` gives a name to, with that name: `const f = () => …`, `{ f() {} }`, `a.b = function …`, `class { f() {} }`. */
export function namedBy(parent: AnyNode, source: string): [node: FunctionNode, name: string] | undefined {
  switch (parent.type) {
    case 'VariableDeclarator':
      return isFunction(parent.init) ? [parent.init, text(parent.id, source)] : undefined;
    case 'AssignmentExpression':
      return isFunction(parent.right) ? [parent.right, text(parent.left, source)] : undefined;
    case 'AssignmentPattern':
      return isFunction(parent.right) ? [parent.right, text(parent.left, source)] : undefined;
    case 'Property':
    case 'MethodDefinition':
    case 'PropertyDefinition':
      return isFunction(parent.value) ? [parent.value, accessor(parent) + key(parent, source)] : undefined;
    case 'ExportDefaultDeclaration':
      return isFunction(parent.declaration) ? [parent.declaration, 'default'] : undefined;
    default:
      return undefined;
  }
}

function accessor(node: { type: string; kind?: string }): string {
  return node.kind === 'get' || node.kind === 'set' ? `${node.kind} ` : '';
}

function key(node: { key: AnyNode; computed: boolean }, source: string): string {
  return node.computed ? `[${text(node.key, source)}]` : text(node.key, source);
}

/** A piece of source short enough for a table, on one line. */
function text(node: AnyNode, source: string): string {
  const whole = source.slice(node.start, Math.min(node.end, node.start + 200)).replaceAll(/\s+/g, ' ');
  return whole.length > 40 ? `${whole.slice(0, 39)}…` : whole;
}
