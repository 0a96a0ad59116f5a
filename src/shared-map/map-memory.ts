/**
 * The table of a SharedMap, in shared memory: which entry has which key, and where its chain is.
 *
 * Changes are made under the guard, one agent at a time. What is true stands in the entries alone:
 * an entry is there from the store of its first cell on, has its new value from the next such store
 * on, and is gone with the store of 0. Everything else (buckets, free lists, the size) follows from
 * the entries, and the repair makes it anew when an agent died under the guard. So a death leaves
 * the old or the new value, and loses neither other entries nor memory.
 *
 * Reading takes no lock. A chain that an entry names does not change; when it is given back, or the
 * entry taken out of its bucket, the version of the entry's stripe grows before anything of it is
 * used again. So what was found between two looks at the same version was whole. While the lists are
 * made anew (REBUILDS is odd) readers take the guard, and so does one that is overtaken again and
 * again.
 *
 * Source: the sequence locks of Linux, with a version for each stripe and a writer that never keeps
 * a reader waiting.
 */
import type { Block } from '../memory/index.js';
import { MUTEX_WORDS, Mutex, RobustMutex } from '../synchronize/index.js';
import { Cells } from './cells.js';
import { keyBytes, keyWords, type MapKey } from './key.js';
import {
  CAPACITY,
  CELLS,
  cellsFor,
  ENTRIES_USED,
  ENTRY_WORDS,
  FIRST,
  FREE_ENTRY,
  GUARD,
  HASH,
  type Layout,
  layoutOf,
  NEXT,
  REBUILDS,
  SIZE,
  STAMP,
  STRIPES,
} from './layout.js';

/** Looks without a lock, after which a reader takes it. */
const MAX_LOOKS = 64;
/** Whether an earlier load may be seen after the last look at a version, unless that is a change. */
const LOADS_PASS = process.arch !== 'x64' && process.arch !== 'ia32';
/** Of {@link MapMemory.put}: whatever is there. */
export const ANY_STAMP = -1;
/** Of {@link MapMemory.put}: nothing is there. */
export const NO_STAMP = 0;

/** What came of a put. */
export enum Put {
  Done = 0,
  /** Another put or a removal came first. */
  Overtaken = 1,
  /** All entries are in use. */
  NoEntry = 2,
  /** There are not enough cells. */
  NoCells = 3,
}

function newWords(words: number): Int32Array {
  return new Int32Array(words);
}

/** A value as it was found: its bytes at the start of `words`. */
export interface FoundValue {
  readonly words: Int32Array;
  readonly bytes: number;
  readonly stamp: number;
}

/** An entry as it was found. */
export interface FoundEntry {
  readonly header: number;
  readonly key: Int32Array;
  /** `null`: not asked for. */
  readonly value: FoundValue | null;
}

export class MapMemory {
  readonly layout: Layout;
  readonly #words: Int32Array;
  readonly #guard: RobustMutex;
  readonly #cells: Cells;
  readonly #block: Block;
  /** First cell of what {@link #search} found. */
  #found = -1;

  constructor(block: Block) {
    this.#block = block;
    this.#words = block.int32;
    this.layout = layoutOf(Atomics.load(this.#words, CAPACITY), Atomics.load(this.#words, CELLS));
    this.#guard = new RobustMutex(block, GUARD, 'SharedMap', () => this.#repair());
    this.#cells = new Cells(this.#words, this.layout);
  }

  /** Makes an empty map of zeroed memory. */
  static format(block: Block, { capacity, cells }: Layout): void {
    block.int32[CAPACITY] = capacity;
    block.int32[CELLS] = cells;
  }

  /** Entries in use. One that died while it changed them may have left another number. */
  get size(): number {
    this.#guard.repairIfAbandoned();
    return Atomics.load(this.#words, SIZE);
  }

  /** Free cells. */
  get freeCells(): number {
    return this.#cells.free;
  }

  /** Entries that were ever in use: {@link entryAt} has none from here on. */
  get entriesUsed(): number {
    return Atomics.load(this.#words, ENTRIES_USED);
  }

  /** The lock of a stripe, for updates. */
  lock(stripe: number): Mutex {
    return new Mutex(this.#block, this.layout.locks + stripe * MUTEX_WORDS, 'SharedMap');
  }

  // ---- reading

  /** Whether the key is there. */
  contains(key: MapKey): boolean {
    const stripe = this.#stripeOf(key.hash);
    for (let looks = 0; looks < MAX_LOOKS; looks++) {
      const rebuilds = Atomics.load(this.#words, REBUILDS);
      const version = Atomics.load(this.#words, stripe);
      if ((rebuilds & 1) !== 0) break;
      const there = this.#search(key) >= 0;
      if (this.#stood(stripe, version, rebuilds)) return there;
    }
    return this.#guard.runLocked(() => this.#search(key) >= 0);
  }

  /**
   * The value of a key; `null`: the key is not there.
   * @param memoryFor Memory for so many words, or more.
   */
  valueOf(key: MapKey, memoryFor: (words: number) => Int32Array = newWords): FoundValue | null {
    const stripe = this.#stripeOf(key.hash);
    for (let looks = 0; looks < MAX_LOOKS; looks++) {
      const rebuilds = Atomics.load(this.#words, REBUILDS);
      const version = Atomics.load(this.#words, stripe);
      if ((rebuilds & 1) !== 0) break;
      let value: FoundValue | null = null;
      if (this.#search(key) >= 0) {
        const first = this.#found;
        const bytes = this.#cells.valueBytes(first);
        const stamp = this.#cells.stamp(first);
        // Before memory is made for what may be garbage.
        if (!this.#stood(stripe, version, rebuilds)) continue;
        value = this.#copyValue(first, key.words, bytes, stamp, memoryFor);
      }
      if (this.#stood(stripe, version, rebuilds)) return value;
    }
    return this.#guard.runLocked(() => {
      if (this.#search(key) < 0) return null;
      const first = this.#found;
      return this.#copyValue(first, key.words, this.#cells.valueBytes(first), this.#cells.stamp(first), memoryFor);
    });
  }

  /** The entry with a number; `null`: it is free. */
  entryAt(entry: number, withValue: boolean): FoundEntry | null {
    const at = this.#entry(entry);
    for (let looks = 0; looks < MAX_LOOKS; looks++) {
      const rebuilds = Atomics.load(this.#words, REBUILDS);
      const hash = Atomics.load(this.#words, at + HASH);
      const stripe = this.#stripeOf(hash);
      const version = Atomics.load(this.#words, stripe);
      if ((rebuilds & 1) !== 0) break;
      const first = Atomics.load(this.#words, at + FIRST) - 1;
      if (first < 0) return null;
      const header = this.#cells.header(first);
      const bytes = this.#cells.valueBytes(first);
      const stamp = this.#cells.stamp(first);
      if (Atomics.load(this.#words, at + HASH) !== hash || !this.#stood(stripe, version, rebuilds)) continue;
      const found = this.#copyEntry(first, header, withValue ? bytes : -1, stamp);
      if (Atomics.load(this.#words, at + HASH) === hash && this.#stood(stripe, version, rebuilds)) return found;
    }
    return this.#guard.runLocked(() => {
      const first = Atomics.load(this.#words, at + FIRST) - 1;
      if (first < 0) return null;
      return this.#copyEntry(
        first,
        this.#cells.header(first),
        withValue ? this.#cells.valueBytes(first) : -1,
        this.#cells.stamp(first),
      );
    });
  }

  // ---- changing

  /**
   * Puts a value.
   * @param expected Only if what is there has this stamp.
   */
  put(key: MapKey, value: Int32Array, bytes: number, expected: number): Put {
    return this.#guard.runLocked(() => {
      const entry = this.#search(key);
      const old = this.#found;
      if (expected !== ANY_STAMP && (entry < 0 ? NO_STAMP : this.#cells.stamp(old)) !== expected) return Put.Overtaken;
      if (entry < 0 && Atomics.load(this.#words, SIZE) >= this.layout.capacity) return Put.NoEntry;
      const first = this.#cells.take(cellsFor(key.words, bytes));
      if (first < 0) return Put.NoCells;
      this.#cells.fill(first, key, value, bytes, this.#nextStamp());
      if (entry < 0) {
        this.#insert(key.hash, first);
        return Put.Done;
      }
      Atomics.store(this.#words, this.#entry(entry) + FIRST, first + 1);
      this.#touch(key.hash);
      this.#cells.release(old);
      return Put.Done;
    });
  }

  /** Removes a key: whether it was there. */
  remove(key: MapKey): boolean {
    return this.#guard.runLocked(() => {
      const entry = this.#search(key);
      if (entry < 0) return false;
      const first = this.#found;
      const at = this.#entry(entry);
      Atomics.store(this.#words, at + FIRST, 0);
      // Out of its bucket.
      let link = this.#bucketOf(key.hash);
      for (
        let other = Atomics.load(this.#words, link) - 1;
        other !== entry;
        other = Atomics.load(this.#words, link) - 1
      ) {
        link = this.#entry(other) + NEXT;
      }
      Atomics.store(this.#words, link, Atomics.load(this.#words, at + NEXT));
      Atomics.sub(this.#words, SIZE, 1);
      this.#touch(key.hash);
      this.#freeEntry(entry);
      this.#cells.release(first);
      return true;
    });
  }

  /** Removes all. */
  clear(): void {
    this.#guard.runLocked(() => {
      this.#beginRebuild();
      const used = this.entriesUsed;
      for (let entry = 0; entry < used; entry++) Atomics.store(this.#words, this.#entry(entry) + FIRST, 0);
      this.#cells.clear();
      this.#rebuildTable();
      this.#endRebuild();
    });
  }

  // ---- inside

  /** The entry of a key; -1: it is not there, or the look was disturbed. */
  #search(key: MapKey): number {
    const { capacity } = this.layout;
    let entry = Atomics.load(this.#words, this.#bucketOf(key.hash)) - 1;
    for (let steps = 0; entry >= 0 && entry < capacity && steps <= capacity; steps++) {
      const at = this.#entry(entry);
      const first = Atomics.load(this.#words, at + FIRST) - 1;
      if (first >= 0 && Atomics.load(this.#words, at + HASH) === key.hash && this.#cells.holds(first, key)) {
        this.#found = first;
        return entry;
      }
      entry = Atomics.load(this.#words, at + NEXT) - 1;
    }
    return -1;
  }

  #copyValue(
    first: number,
    from: number,
    bytes: number,
    stamp: number,
    memoryFor: (words: number) => Int32Array = newWords,
  ): FoundValue | null {
    const count = (bytes + 3) >>> 2;
    const words = memoryFor(count);
    return this.#cells.copyOut(first, from, words, count) ? { words, bytes, stamp } : null;
  }

  /** @param bytes Of the value; below 0: not asked for. */
  #copyEntry(first: number, header: number, bytes: number, stamp: number): FoundEntry | null {
    // A double needs its place.
    const key = new Int32Array(new ArrayBuffer((keyBytes(header) + 7) & ~7));
    const words = keyWords(header);
    if (!this.#cells.copyOut(first, 0, key, words)) return null;
    if (bytes < 0) return { header, key, value: null };
    const value = this.#copyValue(first, words, bytes, stamp);
    return value === null ? null : { header, key, value };
  }

  /** Whether nothing of the stripe went since the version was read, nor were the lists made anew. */
  #stood(stripe: number, version: number, rebuilds: number): boolean {
    const now = LOADS_PASS ? Atomics.add(this.#words, stripe, 0) : Atomics.load(this.#words, stripe);
    return now === version && Atomics.load(this.#words, REBUILDS) === rebuilds;
  }

  /** Something of the stripe is about to be used again. */
  #touch(hash: number): void {
    Atomics.add(this.#words, this.#stripeOf(hash), 1);
  }

  #insert(hash: number, first: number): void {
    const entry = this.#takeEntry();
    const at = this.#entry(entry);
    const bucket = this.#bucketOf(hash);
    Atomics.store(this.#words, at + HASH, hash);
    Atomics.store(this.#words, at + NEXT, Atomics.load(this.#words, bucket));
    // In its bucket, but free still.
    Atomics.store(this.#words, bucket, entry + 1);
    Atomics.store(this.#words, at + FIRST, first + 1);
    Atomics.add(this.#words, SIZE, 1);
    // For one that looks at the entry by its number, whose hash is another one by now.
    this.#touch(hash);
  }

  #takeEntry(): number {
    const free = Atomics.load(this.#words, FREE_ENTRY) - 1;
    if (free >= 0) {
      Atomics.store(this.#words, FREE_ENTRY, Atomics.load(this.#words, this.#entry(free) + NEXT));
      return free;
    }
    return Atomics.add(this.#words, ENTRIES_USED, 1);
  }

  #freeEntry(entry: number): void {
    Atomics.store(this.#words, this.#entry(entry) + NEXT, Atomics.load(this.#words, FREE_ENTRY));
    Atomics.store(this.#words, FREE_ENTRY, entry + 1);
  }

  #nextStamp(): number {
    let stamp = NO_STAMP;
    while (stamp === NO_STAMP || stamp === ANY_STAMP) stamp = (Atomics.add(this.#words, STAMP, 1) + 1) | 0;
    return stamp;
  }

  /** An agent died under the guard: what follows from the entries is made anew. */
  #repair(): void {
    this.#beginRebuild();
    this.#cells.rebuild(this.#rebuildTable());
    this.#endRebuild();
  }

  #beginRebuild(): void {
    Atomics.or(this.#words, REBUILDS, 1);
  }

  #endRebuild(): void {
    Atomics.add(this.#words, REBUILDS, 1);
  }

  /** Makes buckets, free entries and the size anew. Returns the first cells of the entries. */
  #rebuildTable(): number[] {
    const words = this.#words;
    const { heads, buckets } = this.layout;
    for (let bucket = heads; bucket < heads + buckets; bucket++) Atomics.store(words, bucket, 0);
    const chains: number[] = [];
    let free = 0;
    for (let entry = this.entriesUsed - 1; entry >= 0; entry--) {
      const at = this.#entry(entry);
      const first = Atomics.load(words, at + FIRST) - 1;
      if (first < 0) {
        Atomics.store(words, at + NEXT, free);
        free = entry + 1;
        continue;
      }
      chains.push(first);
      const bucket = this.#bucketOf(Atomics.load(words, at + HASH));
      Atomics.store(words, at + NEXT, Atomics.load(words, bucket));
      Atomics.store(words, bucket, entry + 1);
    }
    Atomics.store(words, FREE_ENTRY, free);
    Atomics.store(words, SIZE, chains.length);
    return chains;
  }

  /** Index of the bucket of a hash. */
  #bucketOf(hash: number): number {
    return this.layout.heads + (hash & (this.layout.buckets - 1));
  }

  /** Index of the version of a hash's stripe: one for all of a bucket. */
  #stripeOf(hash: number): number {
    return this.layout.versions + (hash & (this.layout.buckets - 1) & (STRIPES - 1));
  }

  #entry(entry: number): number {
    return this.layout.entries + entry * ENTRY_WORDS;
  }
}
