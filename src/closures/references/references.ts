/** Reductions of what goes by reference: globals, exports, namespaces. */

import { type GlobalPath, globalPathOf } from '../../codec/globals.js';
import type { Reduction } from '../../codec/node.js';
import type { ModuleData, ModuleExport } from '../../modules/module-request.js';
import type { Analysis } from '../analysis/analysis.js';
import { checkShape } from '../send/by-value.js';
import { isNamespace, isProgramsOwn, reachesShared, sharedMembers } from '../send/shared-search.js';
import { warnAboutShared } from '../send/shared-warning.js';
import { builtinExportOf } from './builtins.js';
import { fileExportOf, resolvedFrom } from './exports.js';

/**
 * An object or function that goes by reference: a global, a Node module, a CommonJS module, or an
 * export of one.
 */
export function reduceReference(value: object): Reduction | null {
  const path = globalPathOf(value);
  if (path !== null) return globalReduction(path);
  const builtin = builtinExportOf(value);
  if (builtin !== null) return moduleReduction(builtin);
  const found = fileExportOf(value);
  if (found === null) return null;
  const url = resolvedFrom(found.parent ?? '', found.specifier);
  if (!isProgramsOwn(url)) return moduleReduction(found);
  if (isNamespace(value)) return namespaceReduction(found, value, url);
  return reachesShared(value) ? null : moduleReduction(found);
}

/**
 * Whether an exported function goes by value all the same: it leads to a shared object, of which
 * its module would make another one elsewhere. One that cannot go by value is warned about.
 */
export function exportGoesByValue(fn: Function, analysis: Analysis, { specifier, path }: ModuleExport): boolean {
  if (!isProgramsOwn(specifier) || !reachesShared(fn)) return false;
  try {
    checkShape({ analysis, describe: () => '' });
    return true;
  } catch {
    warnAboutShared(specifier, path.join('.') || 'module.exports');
    return false;
  }
}

/** The reference to a global, by its path. */
export function globalReduction(path: GlobalPath): Reduction {
  return { kind: 'global', data: path, children: [], label: String, stateless: true, constant: true };
}

/**
 * The members that are shared, or lead to something that is, take the place of the module's own.
 */
function namespaceReduction(reference: ModuleExport, namespace: object, url: string): Reduction {
  const keys = sharedMembers(namespace, null, url);
  if (keys.length === 0) return { ...moduleReduction(reference), constant: false };
  return {
    kind: 'module',
    data: { ...reference, keys } satisfies ModuleData,
    children: keys.map((key) => (namespace as Record<string, unknown>)[key]),
    label: (index) => `.${keys[index]}`,
    stateless: true,
  };
}

/** The reference to an export. */
export function moduleReduction(data: ModuleExport): Reduction {
  return { kind: 'module', data, children: [], label: String, stateless: true, constant: true };
}
