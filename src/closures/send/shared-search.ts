/**
 * What reaches a shared object: a Lock, a Value, a Queue. It decides how what the program's own
 * modules export is sent. A module that is loaded in another process makes shared objects of its
 * own, so what leads to one there goes by value: the object is attached, and the rest is copied.
 *
 * The search follows what would be copied: members, elements, entries, the class of an instance,
 * what a function captures. It does not call getters, except those that a compiler wrote for
 * exports, and it leaves installed packages alone.
 *
 * Limits. A function is judged once, by what it reached when it was first sent. After {@link
 * MAX_OBJECTS} objects, {@link MAX_VALUES} values or {@link MAX_FUNCTIONS} functions the answer is
 * no.
 */
import { types } from 'node:util';
import { globalPathOf } from '../../codec/globals.js';
import { isShareable, ownerOfMemory } from '../../memory/shareable/shareable.js';
import { isLibraryFile } from '../../util/program-files.js';
import { analyse, type FreeName } from '../analysis/analysis.js';
import { type Mirror, mirror } from '../inspect/inspector.js';
import { urlOfScript } from '../inspect/locate.js';
import { exportedValue, isCommonJsNamespace, readVariable } from '../references/commonjs.js';
import { fileExportOf } from '../references/exports.js';

/** Objects of one search. */
const MAX_OBJECTS = 4_000;
/** Elements, entries and members of one search, objects or not. */
const MAX_VALUES = 20_000;
/** A search that found nothing among so many values is not made again. */
const MAX_CHEAP_VALUES = 500;
/**
 * Functions of one search that V8 is asked about, each of which takes some tenths of a millisecond.
 */
const MAX_FUNCTIONS = 100;

const verdicts = new WeakMap<object, boolean>();

/**
 * Scripts of the program's own files, as far as they were met. To ask V8 for the URL of a script
 * takes some milliseconds.
 */
const ownScripts = new Set<string>();

/** Whether what a file of the program exports is shared, or leads to something that is. */
export function reachesShared(value: object): boolean {
  return judge(value, new Search());
}

/**
 * Returns the names of the members of a namespace that are shared or, in a module of the program,
 * lead to something that is.
 *
 * @param names The members that matter; `null` for all.
 */
export function sharedMembers(namespace: object, names: readonly string[] | null, url: string): string[] {
  const search = new Search();
  const isOwn = isProgramsOwn(url);
  return (names ?? Object.keys(namespace)).filter((name) => {
    const value = memberOf(namespace, name);
    return isReference(value) && (isOwn ? judge(value, search) : isShareable(value));
  });
}

function judge(value: object, search: Search): boolean {
  const known = verdicts.get(value);
  if (known !== undefined) return known;
  search.begin(value);
  const verdict = search.visit(value);
  // An object may lead to more the next time.
  if (typeof value === 'function' || (!verdict && search.isCostly)) verdicts.set(value, verdict);
  if (!verdict) search.noteFunctions();
  return verdict;
}

/** Whether a file is the program's own: of no installed package, and not of this library. */
export function isProgramsOwn(url: string): boolean {
  return !url.startsWith('node:') && !url.includes('/node_modules/') && !isLibraryFile(url);
}

class Search {
  readonly #seen = new Set<object>();
  #root: object | undefined;
  #functions = 0;
  #values = 0;

  /** @param root What a file of the program exports. */
  begin(root: object): void {
    this.#root = root;
    this.#seen.clear();
    this.#values = 0;
  }

  get isCostly(): boolean {
    return this.#values > MAX_CHEAP_VALUES;
  }

  /**
   * Nothing was found: none of the functions that were met leads to anything shared, unless the
   * search was cut short.
   */
  noteFunctions(): void {
    if (this.#isCut) return;
    for (const each of this.#seen) if (typeof each === 'function') verdicts.set(each, false);
  }

  get #isCut(): boolean {
    return this.#seen.size >= MAX_OBJECTS || this.#values >= MAX_VALUES || this.#functions >= MAX_FUNCTIONS;
  }

  visit(value: unknown): boolean {
    this.#values++;
    if (!isReference(value) || this.#seen.has(value)) return false;
    if (this.#seen.size >= MAX_OBJECTS || this.#values >= MAX_VALUES || types.isProxy(value)) return false;
    this.#seen.add(value);
    if (typeof value === 'function') return this.#function(value);
    if (isShareable(value)) return true;
    if (ArrayBuffer.isView(value)) return ownerOfMemory(value.buffer) !== undefined;
    if (types.isAnyArrayBuffer(value)) return ownerOfMemory(value) !== undefined;
    if (globalPathOf(value) !== null) return false;
    if (isNamespace(value)) return this.#namespace(value, null);
    return this.#elements(value) || this.#members(value) || this.#class(value);
  }

  #elements(value: object): boolean {
    if (Array.isArray(value)) return this.#some(value);
    return types.isMap(value)
      ? this.#some(value.keys()) || this.#some(value.values())
      : types.isSet(value) && this.#some(value);
  }

  #some(values: Iterable<unknown>): boolean {
    for (const each of values) {
      if (this.visit(each)) return true;
      if (this.#values >= MAX_VALUES) return false;
    }
    return false;
  }

  #members(value: object): boolean {
    // The elements of an array were looked at.
    if (Array.isArray(value)) return false;
    for (const key of Reflect.ownKeys(value)) {
      if (key !== 'prototype' && this.visit(exportedValue(value, key))) return true;
      if (this.#values >= MAX_VALUES) return false;
    }
    return false;
  }

  #class(value: object): boolean {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === null || prototype === Object.prototype || prototype === Array.prototype) return false;
    return this.visit(Object.getOwnPropertyDescriptor(prototype as object, 'constructor')?.value);
  }

  #namespace(value: object, names: readonly string[] | null): boolean {
    if (!isProgramsOwn(fileExportOf(value)?.specifier ?? '')) return false;
    return (names ?? Object.keys(value)).some((name) => this.visit(memberOf(value, name)));
  }

  #function(fn: Function): boolean {
    const known = verdicts.get(fn);
    if (known !== undefined) return known;
    const text = Function.prototype.toString.call(fn);
    if (text.endsWith('{ [native code] }')) return this.#bound(fn);
    const analysis = analyse(text);
    // `require` leads to all modules.
    if (analysis === null || 'resolve' in fn || !isProgramsOwn(fileExportOf(fn)?.specifier ?? '')) return false;
    if (this.#members(fn)) return true;
    if (analysis.form === 'class' ? this.visit(Object.getPrototypeOf(fn)) : this.#methods(fn)) return true;
    return analysis.free.size > 0 && this.#captures(fn, analysis.free.values());
  }

  #bound(fn: Function): boolean {
    const bound = fn.name.startsWith('bound ') ? this.#mirror(fn)?.bound : null;
    return bound != null && [bound.target, bound.receiver, ...bound.args].some((part) => this.visit(part));
  }

  /** Of a constructor function. */
  #methods({ prototype }: Function): boolean {
    return typeof prototype === 'object' && prototype !== null && this.#members(prototype as object);
  }

  #captures(fn: Function, names: Iterable<FreeName>): boolean {
    const scopes = this.#scopes(fn);
    for (const { name, members } of names) {
      const held = scopes.find(({ object }) => Object.hasOwn(object, name))?.object;
      const value = held === undefined ? undefined : readVariable(held, name);
      if (members !== null && isNamespace(value)) {
        if (this.#namespace(value, members)) return true;
      } else if (this.visit(value)) return true;
    }
    return false;
  }

  #scopes(fn: Function): Mirror['scopes'] {
    const { scopes, location } = this.#mirror(fn) ?? { scopes: [], location: null };
    if (location === null) return [];
    const { scriptId } = location;
    if (!ownScripts.has(scriptId)) {
      if (fn !== this.#root && !isProgramsOwn(urlOfScript(scriptId, fn.name))) return [];
      ownScripts.add(scriptId);
    }
    return scopes.filter(({ type }) => type !== 'Global');
  }

  #mirror(fn: Function): Mirror | null {
    if (this.#functions++ >= MAX_FUNCTIONS) return null;
    try {
      return mirror(fn, fn.name);
    } catch {
      // No inspector.
      return null;
    }
  }
}

/**
 * Whether a value is a module namespace, the exports object of a CommonJS module with nothing above
 * it, or what a compiler puts around that.
 */
export function isNamespace(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  if (types.isModuleNamespaceObject(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === null || prototype === Object.prototype) && isCommonJsNamespace(value);
}

/** What is exported under a name. */
function memberOf(namespace: object, name: string): unknown {
  return types.isModuleNamespaceObject(namespace) ? readVariable(namespace, name) : exportedValue(namespace, name);
}

function isReference(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
