/**
 * The public stream of results: one description, any number of executions.
 *
 *   TaskStream -- subscribe, iterate, pull --> StreamDefinition.open() -> Feed -> consumer
 *
 * Invariant: the stream holds no item and no result; each execution has its own window and is
 * forgotten when it closes.
 */
import type { Readable, ReadableOptions } from 'node:stream';
import { inspect } from 'node:util';
import { Observable } from 'rxjs';
import { inCallerContext } from '../util/caller-context.js';
import { type Deferred, deferred } from '../util/deferred.js';
import { staysHere } from '../util/local-class.js';
import { printedAsShown } from '../util/printed.js';
import { ProgressHub } from './execution/progress.js';
import type { Feed, Progress, Projector, StreamDefinition } from './feeds/feed.js';
import { FeedReader } from './feeds/feed-reader.js';
import { Pump, type PumpSink } from './feeds/pump.js';
import { feedReadable, feedReadableStream } from './feeds/readable.js';
import { type ResultIterator, StreamIterator } from './feeds/stream-iterator.js';
import { type ForEachOptions, forEachAsync } from './for-each.js';
import { disposed } from './messages.js';
import { PULL, type PullReader, type PullSource } from './sources/pull.js';

/**
 * The results of a task over a source, as an Observable and as an async iterable.
 *
 * Semantics: cold. Nothing is read before `subscribe()`, iteration or one of the methods; each of
 * them is an execution of its own. A source that can be read only once gives its second execution a
 * StreamConsumedError. The stream is not thenable: an `async` function may return it without
 * draining it. Results before an error are delivered before the error.
 *
 * Backpressure: at most `window` items are admitted and not delivered. Iteration, `forEachAsync`,
 * `toReadable`, `toReadableStream`, and another pool reading this stream pull it: when they stop,
 * the workers stop, then the source. A subscriber is handed each result at once and throttles the
 * stream only while it runs; plain RxJS operators after `pipe()` are such subscribers.
 *
 * Cancellation: `break`, `return()`, `unsubscribe()` and an aborted `signal` stop reading, return
 * the source, drop queued items and signal (then kill) running ones. They do not wait for running
 * items; {@link closed} does. A source whose `next()` is pending is returned at once too, which
 * `break` and `return()` await for a turn of the event loop.
 *
 * Async context: subscribers, the functions given to operators and methods, and the source run in
 * the AsyncLocalStorage context in which the execution began.
 *
 * Python: the iterator of `Pool.imap` and `Pool.imap_unordered`, which have no window and read the
 * whole source ahead.
 *
 * @example
 * import { Pool } from 'multiprocess';
 *
 * await using pool = new Pool({ processes: 2 });
 * for await (const square of pool.imap((n: number) => n * n, [1, 2, 3, 4], { window: 64 })) {
 *   console.log(square); // 1
 *   break; // the source is returned, running tasks are cancelled
 * }
 */
export class TaskStream<R> extends Observable<R> implements AsyncIterable<R>, AsyncDisposable, PullSource<R> {
  readonly #origin: StreamDefinition;
  readonly #shape: Projector | undefined;
  /**
   * Those that see the executions of this stream: itself, and the streams that it was made from by
   * {@link enumerate}.
   */
  readonly #watchers: readonly TaskStream<unknown>[];
  readonly #feeds = new Set<Feed<unknown>>();
  #hub: ProgressHub | undefined;
  #latest: Feed<unknown> | undefined;
  #closed: Deferred<void> | undefined;
  #ran = false;
  #disposed = false;

  /**
   * For the library: users get streams from a pool or a queue.
   *
   * @internal
   */
  constructor(origin: StreamDefinition, shape?: Projector, from?: TaskStream<unknown>) {
    super((subscriber) => {
      const drain = new Pump<R>((ready) => this.#run(ready), subscriber);
      drain.start();
      return () => void drain.stop().catch(() => {});
    });
    this.#origin = origin;
    this.#shape = shape;
    this.#watchers = from === undefined ? [this] : [this, ...from.#watchers];
  }

  /**
   * Iterates an execution of its own, which begins with the first `next()`.
   *
   * Semantics: a result is taken in the order the stream delivers; concurrent `next()` calls are
   * answered in their order. Cancellation: `return()` (what `break` and `throw` in the loop call)
   * resolves once the source was returned; an error of the source's own `return()` rejects it. A
   * pending `next()` then answers `done`.
   *
   * @throws what failed: the item's error, the source's error, `signal.reason`, StreamConsumedError
   *   `MP_STREAM_CONSUMED`, StreamOverflowError `MP_STREAM_OVERFLOW`.
   */
  [Symbol.asyncIterator](): ResultIterator<R> {
    return new StreamIterator<R>((ready) => this.#run(ready));
  }

  /** Opens an execution for a pull-aware stage, which pulls in batches. */
  [PULL](wake: () => void): PullReader<R> {
    return new FeedReader<R>((ready) => this.#run(ready), wake);
  }

  /**
   * Runs the stream and collects every result. Memory grows with the results; the window still
   * bounds the items in flight.
   *
   * @throws what iterating throws.
   */
  toArray(): Promise<R[]> {
    return new Promise((resolve, reject) => {
      const results: R[] = [];
      const sink: PumpSink<R> = {
        next: (value) => void results.push(value),
        error: reject,
        complete: () => resolve(results),
      };
      new Pump<R>((ready) => this.#run(ready), sink).start();
    });
  }

  /**
   * Runs the stream and calls `fn` with every result.
   *
   * Semantics: at most `concurrency` calls are under way at a time; calls begin in the order of the
   * stream. Backpressure: a result is taken when a call may begin, so slow calls slow the workers
   * and the source. Cancellation: the first call that throws or rejects cancels the stream and
   * rejects at once; calls still under way are left to finish by themselves.
   *
   * @param fn Called with each result. What it returns is awaited.
   * @param options `concurrency`: calls at a time, at least 1, `Infinity` allowed. Default 1.
   * @throws what iterating throws, what `fn` throws, ArgumentError `MP_INVALID_ARGUMENT`,
   * `MP_UNKNOWN_OPTION`.
   */
  async forEachAsync(fn: (value: R) => unknown, options: ForEachOptions = {}): Promise<void> {
    await forEachAsync<R>((ready) => this.#run(ready), fn, options);
  }

  /**
   * A Node.js Readable of the results, in object mode.
   *
   * Semantics: the execution begins with the first read. A result that is `null` destroys the
   * Readable with an ArgumentError, since Node.js takes `null` for the end. Backpressure: besides
   * the window at most `highWaterMark` results wait in the Readable. Default 1. Cancellation:
   * `destroy()` cancels the execution.
   *
   * @param options Options of Node's own constructor, save `objectMode`, `read`, `construct` and
   * `destroy`.
   */
  toReadable(options: Omit<ReadableOptions, 'objectMode' | 'read' | 'construct' | 'destroy'> = {}): Readable {
    return feedReadable<R>((ready) => this.#run(ready), options);
  }

  /**
   * A web ReadableStream of the results.
   *
   * Semantics: the execution begins with the first read; results are handed over one by one and
   * none waits in between. Cancellation: `cancel(reason)` cancels the execution.
   */
  toReadableStream(): ReadableStream<R> {
    return feedReadableStream<R>((ready) => this.#run(ready));
  }

  /**
   * The same work with each result beside the index of its item in the source: the way to match
   * them in unordered streams and with `errors: 'skip'`.
   *
   * Its executions are this stream's too: they show in `progress` and `closed`, and disposing of
   * this stream ends them.
   *
   * Python: `enumerate(pool.imap(…))`, but the index is the item's, not a count of results.
   */
  enumerate(): TaskStream<readonly [index: number, value: R]> {
    const inner = this.#shape;
    const shape: Projector =
      inner === undefined ? (index, value) => [index, value] : (index, value) => [index, inner(index, value)];
    return new TaskStream(this.#origin, shape, this);
  }

  /**
   * What the latest execution is doing.
   *
   * Semantics: subscribed during an execution it emits at once, then at most every 50 ms while
   * items flow, then a last time, and completes; subscribed before, it waits for the next
   * execution. It never errors. It starts nothing, and costs nothing while nobody listens.
   */
  get progress(): Observable<Progress> {
    if (this.#hub === undefined) {
      this.#hub = new ProgressHub();
      if (this.#latest !== undefined) this.#hub.attach(this.#latest);
    }
    return this.#hub.observable;
  }

  /**
   * Resolves when no execution runs any more and none of its items: sources are returned, cancelled
   * tasks have ended. Before the first execution it waits for that to end, or for the stream to be
   * disposed. Never rejects.
   */
  get closed(): Promise<void> {
    this.#closed ??= deferred<void>();
    this.#settleClosed();
    return this.#closed?.promise ?? Promise.resolve();
  }

  /**
   * Cancels every execution and waits until they are {@link closed}. Whoever still reads gets a
   * ClosedError, and so does every later execution.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    for (const feed of this.#feeds) feed.endWithError(disposed());
    await this.closed;
  }

  /** @internal */
  [inspect.custom](): string {
    return this.#latest === undefined
      ? `TaskStream (${this.#ran ? 'over' : 'not begun'})`
      : `TaskStream ${inspect(this.#latest.snapshot())}`;
  }

  #run(ready: () => void): Feed<R> {
    const closed = () => {
      for (const watcher of this.#watchers) watcher.#forget(feed);
    };
    // The consumer is told in the async context in which it began, whoever else uses the pool or
    // queue behind it.
    const feed: Feed<R> = this.#origin.open({ ready: inCallerContext(ready), closed }, this.#shape) as Feed<R>;
    for (const watcher of this.#watchers) watcher.#follow(feed);
    return feed;
  }

  #follow(feed: Feed<unknown>): void {
    this.#ran = true;
    this.#feeds.add(feed);
    this.#latest = feed;
    this.#hub?.attach(feed);
    if (this.#disposed) feed.endWithError(disposed());
  }

  #forget(feed: Feed<unknown>): void {
    this.#feeds.delete(feed);
    if (this.#latest === feed) this.#latest = undefined;
    this.#settleClosed();
  }

  #settleClosed(): void {
    if (this.#feeds.size > 0 || !(this.#ran || this.#disposed)) return;
    this.#closed?.resolve();
    this.#closed = undefined;
  }
}
printedAsShown(TaskStream);

staysHere(
  TaskStream,
  'collect it (`await stream.toArray()`) and send the items, or put them into a Queue or Topic, which can be sent',
);
