/** How a pool makes a stream: the one entry to the pull core. */

import type { FeedListener, Projector, StreamDefinition } from '../feeds/feed.js';
import { checkSource, type Source } from '../sources/source.js';
import type { StreamFlowOptions } from '../stream-options.js';
import { TaskStream } from '../task-stream.js';
import type { Backend } from './backend.js';
import { PullCore } from './pull-core.js';

/**
 * Streams the results of `source` through `backend`. The options are taken as checked
 * (`checkFlowOptions`).
 *
 * @param actor Who speaks in messages: `Pool.imap`.
 * @throws ArgumentError `MP_INVALID_ARGUMENT` at once, when `source` is none.
 */
export function runStream<T, R>(
  actor: string,
  backend: Backend<T, R>,
  source: Source<T>,
  options: StreamFlowOptions<T> & { readonly errors: 'settle' },
): TaskStream<PromiseSettledResult<R>>;
export function runStream<T, R>(
  actor: string,
  backend: Backend<T, R>,
  source: Source<T>,
  options?: StreamFlowOptions<T>,
): TaskStream<R>;
export function runStream<T, R>(
  actor: string,
  backend: Backend<T, R>,
  source: Source<T>,
  options: StreamFlowOptions<T> = {},
): TaskStream<unknown> {
  checkSource(actor, source);
  return new TaskStream(executions(backend, source, options));
}

/** The executions of a stream, for those who stand between one and its consumer. */
export function executions<T, R>(
  backend: Backend<T, R>,
  source: Source<T>,
  options: StreamFlowOptions<T>,
): StreamDefinition {
  return {
    open: (listener: FeedListener, shape: Projector | undefined) =>
      new PullCore(backend, source, options, listener, shape),
  };
}
