/**
 * Where functions are plugged in: the codec knows that a function has a reducer, not how a closure is read.
 * `index.ts` sets the one of `functions/`.
 */
import { Refused } from './failure.js';
import type { Reduction } from './node.js';

let reducer: ((fn: Function) => Reduction) | undefined;

/** Sets what turns functions and classes into reductions; `undefined` makes them refused. */
export function setFunctionReducer(reduce: ((fn: Function) => Reduction) | undefined): void {
  reducer = reduce;
}

/** Reduces a function or class. @throws what the reducer throws. */
export function reduceFunction(fn: Function): Reduction {
  if (reducer !== undefined) return reducer(fn);
  throw new Refused({
    code: 'MP_FUNCTION',
    what: fn.name === '' ? 'a function' : `function ${fn.name}`,
    why: 'no function reducer is set',
    repair: 'import the package through its public entry',
  });
}
