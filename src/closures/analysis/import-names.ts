/** The names that `import` and `require` declare, and what of a module each is. */
import type * as acorn from 'acorn';
import type { Binding, ImportOrigin } from './scope.js';

/** The name in `import { name as … }`, which may be a string. */
export function exportedName(node: acorn.Identifier | acorn.Literal): string {
  return node.type === 'Identifier' ? node.name : String(node.value);
}

/** The names that an import declares, and where each comes from. */
export function importedNames(node: acorn.ImportDeclaration): [name: string, from: ImportOrigin][] {
  const attributes: Record<string, string> = {};
  for (const { key, value } of node.attributes ?? []) {
    attributes[key.type === 'Identifier' ? key.name : String(key.value)] = String(value.value);
  }
  return node.specifiers.map((item) => {
    const name =
      item.type === 'ImportNamespaceSpecifier'
        ? '*'
        : item.type === 'ImportDefaultSpecifier'
          ? 'default'
          : exportedName(item.imported);
    return [item.local.name, { specifier: String(node.source.value), name, attributes }];
  });
}

/**
 * `const a = require('x')`, `const { b, c: d } = require('x')`, `const e = require('x').f`: the
 * names, and what of the module they are.
 */
export function requiredNames({ id, init }: acorn.VariableDeclarator): ReadonlyMap<string, Pick<Binding, 'required'>> {
  const found = new Map<string, Pick<Binding, 'required'>>();
  const isMember = init?.type === 'MemberExpression' && !init.computed && init.property.type === 'Identifier';
  const call = isMember ? init.object : init;
  const specifier = requiredModule(call);
  if (specifier === null) return found;
  const wrapped = !isRequire(call as acorn.CallExpression);
  if (id.type === 'Identifier') {
    found.set(id.name, {
      required: { specifier, name: isMember ? (init.property as acorn.Identifier).name : null, wrapped },
    });
  } else if (id.type === 'ObjectPattern' && !isMember) {
    for (const property of id.properties) {
      if (property.type !== 'Property' || property.computed || property.value.type !== 'Identifier') continue;
      const { key } = property;
      const name = key.type === 'Identifier' ? key.name : String((key as acorn.Literal).value);
      found.set(property.value.name, { required: { specifier, name, wrapped } });
    }
  }
  return found;
}

/**
 * The specifier of a call of `require`, also as the argument of what a compiler puts around it,
 * whatever that is called.
 */
function requiredModule(node: acorn.AnyNode | null | undefined): string | null {
  if (node?.type !== 'CallExpression') return null;
  const [argument] = node.arguments;
  if (!isRequire(node)) return requiredModule(argument);
  return argument?.type === 'Literal' && typeof argument.value === 'string' ? argument.value : null;
}

function isRequire({ callee }: acorn.CallExpression): boolean {
  return callee.type === 'Identifier' && callee.name === 'require';
}
