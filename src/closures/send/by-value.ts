/**
 * A function or class by value: its text, the place it comes from, and everything it takes from
 * outside.
 */
import { identityOf } from '../../codec/identity.js';
import type { Reduction } from '../../codec/node.js';
import type { Analysis } from '../analysis/analysis.js';
import { wordNotIn } from '../analysis/text.js';
import { baseOf, holderOf, type InspectedFunction } from '../inspect/inspected-function.js';
import type { Place } from '../inspect/locate.js';
import { receiverOf } from '../inspect/receiver.js';
import { markOf } from '../inspect/source-maps.js';
import {
  computedField,
  directEval,
  IGNORE_BUNDLER,
  outerNewTarget,
  outerSuper,
  privateName,
  takeOut,
} from '../messages.js';
import { prototypeIdentity } from '../receive/constructor-functions.js';
import type { Edit, FunctionData, Slot } from '../wire.js';
import { type Captures, resolveCaptures } from './captured-variables.js';
import { Children } from './children.js';
import { classAsItIs } from './class-now.js';
import { collectExtras } from './properties.js';

/**
 * Refuses what no text can carry.
 * @throws SerializationError `MP_DIRECT_EVAL`, `MP_SUPER`, `MP_PRIVATE_NAME`, `MP_NEW_TARGET`,
 * `MP_COMPUTED_FIELD`.
 */
export function checkShape({ analysis, describe }: Pick<InspectedFunction, 'analysis' | 'describe'>): void {
  if (analysis.directEval) throw directEval(describe());
  if (analysis.outerSuper) throw outerSuper(describe());
  if (analysis.outerPrivate !== null) throw privateName(describe(), analysis.outerPrivate, analysis.arrow);
  if (analysis.outerNewTarget) throw outerNewTarget(describe());
  if (analysis.fieldKey !== null) throw computedField(describe(), analysis.fieldKey);
}

/** Reduces a function to text and captures. */
export function reduceByValue(inspected: InspectedFunction): Reduction {
  checkShape(inspected);
  // The reduction is kept with the function: it may hold on to `describe`, not to the mirror, whose
  // scopes hold what all variables held.
  const { fn, text, analysis, place, describe } = inspected;
  const children = new Children();
  const isClass = analysis.form === 'class';
  const captures = resolveCaptures(inspected, children);
  if (isClass) classAsItIs(fn, text, analysis, inspected.mirror, children, captures);
  const { loaders } = captures;
  const heritage = injectHeritage(inspected, children, captures);
  if (analysis.importMeta.length > 0) injectMeta(inspected, captures);
  if (analysis.key !== null) captures.edits.push([analysis.key.start, analysis.key.end, JSON.stringify(keyName(fn))]);
  const receiver = outerReceiver(inspected, children);
  const args = outerArguments(inspected, children);
  const prototypeId = prototypeIdentity(fn, text, analysis);
  const identity = prototypeId === null ? -1 : children.add(prototypeId, '');
  const beforeExtras = children.values.length;
  const extras = collectExtras(fn, text, analysis, children);
  const own = children.values.length > beforeExtras;
  const stateless = captures.stateless && !own && !hasStaticState(analysis);
  const data: FunctionData = {
    text,
    form: analysis.form,
    strict: isStrict(inspected),
    name: nameOf(fn),
    url: place === null ? '' : urlOf(place.script, analysis),
    line: place?.line ?? 0,
    column: place?.column ?? 0,
    edits: captures.edits,
    slots: captures.slots,
    receiver,
    args,
    identity,
    ...extras,
    stateless,
    id: isClass ? identityOf(fn) : '',
  };
  return {
    kind: isClass ? 'class' : 'function',
    data,
    children: children.values,
    label: (index) => children.labels[index] ?? `[${index}]`,
    get actor() {
      return describe();
    },
    advice: (index) =>
      index === receiver ? takeOut(analysis.thisMembers) : loaders.has(index) ? IGNORE_BUNDLER : undefined,
    needs: [heritage, receiver, args].filter((index) => index >= 0),
    onlyReads: captures.onlyReads,
    stateless,
    // A class may be patched at any time.
    constant: captures.constant && !own && !isClass && receiver < 0 && args < 0,
  };
}

/** `import()` resolves from it, and stack traces show it. */
function urlOf(script: Place['script'], { dynamicImport }: Analysis): string {
  const url = dynamicImport ? baseOf(script.url) : script.url;
  return url + markOf(script);
}

/** Static fields and blocks may keep anything. */
function hasStaticState({ declared }: InspectedFunction['analysis']): boolean {
  return declared?.state === true;
}

/**
 * An `extends` that is more than a name, or a name that holds something else by now, becomes the
 * superclass itself. Returns the child with the superclass, or -1.
 */
function injectHeritage({ fn, text, analysis }: InspectedFunction, children: Children, captures: Captures): number {
  const { heritage } = analysis;
  if (heritage === null || heritage.isNull) return -1;
  const superclass: unknown = superclassOf(fn);
  if (heritage.name !== null) {
    const world = globalThis as Record<string, unknown>;
    const named = captures.values.has(heritage.name) ? captures.values.get(heritage.name) : world[heritage.name];
    if (named === superclass) return captures.values.has(heritage.name) ? children.values.indexOf(superclass) : -1;
  }
  const name = wordNotIn(text, 'super$class');
  const child = children.add(superclass, 'superclass');
  captures.slots.push({ name, from: 'child', child });
  // A cell may have rewritten the name already.
  replaceInside(captures.edits, [heritage.start, heritage.end, name]);
  return child;
}

/** What a class extends: `null` has its own prototype only. */
function superclassOf(fn: Function): unknown {
  const prototype: unknown = fn.prototype;
  const isNull = typeof prototype === 'object' && prototype !== null && Object.getPrototypeOf(prototype) === null;
  return isNull && Object.getPrototypeOf(fn) === Function.prototype ? null : Object.getPrototypeOf(fn);
}

function replaceInside(edits: Edit[], edit: Edit): void {
  for (let index = edits.length - 1; index >= 0; index--) {
    if (edits[index]![0] >= edit[0] && edits[index]![1] <= edit[1]) edits.splice(index, 1);
  }
  edits.push(edit);
}

/** `import.meta` is no syntax for a script; its stand-in has the same width. */
function injectMeta({ text, analysis, place }: InspectedFunction, captures: Captures): void {
  const name = wordNotIn(text, 'import$meta');
  captures.slots.push({ name, from: 'meta', url: baseOf(place?.script.url ?? '') } satisfies Slot);
  for (const { start, end } of analysis.importMeta) captures.edits.push([start, end, name]);
}

/** The `this` of the function around an arrow. */
function outerReceiver(inspected: InspectedFunction, children: Children): number {
  const receiver = inspected.analysis.outerThis ? receiverOf(inspected) : undefined;
  return receiver === undefined ? -1 : children.add(receiver, 'outer `this`');
}

/** The captured `arguments` of the function around an arrow. */
function outerArguments(inspected: InspectedFunction, children: Children): number {
  if (!inspected.analysis.free.has('arguments')) return -1;
  const scope = holderOf(inspected, 'arguments');
  return scope === null
    ? -1
    : children.add(Array.from(scope.object['arguments'] as ArrayLike<unknown>), 'captured `arguments`');
}

/**
 * The text of a class is always strict. Only plain functions show whether they are; for the rest
 * the code around says.
 */
function isStrict(inspected: InspectedFunction): boolean {
  const { fn, analysis, mirror, around } = inspected;
  if (analysis.form === 'class') return true;
  if (analysis.plain) return throwsForCaller(fn);
  if (mirror?.scopes.some((scope) => scope.type === 'Module') === true) return true;
  // The code around of a bundle takes seconds to parse.
  return seesStrictness(inspected) && around?.strict === true;
}

/** An assignment to a name that nothing declares makes a global, or throws if the code is strict. */
function seesStrictness(inspected: InspectedFunction): boolean {
  const { strictnessMatters, free } = inspected.analysis;
  return (
    strictnessMatters || [...free.values()].some(({ name, assigned }) => assigned && holderOf(inspected, name) === null)
  );
}

/** `caller` of a strict function throws. */
function throwsForCaller(fn: Function): boolean {
  try {
    return fn.caller === undefined;
  } catch {
    return true;
  }
}

/** The name a function has, unless a class's static member hides it. */
export function nameOf(fn: Function): string {
  const name: unknown = Object.getOwnPropertyDescriptor(fn, 'name')?.value;
  return typeof name === 'string' ? name : '';
}

/** Accessors are called `get x`. */
function keyName(fn: Function): string {
  return nameOf(fn).replace(/^[gs]et /, '');
}
