/**
 * Lexical scopes of a piece of JavaScript: which names are declared where, and which references
 * reach which binding.
 *
 * References are resolved after the walk, so hoisting needs no pass of its own.
 */

/**
 * How a name was declared. `self` is the own name of a function or class expression, `implicit` is
 * `arguments`.
 */
export type BindingKind =
  | 'const'
  | 'let'
  | 'var'
  | 'param'
  | 'function'
  | 'class'
  | 'import'
  | 'catch'
  | 'self'
  | 'implicit';

/** A declared name. */
export interface Binding {
  readonly name: string;
  readonly kind: BindingKind;
  readonly scope: Scope;
  /** Whether it gets its value where it is declared, and so never changes unless `assigned`. */
  initialised: boolean;
  /** Whether anything assigns it after its declaration. */
  assigned: boolean;
  /**
   * Whether a function inside the one that declares it assigns it: then closures may tell each
   * other things through it.
   */
  assignedInside: boolean;
  /** Where an import binding comes from. */
  readonly from?: ImportOrigin;
  /** What a variable was filled with, if by `require`: `const { name } = require('specifier')`. */
  readonly required?: RequireOrigin;
}

/** The module and name behind an import binding. */
export interface ImportOrigin {
  readonly specifier: string;
  /** Exported name; `*` for the namespace. */
  readonly name: string;
  readonly attributes: Record<string, string>;
}

/** The module and name behind a variable that `require` fills. */
export interface RequireOrigin {
  readonly specifier: string;
  /** Name of the export; `null` for all of them. */
  readonly name: string | null;
  /** Whether what `require` gave was the argument of a call, such as a compiler puts around it. */
  readonly wrapped: boolean;
}

/** One use of a name. */
export interface Reference {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly scope: Scope;
  readonly writes: boolean;
  /**
   * `shorthand`: stands for key and value in `{ name }`; `call`: is the callee; `member`: is read
   * as `name.member`.
   */
  readonly use: 'plain' | 'shorthand' | 'call' | 'member';
  readonly member: string | null;
}

/**
 * What gives code its `this`, and what runs as one: a script, a function, the initial value of a
 * field, a static block.
 */
export interface Owner {
  readonly kind: 'program' | 'function' | 'arrow' | 'field' | 'block';
  readonly start: number;
  /** Where the body of a function starts, or the function that a field begins with. */
  readonly body: number;
  /** Name of a field, if its text gives it. */
  readonly name: string | null;
}

/** A lexical scope. `boundary` scopes hold the `var`s of a function, module or script. */
export class Scope {
  readonly bindings = new Map<string, Binding>();
  /** Whether it is the scope of a loop: what stands in it may run any number of times. */
  repeats = false;
  /** Of a root: what positions in the script exceed those in the text that was parsed by. */
  shift = 0;

  constructor(
    readonly parent: Scope | null,
    readonly start: number,
    readonly boundary: boolean,
    readonly strict: boolean,
    /** Two scopes of one function have the same. The root has its own. */
    readonly owner: Owner,
  ) {}

  /**
   * Declares `name` here, or for a `var` in the function around. A second declaration of a name
   * counts as an assignment.
   */
  declare(
    name: string,
    kind: BindingKind,
    initialised: boolean,
    origin: Pick<Binding, 'from' | 'required'> = {},
  ): void {
    const scope = kind === 'var' ? this.functionScope() : this;
    const known = scope.bindings.get(name);
    if (known !== undefined) {
      if (initialised && known.kind !== 'implicit') known.assigned = true;
      return;
    }
    scope.bindings.set(name, { name, kind, scope, initialised, assigned: false, assignedInside: false, ...origin });
  }

  /** The scope that holds the `var`s declared here. */
  functionScope(): Scope {
    let scope: Scope = this;
    while (!scope.boundary && scope.parent !== null) scope = scope.parent;
    return scope;
  }

  /** What encloses all. */
  get root(): Scope {
    let scope: Scope = this;
    while (scope.parent !== null) scope = scope.parent;
    return scope;
  }

  /** Where it starts in the script. */
  get position(): number {
    return this.start + this.root.shift;
  }

  /** The binding that `name` means here, or `null`. */
  lookup(name: string): Binding | null {
    for (let scope: Scope | null = this; scope !== null; scope = scope.parent) {
      const binding = scope.bindings.get(name);
      if (binding !== undefined) return binding;
    }
    return null;
  }
}

/**
 * Whether code in scope `from` runs at most once for each time that the scope `to` around it is
 * entered: neither a loop nor a function stands between.
 */
export function runsOnce(from: Scope, to: Scope): boolean {
  for (let scope = from; scope !== to; ) {
    // The parameters, the body and the own name of one function are scopes of their own.
    if (scope.repeats || scope.owner !== to.owner || scope.parent === null) return false;
    scope = scope.parent;
  }
  return true;
}

/** Marks the assignments on their bindings and returns the references that reach none. */
export function resolve(references: readonly Reference[]): Reference[] {
  const free: Reference[] = [];
  for (const reference of references) {
    const binding = reference.scope.lookup(reference.name);
    if (binding === null) {
      free.push(reference);
    } else if (reference.writes) {
      binding.assigned = true;
      if (reference.scope.owner !== binding.scope.owner) binding.assignedInside = true;
    }
  }
  return free;
}
