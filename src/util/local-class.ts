/**
 * Classes of this library whose objects stay in the process that made them. The mark is a
 * registered symbol, so that it is read whichever copy of the package an object is of.
 */
const LOCAL = Symbol.for('multiprocess.local');

/** Says of a class what to do in place of sending its objects: an imperative. */
export function staysHere(type: Function, repair: string): void {
  Object.defineProperty(type.prototype, LOCAL, { value: repair });
}

/** What was said of the class of an object, or of one it extends. */
export function repairOfLocal(value: object): string | undefined {
  const repair = (value as { [LOCAL]?: unknown })[LOCAL];
  return typeof repair === 'string' ? repair : undefined;
}
