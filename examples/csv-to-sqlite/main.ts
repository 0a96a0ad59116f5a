/**
 * CSV to SQLite: rows are parsed and checked in a pool, and written by this process, block by block.
 *
 *   node .build/examples/csv-to-sqlite/main.js [--rows N] [FILE.csv] [FILE.sqlite]
 *
 *   blocks (lazy) -> pool.imap(parseBlock) -> one transaction a block, with the place in the file
 */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Pool } from 'multiprocess';
import { type Block, blocks } from './blocks.js';
import { Database, NEEDED } from './database.js';
import { generate } from './generate.js';
import { parseBlock } from './parse-block.js';

/** Bytes of a block: some milliseconds of work. */
const BLOCK = 65_536;
/** Blocks that are read and not yet written, at most. */
const WINDOW = 8;

if (process.getBuiltinModule('node:sqlite') === undefined) {
  console.error(NEEDED);
  process.exitCode = 1;
} else {
  const { values, positionals } = parseArgs({
    options: { rows: { type: 'string', default: '200000' } },
    allowPositionals: true,
  });
  const [csv = 'orders.csv', target = 'orders.sqlite'] = positionals;
  if (!existsSync(csv)) {
    console.error(`${csv} is not there: ${values.rows} rows are generated`);
    await generate(csv, Number(values.rows));
  }
  process.exitCode = await load(csv, target);
}

async function load(csv: string, target: string): Promise<number> {
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort()); // a second Ctrl-C ends the process as usual

  using database = new Database(target);
  const place = database.place(csv);
  if (place !== null) console.error(`${csv}: goes on at line ${place.line}`);

  let ahead = 0;
  let mostAhead = 0;
  async function* counted(source: AsyncIterable<Block>): AsyncGenerator<Block> {
    for await (const block of source) {
      mostAhead = Math.max(mostAhead, ++ahead);
      yield block;
    }
  }

  await using pool = new Pool();
  const source = counted(blocks(csv, place ?? { offset: 0, line: 1 }, BLOCK));
  // Results in the order of the file, so that one place says what is done. A block whose worker dies runs again.
  const loaded = pool.imap(parseBlock, source, { window: WINDOW, retries: 2, signal: interrupt.signal });
  try {
    for await (const rows of loaded) {
      database.commit(csv, rows);
      ahead--;
      console.error(`written up to line ${rows.end.line - 1}`);
    }
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    console.error('interrupted: what is written stays; the same command goes on from there');
    return 130;
  }
  console.log(database.summary().join('\n'));
  console.log(`never more than ${mostAhead} blocks ahead of the database`);
  return 0;
}
