/** Map and Set, with the properties someone hung on them. */
import { badPayload } from '../messages.js';
import type { NodeKind, Reduction } from '../node.js';
import { pushProperties } from './properties.js';
import { BASE, shell, shellKind } from './shell.js';

/** Keys and values of a Map, alternating. */
export function mapEntries(value: ReadonlyMap<unknown, unknown>): unknown[] {
  const base: unknown[] = [];
  Map.prototype.forEach.call(value, (member: unknown, key: unknown) => base.push(key, member));
  return base;
}

/** Members of a Set. */
export function setMembers(value: ReadonlySet<unknown>): unknown[] {
  const base: unknown[] = [];
  Set.prototype.forEach.call(value, (member: unknown) => base.push(member));
  return base;
}

/** What an entry of a Map is called in a path. */
export function entryLabel(base: readonly unknown[]): (index: number) => string {
  return (index) => {
    if (index % 2 === 0) return `key ${index / 2} of the Map`;
    const key = base[index - 1];
    return typeof key === 'string' ? `.get(${JSON.stringify(key)})` : `value ${(index - 1) / 2} of the Map`;
  };
}

/** What a member of a Set is called in a path. */
export const memberLabel = (index: number): string => `member ${index} of the Set`;

/** Fills a Map; again from the start when a key or value was late. */
export function fillMap(target: Map<unknown, unknown>, children: readonly unknown[], from: number, end: number): void {
  if ((end - from) % 2 !== 0) throw badPayload('a Map has a key without a value');
  Map.prototype.clear.call(target);
  for (let i = from; i < end; i += 2) Map.prototype.set.call(target, children[i], children[i + 1]);
}

/** Fills a Set; again from the start when a member was late. */
export function fillSet(target: Set<unknown>, children: readonly unknown[], from: number, end: number): void {
  Set.prototype.clear.call(target);
  for (let i = from; i < end; i++) Set.prototype.add.call(target, children[i]);
}

/** Reduces a Map. */
export function reduceMap(value: ReadonlyMap<unknown, unknown>): Reduction {
  const base = mapEntries(value);
  const properties: unknown[] = [];
  pushProperties(properties, value);
  return {
    ...shell(mapKind.tag, undefined, value, base, properties, entryLabel(base)),
    stateless: false,
    constant: false,
  };
}

/** Reduces a Set. */
export function reduceSet(value: ReadonlySet<unknown>): Reduction {
  const properties: unknown[] = [];
  pushProperties(properties, value);
  const reduction = shell(setKind.tag, undefined, value, setMembers(value), properties, memberLabel);
  return { ...reduction, stateless: false, constant: false };
}

export const mapKind: NodeKind = shellKind<Map<unknown, unknown>>({
  tag: 'm',
  create: () => new Map(),
  fill: (target, children, end) => fillMap(target, children, BASE, end),
});

export const setKind: NodeKind = shellKind<Set<unknown>>({
  tag: 's',
  create: () => new Set(),
  fill: (target, children, end) => fillSet(target, children, BASE, end),
});
