/**
 * DOMExceptions.
 *
 *   x   data: name, message, quota and requested of a QuotaExceededError; base child: its class, if
 *       that is a user's
 */
import { badPayload } from '../messages.js';
import type { NodeKind, Reduction } from '../node.js';
import { errorProperties, withoutStack } from './error-properties.js';
import { BASE, shell, shellKind } from './shell.js';

/**
 * A class of its own name in DOMException's family, which Node 20 does not count among the native
 * errors.
 */
export function isDomException(value: object): value is DOMException {
  return typeof DOMException === 'function' && value instanceof DOMException;
}

export interface DomData {
  readonly name: string;
  readonly message: string;
  /** Of a QuotaExceededError, which Node has since version 26: both numbers, or `null`. */
  readonly quota?: { readonly quota: number | null; readonly requested: number | null };
}

type Quota = DOMException & { readonly quota: number | null; readonly requested: number | null };
type QuotaType = new (message: string, options: object) => DOMException;

export const domExceptionKind: NodeKind = shellKind<DOMException>({
  tag: 'x',
  create(data) {
    const { name, message } = (data ?? {}) as Partial<DomData>;
    if (typeof message !== 'string' || typeof name !== 'string') throw badPayload('a DOMException has no name');
    return createDom(data as DomData);
  },
  fill(target, children, end, final) {
    if (end === BASE) return;
    const type = children[BASE];
    if (!final && type === undefined) return;
    if (typeof type !== 'function' || typeof type.prototype !== 'object')
      throw badPayload('a DOMException has no class');
    Object.setPrototypeOf(target, type.prototype as object);
  },
});

/** Reduces a DOMException; `type`: its class, where that is a user's. */
export function reduceDomException(value: DOMException, type: Function | undefined): Reduction {
  const base = type === undefined ? [] : [type];
  return shell(domExceptionKind.tag, domData(value), value, base, errorProperties(value), () => 'class');
}

/** Returns what a DOMException is made of. */
export function domData(value: DOMException): DomData {
  const { name, message } = value;
  const type = quotaType();
  if (type === undefined || !(value instanceof type)) return { name, message };
  const { quota, requested } = value as Quota;
  return { name, message, quota: { quota, requested } };
}

/** Returns a DOMException without a stack. */
export function createDom({ name, message, quota }: DomData): DOMException {
  const type = quota === undefined ? undefined : quotaType();
  if (type === undefined) return withoutStack(() => new DOMException(message, name));
  const options = Object.fromEntries(Object.entries(quota!).filter(([, limit]) => limit !== null));
  return withoutStack(() => new type(message, options));
}

/** Returns whether a prototype is that of a class of the platform. */
export function isDomPrototype(prototype: object): boolean {
  return prototype === DOMException.prototype || prototype === quotaType()?.prototype;
}

function quotaType(): QuotaType | undefined {
  const type = (globalThis as { QuotaExceededError?: unknown }).QuotaExceededError;
  return typeof type === 'function' ? (type as QuotaType) : undefined;
}
