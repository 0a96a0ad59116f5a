/**
 * Date, RegExp and boxed primitives: a value of their own, and the properties someone hung on them.
 */
import { types } from 'node:util';
import { badPayload } from '../messages.js';
import type { NodeKind, Reduction } from '../node.js';
import { pushProperties } from './properties.js';
import { BASE, shell, shellKind } from './shell.js';

/** Reduces a Date, a RegExp or a boxed primitive; `undefined` for anything else. */
export function reduceAtom(value: object): Reduction | undefined {
  if (types.isDate(value)) return atom(dateKind.tag, Date.prototype.getTime.call(value), value);
  if (types.isRegExp(value)) return reduceRegExp(value);
  if (!types.isBoxedPrimitive(value)) return undefined;
  const primitive: unknown = unbox(value);
  const properties: unknown[] = [];
  const text = typeof primitive === 'string' ? primitive : undefined;
  pushProperties(properties, value, (key) => text !== undefined && (key === 'length' || isIndex(key, text.length)));
  return shell(boxedKind.tag, primitive, value, [], properties, () => '');
}

export const dateKind: NodeKind = shellKind<Date>({
  tag: 'd',
  create(data) {
    if (typeof data !== 'number') throw badPayload('a Date has no time');
    return new Date(data);
  },
});

export const regexpKind: NodeKind = shellKind<RegExp>({
  tag: 'r',
  create(data) {
    if (typeof data !== 'string') throw badPayload('a RegExp has no source');
    const slash = data.indexOf('/');
    if (slash < 0) throw badPayload('a RegExp has no flags');
    try {
      return new RegExp(data.slice(slash + 1), data.slice(0, slash));
    } catch (cause) {
      throw badPayload('a RegExp does not parse', cause);
    }
  },
  fill(target, children, end) {
    if (end !== BASE + 1) throw badPayload('a RegExp has no lastIndex');
    target.lastIndex = children[BASE] as number;
  },
});

export const boxedKind: NodeKind = shellKind<object>({
  tag: 'b',
  create(data) {
    if (data === null || data === undefined || typeof data === 'object') throw badPayload('a boxed primitive is empty');
    return Object(data) as object;
  },
});

/** The same RegExp as one of the class itself. */
export function regexpContent(value: RegExp): RegExp {
  const content = new RegExp(value.source, value.flags);
  content.lastIndex = value.lastIndex;
  return content;
}

/** The same boxed primitive as one of the class itself. */
export function boxedContent(value: object): object {
  return Object(unbox(value)) as object;
}

/** `lastIndex` may hold anything and be read-only; only a writable one is a base child. */
function reduceRegExp(value: RegExp): Reduction {
  const properties: unknown[] = [];
  pushProperties(properties, value, (key) => key === 'lastIndex');
  return shell(
    regexpKind.tag,
    `${value.flags}/${value.source}`,
    value,
    [value.lastIndex],
    properties,
    () => '.lastIndex',
  );
}

function atom(kind: string, data: unknown, value: object): Reduction {
  const properties: unknown[] = [];
  pushProperties(properties, value);
  return { ...shell(kind, data, value, [], properties, () => ''), stateless: false, constant: false };
}

function unbox(value: object): unknown {
  if (types.isNumberObject(value)) return Number.prototype.valueOf.call(value);
  if (types.isStringObject(value)) return String.prototype.valueOf.call(value);
  if (types.isBooleanObject(value)) return Boolean.prototype.valueOf.call(value);
  if (types.isBigIntObject(value)) return BigInt.prototype.valueOf.call(value);
  return Symbol.prototype.valueOf.call(value as unknown as symbol);
}

function isIndex(key: string | symbol, length: number): boolean {
  if (typeof key === 'symbol') return false;
  const index = Number(key);
  return Number.isInteger(index) && index >= 0 && index < length && String(index) === key;
}
