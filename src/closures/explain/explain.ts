/**
 * `explain`: what a function would take along, found by reducing it as `dumps` would, without
 * throwing.
 */

import { Encoder } from '../../codec/codec.js';
import { reduceFunction } from '../../codec/function-port.js';
import { withoutSockets } from '../../codec/kinds/sockets.js';
import { pathOf, Refused, refusal, type Step } from '../../codec/messages.js';
import type { Reduction } from '../../codec/node.js';
import { ArgumentError, SerializationError } from '../../errors/index.js';
import type { ModuleExport } from '../../modules/module-request.js';
import { describe } from '../../util/options.js';
import { isCell } from '../send/cells.js';
import { placeOfFunction } from '../send/reduce.js';
import { functionsRead } from '../send/work.js';
import type { FunctionData } from '../wire.js';
import { type Capture, Explanation, type Problem } from './explanation.js';

/**
 * Functions that are read for one explanation, each as often as it is part of something measured.
 */
const MAX_READ_FUNCTIONS = 2_000;

/** Kinds that stand for what the other process has already. */
const REFERENCES = new Set(['global', 'module']);

/**
 * Shows what sending a function would send: each capture with its path, what it is, whether it goes
 * by value or by reference, and how many bytes it takes. Never throws for a function: one that
 * cannot be sent is explained with the culprit.
 *
 * Semantics: nothing is sent or kept. Sizes are those of each part sent by itself, so shared parts
 * count in each. Captures of captures are listed until 2000 functions were read: those of a package
 * that is bundled in all reach each other.
 *
 * @param fn Any function or class.
 * @throws ArgumentError `MP_INVALID_ARGUMENT` when it is no function.
 * @example
 * import { explain } from 'multiprocess';
 *
 * const factor = 0.5;
 * const { sendable, captures } = explain((size: number) => size * factor);
 * console.log(sendable, captures.map(({ name }) => name)); // true [ 'factor' ]
 */
export function explain(fn: Function): Explanation {
  if (typeof fn !== 'function') throw new ArgumentError(`explain: expected a function, not ${describe(fn)}.`);
  return withoutSockets(() => new Explainer(Infinity).explain(fn));
}

/** Shows what a function captures itself, and nothing of what its captures capture. */
export function explainCaptures(fn: Function): Explanation {
  return withoutSockets(() => new Explainer(1).explain(fn));
}

/** Lists captures, which it finds in reductions; text is read by analysis/walk.ts. */
class Explainer {
  readonly #encoder = new Encoder();
  readonly #seen = new Set<unknown>();
  readonly #depth: number;
  #functions = 0;

  /** @param depth Levels of captures that are listed. */
  constructor(depth: number) {
    this.#depth = depth;
  }

  explain(fn: Function): Explanation {
    const whole = this.#measure(fn, []);
    const reduction = attempt(() => reduceFunction(fn));
    this.#seen.add(fn);
    const title = { name: nameOf(fn), ...placeOf(fn) };
    if (reduction === null) return new Explanation({ ...title, ...whole, how: 'value', captures: [] });
    if (REFERENCES.has(reduction.kind)) {
      return new Explanation({ ...title, ...whole, how: 'reference', from: targetOf(reduction), captures: [] });
    }
    return new Explanation({ ...title, ...whole, how: 'value', captures: this.#captures(reduction, []) });
  }

  #captures(reduction: Reduction, outer: readonly Step[]): Capture[] {
    const found: Capture[] = [];
    const step = (label: string): Step[] => [{ label, actor: reduction.actor }, ...outer];
    reduction.children.forEach((child, index) => {
      const label = reduction.label(index);
      found.push(this.#capture(label, isCell(child) ? child.v : child, step(label)));
    });
    const { slots } = (reduction.data ?? {}) as Partial<FunctionData>;
    for (const slot of slots ?? []) {
      if (slot.from !== 'module') continue;
      const path = pathOf(step(`captured \`${slot.name}\``));
      found.push({
        name: slot.name,
        path,
        how: 'reference',
        kind: 'import',
        from: exportName(slot.module),
        size: 0,
        captures: [],
      });
    }
    return found;
  }

  #capture(label: string, value: unknown, steps: readonly Step[]): Capture {
    const name = label.replace(/^captured `(.*)`$/, '$1');
    const path = pathOf(steps);
    const measured = this.#measure(value, steps);
    const reduction = typeof value === 'function' ? attempt(() => reduceFunction(value)) : null;
    const kind = kindOf(value);
    if (reduction !== null && REFERENCES.has(reduction.kind)) {
      return { name, path, how: 'reference', kind, from: targetOf(reduction), ...measured, captures: [] };
    }
    const again = this.#seen.has(value);
    if (reduction !== null) this.#seen.add(value);
    const isDeepEnough = steps.length >= this.#depth || this.#functions > MAX_READ_FUNCTIONS;
    const captures = reduction === null || again || isDeepEnough ? [] : this.#captures(reduction, steps);
    return { name, path, how: 'value', kind, ...measured, captures };
  }

  #measure(value: unknown, steps: readonly Step[]): { readonly size: number; readonly problem?: Problem } {
    try {
      return { size: this.#encoder.encode(value).total };
    } catch (error) {
      return { size: 0, problem: problemOf(error, steps) };
    } finally {
      this.#functions += functionsRead();
    }
  }
}

function attempt(reduce: () => Reduction): Reduction | null {
  try {
    return reduce();
  } catch {
    // Measuring it says why.
    return null;
  }
}

function problemOf(error: unknown, steps: readonly Step[]): Problem {
  const known = error instanceof Refused ? refusal(error.refusal, steps) : error;
  if (!(known instanceof SerializationError))
    return { code: 'MP_REDUCER', message: String(known), path: pathOf(steps), repair: '' };
  const outer = error === known ? pathOf(steps) : '';
  const path = [known.path ?? '', outer].filter((part) => part !== '').join(' <- ');
  return { code: known.code, message: known.message, path, repair: known.repair ?? '' };
}

function placeOf(fn: Function): { readonly place?: string } {
  const place = placeOfFunction(fn);
  return place === null ? {} : { place: `${place.url}:${place.line}:${place.column}` };
}

function targetOf({ kind, data }: Reduction): string {
  return kind === 'global' ? (data as string[]).join('.') : exportName(data as ModuleExport);
}

function exportName({ specifier, path }: ModuleExport): string {
  return path[0] === '*' || path.length === 0 ? specifier : `${specifier} (${path.join('.')})`;
}

function nameOf(fn: Function): string {
  const name: unknown = Object.getOwnPropertyDescriptor(fn, 'name')?.value;
  return typeof name === 'string' ? name : '';
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'function')
    return /^class\b/.test(Function.prototype.toString.call(value)) ? 'class' : 'function';
  if (typeof value !== 'object') return typeof value;
  if (Array.isArray(value)) return `array of ${value.length}`;
  const prototype = Object.getPrototypeOf(value) as { constructor?: { name?: unknown } } | null;
  const name = prototype === null || prototype === Object.prototype ? '' : String(prototype.constructor?.name ?? '');
  return name === '' ? 'object' : name;
}
