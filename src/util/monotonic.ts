import { nextTick, performance } from './timers.js';

let origin: number | null = null;

/**
 * What is to be added to `performance.now()` for a time that all processes of this machine agree on:
 * Node counts from the start of a process (or thread), by the clock of `process.hrtime`.
 */
export function monotonicOrigin(): number {
  origin ??= Number(process.hrtime.bigint()) / 1e6 - performance.now();
  return origin;
}

let known = 0;
const forget = (): void => {
  known = 0;
};

/**
 * The time in milliseconds, as all processes of this machine have it. It is read once for each burst
 * of microtasks: what happens in one has happened at once, and reading a clock costs as much as
 * sending a small message.
 */
export function burstTime(): number {
  if (known === 0) {
    known = performance.now() + monotonicOrigin();
    nextTick(forget);
  }
  return known;
}
