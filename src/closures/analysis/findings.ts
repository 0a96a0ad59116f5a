/** What the walk over a syntax tree notes of it, see walk.ts. */
import type { Reference, Scope } from './scope.js';

/** A span of text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Everything the walk found. */
export class Findings {
  readonly references: Reference[] = [];
  readonly importMeta: Span[] = [];
  dynamicImport = false;
  directEval = false;
  outerThis = false;
  /**
   * The members that are read of it; `null` when it is used otherwise: called on, assigned to,
   * handed on.
   */
  thisMembers: Set<string> | null = new Set<string>();
  outerNewTarget = false;
  outerSuper = false;
  /**
   * Whether code of its own may do something else if it is strict: a function that is no arrow, an
   * assignment to a member, `delete`, a number such as 010.
   */
  strictnessMatters = false;
  /** First private name used that no class inside declares. */
  outerPrivate: string | null = null;
  /** Functions and classes by where they end: nested arrows may end together. */
  readonly functions = new Map<number, Placed[]>();
}

/**
 * A function or class and the scope it stands in: what is kept of its node, which would keep the
 * whole tree.
 */
export interface Placed {
  /** A method starts at its parameters. */
  readonly start: number;
  readonly isDeclaration: boolean;
  readonly scope: Scope;
}
