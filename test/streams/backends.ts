/**
 * Backends that run in this process: real workers in miniature. They keep the contract of src/streams/execution/backend.ts and
 * watch that the core keeps its part: contiguous indices, no chunk beyond `room`, nothing after `end` or `cancel`.
 */
import type { Backend, Job, JobSink } from '../../src/streams/index.js';

/** Small, seeded generator (mulberry32, T. Ettinger). */
export function random(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export interface BackendOptions {
  readonly parallelism?: number;
  /** Fixed, or asked at each use. */
  readonly chunkSize?: number | (() => number);
  /** Chunks each worker takes besides the one it runs. */
  readonly pipeline?: number;
  /** Turns of the event loop a chunk takes: fixed, or drawn from a generator with this seed, which also shuffles the chunk's results. */
  readonly turns?: number;
  readonly seed?: number;
  /** Flush after each item instead of after each chunk. */
  readonly single?: boolean;
}

export class TestBackend<T, R> implements Backend<T, R> {
  readonly jobs: TestJob<T, R>[] = [];
  readonly fn: (item: T, index: number) => R | Promise<R>;
  readonly options: BackendOptions;

  constructor(fn: (item: T, index: number) => R | Promise<R>, options: BackendOptions = {}) {
    this.fn = fn;
    this.options = options;
  }

  open(sink: JobSink<R>): Job<T> {
    const job = new TestJob(this.fn, this.options, sink);
    this.jobs.push(job);
    return job;
  }

  get last(): TestJob<T, R> {
    return this.jobs[this.jobs.length - 1]!;
  }
}

export class TestJob<T, R> implements Job<T> {
  readonly chunks: number[] = [];
  readonly violations: string[] = [];
  readonly parallelism: number;
  ended = false;
  cancelled = 0;
  reason: unknown;
  submitted = 0;
  settled = 0;
  running = 0;
  readonly #queue: { first: number; items: T[] }[] = [];
  readonly #idle: (() => void)[] = [];
  readonly #random: () => number;

  constructor(
    readonly fn: (item: T, index: number) => R | Promise<R>,
    readonly options: BackendOptions,
    readonly sink: JobSink<R>,
  ) {
    this.parallelism = options.parallelism ?? 2;
    this.#random = random(options.seed ?? 1);
  }

  get chunkSize(): number {
    const size = this.options.chunkSize ?? 4;
    return typeof size === 'function' ? size() : size;
  }

  get room(): number {
    return this.parallelism * (1 + (this.options.pipeline ?? 1)) - this.running - this.#queue.length;
  }

  get hungry(): boolean {
    return this.running + this.#queue.length < this.parallelism;
  }

  submit(first: number, items: T[]): void {
    if (this.ended) this.violations.push('submit after end');
    if (this.cancelled > 0) this.violations.push('submit after cancel');
    if (this.room <= 0) this.violations.push('submit without room');
    if (first !== this.submitted) this.violations.push(`chunk begins at ${first}, expected ${this.submitted}`);
    if (items.length === 0) this.violations.push('empty chunk');
    this.submitted += items.length;
    this.chunks.push(items.length);
    this.#queue.push({ first, items });
    this.#work();
  }

  end(): void {
    if (this.ended) this.violations.push('end twice');
    this.ended = true;
  }

  cancel(reason: unknown): Promise<void> {
    if (this.cancelled++ > 0) this.violations.push('cancelled twice');
    this.reason = reason;
    this.#queue.length = 0;
    return this.running === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }

  #work(): void {
    while (this.running < this.parallelism && this.#queue.length > 0) {
      this.running++;
      void this.#run(this.#queue.shift()!);
    }
  }

  async #run({ first, items }: { first: number; items: T[] }): Promise<void> {
    const seeded = this.options.seed !== undefined;
    const turns = this.options.turns ?? (seeded ? 1 + Math.floor(this.#random() * 4) : 1);
    for (let i = 0; i < turns; i++) await new Promise((done) => setImmediate(done));
    const outcomes = await Promise.allSettled(items.map(async (item, i) => this.fn(item, first + i)));
    const order = outcomes.map((_, i) => i);
    if (seeded) order.sort(() => this.#random() - 0.5);
    await new Promise((done) => setImmediate(done));
    this.running--;
    this.#work();
    for (const i of order) {
      if (this.cancelled > 0) break;
      this.settled++;
      const outcome = outcomes[i]!;
      if (outcome.status === 'fulfilled') this.sink.value(first + i, outcome.value);
      else this.sink.error(first + i, outcome.reason);
      if (this.options.single === true) this.sink.flush();
    }
    if (this.cancelled === 0) this.sink.flush();
    if (this.cancelled === 0) this.sink.demand();
    if (this.cancelled > 0 && this.running === 0) for (const idle of this.#idle.splice(0)) idle();
  }
}
