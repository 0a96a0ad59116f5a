/**
 * Exports by identity: which module that `require` loaded, or which of this library's own, has this value as its exports, or as one of them.
 *
 * The index over `require.cache` grows as modules are loaded, and every hit is checked against the module as it is now. The library is one
 * file when it is installed, so its functions are found by the doors through which they were imported (scripts/load.cjs).
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { types } from 'node:util';
import { isProgramFile } from '../../util/program-files.js';
import type { RequireOrigin } from './scope.js';

/** An export of a CommonJS file. `path` starts at the namespace that `import()` of the file gives. */
export interface FileExport {
  readonly specifier: string;
  readonly path: readonly string[];
}

interface LoadedModule {
  readonly loaded: boolean;
  readonly exports: unknown;
}

/** What was imported of this library, by URL; not there when its modules are not bundled. */
declare const __doors: ReadonlyMap<string, Record<string, unknown>> | undefined;

/** `esm`: an ES module that was loaded by `require`, whose names stand in the namespace itself. */
type Found = { readonly file: string; readonly name: string | null; readonly esm: boolean };

const require = createRequire(import.meta.url);
const cache = require.cache as unknown as Record<string, LoadedModule | undefined>;
const index = new WeakMap<object, Found>();
const indexed = new Set<string>();

/** Finds the file and name that export this value unless it is a file of the program that must not be loaded again. */
export function commonJsExportOf(value: object): FileExport | null {
  const door = doorOf(value);
  if (door !== undefined) return door;
  grow();
  const found = index.get(value);
  if (found === undefined || current(found) !== value || isProgramFile(pathToFileURL(found.file).href)) return null;
  const { name, esm } = found;
  return { specifier: pathToFileURL(found.file).href, path: pathTo(name, esm) };
}

/**
 * What a variable that `require` filled in the file at `url` is an export of, as long as it still is. A wrapper that a compiler puts around a
 * module counts as the module if the `members` that are used of it are the module's.
 */
export function requiredExportOf(
  value: unknown,
  { specifier, name }: RequireOrigin,
  members: readonly string[] | null,
  url: string,
): FileExport | null {
  const file = resolveFrom(url, specifier);
  const module = file === null ? undefined : cache[file];
  if (file === null || module?.loaded !== true || isProgramFile(pathToFileURL(file).href)) return null;
  const { exports } = module;
  if (!isReference(exports) || exports === globalThis) return null;
  const held = name === null ? exports : (exports as Record<string, unknown>)[name];
  if (held !== value) {
    const same = (key: string) => (exports as Record<string, unknown>)[key] === (value as Record<string, unknown>)[key];
    if (name !== null || members === null || !members.every(same)) return null;
  }
  return { specifier: pathToFileURL(file).href, path: pathTo(name, types.isModuleNamespaceObject(exports)) };
}

function resolveFrom(url: string, specifier: string): string | null {
  try {
    return createRequire(url).resolve(specifier);
  } catch {
    // No file's script, or a module that only its host could find.
    return null;
  }
}

/** From the namespace that `import()` of the file gives. */
function pathTo(name: string | null, esm: boolean): readonly string[] {
  if (name === null) return [esm ? '*' : 'default'];
  return esm ? [name] : ['default', name];
}

/** The name under which the module at `url`, which is loaded, exports this value. */
export function moduleExportOf(value: object, url: string): FileExport | null {
  if (!url.startsWith('file:') || /[?#]/.test(url) || isProgramFile(url)) return null;
  try {
    const namespace = require(fileURLToPath(url)) as Record<string, unknown>;
    const name = types.isModuleNamespaceObject(namespace) ? Object.keys(namespace).find((key) => namespace[key] === value) : undefined;
    return name === undefined ? null : { specifier: url, path: [name] };
  } catch {
    // It has a top-level await, or this Node does not require modules.
    return null;
  }
}

/** Whether a file is where it was loaded from: generated code is often removed once it runs. */
export function isThere({ specifier }: { readonly specifier: string }): boolean {
  return !specifier.startsWith('file:') || existsSync(fileURLToPath(specifier));
}

const doors = new Map<object, FileExport>();
const opened = new Set<string>();

function doorOf(value: object): FileExport | undefined {
  if (typeof __doors === 'undefined') return undefined;
  for (const [specifier, exports] of __doors) {
    if (opened.has(specifier)) continue;
    opened.add(specifier);
    for (const name of Object.keys(exports)) {
      const exported = exports[name];
      if (isReference(exported) && !doors.has(exported)) doors.set(exported, { specifier, path: [name] });
    }
  }
  return doors.get(value) ?? (types.isModuleNamespaceObject(value) ? namespaceDoor(value as Record<string, unknown>) : undefined);
}

/** The namespace that `import()` or `require` gave: known by having the same exports. */
function namespaceDoor(namespace: Record<string, unknown>): FileExport | undefined {
  const names = Object.keys(namespace);
  for (const [specifier, exports] of __doors!) {
    if (names.length === Object.keys(exports).length && names.every((name) => name in exports && exports[name] === namespace[name]))
      return { specifier, path: ['*'] };
  }
  return undefined;
}

function current({ file, name }: Found): unknown {
  const exports: unknown = cache[file]?.exports;
  return name === null ? exports : (exports as Record<string, unknown> | undefined)?.[name];
}

function grow(): void {
  for (const file in cache) {
    if (indexed.has(file)) continue;
    const module = cache[file];
    if (module === undefined || !module.loaded) continue;
    indexed.add(file);
    if (!isProgramFile(pathToFileURL(file).href) && /\.(c?[jt]s)$/.test(file)) add(file, module.exports);
  }
}

function add(file: string, exports: unknown): void {
  if (!isReference(exports) || exports === globalThis) return;
  const esm = types.isModuleNamespaceObject(exports);
  if (!index.has(exports)) index.set(exports, { file, name: null, esm });
  for (const name of Object.keys(exports)) {
    const value: unknown = Object.getOwnPropertyDescriptor(exports, name)?.value;
    if (typeof value === 'function' && !index.has(value)) index.set(value, { file, name, esm });
  }
}

function isReference(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
