/** Imported by nobody but closures. */
export const half = (x: number): number => x / 2;
export default 'lazy';
