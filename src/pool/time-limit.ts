/** The longest time a timer can be set to, 24.8 days; beyond it Node's timers fire at once. */
export const LONGEST = 2 ** 31 - 1;

/** A time limit that is over at once: timers take what is below 1 as 1. */
const AT_ONCE = Number.MIN_VALUE;

/** A time limit as a timer takes it: 0 for none. */
export function limit(milliseconds: number | undefined): number {
  return milliseconds === undefined || milliseconds > LONGEST ? 0 : Math.max(AT_ONCE, milliseconds);
}

/** A time limit in a message: as its user gave it. */
export function asGiven(limited: number): number {
  return limited === AT_ONCE ? 0 : limited;
}
