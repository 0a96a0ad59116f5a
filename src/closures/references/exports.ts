/** Exports of files by identity: of this library, of what `require` loaded, of one ES module. */
import { existsSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { types } from 'node:util';
import { resolveImport } from '../../modules/import-resolution.js';
import type { ModuleExport } from '../../modules/module-request.js';
import { pathOf } from '../../util/file-names.js';
import { isProgramFile } from '../../util/program-files.js';
import { commonJsExportOf } from './commonjs.js';
import { libraryExportOf } from './library-exports.js';
import { namespaceReference } from './namespaces.js';

/**
 * Returns the reference to the file that exports this value, or `null`; also for a file of the
 * program that must not be loaded again.
 *
 * @param script URL of the script in which a function was written, where that is known.
 */
export function fileExportOf(value: object, script?: string): ModuleExport | null {
  return libraryExportOf(value) ?? namespaceReference(value) ?? commonJsExportOf(value, script);
}

/**
 * Returns the reference to the export of the ES module at `url`, which is loaded, that is this
 * value; or `null`.
 */
export function moduleExportOf(value: object, url: string): ModuleExport | null {
  if (!url.startsWith('file:') || /[?#]/.test(url) || isProgramFile(url)) return null;
  try {
    const namespace = createRequire(import.meta.url)(fileURLToPath(url)) as Record<string, unknown>;
    const name = types.isModuleNamespaceObject(namespace)
      ? Object.keys(namespace).find((key) => namespace[key] === value)
      : undefined;
    return name === undefined ? null : { specifier: url, parent: null, path: [name] };
  } catch {
    // It has a top-level await, or this Node does not require modules.
    return null;
  }
}

/** Whether a file is where it was loaded from: generated code is often removed once it runs. */
export function isThere({ specifier }: { readonly specifier: string }): boolean {
  return !specifier.startsWith('file:') || existsSync(pathOf(specifier) ?? '');
}

const resolved = new Map<string, string>();

/**
 * URL of the file that `specifier` means in the file at `url`; the specifier itself where no file
 * is found.
 */
export function resolvedFrom(url: string, specifier: string): string {
  if (/^(file|node|data|https?):/.test(specifier)) return specifier;
  if (isBuiltin(specifier)) return `node:${specifier}`;
  const key = `${url}\0${specifier}`;
  let found = resolved.get(key);
  if (found === undefined) {
    found = resolve(url, specifier);
    resolved.set(key, found);
  }
  return found;
}

function resolve(url: string, specifier: string): string {
  try {
    if (specifier.startsWith('.')) return new URL(specifier, url).href;
    return pathToFileURL(resolveImport(specifier, url) ?? createRequire(url).resolve(specifier)).href;
  } catch {
    return specifier;
  }
}
