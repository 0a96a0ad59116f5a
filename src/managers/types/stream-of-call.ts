import { PULL, streamOf, type TaskStream } from '../../streams/index.js';
import type { RemoteCall } from '../remote-call.js';

/** A cold stream of what a method streams: each execution is a call of its own. */
export function streamOfCall<T>(call: () => RemoteCall<AsyncIterable<T>>): TaskStream<T> {
  return streamOf<T>((wake) => call()[PULL](wake));
}
