/**
 * What a driver has under way: runs, and the tasks of each. The tasks of a run have one subject, by
 * which they are withdrawn together.
 */
import type { CallSite, RetryPolicy } from '../../pool/index.js';
import { clearTimeout } from '../../util/timers.js';
import type { Publication } from '../broker/index.js';
import type { RunKeeper } from '../durable/index.js';
import { readTask, writeTask } from '../wire/index.js';

/** A call, or one execution of a stream or a map. */
export interface RemoteRun {
  readonly id: string;
  /** Whom its tasks belong to: this process's driver, or the run itself where that is durable. */
  readonly driver: string;
  /** What the broker keeps of it; `null`: it ends with its driver. */
  readonly keeper: RunKeeper | null;
  /** Where its tasks are published. */
  readonly subjectName: string;
  /** Where an item was called from. */
  siteOf(index: number): CallSite | null;
  /** Milliseconds an item may run, and a task may wait; 0: no limit. */
  readonly timeout: number;
  readonly queueTimeout: number;
  /** When an item that failed is run again. */
  readonly retries: RetryPolicy;
  /** Tasks without all of their outcomes, by their {@link chunkKey}. */
  readonly chunks: Map<string, RemoteChunk>;
  /** Item `index` has a value. */
  value(index: number, value: unknown): void;
  /** Item `index` failed. */
  error(index: number, error: unknown): void;
  /** Several items came in at once and the batch is over. */
  flush(): void;
  /** The run as a whole failed: none of its items settles any more. */
  fail(error: unknown): void;
  /** It reported something. */
  report(progress: unknown): void;
  /** So many items took so many microseconds. */
  measure(items: number, micros: number): void;
  /** There is room for tasks again, or hosts came or went. */
  demand(): void;
  /** What an item is called in messages. */
  subject(index: number): string;
}

/** The names of a run to come. */
export type RunName = Pick<RemoteRun, 'id' | 'driver' | 'subjectName'>;

/** Bytes that are stored before the message that refers to them. */
export interface Need {
  /** Name of the blob. */
  readonly blob: string;
  readonly bytes: Uint8Array;
  /** A function's: other tasks need it too. */
  readonly shared: boolean;
}

/**
 * What tells a task from the others of its run: the first item of its chunk as it was published first;
 * of an item that is run again after an error its place there too, and how often it has failed.
 */
export function chunkKey(first: number, offset: number, failures: number): string {
  return failures === 0 ? `${first}` : `${first}+${offset}/${failures}`;
}

/**
 * A task as its driver knows it: some items in a row, published as one message. Items are named by
 * their offset from the first one of the chunk that was published first.
 */
export class RemoteChunk {
  readonly key: string;
  /** Items that have no outcome yet. */
  remaining: number;
  /** Where outcomes came for a part of it: which items have one. */
  #settled: Uint8Array | null = null;
  /** How often it was published. */
  version = 0;
  /** Under way to the broker. */
  publication: Publication | null = null;
  /** The broker had it at some time. */
  published = false;
  /** Number of the latest version in its stream; 0: the broker does not have it. */
  sequence = 0;
  /** When the broker said that it has the latest version; -1: not yet. */
  storedAt = -1;
  /** Nobody waits for it any more. */
  dead = false;
  /** A host has begun it, and said so. */
  begun = false;
  /** Bounds the time it waits for a host; before that, the time until it is run again. */
  timer: NodeJS.Timeout | null = null;
  /** Called when it is not under way to the broker any more. */
  readonly whenSettled: (() => void)[] = [];

  /**
   * @param from Its first item.
   * @param failures Runs of its item that ended with an error; 0 for several items.
   */
  constructor(
    readonly run: RemoteRun,
    readonly first: number,
    readonly count: number,
    public message: Uint8Array,
    public needs: readonly Need[],
    readonly from = 0,
    readonly failures = 0,
  ) {
    this.remaining = count;
    this.key = chunkKey(first, from, failures);
  }

  /** The task that runs one of its items again. */
  again(offset: number, failures: number): RemoteChunk {
    const task = readTask(this.message);
    const { run, first } = this;
    const blob = `${run.driver}.${run.id}-${first}-${offset}-${failures}`;
    const message = writeTask({
      ...task,
      offset,
      count: 1,
      options: { ...task.options, failures },
      payload: typeof task.payload === 'string' ? blob : task.payload,
    });
    // What only this task refers to goes with it.
    const needs = this.needs.map((need) => (need.shared ? need : { ...need, blob }));
    return new RemoteChunk(run, first, 1, message, needs, offset, failures);
  }

  /** Has its payload stored beside the queue, not in it. Returns whether it was not. */
  outsource(): boolean {
    const task = readTask(this.message);
    if (typeof task.payload === 'string') return false;
    const { run, first, from, failures } = this;
    const blob = `${run.driver}.${run.id}-${first}-${from}-${failures}`;
    this.needs = [...this.needs, { blob, bytes: task.payload, shared: false }];
    this.message = writeTask({ ...task, payload: blob });
    return true;
  }

  /** Takes items `[offset, offset + count)` as settled. Returns those of them that were not. */
  settle(offset: number, count: number): number[] {
    const { from } = this;
    const start = Math.max(0, offset - from);
    const end = Math.min(this.count, offset - from + count);
    const fresh: number[] = [];
    if (this.#settled === null && start === 0 && end === this.count) {
      if (this.remaining === 0) return [];
      for (let i = 0; i < end; i++) fresh.push(from + i);
      this.remaining = 0;
      return fresh;
    }
    this.#settled ??= new Uint8Array(this.count);
    for (let i = start; i < end; i++) {
      if (this.#settled[i] === 1) continue;
      this.#settled[i] = 1;
      fresh.push(from + i);
    }
    this.remaining -= fresh.length;
    return fresh;
  }

  /** Whether one of these items has no outcome. */
  awaits(offset: number, count: number): boolean {
    if (this.#settled === null) return this.remaining > 0;
    const end = Math.min(this.count, offset - this.from + count);
    for (let i = Math.max(0, offset - this.from); i < end; i++) if (this.#settled[i] === 0) return true;
    return false;
  }

  /** It is over, for its driver. */
  end(): void {
    this.dead = true;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  /** It is not under way any more. */
  landed(): void {
    this.publication = null;
    for (const resolve of this.whenSettled.splice(0)) resolve();
  }
}
