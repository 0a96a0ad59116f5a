/**
 * The vocabulary of the node table: how a value that is no plain data crosses to another process.
 *
 * A reducer turns a value into a {@link Reduction}: the name of a {@link NodeKind}, plain data, and
 * child values, which are reduced in their turn. The kind rebuilds it on the other side.
 *
 * Order on the wire. A `shell` kind (array, object, Map, …) is created empty before its children
 * are written and filled after them, so that children may refer back to it. A kind that is built
 * whole (function, class, reduced value, …) comes after its children; a child that is itself still
 * being written at that moment (a cycle through captures) is *late*: it is set after both exist.
 */
import type { ModuleRequest } from '../modules/module-request.js';

/** A value on its way: what rebuilds it, and from what. */
export interface Reduction {
  /** {@link NodeKind.tag} of the kind that rebuilds it. */
  readonly kind: string;
  /** Data of the kind's own: plain (what msgpack carries without loss), not walked. */
  readonly data: unknown;
  /** Child values, walked and rebuilt in this order. */
  readonly children: readonly unknown[];
  /** What each child is called in an error's path: `captured \`db\``, `.socket`, `[3]`. */
  label(index: number): string;
  /**
   * What the value itself is called in an error's path, if it is a function: `function f
   * (file:///main.js:3)`.
   */
  readonly actor?: string;
  /**
   * Values that belong to it and are no children: those travel as well, once the children are
   * written.
   */
  readonly beside?: readonly object[];
  /**
   * What to do when this child cannot be sent, if it is better than what the value at fault
   * advises.
   */
  advice?(index: number): string | undefined;
  /** Indices of children that cannot come late: what a class extends. */
  readonly needs?: readonly number[];
  /** Indices of children that are WeakMaps or WeakSets of which it does no more than read entries. */
  readonly onlyReads?: ReadonlySet<number>;
  /**
   * Whether the rebuilt value carries no state of its own that a call could change (a function
   * whose captures are never assigned), so that one rebuilt copy may serve any number of tasks.
   * Default `false`.
   */
  readonly stateless?: boolean;
  /**
   * Whether reducing the same value again would always give the same result, apart from its
   * children (a function has fixed source and its captured bindings are constant), so that the
   * bytes may be cached. Default `false`.
   */
  readonly constant?: boolean;
}

/** A rebuilt value, and how to give it the children that came late. */
export interface Built {
  /** The value itself. */
  readonly value: unknown;
  /**
   * Fills child `index` in. Present whenever the kind was told of late children, and for every
   * shell.
   */
  set?(index: number, child: unknown): void;
  /**
   * For shells that want their children at once: called instead of `set` when the shell is filled.
   * Children at the indices in `late` are `undefined` and come through `set` afterwards.
   */
  fill?(children: readonly unknown[], late: readonly number[]): void;
}

/** How one sort of value is rebuilt. */
export interface NodeKind {
  /** Its name on the wire: short, unique. */
  readonly tag: string;
  /**
   * Whether its data says what the value is made of and not what it holds, so that many values have
   * the same: see graph/code-book.ts.
   */
  readonly code?: boolean;
  /** Whether it is created before its children (all of which are then late) or after them. */
  readonly shell: boolean;
  /**
   * Module URLs that must be loaded before `build` is called. Asked on the receiving side, before
   * anything is built.
   */
  modules?(data: unknown): Iterable<ModuleRequest>;
  /**
   * Rebuilds the value.
   *
   * @param data The reduction's plain data. Comes from the peer: check before trusting its shape.
   * @param children The children built so far, `undefined` at late places.
   * @param late Indices of `children` that will come through `set`.
   */
  build(data: unknown, children: unknown[], late: readonly number[]): Built;
}
