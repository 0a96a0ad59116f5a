/**
 * Text search: the files below a directory are read and counted by a pool, and searched by its workers in one shared index.
 *
 *   node .build/examples/text-search/main.js [DIR] [QUERY]...
 *
 *   files (lazy) -> pool.imapUnordered(count) -> index -> share -> pool.map(search)
 */
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Pool, share } from 'multiprocess';
import { markdown } from './markdown.js';
import { IndexBuilder, search } from './text-index.js';
import { countWords } from './words.js';

const HITS = 3;

const [directory = fileURLToPath(new URL('../../../node_modules', import.meta.url)), ...asked] = process.argv.slice(2);
const queries = asked.length > 0 ? asked : ['shared memory', 'cancel a stream', 'source maps', 'licence', 'xyzzy'];

await using pool = new Pool();

const builder = new IndexBuilder();
const counted = pool.imapUnordered(
  async (file: string) => ({ file: relative(directory, file), counts: countWords(await readFile(file, 'utf8')) }),
  markdown(directory),
);
for await (const file of counted) builder.add(file);

// Encoded once. A call takes a handle of some hundred bytes along; a worker decodes the words when it first searches.
using index = share(builder.build());
const { files, terms, postings } = index.value;
console.log(`${files.length} files, ${terms.size} words, ${postings.length} postings: ${kilobytes(index.size)} shared`);

const answers = await pool.map(
  async (query: string) => {
    const hits = search(index.value, query, HITS);
    const lines = await Promise.all(hits.map(({ file }) => firstLine(join(directory, file), query)));
    return { query, hits, lines };
  },
  queries,
  { chunkSize: 1 },
);
for (const { query, hits, lines } of answers) {
  console.log(`\n${query}${hits.length === 0 ? ': nothing' : ''}`);
  for (const [i, { file, score }] of hits.entries()) console.log(`  ${score.toFixed(2)}  ${file}\n        ${lines[i]}`);
}

/** The line of a file that has most of the query's words. */
async function firstLine(file: string, query: string): Promise<string> {
  const wanted = new Set(countWords(query).keys());
  const lines = (await readFile(file, 'utf8')).split('\n');
  const found = (line: string): number => [...countWords(line).keys()].filter((word) => wanted.has(word)).length;
  const best = lines.reduce((a, b) => (found(b) > found(a) ? b : a));
  return best.trim().slice(0, 100);
}

function kilobytes(bytes: number): string {
  return `${Math.round(bytes / 1000)} kB`;
}
