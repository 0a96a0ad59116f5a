/**
 * Free names to slots: what each name that a function takes from outside is on the other side.
 *
 * The innermost captured scope that holds a name has its value. Imported functions, classes, namespaces and objects go by
 * reference, through the specifier and module that imported them; plain imported data and everything else by value.
 */
import { isShareable } from '../../memory/index.js';
import { isProgramFile } from '../../util/program-files.js';
import type { Analysis, FreeName } from './analysis.js';
import { cellOf } from './cells.js';
import type { Children } from './children.js';
import { READ } from './compile.js';
import { importIn, type Surroundings } from './enclosing.js';
import { requiredExportOf } from './exports.js';
import { isStandardGlobal } from './globals.js';
import type { CapturedScope, Mirror } from './inspector.js';
import type { Place } from './locate.js';
import { commonJsModule, computedField, enclosingName, uninitialised } from './messages.js';
import { isPlainData } from './plain-data.js';
import type { Binding, ImportOrigin } from './scope.js';
import { wordNotIn, wordOfWidth } from './text.js';
import type { Edit, Slot } from './wire.js';

/** What is known of the function whose names are resolved. */
export interface Subject {
  readonly fn: Function;
  /** What it is called in messages. Only errors ask, and a source map may have to be read for it. */
  readonly describe: () => string;
  readonly text: string;
  readonly analysis: Analysis;
  readonly mirror: Mirror | null;
  readonly place: Place | null;
  readonly around: Surroundings | null;
}

/** The result. */
export interface Captures {
  readonly slots: Slot[];
  readonly edits: Edit[];
  /** What the names hold now, for those that were found. */
  readonly values: ReadonlyMap<string, unknown>;
  /** Whether no captured binding can change. */
  constant: boolean;
  /** Whether the function assigns no captured binding. */
  stateless: boolean;
}

/** Names under which bundlers and compilers keep a whole imported module. */
const BUNDLED = /^(__vite_ssr_import_\d+__|__vi_import_\d+__|import_.+|.+_\d+|_interop.+)$/;

/** Resolves the free names of a function, adding the captured values to `children`. */
export function resolveCaptures(subject: Subject, children: Children): Captures {
  const values = new Map<string, unknown>();
  const captures: Captures = { slots: [], edits: [], values, constant: true, stateless: true };
  const { own, free } = subject.analysis;
  for (const name of free.values()) {
    if (name.name === 'arguments' || name.name === READ) continue;
    capture(subject, name, children, captures, values);
  }
  // The own name of a declaration is a variable outside it, which may hold something else by now (a memoized version).
  if (own !== null && own.uses.length > 0 && subject.around?.declaration === true) {
    const scope = holderOf(subject, own.name);
    if (scope !== null && (own.assigned || scope.object[own.name] !== subject.fn)) {
      useCell(subject, own, scope, subject.around.lookup(own.name), children, captures);
    }
  }
  return captures;
}

/** The captured scope that holds a name. Globals are no captures. */
export function holderOf(subject: Pick<Subject, 'mirror'>, name: string): CapturedScope | null {
  for (const scope of subject.mirror?.scopes ?? []) {
    if (scope.type !== 'Global' && Object.hasOwn(scope.object, name)) return scope;
  }
  return null;
}

function capture(subject: Subject, free: FreeName, children: Children, captures: Captures, values: Map<string, unknown>): void {
  const { name } = free;
  const scope = holderOf(subject, name);
  if (scope === null) {
    // V8 shows every name that a function uses but this one.
    if (subject.around?.lookup(name)?.kind === 'self') throw enclosingName(subject.describe(), name);
    captureGlobal(subject, free, children, captures, values);
    return;
  }
  let value: unknown;
  try {
    value = scope.object[name];
  } catch (cause) {
    throw uninitialised(subject.describe(), name, cause);
  }
  values.set(name, value);
  const binding = subject.around?.lookup(name) ?? null;
  if (!isFixed(binding)) captures.constant = false;
  const special =
    sameSlot(subject, name, binding) ?? hostSlot(subject, name, value, binding) ?? requiredSlot(subject, free, value, binding);
  const from = binding?.from ?? importOf(subject, scope, name, value);
  if (special !== null) {
    captures.slots.push(special);
  } else if (from !== undefined && !importedByValue(value, from, subject.place)) {
    captures.slots.push(importSlot(name, from, subject.place!));
  } else if (free.assigned || (binding?.assignedInside === true && value !== subject.fn)) {
    useCell(subject, free, scope, binding, children, captures);
  } else if (value === subject.fn) {
    captures.slots.push({ name, from: 'self' });
  } else captures.slots.push(valueSlot(free, value, children));
}

/** What a rebuilt function took from a module or the host, a function made inside takes from there as well. */
function sameSlot({ place }: Subject, name: string, binding: Binding | null): Slot | null {
  if (binding?.scope.parent !== null) return null;
  const slot = place?.script.rebuilt?.slots.find((each) => each.name === name);
  return slot === undefined || slot.from === 'child' || slot.from === 'members' || slot.from === 'self' ? null : slot;
}

/** A binding that never changes after it has its value. */
function isFixed(binding: Binding | null): boolean {
  return binding !== null && (binding.kind === 'import' || (binding.initialised && !binding.assigned));
}

/** In `-e` and the REPL, what stands at the top is a global: CommonJS variables, `var`s and functions of the program. */
function captureGlobal(subject: Subject, free: FreeName, children: Children, captures: Captures, values: Map<string, unknown>): void {
  const { name } = free;
  if (isStandardGlobal(name)) return;
  if (!(name in globalThis)) {
    if (subject.analysis.fieldKeyNames.includes(name)) throw computedField(subject.describe(), name);
    return;
  }
  const value = (globalThis as Record<string, unknown>)[name];
  values.set(name, value);
  captures.constant = false;
  const binding = subject.around?.lookup(name) ?? null;
  const special = hostSlot(subject, name, value, binding);
  if (special !== null) captures.slots.push(special);
  else if (binding !== null && (free.assigned || (binding.assignedInside && value !== subject.fn))) {
    useCell(subject, free, { type: 'Global', object: { [name]: value } }, binding, children, captures);
  } else if (value === subject.fn) captures.slots.push({ name, from: 'self' });
  else captures.slots.push(valueSlot(free, value, children));
}

/** A captured value whole, or of a bundler's namespace the members that are used. */
function valueSlot({ name, members }: FreeName, value: unknown, children: Children): Slot {
  if (members !== null && BUNDLED.test(name) && typeof value === 'object' && value !== null) {
    return memberSlot(name, members, value as Record<string, unknown>, children);
  }
  return { name, from: 'child', child: children.add(value, `captured \`${name}\``) };
}

function useCell(
  subject: Subject,
  free: FreeName,
  scope: CapturedScope,
  binding: Binding | null,
  children: Children,
  captures: Captures,
): void {
  const depth = (subject.mirror?.scopes.length ?? 0) - (subject.mirror?.scopes.indexOf(scope) ?? 0);
  const id = subject.mirror?.location?.scriptId ?? '';
  const key = `${id}:${binding?.scope.start ?? `depth ${depth}`}:${free.name}`;
  // As wide as the name, with `.v`: frames point at the columns of the original.
  const taken = [...captures.slots.map(({ name }) => name), ...subject.analysis.free.keys()];
  const param = wordOfWidth(subject.text, Math.max(1, free.name.length - 2), taken) ?? wordNotIn(subject.text, `${free.name}$cell`);
  const onlyOne = binding !== null && subject.around?.isOnlyOne(binding) === true;
  const user = { fn: subject.fn, place: onlyOne ? (subject.place?.start ?? null) : null };
  const child = children.add(cellOf(key, free.name, scope.object, user), `captured \`${free.name}\``);
  captures.slots.push({ name: param, from: 'child', child });
  for (const { start, end, use } of free.uses) {
    const read = use === 'call' ? `${READ}(${param})` : `${param}.v`;
    captures.edits.push([start, end, use === 'shorthand' ? `${free.name}: ${read}` : read]);
  }
  captures.constant = false;
  if (free.assigned) captures.stateless = false;
}

/** What the host puts into every module: CommonJS variables, and what vite makes of `import.meta` and `import()`. */
function hostSlot(subject: Subject, name: string, value: unknown, binding: Binding | null): Slot | null {
  const url = subject.place?.script.url ?? '';
  // The module's own, or made with `createRequire(import.meta.url)`, under whatever name.
  if (isRequire(value)) return { name, from: 'require', url: baseOf(url) };
  switch (name) {
    case 'module':
    case 'exports':
      // Parameters of the CommonJS wrapper are declared nowhere in the source.
      if (binding === null && subject.around !== null && typeof value === 'object') throw commonJsModule(subject.describe(), name);
      return null;
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

function isRequire(value: unknown): boolean {
  return typeof value === 'function' && value.name === 'require' && 'cache' in value && 'resolve' in value;
}

/** Code without a file resolves from the working directory. */
export function baseOf(url: string): string {
  return url.startsWith('file:') ? url : new URL(`file://${encodeURI(process.cwd())}/[eval]`).href;
}

/** Plain data is copied, a shared object is attached (imported again it would be another one); what the main file exports must be, since it cannot be imported again. */
function importedByValue(value: unknown, from: ImportOrigin, place: Place | null): boolean {
  if (place === null || isPlainData(value) || (typeof value === 'object' && value !== null && isShareable(value))) return true;
  return from.specifier.startsWith('.') && isProgramFile(new URL(from.specifier, baseOf(place.script.url)).href);
}

function importSlot(name: string, from: ImportOrigin, place: Place): Slot {
  const module = { specifier: from.specifier, parent: baseOf(place.script.url), path: [from.name] };
  return { name, from: 'module', module: Object.keys(from.attributes).length === 0 ? module : { ...module, attributes: from.attributes } };
}

/** Where a name of a module is imported from, though nothing else is known of the code around. */
function importOf({ around, place }: Subject, { type }: CapturedScope, name: string, value: unknown): ImportOrigin | undefined {
  return around === null && place !== null && type === 'Module' && isReference(value) ? importIn(place.script, name) : undefined;
}

/** What `require` gave goes the way of imports. */
function requiredSlot({ place }: Subject, { name, members }: FreeName, value: unknown, binding: Binding | null): Slot | null {
  if (place === null || binding?.required === undefined || binding.assigned || !isReference(value)) return null;
  const used = members !== null && binding.required.name === null ? members.map((key) => value[key]) : [value];
  if (used.every((each) => isPlainData(each)) || isShareable(value)) return null;
  const found = requiredExportOf(value, binding.required, members, place.script.url);
  return found === null ? null : { name, from: 'module', module: { ...found, parent: null } };
}

function isReference(value: unknown): value is Record<string, unknown> {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

function memberSlot(name: string, keys: readonly string[], value: Record<string, unknown>, children: Children): Slot {
  const first = children.values.length;
  for (const key of keys) children.add(value[key], `captured \`${name}.${key}\``);
  return { name, from: 'members', keys, child: first };
}
