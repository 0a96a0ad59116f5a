import { inspect } from 'node:util';

/**
 * Makes instances of the classes read in a template string, `String(object)` and a log line as
 * `console.log` shows them: what they say of themselves is written once, in `[inspect.custom]`.
 * Called where the class is defined.
 */
export function printedAsShown(...types: readonly { readonly prototype: object }[]): void {
  for (const { prototype } of types)
    Object.defineProperty(prototype, 'toString', { value: shown, writable: true, configurable: true });
}

function shown(this: object): string {
  return inspect(this, { colors: false });
}
