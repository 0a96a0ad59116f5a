/**
 * Text to factory: a function of the captured names that makes the function anew.
 *
 * The text stands at its own line and column of a script with its own URL, so stack traces point at
 * the original: V8 is told where the script would have to begin for that, which may be left of the
 * first column. Factories are cached by all that shapes them and called with new captures each
 * time. Names are parameters of the factory, never a `with`, so rebuilt code runs as fast as the
 * original.
 */
import vm from 'node:vm';
import { defaultLoader } from '../../modules/default-loader.js';
import { blank } from '../analysis/text.js';
import type { Edit, FunctionData } from '../wire.js';

/** Makes the function, and a setter for the parameters that come late. */
export type Factory = (
  this: unknown,
  ...values: unknown[]
) => readonly [made: unknown, set: (index: number, value: unknown) => void];

const LIMIT = 2_048;

/** A factory with what it was compiled from. */
export interface CompiledFactory {
  readonly factory: Factory;
  /** The script, as V8 has it. */
  readonly code: string;
  /** Line and column that V8 gives to the beginning of the script. */
  readonly firstLine: number;
  readonly firstColumn: number;
  readonly data: FunctionData;
}

const factories = new Map<string, CompiledFactory>();
/** Of code records, which many functions share: those without parameters that come late. */
const recorded = new WeakMap<FunctionData, Factory>();

/**
 * What was compiled here and is kept, so that functions made inside can be told where their text
 * stands.
 */
export function compiledFactories(): Iterable<CompiledFactory> {
  return factories.values();
}

/** Reads a cell where its variable was called; every script compiled here has it. */
export const READ = 'multiprocess$read';

/** Name of the parameter that holds the outer `arguments` of an arrow. */
export const ARGUMENTS = 'arguments$outer';

/**
 * Compiles, or finds, the factory. `late` lists the parameters that are set after the function
 * exists.
 */
export function factoryOf(data: FunctionData, params: readonly string[], late: readonly number[]): Factory {
  if (late.length > 0) return compiledOnce(data, params, late);
  let factory = recorded.get(data);
  if (factory === undefined) {
    factory = compiledOnce(data, params, late);
    recorded.set(data, factory);
  }
  return factory;
}

function compiledOnce(data: FunctionData, params: readonly string[], late: readonly number[]): Factory {
  const key = [
    data.url,
    data.line,
    data.column,
    data.form,
    data.strict,
    data.name,
    data.args,
    params,
    late,
    data.edits,
    data.text,
  ].join('\0');
  let compiled = factories.get(key);
  if (compiled === undefined) {
    if (factories.size >= LIMIT) factories.delete(factories.keys().next().value as string);
    compiled = compile(data, params, late);
    factories.set(key, compiled);
  }
  return compiled.factory;
}

function compile(data: FunctionData, params: readonly string[], late: readonly number[]): CompiledFactory {
  const [before, after] = wrapping(data);
  const setter =
    late.length === 0
      ? ''
      : late.map((index) => `if(multiprocess$i===${index}){${params[index]}=multiprocess$v;return}`).join('');
  const text = applyEdits(data.text, data.edits);
  const prologue = data.strict ? '"use strict";' : '';
  const head = `${prologue}function ${READ}(c){return c.v}function multiprocess$set(multiprocess$i,multiprocess$v){${setter}}return [${before}`;
  const code = `${head}${text}\n${after},multiprocess$set]`;
  const firstLine = data.line;
  const firstColumn = data.column - head.length;
  const factory = vm.compileFunction(code, [...params], {
    filename: data.url === '' ? 'multiprocess:function' : data.url,
    lineOffset: firstLine,
    columnOffset: firstColumn,
    ...defaultLoader(),
  }) as unknown as Factory;
  return { factory, code, firstLine, firstColumn, data };
}

/** What stands around the text. A property's name becomes the name of an anonymous function. */
function wrapping(data: FunctionData): readonly [before: string, after: string] {
  const [open, close] = data.args >= 0 ? ['(function(){return ', `}).apply(this,${ARGUMENTS})`] : ['', ''];
  if (data.form === 'member') return [`${open}({`, `})${close}`];
  const name = JSON.stringify(data.name);
  return [`${open}({[${name}]:`, `})[${name}]${close}`];
}

/** Applies edits, which do not overlap, from the last to the first. */
function applyEdits(text: string, edits: readonly Edit[]): string {
  let result = text;
  for (const [start, end, replacement] of [...edits].sort((a, b) => b[0] - a[0])) {
    result =
      result.slice(0, start) + (replacement === '' ? blank(result.slice(start, end)) : replacement) + result.slice(end);
  }
  return result;
}
