/** examples/text-search: an index that many processes read answers as one that nobody shares. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IndexBuilder, search, type TextIndex } from '../../examples/text-search/text-index.js';
import { countWords, words } from '../../examples/text-search/words.js';
import { runExample } from '../support/example-program.js';

const texts = {
  'a.md': '# Locks\n\nA lock excludes.\nLocks, semaphores and a barrier.\n',
  'b.md': 'A barrier waits for all: barrier, barrier!\n',
  'deep/c.markdown': 'Naïve Größe: nothing of that.\n',
  'd.txt': 'barrier barrier barrier\n',
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'text-search-'));
  mkdirSync(join(folder, 'deep'));
  for (const [file, text] of Object.entries(texts)) writeFileSync(join(folder, file), text);
});
afterAll(() => rmSync(folder, { recursive: true }));

function indexOf(files: Readonly<Record<string, string>>): TextIndex {
  const builder = new IndexBuilder();
  for (const [file, text] of Object.entries(files).reverse()) builder.add({ file, counts: countWords(text) });
  return builder.build();
}

describe('text search', () => {
  it('finds files and lines, best first, in an index that its workers share', async () => {
    const { stdout, stderr, code } = await runExample('text-search/main', [
      folder,
      'a Barrier',
      'GRÖSSE größe',
      'xyzzy',
    ]);
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(stdout).toMatch(/^3 files, 15 words, 17 postings: \d+ kB shared\n/);
    expect(
      stdout
        .replaceAll(/\d+\.\d\d/g, 'N.NN')
        .split('\n')
        .slice(1),
    ).toEqual([
      '',
      'a Barrier',
      '  N.NN  b.md',
      '        A barrier waits for all: barrier, barrier!',
      '  N.NN  a.md',
      '        Locks, semaphores and a barrier.',
      '',
      'GRÖSSE größe',
      '  N.NN  deep/c.markdown',
      '        Naïve Größe: nothing of that.',
      '',
      'xyzzy: nothing',
      '',
    ]);
  });

  it('answers from the packages that are installed', { timeout: 120_000 }, async () => {
    const { stdout, stderr, code } = await runExample('text-search/main');
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    const [, files, terms] = /^(\d+) files, (\d+) words/.exec(stdout)!.map(Number);
    expect(files).toBeGreaterThan(100);
    expect(terms).toBeGreaterThan(10_000);
    expect(stdout).toMatch(/\ncancel a stream\n {2}\d+\.\d\d {2}\S/);
  });
});

describe('an index', () => {
  it('has each posting once, whatever the order of the files', () => {
    const { files, lengths, terms, starts, postings, frequencies } = indexOf({ x: 'b a b', y: 'a c' });
    expect(files).toEqual(['x', 'y']);
    expect([...lengths]).toEqual([3, 2]);
    const found = (word: string) => {
      const [from, to] = [starts[terms.get(word)!]!, starts[terms.get(word)! + 1]!];
      return [...postings.slice(from, to)].map((file, i) => [files[file], frequencies[from + i]]);
    };
    expect([found('a'), found('b'), found('c')]).toEqual([
      [['x', 1], ['y', 1]],
      [['x', 2]],
      [['y', 1]],
    ]); // biome-ignore format: one line each
  });

  it('prefers rare words, repeated ones, and short files', () => {
    const best = (files: Record<string, string>, query: string) => search(indexOf(files), query, 1)[0]!.file;
    expect(best({ a: 'common', b: 'rare', c: 'common', d: 'common' }, 'common rare')).toBe('b');
    expect(best({ a: 'word', b: 'word word other' }, 'word word')).toBe('a');
    expect(best({ a: 'word x y', b: 'word word x' }, 'word')).toBe('b');
    expect(search(indexOf({ a: 'word', b: 'word' }), 'word', 1)).toHaveLength(1);
  });

  it('knows words of any language', () => {
    expect(words('Größe, naïve x2 — 42 日本')).toEqual(['größe', 'naïve', 'x2', '日本']);
  });
});
