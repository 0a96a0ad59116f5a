/**
 * Random numbers that differ in every fork.
 *
 * V8 keeps the state of `Math.random` where nobody can reach it, and a fork copies it: all children
 * would draw the same numbers. So the template puts a generator of its own in its place, before any
 * other module can take hold of the old one, and every child seeds it anew. Node keeps random bytes
 * in caches for `crypto.randomUUID` and `crypto.randomInt`; the template leaves them empty. OpenSSL
 * itself notices forks.
 *
 * Not covered: `Math.random` of contexts that are made by `node:vm` in the child; their seeds come
 * from V8 itself.
 */
import * as crypto from 'node:crypto';

/** State of sfc32 (C. Doty-Humphrey, PractRand): 128 bits, of which one word counts. */
const state = new Int32Array(4);

function next(): number {
  const t = (((state[0]! + state[1]!) | 0) + state[3]!) | 0;
  state[3] = (state[3]! + 1) | 0;
  state[0] = state[1]! ^ (state[1]! >>> 9);
  state[1] = (state[2]! + (state[2]! << 3)) | 0;
  state[2] = ((state[2]! << 21) | (state[2]! >>> 11)) + t;
  return t;
}

const replacement = {
  random(): number {
    return ((next() >>> 5) * 0x4000000 + (next() >>> 6)) / 0x20000000000000;
  },
};

/** Replaces `Math.random` in this process by one that {@link freshRandom} can seed. */
export function replaceRandom(): void {
  seed();
  const random = { value: replacement.random, writable: true, configurable: true, enumerable: false };
  if (!Object.isFrozen(Math)) {
    Object.defineProperty(Math, 'random', random);
    return;
  }
  // A preloaded module has frozen it: another Math, frozen as well, takes the place of the global
  // one. Under --frozen-intrinsics that cannot be done either, and no template starts (options.ts).
  const value: unknown = Object.freeze(
    Object.create(Object.prototype, { ...Object.getOwnPropertyDescriptors(Math), random }),
  );
  Object.defineProperty(globalThis, 'Math', { value, writable: true, configurable: true, enumerable: false });
}

/** Makes a forked process forget the state of `Math.random` that it shares with others. */
export function freshRandom(): void {
  if (Math.random !== replacement.random) replaceRandom();
  else seed();
}

function seed(): void {
  crypto.getRandomValues(state);
  state[3] = 1;
  for (let i = 0; i < 12; i++) next();
}

/**
 * What Node keeps random bytes in caches for (lib/internal/crypto/random.js), and how many draws a
 * cache lasts.
 */
const RANDOM_CACHES: readonly { readonly draw: () => string; readonly depth: number }[] = [
  { draw: () => crypto.randomUUID(), depth: 128 },
  { draw: () => String(crypto.randomInt(2 ** 48 - 1)), depth: 1024 },
];

/** As many draws from each cache as it is deep. */
export function drawRandomCaches(): string[][] {
  return RANDOM_CACHES.map(({ draw, depth }) => Array.from({ length: depth }, draw));
}

/**
 * Leaves each cache empty, so that every child fills its own with its first draw.
 *
 * How far a cache is used up cannot be asked. But a fork (`theirs`) that drew the same number as
 * this process (`ours`) drew the same values as long as the cache lasted: the first that differs
 * was the first of a new one.
 *
 * @returns whether it could.
 */
export function emptyRandomCaches(ours: readonly string[][], theirs: readonly string[][]): boolean {
  return RANDOM_CACHES.every(({ draw }, i) => {
    const left = ours[i]!.findIndex((value, at) => value !== theirs[i]![at]);
    for (let more = 0; more < left; more++) draw();
    return left >= 0;
  });
}
