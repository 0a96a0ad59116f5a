/** Writes a CSV file of orders. The same number of rows always gives the same file. */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const COUNTRIES = ['at', 'BR', ' cz', 'DK', 'es'];
const NOTES = ['', 'gift', '"fragile, keep ""upright"""', '"two\nlines"', 'späte Lieferung'];

function* lines(rows: number): Generator<string> {
  yield 'id,day,country,amount,note\n';
  for (let id = 1; id <= rows; id++) {
    const day = new Date(Date.UTC(2025, 0, 1 + (id % 365))).toISOString().slice(0, 10);
    const amount = `${(id * 7919) % 500}.${String((id * 31) % 100).padStart(2, '0')}`;
    // What real files have too: a field too few, a day that never was, a sum that somebody typed.
    if (id % 997 === 0) yield `${id},${day},at\n`;
    else if (id % 1499 === 0) yield `${id},2025-13-01,at,${amount},\n`;
    else if (id % 2003 === 0) yield `${id},${day},at,a lot,\n`;
    else yield `${id},${day},${COUNTRIES[id % 5]},${amount},${NOTES[(id >> 3) % 5]}\n`;
  }
}

/** Writes `rows` rows below a header. */
export async function generate(file: string, rows: number): Promise<void> {
  await pipeline(Readable.from(lines(rows), { highWaterMark: 1_000 }), createWriteStream(file));
}
