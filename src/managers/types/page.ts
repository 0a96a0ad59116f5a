/**
 * Part of a container for an iteration of a client: pages grow, so that short iterations see every
 * change and long ones are few calls.
 */
export interface Page<T> {
  readonly items: readonly T[];
  /** Says whether keys came or went since. */
  readonly shape: number;
  /** Whether there was nothing more. */
  readonly done: boolean;
}
