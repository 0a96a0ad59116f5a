/**
 * This library's own exports by identity. It is a few files when it is installed
 * (scripts/bundle.js), so its functions are found by the entries through which they were loaded.
 */
import { types } from 'node:util';
import type { ModuleExport } from '../../modules/module-request.js';
import { type Loader, loader } from '../../util/loader.js';
import { CODE } from '../../util/package.js';

type Exports = Readonly<Record<string, unknown>>;

const exported = new Map<object, ModuleExport>();
const searched = new Set<string>();

/** Returns the reference to a class, function or namespace of this library, or `null`. */
export function libraryExportOf(value: object): ModuleExport | null {
  const loaded = loader();
  if (loaded === undefined) return null;
  for (const [entry, exports] of loaded.opened) {
    if (searched.has(entry)) continue;
    searched.add(entry);
    for (const [name, each] of Object.entries(exports)) {
      const reference = {
        specifier: new URL(`${entry}.cjs`, CODE).href,
        parent: null,
        path: [name],
        commonjs: true,
      } as const;
      if (isReference(each) && !exported.has(each)) exported.set(each, reference);
    }
  }
  return exported.get(value) ?? (types.isModuleNamespaceObject(value) ? namespaceOf(value as Exports, loaded) : null);
}

/** The namespace that `import()` gave: known by having the same exports. */
function namespaceOf(namespace: Exports, { opened }: Loader): ModuleExport | null {
  const names = Object.keys(namespace);
  for (const [entry, exports] of opened) {
    if (
      names.length === Object.keys(exports).length &&
      names.every((name) => name in exports && exports[name] === namespace[name])
    )
      return { specifier: new URL(`${entry}.js`, CODE).href, parent: null, path: ['*'] };
  }
  return null;
}

function isReference(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
