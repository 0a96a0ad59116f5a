/** The longest time a timer can be set to, 24.8 days; beyond it Node's timers fire at once. */
export const LONGEST = 2 ** 31 - 1;

/** A time limit as a timer takes it: 0 for none. */
export function limit(milliseconds: number | undefined): number {
  return milliseconds === undefined || milliseconds > LONGEST ? 0 : Math.max(1, milliseconds);
}
