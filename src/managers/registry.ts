/**
 * The types of managers: what a manager class can make in its server, and what of it may be
 * reached.
 *
 *   BaseManager.register(typeid, callable, options)      a type of one class and its subclasses
 *   defineTypes(module, { typeid: options })             types that a module brings: servers and
 *                                                        clients load it by its URL, so that no
 *                                                        code of theirs is sent
 *
 * The object that `callable` returns stays in the server: the referent. Of it, exactly the exposed
 * names can be reached, by proxies and by hand-made frames alike: they are fixed when it is
 * registered, and a frame names one by its place in that list.
 */
import { ArgumentError } from '../errors/index.js';
import { checkBoolean, checkFunction, checkOptions, describe } from '../util/options.js';

/** Makes a referent in the server. */
// biome-ignore lint/suspicious/noExplicitAny: any parameter list
export type Maker<T = any, A extends any[] = any[]> = (...args: A) => T | PromiseLike<T>;

/** A class whose instances stand for referents, see `BaseProxy`. */
// biome-ignore lint/suspicious/noExplicitAny: any parameter list
export type ProxyType = abstract new (...args: any[]) => object;

/** How the objects of a type are reached. */
export interface TypeOptions {
  /**
   * Methods and properties that can be reached. Default: the public ones, that is, all that do not
   * begin with an underscore.
   */
  readonly exposed?: readonly string[] | undefined;
  /** Methods whose result stays in the server and arrives as a proxy, by the type it gets. */
  readonly methodToTypeid?: Readonly<Record<string, string>> | undefined;
  /**
   * The class of the proxies: one that extends `BaseProxy`. Exposed names that it does not define
   * are added. Default: `BaseProxy`.
   */
  readonly proxyType?: ProxyType | undefined;
  /** Whether the manager gets a method of the type's name, which makes one. Default `true`. */
  readonly createMethod?: boolean | undefined;
  /**
   * What becomes of functions among a method's arguments: `'callback'` (default): they stay, and
   * are called back; `'value'`: they are sent, and run in the server. Classes, and what `task()`
   * made, are always sent.
   */
  readonly functions?: 'callback' | 'value' | undefined;
  /** What `getValue()` sends. Default: the referent. */
  readonly value?: ((referent: never) => unknown) | undefined;
  /**
   * Called in the server when nothing refers to the referent any more, and for those that are left
   * when the server ends.
   */
  readonly release?: ((referent: never) => unknown) | undefined;
  /**
   * Whether what is made stays until the server ends, also when no client refers to it. Default
   * `false`.
   */
  readonly lasting?: boolean | undefined;
}

/** A type. */
export interface ManagedType extends TypeOptions {
  /** Makes a referent; `undefined` for a type that only results of methods have. */
  readonly callable?: Maker | undefined;
  /** The module that defines it, by {@link defineTypes}. */
  readonly module?: string | undefined;
}

const TYPE_OPTIONS = [
  'callable',
  'exposed',
  'methodToTypeid',
  'proxyType',
  'createMethod',
  'functions',
  'value',
  'release',
  'lasting',
];

/** Names that no referent has for anybody: they lead out of it. */
const NEVER_EXPOSED = new Set([
  'constructor',
  '__proto__',
  'prototype',
  '__defineGetter__',
  '__defineSetter__',
  '__lookupGetter__',
  '__lookupSetter__',
]);
/** What every proxy has of its own; `then` would make it a promise. */
const PROXY_METHODS = new Set(['callMethod', 'getValue', 'then']);

/** Returns whether a name may be exposed at all. */
export function mayBeExposed(name: unknown): name is string {
  return typeof name === 'string' && name !== '' && !NEVER_EXPOSED.has(name) && !PROXY_METHODS.has(name);
}

/**
 * Types that modules define, by typeid and module. On globalThis, since a test runner may load a
 * module twice.
 */
const defined = new Map<string, ManagedType>();

/**
 * Defines the types of a module, which registers them when it is loaded. A server, and whoever is
 * sent a proxy, loads it when it does not know the type yet.
 *
 * @param module its `import.meta.url`.
 * @throws ArgumentError.
 * @example
 * import { parentProcess } from 'multiprocess';
 * import { BaseManager, defineTypes, type Remote } from 'multiprocess/managers';
 *
 * class Counter {
 *   n = 0;
 *   next() {
 *     return ++this.n;
 *   }
 * }
 * defineTypes(import.meta.url, { Counter: { callable: () => new Counter() } });
 *
 * class Counters extends BaseManager {
 *   declare Counter: () => Promise<Remote<Counter>>;
 * }
 * Counters.register('Counter');
 *
 * if (parentProcess() === null) {
 *   // Not in the server, which loads this file, too.
 *   await using counters = new Counters();
 *   await counters.start();
 *   const counter = await counters.Counter();
 *   console.log(await counter.next()); // 1
 * }
 */
export function defineTypes(
  module: string,
  types: Readonly<Record<string, TypeOptions & { readonly callable?: Maker }>>,
): void {
  for (const [typeid, options] of Object.entries(types)) {
    defined.set(typeid, { ...checkType('defineTypes', typeid, options), module });
  }
}

/** Returns a type that a module defined and that is known here. */
export function definedType(typeid: string): ManagedType | undefined {
  return defined.get(typeid);
}

/** A type as `register` is given it. @throws ArgumentError. */
export function checkType(actor: string, typeid: unknown, options: ManagedType): ManagedType {
  if (typeof typeid !== 'string' || typeid === '')
    throw new ArgumentError(`${actor}: the typeid must be a name, not ${describe(typeid)}.`);
  checkOptions(actor, options, TYPE_OPTIONS);
  const { callable, exposed, methodToTypeid, proxyType, functions } = options;
  checkBoolean(actor, 'createMethod', options.createMethod);
  checkBoolean(actor, 'lasting', options.lasting);
  if (callable !== undefined) checkFunction(actor, 'callable', callable);
  if (proxyType !== undefined) checkFunction(actor, 'proxyType', proxyType);
  if (options.value !== undefined) checkFunction(actor, 'value', options.value);
  if (options.release !== undefined) checkFunction(actor, 'release', options.release);
  if (functions !== undefined && functions !== 'callback' && functions !== 'value') {
    throw new ArgumentError(`${actor}: \`functions\` must be 'callback' or 'value', not ${describe(functions)}.`);
  }
  if (exposed !== undefined) {
    if (!Array.isArray(exposed))
      throw new ArgumentError(`${actor}: \`exposed\` must be an array of names, not ${describe(exposed)}.`);
    const bad = exposed.find((name) => !mayBeExposed(name)) as unknown;
    if (bad !== undefined)
      throw new ArgumentError(`${actor}: ${describe(bad)} cannot be exposed; leave it out of \`exposed\`.`);
  }
  for (const [name, of] of Object.entries(methodToTypeid ?? {})) {
    if (typeof of === 'string' && mayBeExposed(name)) continue;
    throw new ArgumentError(`${actor}: \`methodToTypeid.${name}\` must be a typeid, not ${describe(of)}.`);
  }
  return options;
}

/** Returns whether a function is a class: it is made by `new`, not called. */
export function isClass(value: unknown): boolean {
  if (typeof value !== 'function') return false;
  const prototype = Object.getOwnPropertyDescriptor(value, 'prototype');
  return prototype !== undefined && prototype.writable !== true && prototype.value !== undefined && !isGenerator(value);
}

function isGenerator(value: Function): boolean {
  return /Generator/.test(Object.prototype.toString.call(value));
}
