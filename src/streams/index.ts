/** Streams: sources, the pull core, and the faces of it. */

// The seam to whoever runs the items
export type { Backend, Job, JobSink } from './backend.js';
// Results in one array
export { type Collection, collect } from './collect.js';
// Executions, for those who make streams of something else than a backend
export { BROKEN, ENDED, type Feed, type FeedListener, type FeedState, OPEN, type Origin, type Progress, type Shape } from './feed.js';
export type { ForEachOptions } from './for-each.js';
export type { Subscribable } from './observable-reader.js';
export { checkOverflow, type Overflow } from './overflow.js';
export { inOwnContext } from './own-context.js';
export { PacedFeed } from './paced-feed.js';
// The pull protocol, for stages that read streams in batches
export { DONE, FAILED, isPullSource, MORE, NOTHING, PULL, type PullReader, type PullSource, type ReadState, WAIT } from './pull.js';
// Streams of what is pulled
export { streamOf } from './reader-feed.js';
// Streams of results
export { runStream } from './run.js';
// Sources
export { checkSource, openSource, type Source, type SourceContext, sizeOf } from './source.js';
export type { ResultIterator } from './stream-iterator.js';
// Options
export {
  checkFlowOptions,
  checkStreamOptions,
  FLOW_OPTIONS,
  type FlowOptions,
  STREAM_OPTIONS,
  type StreamFlowOptions,
} from './stream-options.js';
export { TaskStream } from './task-stream.js';
