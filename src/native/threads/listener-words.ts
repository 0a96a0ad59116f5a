/**
 * What the kernel tells of a listener, in memory that threads share.
 *
 *   EVENTS   grows when somebody came
 *   WAITING  how many wait to be let in
 */
import { ring } from './bell-word.js';

const EVENTS = 0;
const WAITING = 1;

/** Bytes of shared memory that it takes. */
export const LISTENER_BYTES = 8;

/** So many wait now. */
export function setWaiting(memory: SharedArrayBuffer, count: number): void {
  const words = new Int32Array(memory);
  Atomics.store(words, WAITING, count);
  ring(words, EVENTS);
}

/** Returns whether anybody waits. */
export function isAwaited(memory: SharedArrayBuffer): boolean {
  return Atomics.load(new Int32Array(memory), WAITING) > 0;
}
