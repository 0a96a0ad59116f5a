import type { AnyNode } from 'acorn';

/** The rule, in one line of a report. */
export const COMPLEXITY_RULE =
  '1 + if, ?:, for, for-in, for-of, while, do, case (not default), catch, && || ?? and their assignments; nested functions count for themselves';

/**
 * How many paths a node adds to the function around it: T. J. McCabe, "A Complexity Measure", 1976, with
 * every short-circuit operator taken as the `if` it stands for, and `catch` as the branch it is.
 * `default`, `else`, `finally`, `?.` and default values add none.
 */
export function addedPaths(node: AnyNode): 0 | 1 {
  switch (node.type) {
    case 'IfStatement':
    case 'ConditionalExpression':
    case 'ForStatement':
    case 'ForInStatement':
    case 'ForOfStatement':
    case 'WhileStatement':
    case 'DoWhileStatement':
    case 'CatchClause':
    case 'LogicalExpression':
      return 1;
    case 'SwitchCase':
      return node.test ? 1 : 0;
    case 'AssignmentExpression':
      return node.operator === '&&=' || node.operator === '||=' || node.operator === '??=' ? 1 : 0;
    default:
      return 0;
  }
}
