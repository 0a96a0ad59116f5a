/** #private members, as the text of a class declares them. */
import { parseFunction } from './syntax.js';

/** Returns whether the text is a class whose instances have #private members. */
export function declaresPrivates(source: string): boolean {
  const node = parseFunction(source)?.node;
  // What does not parse alone (names of an outer class) is for the function reducer to judge.
  if (node?.type !== 'ClassExpression') return false;
  return node.body.body.some(
    (member) => !('static' in member && member.static) && 'key' in member && member.key.type === 'PrivateIdentifier',
  );
}
