/** Typed values and arrays: what users have of them, and what the layers above take beside it. */

export * from './public.js';
export { scalarOf, typeOf } from './types.js';
