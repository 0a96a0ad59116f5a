/**
 * Where what lies in the memory of a SharedMap. All of it are words.
 *
 *   head       counts and lists: the constants below
 *   versions   one for each stripe: how often an entry of the stripe was put, replaced or removed
 *   locks      one for each stripe: held by an update
 *   heads      one for each bucket: its first entry + 1; 0: none
 *   entries    next of the bucket (or of the free list) + 1, first cell + 1 (0: the entry is free), hash
 *   links      one for each cell: the next of its chain (or of the free list) + 1; 0: the last
 *   cells      64 bytes each
 *
 * A chain of cells holds one key and its value: 4 words of header, the key and the value, each
 * filled up to a word. Chains keep memory from being torn into pieces that are too small: any cells
 * make a chain. Those that lie side by side are copied at once.
 *
 *   header 0   kind of the key, and its bytes
 *   header 1   bytes of the value
 *   header 2   stamp: tells this put from all others
 *   header 3   0
 */
import { MUTEX_WORDS, ROBUST_MUTEX_WORDS } from '../synchronize/index.js';

export const GUARD = 0;
/** Entries in use. */
export const SIZE = GUARD + ROBUST_MUTEX_WORDS;
/** Entries that were ever in use; those behind are free, and not in the list. */
export const ENTRIES_USED = SIZE + 1;
export const FREE_ENTRY = ENTRIES_USED + 1;
/** Cells that were ever in use; those behind are free, and not in the list. */
export const CELLS_USED = FREE_ENTRY + 1;
export const FREE_CELL = CELLS_USED + 1;
/** Cells in the list. */
export const FREE_CELLS = FREE_CELL + 1;
export const STAMP = FREE_CELLS + 1;
/** Odd: the lists are being made anew. */
export const REBUILDS = STAMP + 1;
export const CAPACITY = REBUILDS + 1;
export const CELLS = CAPACITY + 1;

export const STRIPES = 64;
const VERSIONS = 16;
const LOCKS = VERSIONS + STRIPES;
const HEADS = LOCKS + STRIPES * MUTEX_WORDS;

/** Words of an entry. */
export const ENTRY_WORDS = 3;
export const NEXT = 0;
export const FIRST = 1;
export const HASH = 2;

/** Of a chain. */
export const HEADER_WORDS = 4;
export const VALUE_BYTES = 1;
export const CHAIN_STAMP = 2;

const CELL_BITS = 4;
export const CELL_WORDS = 1 << CELL_BITS;
export const CELL_BYTES = 4 * CELL_WORDS;

/** Words that a map may take in all. */
export const MAX_WORDS = 2 ** 30;

/** Indexes of the parts. */
export interface Layout {
  readonly capacity: number;
  readonly cells: number;
  /** A power of two. */
  readonly buckets: number;
  readonly versions: number;
  readonly locks: number;
  readonly heads: number;
  readonly entries: number;
  readonly links: number;
  readonly data: number;
  /** Words in all. */
  readonly words: number;
}

export function layoutOf(capacity: number, cells: number): Layout {
  const buckets = 2 ** Math.ceil(Math.log2(capacity));
  const entries = HEADS + buckets;
  const links = entries + capacity * ENTRY_WORDS;
  const data = Math.ceil((links + cells) / CELL_WORDS) * CELL_WORDS;
  return {
    capacity,
    cells,
    buckets,
    versions: VERSIONS,
    locks: LOCKS,
    heads: HEADS,
    entries,
    links,
    data,
    words: data + cells * CELL_WORDS,
  };
}

/** The cells that a key and a value take. */
export function cellsFor(keyWords: number, valueBytes: number): number {
  return Math.ceil((HEADER_WORDS + keyWords + Math.ceil(valueBytes / 4)) / CELL_WORDS);
}
