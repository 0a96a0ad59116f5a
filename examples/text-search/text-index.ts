/**
 * An inverted index. The postings of all words lie in two typed arrays: `share` puts those into shared memory, where
 * every process reads the same pages; only the words themselves are decoded in each.
 */
import { words } from './words.js';

export interface TextIndex {
  readonly files: readonly string[];
  /** Words of each file. */
  readonly lengths: Uint32Array;
  /** The number of each word: its postings are those from `starts[number]` up to `starts[number + 1]`. */
  readonly terms: ReadonlyMap<string, number>;
  readonly starts: Uint32Array;
  /** Of each posting: the file, and how often the word is in it. */
  readonly postings: Uint32Array;
  readonly frequencies: Uint32Array;
}

/** A file's words, as a worker has counted them. */
export interface Counted {
  readonly file: string;
  readonly counts: ReadonlyMap<string, number>;
}

/** Gathers files, in any order, into an index. */
export class IndexBuilder {
  readonly #files: Counted[] = [];

  add(file: Counted): void {
    this.#files.push(file);
  }

  build(): TextIndex {
    const files = this.#files.sort((a, b) => (a.file < b.file ? -1 : 1));
    const terms = new Map<string, number>();
    const sizes: number[] = [];
    for (const { counts } of files) {
      for (const word of counts.keys()) {
        const term = terms.get(word);
        if (term === undefined) {
          terms.set(word, sizes.length);
          sizes.push(1);
        } else sizes[term]!++;
      }
    }
    const starts = new Uint32Array(sizes.length + 1);
    for (const [term, size] of sizes.entries()) starts[term + 1] = starts[term]! + size;
    const free = starts.slice();
    const postings = new Uint32Array(starts.at(-1)!);
    const frequencies = new Uint32Array(postings.length);
    const lengths = new Uint32Array(files.length);
    for (const [number, { counts }] of files.entries()) {
      for (const [word, frequency] of counts) {
        const place = free[terms.get(word)!]!++;
        postings[place] = number;
        frequencies[place] = frequency;
        lengths[number]! += frequency;
      }
    }
    return { files: files.map(({ file }) => file), lengths, terms, starts, postings, frequencies };
  }
}

/** A file that answers a query. */
export interface Hit {
  readonly file: string;
  readonly score: number;
}

/** How soon a word that repeats counts less, and how much long files are held back: the usual values. */
const K = 1.2;
const B = 0.75;

/** The `most` files that answer `query` best, by BM25. */
export function search(index: TextIndex, query: string, most: number): Hit[] {
  const mean = index.lengths.reduce((sum, length) => sum + length, 0) / index.files.length;
  const scores = new Map<number, number>();
  for (const word of new Set(words(query))) {
    const term = index.terms.get(word);
    if (term === undefined) continue;
    const [from, to] = [index.starts[term]!, index.starts[term + 1]!];
    const rarity = Math.log(1 + (index.files.length - (to - from) + 0.5) / (to - from + 0.5));
    for (let i = from; i < to; i++) {
      const file = index.postings[i]!;
      const frequency = index.frequencies[i]!;
      const weight = (frequency * (K + 1)) / (frequency + K * (1 - B + (B * index.lengths[file]!) / mean));
      scores.set(file, (scores.get(file) ?? 0) + rarity * weight);
    }
  }
  return [...scores]
    .sort(([a, scoreA], [b, scoreB]) => scoreB - scoreA || a - b)
    .slice(0, most)
    .map(([file, score]) => ({ file: index.files[file]!, score }));
}
