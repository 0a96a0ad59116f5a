/**
 * Namespaces of ES modules by identity. Nothing leads from a namespace to its module, so those are
 * known that a file imports from which a function is sent, and what these export.
 */
import { types } from 'node:util';
import type { ModuleExport } from '../../modules/module-request.js';
import { readVariable } from './commonjs.js';

const references = new WeakMap<object, ModuleExport>();

/** Notes what a name is that stands for a namespace in the file that imports it. */
export function noteNamespace(value: unknown, reference: ModuleExport): void {
  if (!types.isModuleNamespaceObject(value) || references.has(value as object)) return;
  const namespace = value as object;
  references.set(namespace, reference);
  const path = reference.path[0] === '*' ? [] : reference.path;
  for (const name of Object.keys(namespace))
    noteNamespace(readVariable(namespace, name), { ...reference, path: [...path, name] });
}

/** Returns the reference to a namespace that was noted, or `null`. */
export function namespaceReference(value: object): ModuleExport | null {
  return references.get(value) ?? null;
}
