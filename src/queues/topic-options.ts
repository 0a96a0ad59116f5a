/** The options of topics: their contract, and the one place that checks them. */
import { ArgumentError } from '../errors/index.js';
import { checkNumber, checkOptions, describe } from '../util/options.js';
import { capacityOf } from './queue-options.js';

/** What happens to a subscriber that does not keep up. */
export type Lag = 'block' | 'drop-oldest' | 'latest' | 'error';

/** How a topic is made. */
export interface TopicOptions {
  /**
   * Items published before a subscription began that it gets first, as far as they are still there.
   * Default 0.
   */
  readonly replay?: number | undefined;
  /**
   * Bytes of shared memory for items, 4096 to 2^30, rounded up to a power of two. Default 4 MiB.
   */
  readonly capacity?: number | undefined;
  /**
   * Items that a subscriber may be behind; one that it was handed does not count. Default 0: as many
   * as there is room for in `capacity`.
   */
  readonly maxSize?: number | undefined;
  /**
   * What happens when the slowest subscriber is that far behind. `'block'` (default): publishing
   * waits. `'drop-oldest'`: it loses the oldest items. `'error'`: it ends with StreamOverflowError
   * `MP_TOPIC_LAG`. `'latest'`: a subscriber always gets the newest item next, and what lies
   * between is dropped. What is dropped shows in `gaps`.
   */
  readonly lag?: Lag | undefined;
  /**
   * What subscribers end with when a publisher died without completing: `'error'` (default) a
   * ProducerLostError, or `'complete'`.
   */
  readonly onWriterLost?: 'error' | 'complete' | undefined;
  /** Accepted for Python's sake: a topic works with every start method. */
  readonly context?: unknown;
}

/** {@link TopicOptions} as they stand in shared memory. */
export interface TopicSettings {
  readonly replay: number;
  readonly capacity: number;
  readonly maxSize: number;
  readonly lag: number;
  readonly completeOnLoss: boolean;
}

export const LAGS: readonly Lag[] = ['block', 'drop-oldest', 'latest', 'error'];
const NAMES = ['replay', 'capacity', 'maxSize', 'lag', 'onWriterLost', 'context'];

/**
 * Checks the options of a topic.
 * @throws ArgumentError `MP_UNKNOWN_OPTION`, `MP_INVALID_ARGUMENT`.
 */
export function topicSettings(actor: string, options: TopicOptions | undefined): TopicSettings {
  checkOptions(actor, options, NAMES, { number: 'maxSize' });
  const { replay = 0, capacity, maxSize = 0, lag = 'block', onWriterLost = 'error' } = options ?? {};
  for (const [name, value] of Object.entries({ replay, maxSize })) {
    checkNumber(actor, name, value, { integer: true });
    if (value > 0x7fffffff) throw new ArgumentError(`${actor}: \`${name}\` must be below 2^31, not ${value}.`);
  }
  if (!LAGS.includes(lag)) {
    throw new ArgumentError(
      `${actor}: \`lag\` must be one of ${LAGS.map((one) => `'${one}'`).join(', ')}, not ${describe(lag)}.`,
    );
  }
  if (onWriterLost !== 'error' && onWriterLost !== 'complete') {
    throw new ArgumentError(`${actor}: \`onWriterLost\` must be 'error' or 'complete', not ${describe(onWriterLost)}.`);
  }
  return {
    replay,
    capacity: capacityOf(actor, capacity),
    maxSize,
    lag: LAGS.indexOf(lag),
    completeOnLoss: onWriterLost === 'complete',
  };
}
