/**
 * Where functions are plugged in: the codec knows that a function has a reducer, not how a closure
 * is read. `reduction/index.ts` sets the one of `closures/`.
 */
import { types } from 'node:util';
import { Refused } from './messages.js';
import type { Reduction } from './node.js';

let reducer: ((fn: Function) => Reduction) | undefined;
let references: ((value: object) => Reduction | null) | undefined;
let functionHooks: FunctionHooks | undefined;
/** Messages being written: a reducer may write one of its own. */
let depth = 0;

/** What the closure compiler does for the codec, beside reducing functions. */
export interface FunctionHooks {
  /** A message begins. */
  begin(): void;
  /** The message is written: what was noted for its functions is of no use any more. */
  end(): void;
  /** Returns whether the text is a class whose instances have #private members. */
  declaresPrivates(source: string): boolean;
  /**
   * Returns what belongs to an instance, is no property of it and does not travel with its class.
   */
  hiddenParts(instance: object): readonly object[];
  /** Returns how many entries a WeakMap or WeakSet has; 0 where that cannot be told. */
  weakSize(weak: object): number;
}

/**
 * Sets what turns functions and classes into reductions; `undefined` makes them refused.
 * `reduceReference` finds objects full of functions that the other side has too, such as `fs` or a
 * module's exports. Without `hooks` those that are set stay.
 */
export function setFunctionReducer(
  reduce: ((fn: Function) => Reduction) | undefined,
  reduceReference?: (value: object) => Reduction | null,
  hooks?: FunctionHooks,
): void {
  reducer = reduce;
  references = reduceReference;
  if (hooks !== undefined) functionHooks = hooks;
}

/**
 * The WeakMaps and WeakSets in which a class that goes by reference keeps the #private members of
 * its instances.
 */
export function hiddenPartsOf(instance: object): readonly object[] {
  return functionHooks?.hiddenParts(instance) ?? [];
}

/** How many entries a WeakMap or WeakSet has; 0 where that cannot be told. */
export function weakSizeOf(weak: object): number {
  return functionHooks?.weakSize(weak) ?? 0;
}

/** A message begins. */
export function enterMessage(): void {
  if (depth++ === 0) functionHooks?.begin();
}

/** Ends {@link enterMessage}. */
export function leaveMessage(): void {
  if (--depth === 0) functionHooks?.end();
}

/**
 * A function is to be sent, and what that takes was left to be loaded when it is needed
 * (receiving.ts). No SerializationError: the value can be sent.
 */
class SendingNotLoaded extends Error {}

let deferred = false;

/**
 * Returns whether the text is a class whose instances have #private members.
 * @throws SendingNotLoaded.
 */
export function declaresPrivates(source: string): boolean {
  if (functionHooks === undefined && deferred) throw new SendingNotLoaded();
  return functionHooks?.declaresPrivates(source) ?? false;
}

/** Whether functions can be sent: what that takes was loaded. */
export function sendsFunctions(): boolean {
  return reducer !== undefined;
}

/**
 * From here on, until {@link setFunctionReducer} is called, functions throw {@link
 * SendingNotLoaded}.
 */
export function deferSending(): void {
  deferred = true;
}

/**
 * The reference to an object with functions or getters of its own that the other side has too, or
 * `null`. Data is never looked up.
 */
export function reduceReferenceTo(value: object): Reduction | null {
  if (references === undefined && !deferred) return null;
  if (!isMoreThanData(value)) return null;
  if (references === undefined) throw new SendingNotLoaded();
  return references(value);
}

/** Exports that a compiler wrote may be nothing but getters. */
function isMoreThanData(value: object): boolean {
  if (types.isModuleNamespaceObject(value)) return true;
  for (const key of Object.keys(value)) {
    const descriptor = Object.getOwnPropertyDescriptor(value, key);
    if (typeof descriptor?.value === 'function' || descriptor?.get !== undefined) return true;
  }
  return false;
}

/** Reduces a function or class. @throws what the reducer throws. */
export function reduceFunction(fn: Function): Reduction {
  if (reducer !== undefined) return reducer(fn);
  if (deferred) throw new SendingNotLoaded();
  throw new Refused({
    code: 'MP_FUNCTION',
    what: fn.name === '' ? 'a function' : `function ${fn.name}`,
    why: 'no function reducer is set',
    repair: 'import the package through its public entry',
  });
}
