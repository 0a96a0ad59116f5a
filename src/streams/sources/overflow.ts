/**
 * What to do with items a push source emits while the window is full.
 *
 *   policy       | queue holds            | when it is full
 *   error        | up to capacity         | the source fails with StreamOverflowError
 *   buffer       | up to capacity, or all | the same
 *   drop-oldest  | up to capacity         | the oldest waiting item goes
 *   drop-newest  | up to capacity         | the arriving item goes
 *   latest       | 1                      | the arriving item replaces the waiting one
 */
import { ArgumentError } from '../../errors/index.js';
import { checkNumber, checkOptions, describe } from '../../util/options.js';

/**
 * What happens when a source that cannot be paused runs ahead. `capacity` counts items waiting
 * outside the window.
 */
export type Overflow<T> =
  | {
      /**
       * `error` (default) fails the stream; the others lose items, and say which through `onDrop`.
       */
      readonly policy: 'error' | 'drop-oldest' | 'drop-newest' | 'latest';
      /**
       * Items that may wait. Default: the window, if one is given, otherwise the larger of the
       * window and 1024. `latest` always keeps one.
       */
      readonly capacity?: number | undefined;
      /** Called with each lost item. An error it throws fails the source. */
      onDrop?(item: T): void;
    }
  | {
      /** Keeps everything up to `capacity`, then fails. */
      readonly policy: 'buffer';
      /** Items that may wait. */
      readonly capacity: number | 'unbounded';
    };

const POLICIES = ['error', 'drop-oldest', 'drop-newest', 'latest', 'buffer'];

/**
 * Refuses an `overflow` option that makes no sense.
 * @throws ArgumentError `MP_INVALID_ARGUMENT`, `MP_UNKNOWN_OPTION`.
 */
export function checkOverflow<T>(actor: string, overflow: Overflow<T> | undefined): void {
  if (overflow === undefined) return;
  checkOptions(`${actor}: overflow`, overflow, ['policy', 'capacity', 'onDrop']);
  if (!POLICIES.includes(overflow.policy)) {
    const known = POLICIES.map((name) => `'${name}'`).join(', ');
    throw new ArgumentError(`${actor}: \`overflow.policy\` must be one of ${known}, not ${describe(overflow.policy)}.`);
  }
  if (overflow.policy === 'buffer' && overflow.capacity === 'unbounded') return;
  if (overflow.policy === 'buffer' && overflow.capacity === undefined) {
    throw new ArgumentError(
      `${actor}: \`overflow.capacity\` is missing; give the 'buffer' policy a number of items, or 'unbounded'.`,
    );
  }
  checkNumber(actor, 'overflow.capacity', overflow.capacity, { min: 1, integer: true, infinite: true });
}
