/** The options of streams: their contract, and the one place that checks them. */
import { ArgumentError } from '../errors/index.js';
import { checkNumber, checkOptions, describe, type OptionsElsewhere } from '../util/options.js';
import { checkOverflow, type Overflow } from './sources/overflow.js';

/** How many items travel, and how. */
export interface FlowOptions<T> {
  /**
   * Items admitted and not yet delivered: running + finished-unread + waiting for order. At least
   * 1. Default: 2 x parallelism x chunk size, which follows the chunk size as it adapts.
   */
  readonly window?: number | undefined;
  /**
   * Items per message to a worker, at least 1, or `'auto'` (default): as the backend measures. An
   * explicit `window` caps it at window / (2 x parallelism).
   */
  readonly chunkSize?: number | 'auto' | undefined;
  /**
   * What may be lost when the source is an Observable that runs ahead. Default `{ policy: 'error'
   * }`.
   */
  readonly overflow?: Overflow<T> | undefined;
  /** Aborting it ends the work at once with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
  /**
   * What a failing item does. `'fail'` (default): results before it are delivered, its siblings are
   * cancelled, the stream errors; of a map all items settle, then it rejects with the first error.
   * `'skip'`: nothing is delivered for it. `'settle'`: every result is a `PromiseSettledResult`, and
   * its `reason` has the `itemIndex` where it is an Error; `enumerate()` gives each its index.
   */
  readonly errors?: 'fail' | 'skip' | 'settle' | undefined;
}

/** The options of one stream of results. */
export interface StreamFlowOptions<T> extends FlowOptions<T> {
  /**
   * Whether results come in the order of the source (`imap`) or as they finish (`imapUnordered`).
   * Default `true`.
   */
  readonly ordered?: boolean | undefined;
}

/** The names in {@link FlowOptions}. */
export const FLOW_OPTIONS: readonly string[] = ['window', 'chunkSize', 'overflow', 'signal', 'errors'];

/**
 * Checks the options of a stream or of `collect`. `more` are names the caller understands beside
 * these, `elsewhere` those that it does not and can say where they belong.
 *
 * @throws ArgumentError `MP_UNKNOWN_OPTION`, `MP_INVALID_ARGUMENT`.
 */
export function checkFlowOptions<T>(
  actor: string,
  options: FlowOptions<T>,
  known: readonly string[],
  more: readonly string[] = [],
  elsewhere: OptionsElsewhere = {},
): void {
  checkOptions(actor, options, [...known, ...more], { number: 'chunkSize' }, elsewhere);
  checkNumber(actor, 'window', options.window, { min: 1, integer: true });
  if (options.chunkSize !== 'auto')
    checkNumber(actor, 'chunkSize', options.chunkSize, { min: 1, integer: true, or: "'auto'" });
  checkOverflow(actor, options.overflow);
  if (options.signal !== undefined && !(options.signal instanceof AbortSignal)) {
    throw new ArgumentError(`${actor}: \`signal\` must be an AbortSignal, not ${describe(options.signal)}.`);
  }
  const { errors } = options;
  if (errors !== undefined && errors !== 'fail' && errors !== 'skip' && errors !== 'settle') {
    throw new ArgumentError(`${actor}: \`errors\` must be 'fail', 'skip' or 'settle', not ${describe(errors)}.`);
  }
}
