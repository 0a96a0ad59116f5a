/**
 * The least that a wait of `ms` milliseconds may be seen to take. A timer counts from when its event
 * loop last looked at the clock, which on a busy machine was some time before it was set.
 */
export function nearly(ms: number): number {
  return ms * 0.75;
}
