/**
 * Modules that payloads refer to: loaded first, from the parent that imported them, then looked up
 * while building.
 *
 * An import runs in a function compiled under the parent's URL, so that exports maps, import
 * conditions, loaders and attributes apply exactly as they did to the original import. A CommonJS
 * file is loaded by `require` in its own context, so that what is hooked into `require` (ts-node,
 * swc, Babel, tsx) applies.
 *
 * One graph of modules is loaded at a time: a CommonJS file cannot require an ES module that is
 * being imported (ERR_REQUIRE_ESM_RACE_CONDITION).
 */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { types } from 'node:util';
import vm from 'node:vm';
import { importModule } from '../util/import-module.js';
import { loadForParent, loadForParentSync } from '../util/loading.js';
import { clearTimeout, setTimeout } from '../util/timers.js';
import { defaultLoader } from './default-loader.js';
import { resolveImport } from './import-resolution.js';
import { missingExport, moduleFailed, moduleIsAsync, moduleNotLoaded, stillLoading } from './messages.js';
import type { ModuleExport, ModuleRequest } from './module-request.js';

type Namespace = Record<string, unknown>;

/** Namespaces of what was imported, and exports of what was required. */
const loaded = new Map<string, unknown>();

function keyOf({ specifier, parent, attributes, commonjs }: ModuleRequest): string {
  const suffix =
    attributes === undefined || Object.keys(attributes).length === 0 ? '' : `\0${JSON.stringify(attributes)}`;
  return `${commonjs === true ? 'require' : isAbsolute(specifier) ? '' : (parent ?? '')}\0${specifier}${suffix}`;
}

/** `file:///…`, `node:fs`, `data:…`: means the same from every parent. */
function isAbsolute(specifier: string): boolean {
  return /^(file|node|data|https?):/.test(specifier);
}

/**
 * The namespace (for a CommonJS request the exports) of a module that was loaded before, or
 * `undefined`.
 */
export function loadedModule(request: ModuleRequest): unknown {
  return loaded.get(keyOf(request));
}

/** Whether all of them are loaded. */
export function areLoaded(requests: readonly ModuleRequest[]): boolean {
  return requests.every((request) => loaded.has(keyOf(request)));
}

/** Loads all, one after the other. @throws SerializationError `MP_MODULE_FAILED`. */
export async function loadModules(requests: Iterable<ModuleRequest>): Promise<void> {
  const missing = [...requests].filter((request) => !loaded.has(keyOf(request)));
  if (missing.length === 0) return;
  await inTurn(async () => {
    for (const request of missing) if (!loaded.has(keyOf(request))) await load(request);
  });
}

/**
 * Milliseconds after which a graph no longer waits for the one before: that may wait for what this
 * one brings, while it loads.
 */
const TURN_PATIENCE_MS = 1_000;
let turn: Promise<unknown> = Promise.resolve();

/** Imports something when what was asked for before is loaded. */
export function inTurn<T>(importIt: () => Promise<T>): Promise<T> {
  const mine = settled(turn).then(importIt);
  turn = mine;
  return mine;
}

function settled(before: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, TURN_PATIENCE_MS);
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    before.then(done, done);
  });
}

/** Milliseconds after which a module that is still loading is named. */
const PENDING_PATIENCE_MS = 10_000;

/** What waits for a module waits for ever if an `await` at its top never settles: nothing else would say so. */
async function namedWhilePending<T>({ specifier, parent }: ModuleRequest, loading: Promise<T>): Promise<T> {
  const timer = setTimeout(() => {
    process.emitWarning(stillLoading(specifier, parent, PENDING_PATIENCE_MS), {
      type: 'MultiprocessWarning',
      code: 'MP_MODULE_PENDING',
    });
  }, PENDING_PATIENCE_MS);
  timer.unref();
  try {
    return await loading;
  } finally {
    clearTimeout(timer);
  }
}

async function load(request: ModuleRequest): Promise<void> {
  const { specifier, parent, attributes, commonjs } = request;
  try {
    const module =
      commonjs === true
        ? loadForParentSync(() => requireFile(specifier))
        : await namedWhilePending(
            request,
            loadForParent(() => importFrom(parent, specifier, attributes)),
          );
    loaded.set(keyOf(request), module);
  } catch (cause) {
    throw moduleFailed(specifier, parent, cause);
  }
}

/** The exports of the CommonJS file at `url`, as code in that file would require it. */
function requireFile(url: string): unknown {
  return createRequire(url)(fileURLToPath(url));
}

/**
 * Loads all now, through `require`.
 * @throws SerializationError `MP_MODULE_FAILED`; `MP_ASYNC_MODULE` for a module with a top-level
 * await.
 */
export function loadModulesSync(requests: Iterable<ModuleRequest>): void {
  for (const request of requests) {
    const key = keyOf(request);
    if (loaded.has(key)) continue;
    try {
      loaded.set(
        key,
        loadForParentSync(() =>
          request.commonjs === true ? requireFile(request.specifier) : importedView(requireFrom(request)),
        ),
      );
    } catch (cause) {
      const isAsync = (cause as { code?: unknown } | null)?.code === 'ERR_REQUIRE_ASYNC_MODULE';
      throw isAsync ? moduleIsAsync(request.specifier, cause) : moduleFailed(request.specifier, request.parent, cause);
    }
  }
}

function requireFrom({ specifier, parent }: ModuleRequest): unknown {
  const base = parent?.startsWith('file:') ? parent : import.meta.url;
  const target = specifier.startsWith('.')
    ? new URL(specifier, base)
    : specifier.startsWith('file:')
      ? new URL(specifier)
      : null;
  // `require` takes paths, not URLs.
  if (target !== null) return createRequire(base)(fileURLToPath(target));
  return createRequire(base)(isAbsolute(specifier) ? specifier : (resolveImport(specifier, base) ?? specifier));
}

/** What `import` makes of the exports. */
function importedView(exports: unknown): Namespace {
  return types.isModuleNamespaceObject(exports) ? (exports as Namespace) : viewOf(exports);
}

/**
 * What compilers make of `import * as name`: of exports that were compiled from an ES module
 * themselves, else with those as `default`.
 */
function compiledView(exports: unknown): unknown {
  return isReference(exports) && (exports as Namespace)['__esModule'] === true ? exports : viewOf(exports);
}

const views = new WeakMap<object, Namespace>();

/** The properties of the exports, getters unread, and the exports as `default`. */
function viewOf(exports: unknown): Namespace {
  if (!isReference(exports)) return { default: exports };
  let view = views.get(exports);
  if (view === undefined) {
    view = {};
    for (const key of Object.keys(exports))
      Object.defineProperty(view, key, Object.getOwnPropertyDescriptor(exports, key)!);
    Object.defineProperty(view, 'default', { value: exports, writable: true, enumerable: true, configurable: true });
    views.set(exports, view);
  }
  return view;
}

function isReference(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/**
 * The value a reference means.
 * @throws SerializationError `MP_MODULE_NOT_LOADED`, `MP_MISSING_EXPORT`.
 */
export function exportOf(reference: ModuleExport): unknown {
  const key = keyOf(reference);
  if (!loaded.has(key)) throw moduleNotLoaded(reference.specifier);
  let value = loaded.get(key);
  if (reference.path[0] === '*') return reference.commonjs === true ? compiledView(value) : value;
  for (const name of reference.path) {
    if (value === null || value === undefined || !(name in (Object(value) as object))) {
      throw missingExport(reference.specifier, reference.path.join('.'));
    }
    value = (value as Namespace)[name];
  }
  return value;
}

const importers = new Map<string, (specifier: string, options?: object) => Promise<Namespace>>();

/** `import(specifier)` as if written in the file `parent`. */
export function importFrom(
  parent: string | null,
  specifier: string,
  attributes?: ModuleRequest['attributes'],
): Promise<Namespace> {
  const hasAttributes = attributes !== undefined && Object.keys(attributes).length > 0;
  const options = hasAttributes ? { with: attributes } : undefined;
  if (isAbsolute(specifier) || parent === null) return importModule(specifier, options) as Promise<Namespace>;
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
