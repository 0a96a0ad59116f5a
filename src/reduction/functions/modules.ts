/**
 * Modules that payloads refer to: loaded first, from the parent that imported them, then looked up while building.
 *
 * The import runs in a function compiled under the parent's URL, so that exports maps, import conditions, loaders and
 * attributes apply exactly as they did to the original import.
 */
import { createRequire } from 'node:module';
import { types } from 'node:util';
import vm from 'node:vm';
import type { ModuleRequest } from '../node.js';
import { defaultLoader } from './default-loader.js';
import { resolveImport } from './import-resolution.js';
import { missingExport, moduleFailed, moduleIsAsync, moduleNotLoaded } from './messages.js';
import type { ModuleExport } from './wire.js';

type Namespace = Record<string, unknown>;

const loaded = new Map<string, Namespace>();

function keyOf({ specifier, parent, attributes }: ModuleRequest): string {
  const suffix = attributes === undefined || Object.keys(attributes).length === 0 ? '' : `\0${JSON.stringify(attributes)}`;
  return `${isAbsolute(specifier) ? '' : (parent ?? '')}\0${specifier}${suffix}`;
}

/** `file:///…`, `node:fs`, `data:…`: means the same from every parent. */
function isAbsolute(specifier: string): boolean {
  return /^(file|node|data|https?):/.test(specifier);
}

/** The namespace of a module that was loaded before, or `undefined`. */
export function loadedModule(request: ModuleRequest): unknown {
  return loaded.get(keyOf(request));
}

/** Whether all of them are loaded. */
export function areLoaded(requests: readonly ModuleRequest[]): boolean {
  return requests.every((request) => loaded.has(keyOf(request)));
}

/** Loads all, side by side. @throws SerializationError `MP_MODULE_FAILED`. */
export async function loadModules(requests: Iterable<ModuleRequest>): Promise<void> {
  const pending: Promise<void>[] = [];
  for (const request of requests) {
    const key = keyOf(request);
    if (!loaded.has(key)) pending.push(load(key, request));
  }
  await Promise.all(pending);
}

async function load(key: string, request: ModuleRequest): Promise<void> {
  try {
    loaded.set(key, await importFrom(request.parent, request.specifier, request.attributes));
  } catch (cause) {
    throw moduleFailed(request.specifier, request.parent, cause);
  }
}

/** Loads all now, through `require`. @throws SerializationError `MP_MODULE_FAILED`; `MP_ASYNC_MODULE` for a module with a top-level await. */
export function loadModulesSync(requests: Iterable<ModuleRequest>): void {
  for (const request of requests) {
    const key = keyOf(request);
    if (loaded.has(key)) continue;
    try {
      loaded.set(key, asNamespace(requireFrom(request)));
    } catch (cause) {
      const isAsync = (cause as { code?: unknown } | null)?.code === 'ERR_REQUIRE_ASYNC_MODULE';
      throw isAsync ? moduleIsAsync(request.specifier, cause) : moduleFailed(request.specifier, request.parent, cause);
    }
  }
}

function requireFrom({ specifier, parent }: ModuleRequest): unknown {
  const base = parent?.startsWith('file:') ? parent : import.meta.url;
  const target = specifier.startsWith('.') ? new URL(specifier, base) : specifier.startsWith('file:') ? new URL(specifier) : null;
  if (target !== null) return createRequire(base)(filePath(target));
  return createRequire(base)(isAbsolute(specifier) ? specifier : (resolveImport(specifier, base) ?? specifier));
}

/** `require` takes paths, not URLs. */
function filePath(url: URL): string {
  return decodeURIComponent(url.pathname);
}

function asNamespace(exports: unknown): Namespace {
  if (types.isModuleNamespaceObject(exports)) return exports as Namespace;
  const isObject = (typeof exports === 'object' && exports !== null) || typeof exports === 'function';
  return { ...(isObject ? (exports as Namespace) : {}), default: exports };
}

/** The value a reference means. @throws SerializationError `MP_MODULE_NOT_LOADED`, `MP_MISSING_EXPORT`. */
export function exportOf(reference: ModuleExport): unknown {
  const namespace = loaded.get(keyOf(reference));
  if (namespace === undefined) throw moduleNotLoaded(reference.specifier);
  if (reference.path[0] === '*') return namespace;
  let value: unknown = namespace;
  for (const key of reference.path) {
    if (value === null || value === undefined || !(key in (Object(value) as object))) {
      throw missingExport(reference.specifier, reference.path.join('.'));
    }
    value = (value as Namespace)[key];
  }
  return value;
}

const importers = new Map<string, (specifier: string, options?: object) => Promise<Namespace>>();

/** `import(specifier)` as if written in the file `parent`. */
export function importFrom(parent: string | null, specifier: string, attributes?: ModuleRequest['attributes']): Promise<Namespace> {
  const hasAttributes = attributes !== undefined && Object.keys(attributes).length > 0;
  const options = hasAttributes ? { with: attributes } : undefined;
  if (isAbsolute(specifier) || parent === null) return import(specifier, options) as Promise<Namespace>;
  let importer = importers.get(parent);
  if (importer === undefined) {
    importer = compileImporter(parent);
    importers.set(parent, importer);
  }
  return importer(specifier, options);
}

function compileImporter(parent: string): (specifier: string, options?: object) => Promise<Namespace> {
  return vm.compileFunction('return import(specifier, options)', ['specifier', 'options'], {
    filename: parent,
    ...defaultLoader(),
  }) as unknown as (specifier: string, options?: object) => Promise<Namespace>;
}
