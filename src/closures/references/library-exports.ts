/**
 * This library's own exports by identity. It is one file when it is installed, so its functions are found by the modules through which they
 * were imported (scripts/load.cjs).
 */
import { types } from 'node:util';
import type { ModuleExport } from '../../modules/module-request.js';

/** What was imported of this library, by URL; not there when its modules are not bundled. */
declare const __doors: ReadonlyMap<string, Record<string, unknown>> | undefined;

const exported = new Map<object, ModuleExport>();
const searched = new Set<string>();

/** Returns the reference to a class, function or namespace of this library, or `null`. */
export function libraryExportOf(value: object): ModuleExport | null {
  if (typeof __doors === 'undefined') return null;
  for (const [specifier, exports] of __doors) {
    if (searched.has(specifier)) continue;
    searched.add(specifier);
    for (const name of Object.keys(exports)) {
      const each = exports[name];
      if (isReference(each) && !exported.has(each)) exported.set(each, { specifier, parent: null, path: [name] });
    }
  }
  return exported.get(value) ?? (types.isModuleNamespaceObject(value) ? namespaceOf(value as Record<string, unknown>) : null);
}

/** The namespace that `import()` or `require` gave: known by having the same exports. */
function namespaceOf(namespace: Record<string, unknown>): ModuleExport | null {
  const names = Object.keys(namespace);
  for (const [specifier, exports] of __doors!) {
    if (names.length === Object.keys(exports).length && names.every((name) => name in exports && exports[name] === namespace[name]))
      return { specifier, parent: null, path: ['*'] };
  }
  return null;
}

function isReference(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
