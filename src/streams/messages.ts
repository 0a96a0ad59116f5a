/** Every message of the streams: who, what happened, how to mend it. */
import { ArgumentError, ClosedError, StreamConsumedError, StreamOverflowError } from '../errors/index.js';
import { describe } from '../util/options.js';

/** A one-shot source met a second execution. */
export function consumed(source: unknown, cause?: unknown): StreamConsumedError {
  const what = describe(source);
  return new StreamConsumedError(
    `The source (${what}) can be read only once and was read before. Each subscription or iteration of a stream is an execution of its own: ` +
      'iterate the stream once, make a new source for each call, or collect the source into an array first.',
    cause === undefined ? {} : { cause },
  );
}

/** A push source outran its overflow capacity. */
export function overflowed(capacity: number): StreamOverflowError {
  return new StreamOverflowError(
    `The Observable pushed more than ${capacity} items ahead of the stream, and cannot be paused. Choose what may be lost with ` +
      "`overflow: { policy: 'drop-oldest' | 'drop-newest' | 'latest' }`, keep everything with `{ policy: 'buffer', capacity: 'unbounded' }`, " +
      'or pass a source that can be pulled (an iterable, an async iterable, a ReadableStream).',
  );
}

/** A plain operator stands between two stages that could pull each other. */
export const BROKEN_PULL =
  'A stream that can be pulled is read through a plain RxJS operator, which subscribes to it: the first stage is no longer slowed by the second. ' +
  'Use the pull-aware operators (mapPull, filterPull, …), pass the stream itself, or give an `overflow` policy.';

/** A source of no known kind. */
export function notASource(actor: string, source: unknown): ArgumentError {
  const advice =
    typeof (source as PromiseLike<unknown> | null | undefined)?.then === 'function'
      ? ' Await the promise first and pass what it resolves to.'
      : typeof source === 'function'
        ? ' The function comes first, then the items.'
        : ' Pass an iterable, an async iterable, a ReadableStream or an Observable.';
  return new ArgumentError(`${actor}: the source is ${describe(source)}, which cannot be read item by item.${advice}`);
}

/** The stream was disposed while somebody read it, or before. */
export function disposed(): ClosedError {
  return new ClosedError(
    'The stream was disposed; what it had not delivered is lost. Dispose it only after its last reader has finished.',
  );
}

/** A Node.js Readable takes `null` for its end. */
export function nullResult(): ArgumentError {
  return new ArgumentError(
    'toReadable: a result is null, which a Node.js Readable takes for its end. Return another value, use toReadableStream(), or iterate the stream itself.',
  );
}

/** Work was cancelled without a reason of the caller's own. */
export function cancelled(): DOMException {
  return new DOMException('The work was cancelled.', 'AbortError');
}
