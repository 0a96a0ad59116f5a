/** Streams: sources, the pull core, and the faces of it. */

// The seam to whoever runs the items
export type { Backend, Job, JobSink } from './execution/backend.js';
// Results in one array
export { collect } from './execution/collect.js';
// Streams of results
export { executions, runStream } from './execution/run.js';
// Executions, for those who make streams of something else than a backend
export {
  type Counts,
  ENDED,
  ERRORED,
  type Feed,
  type FeedListener,
  type FeedState,
  OPEN,
  type Progress,
  type Projector,
  type StreamDefinition,
} from './feeds/feed.js';
export { inOwnContext } from './feeds/own-context.js';
export { PacedFeed } from './feeds/paced-feed.js';
// Streams of what is pulled
export { failingFeed, streamOf } from './feeds/reader-feed.js';
export type { ResultIterator } from './feeds/stream-iterator.js';
export type { ForEachOptions } from './for-each.js';
export type { Subscribable } from './sources/observable-reader.js';
export { checkOverflow, type Overflow } from './sources/overflow.js';
// The pull protocol, for stages that read streams in batches
export {
  DONE,
  FAILED,
  isPullSource,
  MORE,
  NOTHING,
  PULL,
  type PullReader,
  type PullSource,
  type ReadState,
  WAIT,
} from './sources/pull.js';
// Sources
export { checkSource, openSource, type Source, sizeOf } from './sources/source.js';
// Options
export {
  checkFlowOptions,
  FLOW_OPTIONS,
  type StreamFlowOptions,
} from './stream-options.js';
export { TaskStream } from './task-stream.js';
