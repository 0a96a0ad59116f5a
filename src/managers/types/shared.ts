/** Shared objects among the arguments of their own server: they arrive as proxies, as everywhere. */
import { linkOf } from '../proxy.js';

/** The object that a proxy stands for, if it is one of this server. */
export function referentOf(value: unknown): object | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const link = linkOf(value) as { readonly referent?: { readonly object: unknown } } | undefined;
  return link?.referent?.object as object | undefined;
}

/** Whether a value is a proxy, of whichever server. */
export function isProxy(value: unknown): boolean {
  return typeof value === 'object' && value !== null && linkOf(value) !== undefined;
}
