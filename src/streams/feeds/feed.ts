/**
 * One execution of a stream, as its consumer sees it: values are taken, never pushed, so that the
 * consumer's pace is the stream's. Iterators, subscriptions, Readables and other pools all stand on
 * this one interface.
 */
import type { NOTHING } from '../sources/pull.js';

/** Values flow, or may still come. */
export const OPEN = 0;
/** All values were taken, or the consumer stopped. */
export const ENDED = 1;
/** The execution failed with {@link Feed.failure}; the values before were taken. */
export const ERRORED = 2;

/** State of a {@link Feed}, to be looked at when `take` has nothing. */
export type FeedState = typeof OPEN | typeof ENDED | typeof ERRORED;

/** How far a stream is, in items. */
export interface Counts {
  /** Items read from the source. */
  readonly pulled: number;
  /** Items submitted or about to be, that have no result yet. */
  readonly running: number;
  /** Results nobody has taken yet. */
  readonly buffered: number;
  /** Results taken. */
  readonly delivered: number;
  /** Items that failed, whatever `errors` says. */
  readonly failed: number;
  /** Items in all, where the source tells (arrays, sets, maps). */
  readonly total?: number;
}

/** What a stream is doing. */
export interface Progress extends Counts {
  /**
   * Items a second that get a result: an average, in which what was before the last 5 s counts for
   * less and less.
   */
  readonly rate: number;
  /**
   * Milliseconds until all items have a result, if it goes on at this {@link rate}; absent while
   * `total` is unknown or nothing has a result.
   */
  readonly eta?: number;
}

/** Who is told about a {@link Feed}. */
export interface FeedListener {
  /** There may be something to take, or the state changed. May be spurious. */
  ready(): void;
  /** The execution has wound down: no item runs, the source was returned. */
  closed(): void;
}

/** One execution. Nothing happens before `start`. */
export interface Feed<R> {
  /** Whether values may still come. */
  readonly state: FeedState;
  /** Why it broke. */
  readonly failure: unknown;
  /** Called when progress was made; `null` while nobody watches. */
  onProgress: (() => void) | null;
  /** Begins. Called once. */
  start(): void;
  /**
   * The next value, or NOTHING: look at `state`. The value keeps its place in the window until it
   * is reported as `taken`.
   */
  take(): R | typeof NOTHING;
  /** So many values have reached the consumer: their places are free. */
  taken(count: number): void;
  /**
   * The consumer leaves. Resolves when the source was returned, rejects if its `return()` failed.
   */
  stop(reason?: unknown): Promise<void>;
  /** Ends with an error at once; values not yet taken are dropped. */
  endWithError(error: unknown): void;
  /** What it is doing. */
  snapshot(): Counts;
}

/** Turns an item's index and result into what is delivered, see `enumerate`. */
export type Projector = (index: number, value: unknown) => unknown;

/** What a stream is made of: something that opens executions. */
export interface StreamDefinition {
  /**
   * Makes one execution.
   * @throws nothing: what goes wrong reaches the consumer through the feed.
   */
  open(listener: FeedListener, shape: Projector | undefined): Feed<unknown>;
}
