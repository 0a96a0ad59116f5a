/** The options of queues: their contract, and the one place that checks them. */
import { ArgumentError } from '../errors/index.js';
import { checkOverflow, type Overflow } from '../streams/index.js';
import { checkNumber, checkOptions, describe } from '../util/options.js';

/** How a queue is made. */
export interface QueueOptions<T = unknown> {
  /** Items that may wait in it. Default 0: as many as there is room for in `capacity`. */
  readonly maxSize?: number | undefined;
  /**
   * Bytes of shared memory for items, 4096 to 2^30, rounded up to a power of two; taken from the
   * system as they are first used. An item that needs more than half of it lies in memory of its
   * own. Default 4 MiB.
   */
  readonly capacity?: number | undefined;
  /**
   * What streams of the queue end with when a writer died without completing: `'error'` (default) a
   * ProducerLostError, `'complete'` as if it had completed. Either way all that it put is delivered
   * before.
   */
  readonly onWriterLost?: 'error' | 'complete' | undefined;
  /**
   * How many threads, of any process, must have put something or completed before streams may end.
   * Give it where writers begin at their own time: one that has not put anything yet is not known,
   * and the others may complete before. Default 1.
   */
  readonly writers?: number | undefined;
  /**
   * What `next` does on a full queue. `error` (default) throws QueueFullError; `drop-newest` drops
   * the item; `drop-oldest` drops the oldest ones in the queue; `latest` all of them; `buffer` lets
   * up to `capacity` items wait in this process. `onDrop` is called in the process that drops.
   */
  readonly overflow?: Overflow<T> | undefined;
  /** Accepted for Python's sake: a queue works with every start method. */
  readonly context?: unknown;
}

/** How a stream takes from a queue. */
export interface ConsumeOptions {
  /**
   * Items that are claimed ahead of the consumer at most, or with `ack: 'manual'` claimed and not
   * acknowledged. They lie in the queue's memory until they are delivered, and go back to it when
   * the stream is left or its process dies. Default 32.
   */
  readonly prefetch?: number | undefined;
  /**
   * `'auto'` (default): an item is done with when it is delivered. `'manual'`: when `ack` is
   * called; items that a process had when it died go to other consumers, before all others, and
   * before the queue ends. A consumer whose stream has ended before that does not come back.
   */
  readonly ack?: 'auto' | 'manual' | undefined;
}

/** {@link QueueOptions}, complete and as plain numbers, as they stand in shared memory. */
export interface QueueSettings {
  readonly maxSize: number;
  readonly capacity: number;
  readonly completeOnLoss: boolean;
  readonly writers: number;
}

const NAMES = ['maxSize', 'capacity', 'onWriterLost', 'writers', 'overflow', 'context'];
/** {@link ConsumeOptions.prefetch} where none is given. */
export const DEFAULT_PREFETCH = 32;
const DEFAULT_CAPACITY_BYTES = 1 << 22;
const MIN_CAPACITY_BYTES = 1 << 12;
const MAX_CAPACITY_BYTES = 2 ** 30;

/**
 * Checks the options of a queue.
 * @throws ArgumentError `MP_UNKNOWN_OPTION`, `MP_INVALID_ARGUMENT`.
 */
export function settingsOf<T>(actor: string, options: QueueOptions<T> | undefined): QueueSettings {
  checkOptions(actor, options, NAMES, { number: 'maxSize' });
  const { maxSize, capacity, onWriterLost, overflow, writers } = options ?? {};
  checkNumber(actor, 'maxSize', maxSize, { integer: true });
  if (maxSize !== undefined && maxSize > 0x7fffffff)
    throw new ArgumentError(`${actor}: \`maxSize\` must be below 2^31, not ${maxSize}.`);
  if (onWriterLost !== undefined && onWriterLost !== 'error' && onWriterLost !== 'complete') {
    throw new ArgumentError(`${actor}: \`onWriterLost\` must be 'error' or 'complete', not ${describe(onWriterLost)}.`);
  }
  checkNumber(actor, 'writers', writers, { integer: true, min: 1 });
  checkOverflow(actor, overflow);
  return {
    maxSize: maxSize ?? 0,
    capacity: capacityOf(actor, capacity),
    completeOnLoss: onWriterLost === 'complete',
    writers: writers ?? 1,
  };
}

/**
 * Checks the options of a stream of a queue.
 * @throws ArgumentError `MP_UNKNOWN_OPTION`, `MP_INVALID_ARGUMENT`.
 */
export function consumption(
  actor: string,
  options: ConsumeOptions | undefined,
): { readonly prefetch: number; readonly manual: boolean } {
  checkOptions(actor, options, ['prefetch', 'ack'], { number: 'prefetch' });
  const { prefetch = DEFAULT_PREFETCH, ack = 'auto' } = options ?? {};
  checkNumber(actor, 'prefetch', prefetch, { integer: true, min: 1 });
  if (ack !== 'auto' && ack !== 'manual')
    throw new ArgumentError(`${actor}: \`ack\` must be 'auto' or 'manual', not ${describe(ack)}.`);
  return { prefetch, manual: ack === 'manual' };
}

/** Bytes of a ring: a power of two. @throws ArgumentError. */
export function capacityOf(actor: string, capacity: number | undefined): number {
  checkNumber(actor, 'capacity', capacity, { integer: true, min: 1 });
  if (capacity === undefined) return DEFAULT_CAPACITY_BYTES;
  if (capacity > MAX_CAPACITY_BYTES)
    throw new ArgumentError(
      `${actor}: \`capacity\` must be at most 2^30 bytes, not ${capacity}; larger items need no larger capacity.`,
    );
  return Math.max(MIN_CAPACITY_BYTES, 2 ** Math.ceil(Math.log2(capacity)));
}
