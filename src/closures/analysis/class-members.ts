/**
 * The members of a class as its text has them. Some are there for what happens when the class is
 * made: static blocks, initial values of static fields, computed names, the `extends` expression.
 * On the other side the class is made as it is now, and none of that runs.
 */
import type * as acorn from 'acorn';
import type { Span } from './findings.js';

/** A member of a class. Positions are relative to the text of the class. */
export interface ClassMember extends Span {
  readonly kind: 'block' | 'field' | 'method' | 'get' | 'set' | 'constructor';
  readonly isStatic: boolean;
  /** Its name if the text gives it; with `#` if it is private. `null` for a computed one. */
  readonly name: string | null;
  readonly isPrivate: boolean;
  /** The name in the text, brackets included. `null` for a static block. */
  readonly key: Span | null;
  /** The initial value of a field. */
  readonly value: Span | null;
}

/** Lists the members. `offset` is what positions of nodes exceed those in `text` by. */
export function classMembers({ body }: acorn.ClassExpression, text: string, offset: number): ClassMember[] {
  return body.body.map((member): ClassMember => {
    const span = { start: member.start - offset, end: member.end - offset };
    if (member.type === 'StaticBlock') {
      return { ...span, kind: 'block', isStatic: true, name: null, isPrivate: false, key: null, value: null };
    }
    const isField = member.type === 'PropertyDefinition';
    const value =
      isField && member.value ? { start: member.value.start - offset, end: member.value.end - offset } : null;
    return {
      ...span,
      kind: isField ? 'field' : member.kind,
      isStatic: member.static,
      name: nameOf(member),
      isPrivate: member.key.type === 'PrivateIdentifier',
      key: keyOf(member, text, offset),
      value,
    };
  });
}

function nameOf({ key, computed }: acorn.MethodDefinition | acorn.PropertyDefinition): string | null {
  if (key.type === 'PrivateIdentifier') return `#${key.name}`;
  if (computed) return null;
  return key.type === 'Identifier' ? key.name : key.type === 'Literal' ? String(key.value) : null;
}

function keyOf(
  { key, computed }: acorn.MethodDefinition | acorn.PropertyDefinition,
  text: string,
  offset: number,
): Span {
  const start = key.start - offset;
  const end = key.end - offset;
  return computed ? { start: text.lastIndexOf('[', start - 1), end: text.indexOf(']', end) + 1 } : { start, end };
}

/** What is not evaluated on the other side. */
export function unevaluated({ superClass, body }: acorn.ClassExpression): Set<acorn.AnyNode> {
  const skipped = new Set<acorn.AnyNode>();
  if (superClass && superClass.type !== 'Identifier') skipped.add(superClass);
  for (const member of body.body) {
    if (member.type === 'StaticBlock') {
      skipped.add(member);
    } else if (member.type === 'MethodDefinition') {
      if (member.computed) skipped.add(member.key);
    } else if (member.static) {
      if (member.computed) skipped.add(member.key);
      if (member.value) skipped.add(member.value);
    }
  }
  return skipped;
}

/** The computed names of fields of instances: V8 keeps what they gave and shows it to nobody. */
export function fieldKeys({ body }: acorn.ClassExpression): acorn.Expression[] {
  return body.body.flatMap((member) => {
    if (member.type !== 'PropertyDefinition' || member.static || !member.computed) return [];
    return member.key.type === 'PrivateIdentifier' ? [] : [member.key];
  });
}

/**
 * Whether it would give the same once more and change nothing. Calls of globals' members
 * (`Symbol.for('x')`) count as such.
 */
export function isRepeatable(node: acorn.Expression, isGlobal: (name: string) => boolean): boolean {
  switch (node.type) {
    case 'Literal':
    case 'Identifier':
      return true;
    case 'MemberExpression':
      return (
        node.object.type !== 'Super' &&
        isRepeatable(node.object, isGlobal) &&
        (!node.computed || isRepeatable(node.property as acorn.Expression, isGlobal))
      );
    case 'TemplateLiteral':
      return node.expressions.every((each) => isRepeatable(each, isGlobal));
    case 'BinaryExpression':
      return (
        node.left.type !== 'PrivateIdentifier' &&
        isRepeatable(node.left, isGlobal) &&
        isRepeatable(node.right, isGlobal)
      );
    case 'CallExpression': {
      const { callee } = node;
      const owner = callee.type === 'MemberExpression' ? callee.object : callee;
      const known = owner.type === 'Identifier' && isGlobal(owner.name);
      return known && node.arguments.every((each) => each.type !== 'SpreadElement' && isRepeatable(each, isGlobal));
    }
    case 'ParenthesizedExpression':
      return isRepeatable(node.expression, isGlobal);
    default:
      return false;
  }
}
