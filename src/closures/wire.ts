/**
 * The data of the kinds `function` and `class` as they cross: text, place, edits, and what fills
 * each name.
 *
 * Children are numbered in the order in which `Reduction.children` lists them.
 */
import type { ModuleExport } from '../modules/module-request.js';
import type { Form } from './analysis/syntax.js';
import type { CoverageShape } from './coverage.js';
import { badPayload } from './messages.js';

/** What a parameter of the factory around the text is filled with. */
export type Slot = { readonly name: string } & (
  | {
      readonly from: 'child';
      readonly child: number;
      /** The private static field that it is the value of. */
      readonly private?: string;
    }
  /** An object with these keys, from as many children. */
  | { readonly from: 'members'; readonly keys: readonly string[]; readonly child: number }
  /**
   * With `keys`: a namespace, of which these members come from as many children
   * (namespace-overlay.ts).
   */
  | {
      readonly from: 'module';
      readonly module: ModuleExport;
      readonly keys?: readonly string[];
      readonly child?: number;
    }
  /** Counters of coverage, or what gives them. */
  | { readonly from: 'coverage'; readonly shape: CoverageShape }
  /** The function itself. */
  | { readonly from: 'self' }
  /** CommonJS `require`, `import.meta`, `import()` as seen from a module. */
  | { readonly from: 'require' | 'meta' | 'import'; readonly url: string }
);

/**
 * A replacement in the text. An empty one blanks it out, so that what follows keeps its line and
 * column.
 */
export type Edit = readonly [start: number, end: number, replacement: string];

/** A property that the text alone does not give. Keys that are symbols are children. */
export interface ExtraProperty {
  readonly on: 'function' | 'prototype';
  readonly key: string | number;
  /** 1 writable, 2 enumerable, 4 configurable. */
  readonly flags: number;
  /** Child with the value, or -1 for an accessor. */
  readonly value: number;
  readonly get: number;
  readonly set: number;
}

/** A function or class. */
export interface FunctionData {
  readonly text: string;
  readonly form: Form;
  readonly strict: boolean;
  readonly name: string;
  /** Script the text stands in, and its zero-based place there; empty where unknown. */
  readonly url: string;
  readonly line: number;
  readonly column: number;
  readonly edits: readonly Edit[];
  readonly slots: readonly Slot[];
  /** Children with the outer `this` and `arguments` of an arrow, or -1. */
  readonly receiver: number;
  readonly args: number;
  /** Child with the identity of the prototype of a constructor function, or -1. */
  readonly identity: number;
  readonly extras: readonly ExtraProperty[];
  /**
   * Children with the prototypes of the function and of its `prototype`, or -1 where they are the
   * usual ones.
   */
  readonly parent: number;
  readonly prototypeParent: number;
  /** `Reduction.stateless`, kept for sending on. */
  readonly stateless: boolean;
  /** Classes have an identity that both sides keep. */
  readonly id: string;
}

/**
 * Checks the shape that the other functions here rely on.
 * @throws SerializationError `MP_BAD_PAYLOAD`.
 */
export function checkFunctionData(data: unknown): FunctionData {
  const { text, slots, edits, extras } = (data ?? {}) as Partial<FunctionData>;
  if (typeof text !== 'string' || !Array.isArray(slots) || !Array.isArray(edits) || !Array.isArray(extras)) {
    throw badPayload('a function without text');
  }
  return data as FunctionData;
}

/** The modules a function's slots need. */
export function requestsOf(data: unknown): ModuleExport[] {
  return checkFunctionData(data).slots.flatMap((slot) => (slot.from === 'module' ? [slot.module] : []));
}
