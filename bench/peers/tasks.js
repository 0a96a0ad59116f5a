/** The tasks. Ours takes them as they are, the peers load this module in their workers. None uses anything outside itself. */

export function noop() {}

export function identity(value) {
  return value;
}

/** Arithmetic that no optimizer can leave out: a fixed number of steps, whatever the clock says. */
export function busy(steps) {
  let x = 1;
  for (let i = 0; i < steps; i++) x = (Math.imul(x, 1664525) + 1013904223) | 0;
  return x;
}

/** By the names the contenders use. */
export const tasks = { noop, identity, busy };
