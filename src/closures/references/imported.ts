/**
 * Captures that come from other modules: whether by reference, through the specifier and the file
 * that imported them, or by value.
 *
 * Plain data is copied, what is shared is attached, and what leads to a shared object in a module
 * of the program goes by value as well. Everything else goes by reference.
 */
import { types } from 'node:util';
import { isShareable } from '../../memory/index.js';
import { isProgramFile } from '../../util/program-files.js';
import type { FreeName } from '../analysis/analysis.js';
import type { Binding, ImportOrigin } from '../analysis/scope.js';
import { baseOf, type InspectedFunction } from '../inspect/inspected-function.js';
import type { Place } from '../inspect/locate.js';
import type { Children } from '../send/children.js';
import { isCopyable } from '../send/copyable.js';
import { isPlainData } from '../send/plain-data.js';
import { isNamespace, isProgramsOwn, reachesShared, sharedMembers } from '../send/shared-search.js';
import { warnAboutShared } from '../send/shared-warning.js';
import type { Slot } from '../wire.js';
import { readVariable, requiredExportOf } from './commonjs.js';
import { resolvedFrom } from './exports.js';
import { foreignExportOf } from './foreign-registry.js';
import { isLoadable } from './loadable.js';
import { noteNamespace } from './namespaces.js';
import { runnerImport } from './vite.js';

type ModuleSlot = Slot & { readonly from: 'module' };

/** Notes the namespaces that the file imports: a captured object may hold one. */
export function noteNamespaces({ around, place, mirror }: InspectedFunction): void {
  const scope =
    around === null || around.namespaces.length === 0
      ? undefined
      : mirror?.scopes.find(({ type }) => type === 'Module');
  if (scope === undefined || place === null) return;
  for (const { name, from } of around!.namespaces) {
    if (!isLoadable(resolvedFrom(place.script.url, from!.specifier))) continue;
    noteNamespace(readVariable(scope.object, name), importSlot(name, from!, place).module);
  }
}

/**
 * Notes the namespace that a variable of vite's module runner holds, or of the proxy that vitest
 * puts around one those that it exports.
 */
export function noteRunnerNamespace({ place }: InspectedFunction, { name, members }: FreeName, value: unknown): void {
  if (place === null || !isReference(value)) return;
  const isWhole = types.isModuleNamespaceObject(value);
  if (!isWhole && !types.isProxy(value)) return;
  const specifier = runnerImport(place.script.source, name);
  if (specifier === null) return;
  const parent = baseOf(place.script.url);
  if (isWhole) noteNamespace(value, { specifier, parent, path: ['*'] });
  else
    for (const member of members ?? [])
      noteNamespace(readVariable(value, member), { specifier, parent, path: [member] });
}

/** Returns the slot of an import, or `null` if it is none or goes by value. */
export function importedSlot(
  inspected: InspectedFunction,
  free: FreeName,
  value: unknown,
  binding: Binding | null,
  children: Children,
): Slot | null {
  const { place } = inspected;
  const from = binding?.from;
  if (from === undefined || place === null || importedByValue(value, from, place)) return null;
  const slot = importSlot(free.name, from, place);
  return isReference(value) && isNamespace(value) ? overlaid(slot, value, free, children) : slot;
}

/**
 * Plain data is copied, a shared object is attached (imported again it would be another one), and
 * so is what leads to one; what the main file exports must be, since it cannot be imported again.
 */
function importedByValue(value: unknown, from: ImportOrigin, place: Place): boolean {
  if (isPlainData(value)) return true;
  if (from.specifier.startsWith('.') && isProgramFile(new URL(from.specifier, baseOf(place.script.url)).href))
    return true;
  if (!isLoadable(resolvedFrom(place.script.url, from.specifier))) return true;
  return isReference(value) && !isNamespace(value) && goesWithShared(value, from.specifier, from.name, place);
}

/**
 * Whether an export is shared, or leads to something shared and can be copied. Whether a function
 * can is asked where it is reduced.
 */
function goesWithShared(value: object, specifier: string, name: string, place: Place): boolean {
  if (isShareable(value)) return true;
  if (!isProgramsOwn(resolvedFrom(place.script.url, specifier)) || !reachesShared(value)) return false;
  if (typeof value === 'function' || isCopyable(value)) return true;
  warnAboutShared(specifier, name);
  return false;
}

/** A reference to a namespace, with the members that are shared or lead to something that is. */
function overlaid(
  slot: ModuleSlot,
  value: Record<string, unknown>,
  { name, members }: FreeName,
  children: Children,
): Slot {
  const keys = sharedMembers(value, members, resolvedFrom(slot.module.parent ?? '', slot.module.specifier));
  if (keys.length === 0) return slot;
  const child = children.values.length;
  for (const key of keys) children.add(value[key], `captured \`${name}.${key}\``);
  return { ...slot, keys, child };
}

function importSlot(name: string, from: ImportOrigin, place: Place): ModuleSlot {
  const module = { specifier: from.specifier, parent: baseOf(place.script.url), path: [from.name] };
  return {
    name,
    from: 'module',
    module: Object.keys(from.attributes).length === 0 ? module : { ...module, attributes: from.attributes },
  };
}

/** Returns the slot of what `require` gave, or `null` if that goes by value. */
export function requiredSlot(
  { place }: InspectedFunction,
  free: FreeName,
  value: unknown,
  binding: Binding | null,
  children: Children,
): Slot | null {
  const required = binding?.required;
  if (place === null || required === undefined || binding?.assigned === true || !isReference(value)) return null;
  const { name, members } = free;
  const used = members !== null && required.name === null ? members.map((key) => value[key]) : [value];
  if (used.every((each) => isPlainData(each))) return null;
  const found = requiredExportOf(value, required, place.script.url);
  if (found === null) {
    const foreign = foreignExportOf(value, required, members, place.script.url);
    return foreign === null ? null : { name, from: 'module', module: foreign };
  }
  const slot: ModuleSlot = { name, from: 'module', module: found };
  // A compiler's wrapper may be an object of its own.
  if (found.path[0] === '*' || isNamespace(value)) return overlaid(slot, value, free, children);
  return goesWithShared(value, found.specifier, required.name ?? 'module.exports', place) ? null : slot;
}

function isReference(value: unknown): value is Record<string, unknown> {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
