/**
 * What the pull core needs of whoever runs the items. A pool is one; so is a remote host.
 *
 *   source -> pull core -> Job.submit(chunk) -> … -> JobSink.value(index) -> pull core -> consumer
 *
 * The core owns the window, the chunks, the order and the consumer; the backend owns workers,
 * retries, crashes and time limits. Every submitted index settles exactly once, through `value` or
 * `error`.
 */
export interface Backend<T, R> {
  /** Starts a job: a family of items that run the same function under the same options. */
  open(sink: JobSink<R>): Job<T>;
}

/** The core's hand on a running job. */
export interface Job<T> {
  /** How many items run side by side at most (the number of workers). */
  readonly parallelism: number;
  /**
   * Most items a chunk should hold now: what the caller asked for, or adapted by the backend to the
   * measured time of an item; never more than it can run as one. At least 1.
   */
  readonly chunkSize: number;
  /** Chunks the backend would still take now. 0 means: wait for `JobSink.demand`. */
  readonly room: number;
  /** Whether a worker stands idle, so that even a partial chunk should go out at once. */
  readonly hungry: boolean;
  /**
   * Takes an item of a source whose code runs before the chunk is handed over, and may change the
   * item: what it returns takes the place of the item in {@link submit}. Must not throw. Absent
   * where items are not kept.
   *
   * @param remember Whether {@link original} may be asked for the item. Default `false`.
   */
  admit?(item: T, remember?: boolean): T;
  /** What an item was before it was admitted with `remember`. It is dropped: nobody submits it. */
  original?(item: T): T;
  /**
   * Hands over a chunk; item `i` of it has index `first + i`. The array belongs to the backend from
   * here on.
   */
  submit(first: number, items: T[]): void;
  /**
   * No item will follow. The backend may drop what it keeps for the job once all submitted items
   * have settled.
   */
  end(): void;
  /**
   * Stops the job: items not yet running are dropped, running ones are signalled and, after the
   * grace period, killed. Nothing is delivered to the sink any more. Resolves when no item of the
   * job runs.
   */
  cancel(reason: unknown): Promise<void>;
}

/** Where a job's results go. Calls come from the event loop, never from inside `submit`. */
export interface JobSink<R> {
  /** Item `index` has this value. */
  value(index: number, value: R): void;
  /** Item `index` failed. */
  error(index: number, error: unknown): void;
  /** Several items came in at once and the batch is over: deliver, then refill. */
  flush(): void;
  /** The backend has room again. */
  demand(): void;
  /**
   * The job as a whole failed (the function cannot be sent, the pool was terminated); no item
   * settles any more.
   */
  fail(error: unknown): void;
}
