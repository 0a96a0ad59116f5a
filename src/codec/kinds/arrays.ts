/**
 * Arrays and `arguments`. A dense array has its elements as base children (read, as getters of
 * plain objects are); one with holes sends its length and its elements as properties, so that `new
 * Array(1e9)` costs no more than what it holds.
 */
import { badPayload } from '../messages.js';
import type { NodeKind, Reduction } from '../node.js';
import { hasOnlyElements } from '../plain/elements.js';
import { pushProperties } from './properties.js';
import { BASE, shell, shellKind } from './shell.js';

const MAX_LENGTH = 2 ** 32 - 1;
/**
 * Up to here V8 may allocate an array of holes in full: a damaged message can ask for one with
 * every five bytes.
 */
const SMALL = 32;
const FAR = 2 ** 31;

const element = (index: number): string => `[${index}]`;

/** Splits an array into what `shell` wants. */
export function arrayParts(value: readonly unknown[]): { length: number; base: unknown[]; properties: unknown[] } {
  const { length } = value;
  const properties: unknown[] = [];
  if (hasOnlyElements(value) && !hasHole(value)) return { length: -1, base: elementsOf(value), properties };
  const keys = Reflect.ownKeys(value);
  // Index keys come first and ascending.
  if (length > 0 && keys[length - 1] !== String(length - 1)) {
    pushProperties(properties, value, (key) => key === 'length');
    return { length, base: [], properties };
  }
  const indices = new Set<string | symbol>(keys.slice(0, length));
  pushProperties(properties, value, (key) => key === 'length' || indices.has(key));
  return { length: -1, base: elementsOf(value), properties };
}

/** By index: a subclass may have an iterator of its own. */
function elementsOf(value: readonly unknown[]): unknown[] {
  const elements: unknown[] = [];
  for (let i = 0; i < value.length; i++) elements.push(value[i]);
  return elements;
}

/** Reduces an Array. */
export function reduceArray(value: readonly unknown[]): Reduction {
  const { length, base, properties } = arrayParts(value);
  const reduction = shell(arrayKind.tag, length, value, base, properties, element);
  const frozen = Object.isFrozen(value);
  return { ...reduction, stateless: frozen, constant: frozen };
}

/** An empty array of the given length; -1 stands for a dense one. */
export function createArray(data: unknown): unknown[] {
  const array: unknown[] = [];
  if (data === -1) return array;
  if (typeof data !== 'number' || !Number.isInteger(data) || data < 0 || data > MAX_LENGTH)
    throw badPayload('an array has a wrong length');
  if (data > SMALL) {
    // Touching a far index first makes V8 choose a hash table instead of that many slots.
    array[FAR] = undefined;
    delete array[FAR];
  }
  array.length = data;
  return array;
}

/** Sets the elements. */
export function fillArray(target: unknown[], children: readonly unknown[], from: number, end: number): void {
  for (let i = from; i < end; i++) target[i - from] = children[i];
}

/** `[ … ]` */
export const arrayKind: NodeKind = shellKind<unknown[]>({
  tag: 'a',
  create: createArray,
  fill: (target, children, end) => fillArray(target, children, BASE, end),
});

/** Reduces an `arguments` object; it arrives as one, of the strict sort. */
export function reduceArguments(value: ArrayLike<unknown>): Reduction {
  return shell(argumentsKind.tag, value.length, value, Array.from(value), [], element);
}

/** `arguments` */
export const argumentsKind: NodeKind = shellKind<unknown[]>({
  tag: 'A',
  create(data) {
    if (typeof data !== 'number' || !(data >= 0 && data <= 65_535)) throw badPayload('arguments have a wrong length');
    // Its elements come with `fill`, and only so many as the message holds.
    const value = makeArguments();
    value.length = data;
    return value as unknown as unknown[];
  },
  fill: (target, children, end) => fillArray(target, children, BASE, end),
});

function makeArguments(): IArguments {
  // biome-ignore lint/complexity/noArguments: the object itself is what is wanted
  return arguments;
}

function hasHole(value: readonly unknown[]): boolean {
  for (let i = 0; i < value.length; i++) if (value[i] === undefined && !(i in value)) return true;
  return false;
}
