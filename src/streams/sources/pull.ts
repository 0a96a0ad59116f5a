/**
 * The pull protocol: how one stage reads another in batches, without a promise for each item.
 *
 *   reader = source[PULL](wake)     opens one execution of its own
 *   reader.read(into, max)          MORE | WAIT | DONE | FAILED, never waits
 *   … wake()                        after WAIT: read again (may be spurious, never comes from
 *                                   inside read)
 *   reader.cancel()                 ends early
 *
 * TaskStream carries the brand, so that a pool reading another pool's stream pulls it and
 * backpressure survives. The symbol is registered: streams of two copies of the package pull each
 * other.
 */

/** Brand of everything that can be pulled. */
export const PULL: unique symbol = Symbol.for('multiprocess.pull') as never;

/** What `take` gives when there is nothing to take. */
export const NOTHING: unique symbol = Symbol('nothing');

/** `max` items were read; more may follow at once. */
export const MORE = 0;
/** Nothing more now; `wake` tells when there is. Items may have been read. */
export const WAIT = 1;
/** The source is over. Items may have been read. */
export const DONE = 2;
/** The source failed with `reader.error`. Items that came before the error may have been read. */
export const FAILED = 3;

/** Answer of {@link PullReader.read}: 0 MORE, 1 WAIT, 2 DONE, 3 FAILED. */
export type ReadState = 0 | 1 | 2 | 3;

/** One reading of a source. After DONE, FAILED or `cancel()` it is not read again. */
export interface PullReader<T> {
  /** Appends at most `max` (at least 1) items to `into`. */
  read(into: T[], max: number): ReadState;
  /** Why the source failed, once `read` answered FAILED. */
  readonly error: unknown;
  /**
   * Ends the reading early, at most once. Resolves when the source has cleaned up, as far as that
   * can be waited for.
   */
  cancel(reason?: unknown): Promise<void>;
  /** How many items there are in all, where that is known without reading. */
  readonly size?: number | undefined;
  /**
   * Starts a push source. Called once, after the first `read`, so that items pushed at once find an
   * open window.
   */
  start?(): void;
}

/** Anything that opens {@link PullReader}s. */
export interface PullSource<T> {
  /** Opens a reading of its own. `wake` is called when a reader that answered WAIT has more. */
  [PULL](wake: () => void): PullReader<T>;
}

/** Whether `value` carries the pull brand. */
export function isPullSource(value: unknown): value is PullSource<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as Partial<PullSource<unknown>>)[PULL] === 'function'
  );
}
