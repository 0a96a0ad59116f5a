/**
 * What a driver has under way: runs, and the tasks of each. The tasks of a run have one subject, by
 * which they are withdrawn together.
 */
import type { CallSite } from '../../pool/index.js';
import { clearTimeout } from '../../util/timers.js';
import type { Publication } from '../broker/index.js';

/** A call, or one execution of a stream or a map. */
export interface RemoteRun {
  readonly id: string;
  /** Where its tasks are published. */
  readonly subjectName: string;
  /** Where an item was called from. */
  siteOf(index: number): CallSite | null;
  /** Milliseconds an item may run, and a task may wait; 0: no limit. */
  readonly timeout: number;
  readonly queueTimeout: number;
  /** Tasks without all of their outcomes, by the index of their first item. */
  readonly chunks: Map<number, RemoteChunk>;
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

/** Bytes that are stored before the message that refers to them. */
export interface Need {
  /** Name of the blob. */
  readonly blob: string;
  readonly bytes: Uint8Array;
  /** A function's: other tasks need it too. */
  readonly shared: boolean;
}

/** A task as its driver knows it: some items in a row, published as one message. */
export class RemoteChunk {
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
  /** Bounds the time it waits for a host. */
  queueTimer: NodeJS.Timeout | null = null;
  /** Called when it is not under way to the broker any more. */
  readonly whenSettled: (() => void)[] = [];

  constructor(
    readonly run: RemoteRun,
    readonly first: number,
    readonly count: number,
    readonly message: Uint8Array,
    readonly needs: readonly Need[],
  ) {
    this.remaining = count;
  }

  /** Takes items `[offset, offset + count)` as settled. Returns those of them that were not. */
  settle(offset: number, count: number): number[] {
    const end = Math.min(this.count, offset + count);
    const fresh: number[] = [];
    if (this.#settled === null && offset === 0 && end === this.count) {
      for (let i = 0; i < end; i++) fresh.push(i);
      if (this.remaining === 0) return [];
      this.remaining = 0;
      return fresh;
    }
    this.#settled ??= new Uint8Array(this.count);
    for (let i = offset; i < end; i++) {
      if (this.#settled[i] === 1) continue;
      this.#settled[i] = 1;
      fresh.push(i);
    }
    this.remaining -= fresh.length;
    return fresh;
  }

  /** Whether one of these items has no outcome. */
  awaits(offset: number, count: number): boolean {
    if (this.#settled === null) return this.remaining > 0;
    for (let i = offset; i < Math.min(this.count, offset + count); i++) if (this.#settled[i] === 0) return true;
    return false;
  }

  /** It is over, for its driver. */
  end(): void {
    this.dead = true;
    if (this.queueTimer !== null) clearTimeout(this.queueTimer);
    this.queueTimer = null;
  }

  /** It is not under way any more. */
  landed(): void {
    this.publication = null;
    for (const resolve of this.whenSettled.splice(0)) resolve();
  }
}
