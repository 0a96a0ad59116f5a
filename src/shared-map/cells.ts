/**
 * The cells of a SharedMap: memory for keys and values, given out in chains.
 *
 * Chains are taken, filled and given back under the map's guard. A chain that an entry names does
 * not change. A reader takes no lock, so it may look at a chain that is given back and filled anew
 * meanwhile: what it gets then is garbage, and it finds out by the stripe's version. So nothing here
 * trusts what a reader sees: an index outside of the cells ends its copy.
 *
 * Crash: an agent that dies under the guard leaves the free list in any state; the repair makes it
 * anew out of the chains that entries name ({@link Cells.rebuild}).
 */
import type { MapKey } from './key.js';
import {
  CELL_WORDS,
  CELLS_USED,
  CHAIN_STAMP,
  FREE_CELL,
  FREE_CELLS,
  HEADER_WORDS,
  type Layout,
  VALUE_BYTES,
} from './layout.js';

/** Up to so many words a loop copies faster than a call. */
const SHORT = 24;

export class Cells {
  readonly #words: Int32Array;
  readonly #layout: Layout;

  constructor(words: Int32Array, layout: Layout) {
    this.#words = words;
    this.#layout = layout;
  }

  /** Free cells. */
  get free(): number {
    return Atomics.load(this.#words, FREE_CELLS) + this.#layout.cells - Atomics.load(this.#words, CELLS_USED);
  }

  /** Takes a chain of so many cells: its first one; -1: there are not so many. */
  take(count: number): number {
    const words = this.#words;
    const listed = Atomics.load(words, FREE_CELLS);
    const used = Atomics.load(words, CELLS_USED);
    const head = Atomics.load(words, FREE_CELL);
    if (listed >= count) {
      let last = head - 1;
      for (let i = 1; i < count; i++) last = this.#next(last);
      Atomics.store(words, FREE_CELL, this.#next(last) + 1);
      Atomics.store(words, FREE_CELLS, listed - count);
      this.#link(last, 0);
      return head - 1;
    }
    const fresh = this.#layout.cells - used >= count ? count : count - listed;
    if (this.#layout.cells - used < fresh) return -1;
    for (let cell = used; cell < used + fresh - 1; cell++) this.#link(cell, cell + 2);
    // The whole list is the rest of the chain.
    this.#link(used + fresh - 1, fresh < count ? head : 0);
    if (fresh < count) {
      Atomics.store(words, FREE_CELL, 0);
      Atomics.store(words, FREE_CELLS, 0);
    }
    Atomics.store(words, CELLS_USED, used + fresh);
    return used;
  }

  /** Gives a chain back. */
  release(first: number): void {
    let last = first;
    let count = 1;
    for (let next = this.#next(last); next >= 0; next = this.#next(last)) {
      last = next;
      count++;
    }
    this.#link(last, Atomics.load(this.#words, FREE_CELL));
    Atomics.store(this.#words, FREE_CELL, first + 1);
    Atomics.add(this.#words, FREE_CELLS, count);
  }

  /** Makes the free list out of the cells that are in none of these chains. */
  rebuild(chains: Iterable<number>): void {
    const used = Atomics.load(this.#words, CELLS_USED);
    const live = new Uint8Array(used);
    for (const first of chains) for (let cell = first; cell >= 0; cell = this.#next(cell)) live[cell] = 1;
    let head = 0;
    let count = 0;
    for (let cell = used - 1; cell >= 0; cell--) {
      if (live[cell] === 1) continue;
      this.#link(cell, head);
      head = cell + 1;
      count++;
    }
    Atomics.store(this.#words, FREE_CELL, head);
    Atomics.store(this.#words, FREE_CELLS, count);
  }

  /** All cells are free. */
  clear(): void {
    Atomics.store(this.#words, FREE_CELL, 0);
    Atomics.store(this.#words, FREE_CELLS, 0);
    Atomics.store(this.#words, CELLS_USED, 0);
  }

  // ---- a chain

  /** Fills a chain that no entry names yet. @param value At least `bytes`, up to a word. */
  fill(first: number, key: MapKey, value: Int32Array, bytes: number, stamp: number): void {
    const at = this.#at(first);
    Atomics.store(this.#words, at, key.header);
    Atomics.store(this.#words, at + VALUE_BYTES, bytes);
    Atomics.store(this.#words, at + CHAIN_STAMP, stamp);
    this.#copyIn(first, HEADER_WORDS, key.data, key.words);
    this.#copyIn(first, HEADER_WORDS + key.words, value, (bytes + 3) >>> 2);
  }

  /** Whether a cell begins the chain of a key. */
  holds(first: number, key: MapKey): boolean {
    if (!this.#exists(first) || this.header(first) !== key.header) return false;
    let cell = first;
    let offset = HEADER_WORDS;
    for (let i = 0; i < key.words; i++) {
      if (offset === CELL_WORDS) {
        cell = this.#next(cell);
        offset = 0;
        if (!this.#exists(cell)) return false;
      }
      if (Atomics.load(this.#words, this.#at(cell) + offset++) !== key.data[i]) return false;
    }
    return true;
  }

  /** Word 0 of the chain's header. */
  header(first: number): number {
    return Atomics.load(this.#words, this.#at(first));
  }

  /** Bytes of the chain's value. */
  valueBytes(first: number): number {
    return Atomics.load(this.#words, this.#at(first) + VALUE_BYTES) >>> 0;
  }

  /** The chain's stamp. */
  stamp(first: number): number {
    return Atomics.load(this.#words, this.#at(first) + CHAIN_STAMP);
  }

  /** Copies words of a chain, from that behind the header on; `false`: it is none. */
  copyOut(first: number, from: number, target: Int32Array, count: number): boolean {
    let [cell, offset] = this.#seek(first, HEADER_WORDS + from);
    for (let done = 0; done < count; ) {
      if (!this.#exists(cell)) return false;
      const [end, part] = this.#run(cell, offset, count - done);
      const at = this.#at(cell) + offset;
      if (part <= SHORT) for (let i = 0; i < part; i++) target[done + i] = this.#words[at + i]!;
      else target.set(this.#words.subarray(at, at + part), done);
      done += part;
      cell = this.#next(end);
      offset = 0;
    }
    return true;
  }

  #copyIn(first: number, from: number, source: Int32Array, count: number): void {
    let [cell, offset] = this.#seek(first, from);
    for (let done = 0; done < count; ) {
      const [end, part] = this.#run(cell, offset, count - done);
      const at = this.#at(cell) + offset;
      if (part <= SHORT) for (let i = 0; i < part; i++) this.#words[at + i] = source[done + i]!;
      else this.#words.set(source.subarray(done, done + part), at);
      done += part;
      cell = this.#next(end);
      offset = 0;
    }
  }

  /** Cell and offset of a word of a chain. */
  #seek(first: number, word: number): [cell: number, offset: number] {
    let cell = first;
    let left = word;
    for (; left >= CELL_WORDS && this.#exists(cell); left -= CELL_WORDS) cell = this.#next(cell);
    return [cell, left];
  }

  /** How many of the words wanted lie side by side from here, and the cell in which that ends. */
  #run(cell: number, offset: number, wanted: number): [end: number, count: number] {
    let end = cell;
    let count = CELL_WORDS - offset;
    while (count < wanted && this.#next(end) === end + 1 && this.#exists(end + 1)) {
      end++;
      count += CELL_WORDS;
    }
    return [end, Math.min(count, wanted)];
  }

  #exists(cell: number): boolean {
    return cell >= 0 && cell < this.#layout.cells;
  }

  #at(cell: number): number {
    return this.#layout.data + cell * CELL_WORDS;
  }

  /** The cell behind one in its chain; -1: it is the last. */
  #next(cell: number): number {
    return Atomics.load(this.#words, this.#layout.links + cell) - 1;
  }

  #link(cell: number, next: number): void {
    Atomics.store(this.#words, this.#layout.links + cell, next);
  }
}
