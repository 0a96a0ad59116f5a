/** examples/csv-to-sqlite: rows and dead letters, never far ahead, and whole after Ctrl-C and after a kill. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Block, blocks } from '../../examples/csv-to-sqlite/blocks.js';
import { NEEDED } from '../../examples/csv-to-sqlite/database.js';
import { generate } from '../../examples/csv-to-sqlite/generate.js';
import { parseBlock } from '../../examples/csv-to-sqlite/parse-block.js';
import { ExampleProgram, nodeFrom, runExample } from '../support/example-program.js';

const MAIN = 'csv-to-sqlite/main';
const node = nodeFrom(22, 13);
if (node === null) console.log('skipped: no Node with node:sqlite (npm install --prefix .build/newest node@26)');

let base: string;
let csv: string;
beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'csv-to-sqlite-'));
  csv = join(base, 'orders.csv');
  await generate(csv, 60_000);
});
afterAll(() => rmSync(base, { recursive: true }));

/** All but how far it read ahead. */
const sums = (stdout: string): string => stdout.replace(/^never.*$/m, '');

describe.skipIf(node === null)('CSV to SQLite', () => {
  const load = (database: string) => [[csv, join(base, database)], { node: node! }] as const;
  /** What a load that nobody interrupts prints. */
  let whole: string;

  it('writes each row once, sets aside what is none, and reads no further than the window', async () => {
    const { stdout, code } = await runExample(MAIN, ...load('whole.sqlite'));
    expect(code).toBe(0);
    const [orders, rest] = [stdout.split('\n').slice(0, 5), stdout.split('\n').slice(5, -1)];
    // 60,000 rows: each 997th lacks a field; of the others each 1,499th has no day, and each 2,003rd no sum.
    expect(orders.map((line) => line.slice(0, 2))).toEqual(['AT', 'BR', 'CZ', 'DK', 'ES']);
    const total = orders.reduce((sum, line) => sum + Number(/(\d+) orders/.exec(line)![1]), 0);
    expect(total).toBe(60_000 - 60 - 40 - 29);
    expect(rest).toEqual([
      expect.stringMatching(/^dead letters: 40 with a day that is not in the calendar, the first in line \d+$/),
      expect.stringMatching(/^dead letters: 60 with a wrong number of fields, the first in line \d+$/),
      expect.stringMatching(/^dead letters: 29 with an amount that is no sum of money, the first in line \d+$/),
      expect.stringMatching(/^never more than [1-8] blocks ahead of the database$/),
    ]);
    whole = stdout;
  });

  it.each([
    ['Ctrl-C', 'SIGINT', { code: 130, signal: null }],
    ['a kill', 'SIGKILL', { code: null, signal: 'SIGKILL' }],
  ] as const)('goes on after %s as if it had not been', async (how, signal, end) => {
    const target = `${signal}.sqlite`;
    const first = new ExampleProgram(MAIN, ...load(target));
    await first.saying(/^written up to line \d+$/m);
    first.signal(how === 'Ctrl-C' ? 'group' : 'program', signal);
    expect(await first.ended).toMatchObject({ ...end, stdout: '' });
    await first.gone();
    const second = await runExample(MAIN, ...load(target));
    expect(second.stderr).toMatch(/^.*orders\.csv: goes on at line \d+$/m);
    expect({ code: second.code, stdout: sums(second.stdout) }).toEqual({ code: 0, stdout: sums(whole) });
    const third = await runExample(MAIN, ...load(target));
    expect({ code: third.code, stdout: sums(third.stdout) }).toEqual({ code: 0, stdout: sums(whole) });
    expect(third.stderr).not.toMatch(/written/);
  });

  it('sets aside an id that is there already', async () => {
    const twice = join(base, 'twice.csv');
    writeFileSync(twice, 'id,day,country,amount,note\n1,2025-01-01,at,1.00,\n1,2025-01-02,at,2.00,\n');
    const { stdout } = await runExample(MAIN, [twice, join(base, 'twice.sqlite')], { node: node! });
    expect(stdout).toContain(
      'AT  1 orders, 1.00\ndead letters: 1 with an id that is there already, the first in line 3\n',
    );
  });
});

describe('blocks of a CSV file', () => {
  async function cut(text: string, size: number, offset = 0, line = 1): Promise<Block[]> {
    const file = join(base, 'cut.csv');
    writeFileSync(file, text);
    const found: Block[] = [];
    for await (const block of blocks(file, { offset, line }, size)) found.push(block);
    return found;
  }

  const rows = 'id,day,country,amount,note\n1,2025-01-01,at,1.50,"two\nlines, ""quoted"""\n2,2025-01-02,br,2.00,ö\n';

  it.each([1, 3, 10, 1_000])('are whole rows, and the same ones, when %i bytes are read at once', async (size) => {
    const found = await cut(rows, size);
    expect(found.map(({ text }) => text).join('')).toBe(rows);
    expect(found.at(-1)!.end).toEqual({ offset: Buffer.byteLength(rows), line: 5 });
    const orders = found.flatMap((block) => parseBlock(block).orders);
    expect(orders).toEqual([
      { line: 2, id: 1, day: '2025-01-01', country: 'AT', cents: 150, note: 'two\nlines, "quoted"' },
      { line: 4, id: 2, day: '2025-01-02', country: 'BR', cents: 200, note: 'ö' },
    ]);
  });

  it('begin anywhere, and need no newline at the end', async () => {
    const offset = rows.indexOf('2,2025');
    const [block] = await cut(rows.trimEnd(), 1_000, offset, 4);
    expect(parseBlock(block!)).toMatchObject({ orders: [{ line: 4, id: 2 }], rejected: [] });
  });

  it('survive a quote in the middle of a field', async () => {
    const [block] = await cut('id,day\n1,a"b"c,2\n2,2025-01-02,br,2.00,\n', 1_000);
    expect(parseBlock(block!)).toMatchObject({
      orders: [{ line: 3, id: 2 }],
      rejected: [{ line: 2, reason: 'a wrong number of fields', text: '1,a"b"c,2' }],
    });
  });
});

describe('a Node without SQLite', () => {
  it.skipIf(node === process.execPath)('is told in one line what is needed', async () => {
    expect(await runExample(MAIN)).toEqual({ code: 1, signal: null, stdout: '', stderr: `${NEEDED}\n` });
  });
});
