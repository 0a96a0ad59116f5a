/**
 * Shared objects among the arguments of their own server: they arrive as proxies, as everywhere.
 */
import { linkOf } from '../proxy.js';

export { referentOf } from '../proxy.js';

/** Returns whether a value is a proxy, of whichever server. */
export function isProxy(value: unknown): boolean {
  return typeof value === 'object' && value !== null && linkOf(value) !== undefined;
}
