/**
 * What the built-in containers have in common: they are created empty, then get `base` children of
 * their own (elements, entries, a class) and their extra properties, and are frozen or sealed last.
 *
 * Children: 0 number of base children | 1 integrity | base … | properties …
 * A container with late children is filled twice: with `undefined` in their places, so that order
 * is kept, and again when the last one is there; only then it is frozen.
 */
import { badPayload } from '../messages.js';
import type { Built, NodeKind, Reduction } from '../node.js';
import { defineProperties, propertyLabel } from './properties.js';

/** Where the base children start. */
export const BASE = 2;

const Integrity = { open: 0, fixed: 1, sealed: 2, frozen: 3 } as const;

/** How one sort of container is made and filled. */
export interface ShellSpec<T extends object> {
  readonly tag: string;
  /** Makes an empty one. `data` comes from the peer. */
  create(data: unknown): T;
  /**
   * Gives it the base children, `children[BASE, end)`. Called a second time when some were late.
   */
  fill?(target: T, children: readonly unknown[], end: number, final: boolean): void;
}

/** The kind of such a container. */
export function shellKind<T extends object>(spec: ShellSpec<T>): NodeKind {
  return {
    tag: spec.tag,
    shell: true,
    build(data): Built {
      const value = spec.create(data);
      let kept: unknown[] = [];
      let missing = 0;
      return {
        value,
        fill(children, late) {
          missing = late.length;
          if (missing > 0) kept = [...children];
          fillShell(spec, value, children, missing === 0);
        },
        set(index, child) {
          kept[index] = child;
          missing--;
          if (missing === 0) fillShell(spec, value, kept, true);
        },
      };
    },
  };
}

/**
 * Reduces a container to its kind, `data`, base children and properties (as `pushProperties` lists
 * them).
 */
export function shell(
  kind: string,
  data: unknown,
  value: object,
  base: readonly unknown[],
  properties: readonly unknown[],
  baseLabel: (index: number) => string,
): Reduction {
  const integrity = integrityOf(value);
  const children = [base.length, integrity];
  const all: unknown[] = children;
  for (const child of base) all.push(child);
  for (const child of properties) all.push(child);
  const still = integrity === Integrity.frozen && base.length === 0;
  return {
    kind,
    data,
    children: all,
    label(index) {
      if (index < BASE + base.length) return index < BASE ? '' : baseLabel(index - BASE);
      return propertyLabel(all, BASE + base.length, index);
    },
    stateless: still,
    constant: still,
  };
}

/** How far an object is closed: 0 open, 1 not extensible, 2 sealed, 3 frozen. */
export function integrityOf(value: object): number {
  if (Object.isExtensible(value)) return Integrity.open;
  if (ArrayBuffer.isView(value)) return Integrity.fixed;
  if (Object.isFrozen(value)) return Integrity.frozen;
  return Object.isSealed(value) ? Integrity.sealed : Integrity.fixed;
}

/** Closes an object as far as the original was. */
export function restoreIntegrity(value: object, integrity: unknown): void {
  if (integrity === Integrity.frozen) Object.freeze(value);
  else if (integrity === Integrity.sealed) Object.seal(value);
  else if (integrity === Integrity.fixed) Object.preventExtensions(value);
  else if (integrity !== Integrity.open) throw badPayload('an object has an unknown state');
}

function fillShell<T extends object>(spec: ShellSpec<T>, value: T, children: readonly unknown[], final: boolean): void {
  const count = children[0];
  if (typeof count !== 'number' || !Number.isInteger(count) || count < 0 || count > children.length - BASE) {
    throw badPayload('a container has a wrong count');
  }
  spec.fill?.(value, children, BASE + count, final);
  defineProperties(value, children, BASE + count, final);
  if (final) restoreIntegrity(value, children[1]);
}
