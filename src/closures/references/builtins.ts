/**
 * Node's own modules: which public export a function or object is.
 *
 * Only modules that are loaded already are searched, and accessors are not called, so that looking
 * loads nothing. But Node exports some functions and classes by accessors, which load what they are
 * in: they are called for a function that is known to be Node's own, and has their name.
 */
import { builtinModules } from 'node:module';
// Not the global, which is a copy inside a test runner's vm.
import process from 'node:process';
import { types } from 'node:util';
import type { ModuleExport } from '../../modules/module-request.js';

interface HostProcess {
  readonly moduleLoadList?: readonly string[];
  getBuiltinModule(id: string): unknown;
}

const host = process as unknown as HostProcess;
/** By value. The path begins at the module itself, which is the default export of its namespace. */
const found = new Map<unknown, { readonly specifier: string; readonly path: readonly string[] }>();
const searched = new Set<string>();
/** Exports that are accessors, of modules that were searched. */
const accessors: { readonly module: object; readonly specifier: string; readonly key: string }[] = [];
let seen = -1;

/** Returns the reference to the public export that is this value, or `null`. */
export function builtinExportOf(value: object): ModuleExport | null {
  if (!found.has(value)) search();
  const known = found.get(value);
  if (known === undefined) return namespaceOf(value);
  return { specifier: known.specifier, parent: null, path: known.path.length === 0 ? ['default'] : known.path };
}

/** As {@link builtinExportOf}, for a function that is of Node's own scripts. */
export function internalExportOf(fn: Function): ModuleExport | null {
  const known = builtinExportOf(fn);
  if (known !== null) return known;
  for (const { module, specifier, key } of accessors) {
    // `junit` of node:test/reporters is `junitReporter`.
    if (!fn.name.startsWith(key) || (module as Record<string, unknown>)[key] !== fn) continue;
    found.set(fn, { specifier, path: [key] });
    return builtinExportOf(fn);
  }
  return null;
}

/** The namespace object of a builtin has the module itself as its default export. */
function namespaceOf(value: object): ModuleExport | null {
  if (!types.isModuleNamespaceObject(value)) return null;
  const module = (value as { default?: object }).default;
  const known = module === undefined ? undefined : found.get(module);
  return known?.path.length === 0 ? { specifier: known.specifier, parent: null, path: ['*'] } : null;
}

function search(): void {
  const loaded = host.moduleLoadList ?? [];
  if (loaded.length === seen) return;
  seen = loaded.length;
  const ids = new Set(loaded.map((entry) => entry.replace(/^NativeModule /, '')));
  for (const id of builtinModules) {
    const name = id.replace(/^node:/, '');
    // `fs.promises` loads `internal/fs/promises`, which is all of `fs/promises`.
    if (id.startsWith('_') || searched.has(id) || !(ids.has(name) || ids.has(`internal/${name}`))) continue;
    searched.add(id);
    const specifier = `node:${name}`;
    const module = loadedModule(specifier);
    if (!isReference(module)) continue;
    index(module, specifier, [], 2);
    noteAccessors(module, specifier);
  }
}

function noteAccessors(module: object, specifier: string): void {
  for (const [key, { get }] of Object.entries(Object.getOwnPropertyDescriptors(module))) {
    if (get !== undefined && key !== '') accessors.push({ module, specifier, key });
  }
}

/** Some refuse in worker threads (`node:trace_events`). */
function loadedModule(specifier: string): unknown {
  try {
    return host.getBuiltinModule(specifier);
  } catch {
    return undefined;
  }
}

function index(value: object, specifier: string, path: readonly string[], depth: number): void {
  if (found.has(value)) return;
  found.set(value, { specifier, path });
  if (depth === 0) return;
  for (const key of Object.keys(value)) {
    const child: unknown = Object.getOwnPropertyDescriptor(value, key)?.value;
    // `process`, `console` and the like are globals; `prototype` objects are reached through their
    // classes.
    if (isReference(child) && child !== globalThis && (typeof child === 'function' || isPlain(child))) {
      index(child, specifier, [...path, key], depth - 1);
    }
  }
}

function isReference(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
