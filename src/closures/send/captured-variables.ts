/**
 * Free names to slots: what each name that a function takes from outside is on the other side.
 *
 * The innermost captured scope that holds a name has its value. What other modules export goes its
 * own way (imported.ts), everything else by value.
 */
import { types } from 'node:util';
import { isStandardGlobal } from '../../codec/globals.js';
import { isWeak } from '../../codec/kinds/weak.js';
import type { FreeName } from '../analysis/analysis.js';
import type { Binding } from '../analysis/scope.js';
import { wordNotIn, wordOfWidth } from '../analysis/text.js';
import { coverageShapeOf } from '../coverage.js';
import { baseOf, holderOf, type InspectedFunction } from '../inspect/inspected-function.js';
import type { CapturedScope } from '../inspect/inspector.js';
import { bundledImport, commonJsModule, computedField, enclosingName, uninitialised } from '../messages.js';
import { READ } from '../receive/compile.js';
import { hasBundledImport, isBundlerLoader } from '../references/bundler.js';
import { fileExportOf } from '../references/exports.js';
import { importedSlot, noteNamespaces, noteRunnerNamespace, requiredSlot } from '../references/imported.js';
import type { Edit, Slot } from '../wire.js';
import { cellOf } from './cells.js';
import type { Children } from './children.js';

/** The result. */
export interface Captures {
  readonly slots: Slot[];
  readonly edits: Edit[];
  /** What the names hold now, for those that were found. */
  readonly values: ReadonlyMap<string, unknown>;
  /** Children that are the loaders of bundlers. */
  readonly loaders: Set<number>;
  /** Children that are WeakMaps or WeakSets of which no more is done than reading. */
  readonly onlyReads: Set<number>;
  /** Whether no captured binding can change. */
  constant: boolean;
  /** Whether the function assigns no captured binding. */
  stateless: boolean;
}

/** Names under which bundlers and compilers keep a whole imported module. */
const BUNDLED = /^(__vite_ssr_import_\d+__|__vi_import_\d+__|import_.+|.+_\d+|_interop.+)$/;

/** Resolves the free names of a function, adding the captured values to `children`. */
export function resolveCaptures(inspected: InspectedFunction, children: Children): Captures {
  const values = new Map<string, unknown>();
  const captures: Captures = {
    slots: [],
    edits: [],
    values,
    loaders: new Set(),
    onlyReads: new Set(),
    constant: true,
    stateless: true,
  };
  const { own, free } = inspected.analysis;
  noteNamespaces(inspected);
  for (const name of free.values()) {
    if (name.name === 'arguments' || name.name === READ) continue;
    capture(inspected, name, children, captures, values);
  }
  // The own name of a declaration is a variable outside it, which may hold something else by now (a
  // memoized version).
  if (own !== null && own.uses.length > 0 && inspected.around !== null) {
    const scope = holderOf(inspected, own.name);
    const isOther = scope !== null && (own.assigned || scope.object[own.name] !== inspected.fn);
    if (isOther && inspected.around.declaration) {
      useCell(inspected, own, scope, inspected.around.lookup(own.name), children, captures);
    }
  }
  return captures;
}

function capture(
  inspected: InspectedFunction,
  free: FreeName,
  children: Children,
  captures: Captures,
  values: Map<string, unknown>,
): void {
  const { name } = free;
  const scope = holderOf(inspected, name);
  if (scope === null) {
    // V8 shows every name that a function uses but this one.
    if (inspected.around?.isOwnName(name) === true) throw enclosingName(inspected.describe(), name);
    captureGlobal(inspected, free, children, captures, values);
    return;
  }
  let value: unknown;
  try {
    value = scope.object[name];
  } catch (cause) {
    throw uninitialised(inspected.describe(), name, cause);
  }
  values.set(name, value);
  const shape = coverageShapeOf(name, value);
  if (shape !== null) {
    captures.slots.push({ name, from: 'coverage', shape });
    return;
  }
  if (isBundlerLoader(value)) {
    if (hasBundledImport(inspected.text, name)) throw bundledImport(inspected.describe(), name);
    captures.loaders.add(children.values.length);
  }
  noteRunnerNamespace(inspected, free, value);
  const binding = inspected.around?.lookup(name) ?? null;
  if (!isFixed(binding)) captures.constant = false;
  const special =
    sameSlot(inspected, name, binding) ??
    hostSlot(inspected, name, value) ??
    wrapperSlot(inspected, free, value, binding, children) ??
    requiredSlot(inspected, free, value, binding, children) ??
    importedSlot(inspected, free, value, binding, children);
  if (special !== null) {
    captures.slots.push(special);
  } else if (free.assigned || (binding?.assignedInside === true && value !== inspected.fn)) {
    useCell(inspected, free, scope, binding, children, captures);
  } else if (value === inspected.fn) {
    captures.slots.push({ name, from: 'self' });
  } else {
    if (isWeak(value) && free.members?.every((member) => member === 'get' || member === 'has') === true)
      captures.onlyReads.add(children.values.length);
    captures.slots.push(valueSlot(free, value, binding, children));
  }
}

/**
 * What a rebuilt function took from a module or the host, a function made inside takes from there
 * as well.
 */
function sameSlot({ place }: InspectedFunction, name: string, binding: Binding | null): Slot | null {
  if (binding?.scope.parent !== null) return null;
  const slot = place?.script.rebuilt?.slots.find((each) => each.name === name);
  return slot === undefined || 'child' in slot || slot.from === 'self' ? null : slot;
}

/** A binding that never changes after it has its value. */
function isFixed(binding: Binding | null): boolean {
  return binding !== null && (binding.kind === 'import' || (binding.initialised && !binding.assigned));
}

/**
 * In `-e` and the REPL, what stands at the top is a global: CommonJS variables, `var`s and
 * functions of the program.
 */
function captureGlobal(
  inspected: InspectedFunction,
  free: FreeName,
  children: Children,
  captures: Captures,
  values: Map<string, unknown>,
): void {
  const { name } = free;
  if (isStandardGlobal(name)) return;
  if (!(name in globalThis)) {
    if (inspected.analysis.fieldKeyNames.includes(name)) throw computedField(inspected.describe(), name);
    return;
  }
  const value = (globalThis as Record<string, unknown>)[name];
  values.set(name, value);
  captures.constant = false;
  const binding = inspected.around?.lookup(name) ?? null;
  const special = hostSlot(inspected, name, value) ?? wrapperSlot(inspected, free, value, binding, children);
  if (special !== null) captures.slots.push(special);
  else if (binding !== null && (free.assigned || (binding.assignedInside && value !== inspected.fn))) {
    useCell(inspected, free, { type: 'Global', object: { [name]: value } }, binding, children, captures);
  } else if (value === inspected.fn) captures.slots.push({ name, from: 'self' });
  else captures.slots.push(valueSlot(free, value, binding, children));
}

/** A captured value whole, or of a namespace the members that are used. */
function valueSlot({ name, members }: FreeName, value: unknown, binding: Binding | null, children: Children): Slot {
  const isModule = BUNDLED.test(name) || binding?.required?.name === null || types.isModuleNamespaceObject(value);
  if (members !== null && isModule && typeof value === 'object' && value !== null) {
    return memberSlot(name, members, value as Record<string, unknown>, children);
  }
  return { name, from: 'child', child: children.add(value, `captured \`${name}\``) };
}

function useCell(
  inspected: InspectedFunction,
  free: FreeName,
  scope: CapturedScope,
  binding: Binding | null,
  children: Children,
  captures: Captures,
): void {
  const depth = (inspected.mirror?.scopes.length ?? 0) - (inspected.mirror?.scopes.indexOf(scope) ?? 0);
  const id = inspected.mirror?.location?.scriptId ?? '';
  const at = binding?.scope.position ?? -1;
  const key = `${id}:${at < 0 ? `depth ${depth}` : at}:${free.name}`;
  // As wide as the name, with `.v`: frames point at the columns of the original.
  const taken = [...captures.slots.map(({ name }) => name), ...inspected.analysis.free.keys()];
  const param =
    wordOfWidth(inspected.text, Math.max(1, free.name.length - 2), taken) ??
    wordNotIn(inspected.text, `${free.name}$cell`);
  const onlyOne = binding !== null && inspected.around?.isOnlyOne(binding) === true;
  const user = { fn: inspected.fn, place: onlyOne ? (inspected.place?.start ?? null) : null };
  const child = children.add(cellOf(key, free.name, scope.object, user), `captured \`${free.name}\``);
  captures.slots.push({ name: param, from: 'child', child });
  for (const { start, end, use } of free.uses) {
    const read = use === 'call' ? `${READ}(${param})` : `${param}.v`;
    captures.edits.push([start, end, use === 'shorthand' ? `${free.name}: ${read}` : read]);
  }
  captures.constant = false;
  if (free.assigned) captures.stateless = false;
}

/**
 * What the host puts into every module: CommonJS variables, and what vite makes of `import.meta`
 * and `import()`.
 */
function hostSlot(inspected: InspectedFunction, name: string, value: unknown): Slot | null {
  const url = inspected.place?.script.url ?? '';
  // The module's own, or made with `createRequire(import.meta.url)`, under whatever name.
  if (isRequire(name, value)) return { name, from: 'require', url: baseOf(url) };
  switch (name) {
    case '__vite_ssr_import_meta__':
    case '__vi_import_meta__':
      return { name, from: 'meta', url: String((value as { url?: unknown } | null)?.url ?? url) };
    case '__vite_ssr_dynamic_import__':
    case '__vi_dynamic_import__':
      return { name, from: 'import', url: baseOf(url) };
    default:
      return null;
  }
}

/**
 * The parameters `exports` and `module` of the wrapper of a CommonJS file, which its source
 * declares nowhere: as whole exports where the file can be loaded again, else as the members that
 * are used. TypeScript reads what a file exports from there.
 */
function wrapperSlot(
  inspected: InspectedFunction,
  free: FreeName,
  value: unknown,
  binding: Binding | null,
  children: Children,
): Slot | null {
  const { name, members } = free;
  if ((name !== 'exports' && name !== 'module') || binding !== null || inspected.around === null || !isReference(value))
    return null;
  if (name === 'exports' && members !== null) return memberSlot(name, members, value, children);
  const isExports = name === 'exports' || members?.every((member) => member === 'exports') === true;
  const exports: unknown = name === 'exports' ? value : value['exports'];
  const found = isExports && isReference(exports) ? fileExportOf(exports) : null;
  if (found === null) throw commonJsModule(inspected.describe(), name);
  return name === 'exports'
    ? { name, from: 'child', child: children.add(exports, 'captured `exports`') }
    : memberSlot(name, ['exports'], value, children);
}

/** That of a test runner has no name of its own. */
function isRequire(name: string, value: unknown): boolean {
  return (
    typeof value === 'function' &&
    (value.name === 'require' || name === 'require') &&
    'cache' in value &&
    'resolve' in value
  );
}

function isReference(value: unknown): value is Record<string, unknown> {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

function memberSlot(name: string, keys: readonly string[], value: Record<string, unknown>, children: Children): Slot {
  const first = children.values.length;
  for (const key of keys) children.add(value[key], `captured \`${name}.${key}\``);
  return { name, from: 'members', keys, child: first };
}
