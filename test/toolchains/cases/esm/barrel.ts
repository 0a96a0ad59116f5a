/** Exports under other names. */
export * from './math.ts';
export { default as times, subtract as minus } from './math.ts';
export * as math from './math.ts';
