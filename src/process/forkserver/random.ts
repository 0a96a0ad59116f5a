/**
 * Random numbers that differ in every fork.
 *
 * V8 keeps the state of `Math.random` where nobody can reach it, and a fork copies it: all children would draw the same numbers.
 * So the template puts a generator of its own in its place, before any other module can take hold of the old one, and every
 * child seeds it anew. Node keeps random bytes in stock for `crypto.randomUUID` and `crypto.randomInt`; a child uses up what it
 * inherited, so that the next answer comes from fresh bytes. OpenSSL itself notices forks.
 *
 * Not covered: `Math.random` of contexts that are made by `node:vm` in the child; their seeds come from V8 itself.
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
  Object.defineProperty(Math, 'random', { value: replacement.random, writable: true, configurable: true, enumerable: false });
}

/** Makes a forked process forget all randomness that it shares with others. */
export function freshRandom(): void {
  if (Math.random !== replacement.random) replaceRandom();
  else seed();
  useUp();
}

function seed(): void {
  crypto.getRandomValues(state);
  state[3] = 1;
  for (let i = 0; i < 12; i++) next();
}

/** UUIDs and integers that Node keeps bytes in stock for, in lib/internal/crypto/random.js. */
const UUIDS = 128;
const INTEGERS = 1024;

/** Draws as often as the stocks are deep, so that both were filled anew at least once. */
export function useUp(): void {
  for (let i = 0; i < UUIDS; i++) crypto.randomUUID();
  for (let i = 0; i < INTEGERS; i++) crypto.randomInt(2);
  const { randomUUIDv7 } = crypto as { randomUUIDv7?: () => string };
  if (randomUUIDv7 !== undefined) for (let i = 0; i < UUIDS; i++) randomUUIDv7();
}
