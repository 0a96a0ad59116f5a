/**
 * `reduceFunction`: the first of these that fits. Rebuilt here before; a global; an export of Node;
 * bound or a proxy; an export of a module; by value.
 */
import { types } from 'node:util';
import { globalPathOf, isStandardGlobal } from '../../codec/globals.js';
import { identityOf } from '../../codec/identity.js';
import type { Reduction } from '../../codec/node.js';
import { SerializationError } from '../../errors/index.js';
import type { ModuleExport } from '../../modules/module-request.js';
import { isProgramFile } from '../../util/program-files.js';
import { type Analysis, analyse } from '../analysis/analysis.js';
import { exportNameOf, surroundings } from '../inspect/enclosing.js';
import { type Mirror, mirror } from '../inspect/inspector.js';
import { fromFactories, locate, type Place } from '../inspect/locate.js';
import { sourcePlace } from '../inspect/source-maps.js';
import { nativeFunction, taskCaptures, unreadable } from '../messages.js';
import { provenanceOf } from '../receive/provenance.js';
import { builtinExportOf, internalExportOf } from '../references/builtins.js';
import { fileExportOf, isThere, moduleExportOf } from '../references/exports.js';
import { isLoadable } from '../references/loadable.js';
import { exportGoesByValue, globalReduction, moduleReduction } from '../references/references.js';
import { taskParts } from '../task.js';
import type { FunctionData } from '../wire.js';
import { checkShape, nameOf, reduceByValue } from './by-value.js';
import { Children } from './children.js';
import { hiddenPartsOf } from './hidden-parts.js';
import { collectExtras } from './properties.js';
import { isProgramsOwn, reachesShared } from './shared-search.js';
import { countWork } from './work.js';

/** With the number of own properties: a function that gained one is reduced again. */
const constants = new WeakMap<Function, { readonly reduction: Reduction; readonly keys: number }>();
/**
 * Where functions without captures and without names were seen: only for stack traces, so the text
 * is key enough. One that has a name may be an export, whatever others with its text are.
 */
const places = new Map<string, Place | null>();
const PLACES = 4_096;
/** Whether it counts what a function is, and not only what it does. */
let exact = false;

/**
 * Reduces any function or class.
 *
 * @throws SerializationError naming the function, the culprit and the repair; see `messages.ts` for
 * the codes.
 */
export function reduceFunction(fn: Function): Reduction {
  const constant = constants.get(fn);
  if (constant !== undefined && constant.keys === Reflect.ownKeys(fn).length) return constant.reduction;
  const reduction = reduceTask(fn) ?? reduceAgain(fn) ?? reduceFresh(fn);
  if (reduction.constant === true) constants.set(fn, { reduction, keys: Reflect.ownKeys(fn).length });
  return reduction;
}

/**
 * As {@link reduceFunction}, for who asks whether it goes by reference: nothing is concluded from
 * functions that have the same text.
 */
export function reduceExactly(fn: Function): Reduction {
  const constant = constants.get(fn)?.reduction;
  if (constant !== undefined && constant.kind !== 'module') constants.delete(fn);
  const before = exact;
  exact = true;
  try {
    return reduceFunction(fn);
  } finally {
    exact = before;
  }
}

/** What of an instance is no property of it and does not travel with its class. */
export function hiddenParts(instance: object): readonly object[] {
  return hiddenPartsOf(instance, (type) => reduceFunction(type).kind === 'module');
}

/** `task(captures, fn)`: nothing is captured but what was named. */
function reduceTask(fn: Function): Reduction | null {
  const parts = taskParts(fn);
  if (parts === undefined) return null;
  const captured = capturedNames(reduceFunction(parts.fn));
  if (captured.length > 0) throw taskCaptures(describeName(parts.fn), captured);
  return {
    kind: 'task',
    data: null,
    children: [parts.captures, parts.fn],
    label: (index) => (index === 0 ? 'captures of task()' : 'function of task()'),
    actor: describeName(parts.fn),
    stateless: true,
  };
}

/** Names filled by value. References to modules and the function itself need no capturing. */
function capturedNames({ kind, data }: Reduction): string[] {
  if (kind !== 'function' && kind !== 'class') return [];
  return (data as FunctionData).slots
    .filter((slot) => slot.from === 'child' || slot.from === 'members')
    .map((slot) => slot.name);
}

/**
 * A function rebuilt here is sent on from what it was rebuilt from, with the properties it has now.
 */
function reduceAgain(fn: Function): Reduction | null {
  const origin = provenanceOf(fn);
  if (origin === undefined) return null;
  const { data } = origin;
  const children = new Children();
  const count = firstExtra(origin.data);
  const statics = privateStatics(fn, data);
  for (let index = 0; index < origin.children.length && index < count; index++) {
    const now = index === data.identity ? identityOf(fn.prototype as object) : origin.children[index];
    children.add(statics.has(index) ? statics.get(index) : now, `captured [${index}]`);
  }
  for (const slot of data.slots)
    if (slot.from === 'child') children.labels[slot.child] = `captured \`${writtenAs(slot.name, data)}\``;
  const analysis = analyse(data.text)!;
  const extras = collectExtras(fn, data.text, analysis, children);
  const isClass = data.form === 'class';
  return {
    kind: isClass ? 'class' : 'function',
    data: { ...data, ...extras },
    children: children.values,
    label: (index) => children.labels[index] ?? `[${index}]`,
    actor: describeName(fn),
    needs: [heritageOf(data, analysis), data.receiver, data.args].filter((index) => index >= 0),
    stateless: data.stateless && children.values.length <= count,
    constant: false,
  };
}

/** Private static fields as they are now, by the child that held what they began with. */
function privateStatics(fn: Function, { slots }: FunctionData): ReadonlyMap<number, unknown> {
  const found = new Map<number, unknown>();
  const fields = slots.flatMap((slot) => (slot.from === 'child' && slot.private !== undefined ? [slot] : []));
  if (fields.length === 0) return found;
  const { privates } = mirror(fn, describeName(fn));
  for (const { child, private: name } of fields) if (privates.has(name!)) found.set(child, privates.get(name!));
  return found;
}

/** The name in the original text: that of a variable that a cell stands for was replaced. */
function writtenAs(name: string, { text, edits }: FunctionData): string {
  const [start, end] = edits.find(([, , replacement]) => replacement === `${name}.v`) ?? [0, 0];
  return start === end ? name : text.slice(start, end);
}

/** The child with the superclass: what stands in the place of the `extends` expression. */
function heritageOf({ slots, edits }: FunctionData, { heritage }: Analysis): number {
  if (heritage === null) return -1;
  const name = edits.find(([start]) => start === heritage.start)?.[2] ?? heritage.name;
  const slot = slots.find((each) => each.name === name);
  return slot?.from === 'child' ? slot.child : -1;
}

/** Children of extras come last. */
function firstExtra({ slots, receiver, args, identity }: FunctionData): number {
  let last = Math.max(receiver, args, identity);
  for (const slot of slots) {
    if (slot.from === 'child') last = Math.max(last, slot.child);
    else if (slot.from === 'members') last = Math.max(last, slot.child + slot.keys.length - 1);
  }
  return last + 1;
}

function reduceFresh(fn: Function): Reduction {
  const name = describeName(fn);
  if (types.isProxy(fn)) return reduceProxy(fn, name);
  const text = Function.prototype.toString.call(fn);
  const native = text.endsWith('{ [native code] }');
  const path = native || isStandardGlobal(fn.name) ? globalPathOf(fn) : null;
  if (path !== null) return globalReduction(path);
  if (native) return reduceNative(fn, name);
  const analysis = analyse(text);
  if (analysis === null) return reduceUnread(fn, text, name);
  return reduceSource(fn, text, analysis, name);
}

function reduceSource(fn: Function, text: string, analysis: Analysis, described: string): Reduction {
  const name = analysis.form === 'class' ? described.replace('function', 'class') : described;
  const builtin = builtinExportOf(fn);
  if (builtin !== null) return moduleReduction(builtin);
  const alone = isAlone(analysis);
  if (alone && !exact && places.has(text) && nameOf(fn) === '' && fileExportOf(fn) === null) {
    return reduceByValue({
      fn,
      describe: () => name,
      text,
      analysis,
      mirror: null,
      place: places.get(text)!,
      around: null,
    });
  }
  const seen = look(fn, text, analysis, name);
  const { place } = seen;
  if (place === 'internal') return reduceInternal(fn, name);
  if (seen.mirror !== null) countWork(seen.mirror, placed(name, place));
  const reference = seen.mirror === null ? null : exportReference(fn, text, seen.mirror, place);
  if (reference !== null && isThere(reference) && !exportGoesByValue(fn, analysis, reference))
    return moduleReduction(reference);
  const isModule = seen.mirror?.scopes.some((scope) => scope.type === 'Module') === true;
  const around = place === null || alone ? null : surroundings(place, text, isModule);
  if (alone && nameOf(fn) === '') remember(text, place);
  return reduceByValue({ fn, describe: placed(name, place), text, analysis, mirror: seen.mirror, place, around });
}

/** `function f (file:///main.js:3)`, when it is asked for. */
function placed(name: string, place: Place | null): () => string {
  return () => {
    if (place === null) return name;
    const { url, line } = sourcePlace(place);
    return `${name} (${url}:${line})`;
  };
}

/** Where a function was written. `null` where that is unknown. */
export function placeOfFunction(
  fn: Function,
): { readonly url: string; readonly line: number; readonly column: number } | null {
  try {
    const place = locate(fn, mirror(fn, ''), Function.prototype.toString.call(fn), '');
    return place === null || place === 'internal' || place.script.url === '' ? null : sourcePlace(place);
  } catch {
    // No inspector.
    return null;
  }
}

/** Takes nothing from outside, so that only stack traces ask where it was written. */
function isAlone({ free, own, outerThis, form, importMeta, dynamicImport }: Analysis): boolean {
  const ownUses = own?.uses.length ?? 0;
  return (
    free.size === 0 && ownUses === 0 && !outerThis && form !== 'class' && importMeta.length === 0 && !dynamicImport
  );
}

function remember(text: string, place: Place | null): void {
  if (places.size >= PLACES) places.delete(places.keys().next().value as string);
  places.set(text, place);
}

/**
 * A function whose text does not parse goes by reference, if that can be told without: by the
 * exports of its module.
 */
function reduceUnread(fn: Function, text: string, name: string): Reduction {
  const mirrored = mirror(fn, name);
  const place = locate(fn, mirrored, text, name);
  const url = place === null || place === 'internal' ? '' : place.script.url;
  const isModule = mirrored.scopes.some(({ type }) => type === 'Module');
  const found = isModule ? moduleExportOf(fn, url) : fileExportOf(fn, url);
  if (found === null) throw unreadable(name);
  return moduleReduction(found);
}

interface Look {
  readonly mirror: Mirror | null;
  readonly place: Place | 'internal' | null;
}

/** Without an inspector, a function that uses only the globals every process has can still go. */
function look(fn: Function, text: string, analysis: Analysis, name: string): Look {
  try {
    const mirrored = mirror(fn, name);
    if (!isFromText(text, mirrored, analysis)) return { mirror: mirrored, place: locate(fn, mirrored, text, name) };
    return {
      mirror: mirrored,
      place: mirrored.location === null ? null : fromFactories(mirrored.location, text, name),
    };
  } catch (error) {
    if (!(error instanceof SerializationError) || error.code !== 'MP_INSPECTOR_UNAVAILABLE') throw error;
    checkShape({ analysis, describe: () => name });
    if (analysis.outerThis || ![...analysis.free.keys()].every(isStandardGlobal)) throw error;
    return { mirror: null, place: null };
  }
}

/**
 * Whether a function was made by `new Function`, or needs nothing and was made by `eval`: then no
 * script says more of it, and asking for its script would cost milliseconds each time.
 */
function isFromText(text: string, { scopes }: Mirror, analysis: Analysis): boolean {
  if (scopes.some(({ type }) => type === 'Module')) return false;
  if (scopes.some(({ type }) => type === 'Closure (anonymous)')) return true;
  const onlyGlobal = scopes.every(({ type }) => type === 'Global' || type === 'Script');
  return onlyGlobal && (isAlone(analysis) || /^(async )?function\*? anonymous\(.*?\n\) \{\n/s.test(text));
}

function exportReference(fn: Function, text: string, mirrored: Mirror, place: Place | null): ModuleExport | null {
  const moduleScope = mirrored.scopes.find((scope) => scope.type === 'Module');
  if (moduleScope === undefined) return fileExportOf(fn, place?.script.url);
  const url = place?.script.url ?? '';
  if (place === null || !url.startsWith('file:') || isProgramFile(url) || !isLoadable(url)) return null;
  const exported = exportNameOf(fn, place, text, moduleScope.object);
  return exported === null ? null : { specifier: url, parent: null, path: [exported] };
}

/** JavaScript inside Node: an export by an accessor, or a method of a platform object. */
function reduceInternal(fn: Function, name: string): Reduction {
  const builtin = internalExportOf(fn);
  if (builtin !== null) return moduleReduction(builtin);
  const path = globalPathOf(fn);
  if (path === null) throw nativeFunction(name);
  return globalReduction(path);
}

function reduceNative(fn: Function, name: string): Reduction {
  const found = builtinExportOf(fn) ?? fileExportOf(fn);
  if (found !== null && !(isProgramsOwn(found.specifier) && reachesShared(fn))) return moduleReduction(found);
  const { bound } = mirror(fn, name);
  if (bound === null) throw nativeFunction(name);
  const labels = ['bound function', 'bound this'];
  return {
    kind: 'bound',
    data: nameOf(fn),
    children: [bound.target, bound.receiver, ...bound.args],
    label: (index) => labels[index] ?? `bound argument ${index - labels.length}`,
    actor: name,
    stateless: true,
  };
}

function reduceProxy(fn: Function, name: string): Reduction {
  const { proxy } = mirror(fn, name);
  if (proxy === null || proxy.handler === null) throw nativeFunction(name);
  const labels = ['proxy target', 'proxy handler'];
  return {
    kind: 'proxy',
    data: null,
    children: [proxy.target, proxy.handler],
    label: (index) => labels[index]!,
    actor: `proxy of ${name}`,
  };
}

function describeName(fn: Function): string {
  const name = types.isProxy(fn) ? '' : nameOf(fn);
  return name === '' ? 'an anonymous function' : `function ${name}`;
}
