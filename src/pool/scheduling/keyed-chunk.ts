import { performance } from '../../util/timers.js';
import type { Batch } from './batch.js';
import { Chunk, type ChunkJob, type Form } from './chunk.js';
import type { KeyedItem } from './key-lanes.js';
import type { TaskQueue } from './ready-queue.js';
import type { Retry } from './retry-policy.js';

/** Where the items of a keyed chunk come from. */
export interface KeyedSource {
  /** Items wait again. `alone`: each as a chunk of its own. */
  giveBack(items: readonly KeyedItem[], alone: boolean): void;
  /** A chunk is over: `ended` are those of its items that were not given back. */
  released(items: readonly KeyedItem[], ended: readonly KeyedItem[]): void;
  /** A chunk of an item that waits for its next run. */
  waitingChunk(item: KeyedItem): Chunk;
}

/** Items of a job that stand in lanes: what is not to run here goes back to its lane. */
export class KeyedChunk extends Chunk {
  readonly #entries: readonly KeyedItem[];
  readonly #source: KeyedSource;
  readonly #back = new Set<KeyedItem>();

  constructor(job: ChunkJob, source: KeyedSource, entries: readonly KeyedItem[], form: Form, queue: TaskQueue<Batch>) {
    super(
      job,
      entries[0]!.index,
      entries.map(({ item }) => item),
      entries[0]!.runs,
      form,
      null,
      -1,
      queue,
    );
    this.#entries = entries;
    this.#source = source;
  }

  override reclaim(): boolean {
    this.#giveBack(this.#entries, false);
    this.onReleased();
    return true;
  }

  override onReleased(): void {
    this.#source.released(
      this.#entries,
      this.#entries.filter((entry) => !this.#back.has(entry)),
    );
    super.onReleased();
  }

  protected override get patience(): number {
    const due = this.#entries.reduce((first, entry) => Math.min(first, entry.due), Number.POSITIVE_INFINITY);
    return due === Number.POSITIVE_INFINITY ? 0 : Math.max(1, due - performance.now());
  }

  protected override at(index: number): number {
    return this.#entries[index]!.index;
  }

  protected override get span(): string {
    return `Items ${this.#entries.map(({ index }) => index).join(', ')}`;
  }

  protected override singly(): Batch[] {
    this.#giveBack(this.#entries, true);
    return [];
  }

  protected override apart(): Batch[] {
    return this.singly();
  }

  protected override rest(from: number): Batch[] {
    this.#giveBack(this.#entries.slice(from), false);
    return [];
  }

  protected override repeat(index: number, retry: Retry): void {
    const entry = this.#entries[index]!;
    this.#back.add(entry);
    this.job.retry(this.#source.waitingChunk({ ...entry, runs: retry }), retry, entry.index);
  }

  #giveBack(entries: readonly KeyedItem[], alone: boolean): void {
    const back = entries.filter((entry) => !this.#back.has(entry));
    for (const entry of back) this.#back.add(entry);
    this.#source.giveBack(back, alone);
  }
}
