/**
 * What a worker measures of itself, in words of its link's control page that the parent reads when
 * it wants to know.
 */
import { performance } from '../../util/timers.js';
import { MEMORY, MEMORY_UNIT } from '../wire/protocol.js';

/** Milliseconds between two looks at the memory, while nobody limits it, and while somebody does. */
const LOOK_INTERVAL_MS = 250;
const WATCH_INTERVAL_MS = 1;

export class WorkerGauges {
  readonly #control: Int32Array;
  readonly #thread: boolean;
  #watched = false;
  /** When the memory is looked at next. */
  #due = 0;

  /** @param thread Whether the worker is a thread, whose memory is its heap. */
  constructor(control: Int32Array, thread: boolean) {
    this.#control = control;
    this.#thread = thread;
  }

  /** Whether the memory is limited: it is looked at between items. */
  get watched(): boolean {
    return this.#watched;
  }

  /** The memory is limited from here on. */
  watch(): void {
    this.#watched = true;
    this.#due = 0;
  }

  /** A turn of the loop begins, at `now`. */
  turn(now: number): void {
    if (now >= this.#due) this.weigh(now);
  }

  /** Between two items, while the memory is {@link watched}. */
  betweenItems(): void {
    const now = performance.now();
    if (now >= this.#due) this.weigh(now);
  }

  /** Looks at the memory. */
  weigh(now: number): void {
    this.#due = now + (this.#watched ? WATCH_INTERVAL_MS : LOOK_INTERVAL_MS);
    Atomics.store(this.#control, MEMORY, Math.ceil((this.#thread ? heap() : process.memoryUsage.rss()) / MEMORY_UNIT));
  }
}

/** Bytes of this thread's heap, with those that its ArrayBuffers hold beside it. */
function heap(): number {
  // By node:v8 it is the same, but Node 26 aborts when a thread of a program that began as a snapshot
  // loads that.
  const { heapUsed: objects, external: buffers } = process.memoryUsage();
  return objects + buffers;
}
