import { types } from 'node:util';

/**
 * Says of an error which item of a map or stream it belongs to: an own property `itemIndex`. Not
 * enumerable, for it is about the call and not about the error: what compares, prints or copies
 * errors sees them as the task made them. Anything that is no error, and one that is frozen, stays
 * as it is.
 */
export function markItem(error: unknown, itemIndex: number): void {
  if (!types.isNativeError(error) && !(error instanceof Error)) return;
  Reflect.defineProperty(error, 'itemIndex', {
    value: itemIndex,
    writable: true,
    enumerable: false,
    configurable: true,
  });
}
