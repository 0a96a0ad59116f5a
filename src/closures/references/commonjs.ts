/**
 * CommonJS modules by identity: which file that `require` loaded exports a value, or has it as its
 * exports.
 *
 * An export is a property of the exports object. Compilers write getters for it (`exports.of` of
 * rxjs, every re-export of TypeScript, Babel, swc, rollup and esbuild). A getter that returns a
 * variable is read when its name, or its file, makes it likely; one that does more may load another
 * module and is never called.
 *
 * The index over `require.cache` grows once a message, as modules are loaded. Every hit is checked
 * against the module as it is now. Of several files that export a value the one that was loaded
 * first counts: the entry of a package, whose files may need each other in its order.
 */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { types } from 'node:util';
import type { ModuleExport } from '../../modules/module-request.js';
import { pathOf } from '../../util/file-names.js';
import { isProgramFile } from '../../util/program-files.js';
import type { RequireOrigin } from '../analysis/scope.js';
import { isLoadable } from './loadable.js';

interface LoadedModule {
  readonly loaded: boolean;
  readonly exports: unknown;
}

/** Where a value is exported. `name` is `null` for the exports object itself. */
interface Found {
  readonly file: string;
  readonly name: string | null;
  /** How many files were indexed before. */
  readonly order: number;
}

const cache = createRequire(import.meta.url).cache as unknown as Record<string, LoadedModule | undefined>;
const index = new WeakMap<object, Found>();
/** Exports that are getters, by name: read when a function of that name is looked for. */
const getters = new Map<string, Found[]>();
const indexed = new Set<string>();
let isMessage = false;
let isGrown = false;

/**
 * A message begins or ends: modules that are loaded while it is written are found by the next one.
 */
export function indexOncePerMessage(begins: boolean): void {
  isMessage = begins;
  isGrown = false;
}

/**
 * Returns the reference to the file that exports this value, or `null`; also for a file of the
 * program that must not be loaded again.
 *
 * @param script URL of the script in which a function was written, where that is known.
 */
export function commonJsExportOf(value: object, script?: string): ModuleExport | null {
  grow();
  const held = index.get(value);
  const found = typeof value === 'function' ? earliest(held, behindGetter(value, script)) : held;
  if (found !== undefined && current(found) === value) return referenceTo(found);
  return typeof value === 'function' ? null : wrappedExports(value);
}

/**
 * Returns the reference to what a variable that `require` filled in the file at `url` is an export
 * of, as long as it still is; or `null`. A wrapper that a compiler puts around the exports counts
 * as the namespace of the module.
 */
export function requiredExportOf(value: object, { specifier, name }: RequireOrigin, url: string): ModuleExport | null {
  const file = resolveFrom(url, specifier);
  const exports = file === null ? undefined : exportsOf(file);
  if (file === null || !isReference(exports)) return null;
  const found = { file, order: 0 };
  if (name !== null) return readVariable(exports, name) === value ? referenceTo({ ...found, name }) : null;
  if (exports === value) return referenceTo({ ...found, name: null });
  return isWrapper(value, exports) || isCopy(value, exports) ? namespaceOf(file) : null;
}

/**
 * Whether a value is the exports object of a CommonJS module, or what a compiler puts around it.
 */
export function isCommonJsNamespace(value: object): boolean {
  grow();
  const { name = '' } = index.get(value) ?? {};
  return name === null || wrappedExports(value) !== null;
}

/**
 * The exports of a loaded file, unless it is a file of the program that must not be loaded again.
 */
function exportsOf(file: string): unknown {
  const module = cache[file];
  return module?.loaded !== true || isProgramFile(pathToFileURL(file).href) ? undefined : module.exports;
}

function resolveFrom(url: string, specifier: string): string | null {
  try {
    return createRequire(url).resolve(specifier);
  } catch {
    // No file's script, or a module that only its host could find.
    return null;
  }
}

/** An ES module that `require` loaded has its names in the namespace, and is imported. */
function referenceTo({ file, name }: Found): ModuleExport | null {
  const specifier = pathToFileURL(file).href;
  if (isProgramFile(specifier) || !isLoadable(specifier)) return null;
  if (types.isModuleNamespaceObject(cache[file]?.exports)) return { specifier, parent: null, path: [name ?? '*'] };
  return { specifier, parent: null, path: name === null ? [] : [name], commonjs: true };
}

function namespaceOf(file: string): ModuleExport | null {
  const specifier = pathToFileURL(file).href;
  return isProgramFile(specifier) || !isLoadable(specifier)
    ? null
    : { specifier, parent: null, path: ['*'], commonjs: true };
}

/**
 * What compilers make of `import * as name` and of `import name`: an object with the exports as
 * `default`, and their properties or none.
 */
function wrappedExports(value: object): ModuleExport | null {
  const inner: unknown = Object.getOwnPropertyDescriptor(value, 'default')?.value;
  if (!isReference(inner)) return null;
  const found = index.get(inner);
  if (found?.name !== null || current(found) !== inner || !isWrapper(value, inner)) return null;
  return namespaceOf(found.file);
}

function isWrapper(value: object, exports: object): boolean {
  if (Object.getOwnPropertyDescriptor(value, 'default')?.value !== exports) return false;
  return Object.keys(value).every((key) => key === 'default' || key in exports);
}

/**
 * What esbuild puts around exports that were compiled from an ES module: an object with the same
 * names.
 */
function isCopy(value: object, exports: object): boolean {
  if ((exports as { __esModule?: unknown }).__esModule !== true) return false;
  const names = Object.keys(value);
  return names.length > 0 && names.length === Object.keys(exports).length && names.every((key) => key in exports);
}

function earliest(a: Found | undefined, b: Found | undefined): Found | undefined {
  return a === undefined || (b !== undefined && b.order < a.order) ? b : a;
}

function behindGetter(fn: Function, script: string | undefined): Found | undefined {
  const name: unknown = Object.getOwnPropertyDescriptor(fn, 'name')?.value;
  const named = typeof name === 'string' ? getters.get(name)?.find((found) => variableOf(found) === fn) : undefined;
  const file = named !== undefined || script === undefined ? null : pathOf(script);
  if (file === null) return named;
  // An alias: `export { of as just }`.
  const exports = cache[file]?.exports;
  if (!isReference(exports) || !indexed.has(file)) return undefined;
  const alias = Object.keys(exports).find((key) => isVariable(exports, key) && readVariable(exports, key) === fn);
  return alias === undefined ? undefined : { file, name: alias, order: Number.MAX_SAFE_INTEGER };
}

/** What the getter of an export returns, if it does no more than that. */
function variableOf({ file, name }: Found): unknown {
  const exports = cache[file]?.exports;
  return name !== null && isReference(exports) ? exportedValue(exports, name) : undefined;
}

function current({ file, name }: Found): unknown {
  const exports: unknown = cache[file]?.exports;
  return name === null || !isReference(exports) ? exports : readVariable(exports, name);
}

/** The value of a name; `undefined` before it is initialised. */
export function readVariable(exports: object, name: string | symbol): unknown {
  try {
    return (exports as Record<string | symbol, unknown>)[name];
  } catch {
    return undefined;
  }
}

/**
 * What is exported under a name: the value of a property, or of the variable that a getter returns;
 * `undefined` for any other getter.
 */
export function exportedValue(exports: object, name: string | symbol): unknown {
  return propertyOf(exports, name)?.value ?? (isVariable(exports, name) ? readVariable(exports, name) : undefined);
}

function grow(): void {
  if (isMessage && isGrown) return;
  isGrown = true;
  for (const file in cache) {
    if (indexed.has(file)) continue;
    const module = cache[file];
    if (module === undefined || !module.loaded) continue;
    indexed.add(file);
    if (/\.[cm]?[jt]sx?$/.test(file) && isReference(module.exports) && module.exports !== globalThis)
      add(file, module.exports);
  }
}

function add(file: string, exports: object): void {
  const order = indexed.size;
  if (!index.has(exports)) index.set(exports, { file, name: null, order });
  for (const name of Object.keys(exports)) {
    const property = propertyOf(exports, name);
    if (typeof property?.value === 'function') {
      if (!index.has(property.value as Function)) index.set(property.value as Function, { file, name, order });
    } else if (property?.get !== undefined) noteGetter(name, { file, name, order });
  }
}

function noteGetter(name: string, found: Found): void {
  const known = getters.get(name);
  if (known === undefined) getters.set(name, [found]);
  else known.push(found);
}

/** `undefined` for an ES module's name before it is initialised. */
function propertyOf(exports: object, name: string | symbol): PropertyDescriptor | undefined {
  try {
    return Object.getOwnPropertyDescriptor(exports, name);
  } catch {
    return undefined;
  }
}

/** `function () { return m[k]; }`, `() => from[key]`, `function get() { return _of.default; }`. */
const RETURNS_VARIABLE =
  /^(?:function(?:\s+[\w$]+)?\s*\(\)|\(\)\s*=>|(?:get\s+)?[\w$]+\s*\(\))\s*(?:\{\s*return\s+)?[\w$]+(?:\.[\w$]+|\[[\w$]+\])*;?\s*\}?$/;

/** Whether an export is a getter that does nothing but return a variable. */
function isVariable(exports: object, name: string | symbol): boolean {
  const getter = Object.getOwnPropertyDescriptor(exports, name)?.get;
  return getter !== undefined && RETURNS_VARIABLE.test(Function.prototype.toString.call(getter));
}

function isReference(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
