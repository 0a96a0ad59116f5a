/** The work of a worker: rows out of text, and orders out of rows. */
import type { Block, Place } from './blocks.js';

export interface Order {
  readonly line: number;
  readonly id: number;
  readonly day: string;
  readonly country: string;
  readonly cents: number;
  readonly note: string;
}

/** A row that is no order. */
export interface Rejected {
  readonly line: number;
  readonly reason: string;
  readonly text: string;
}

/** What became of a block. */
export interface Loaded {
  readonly orders: readonly Order[];
  readonly rejected: readonly Rejected[];
  /** Where the next block begins. */
  readonly end: Place;
}

/** A row that fails is set aside with its reason: the others go on. */
export function parseBlock({ text, start, end }: Block): Loaded {
  const orders: Order[] = [];
  const rejected: Rejected[] = [];
  for (const row of rows(text, start.line)) {
    if (row.line === 1) continue; // the header
    try {
      orders.push(orderOf(row));
    } catch (error) {
      rejected.push({ line: row.line, reason: (error as Error).message, text: row.text });
    }
  }
  return { orders, rejected, end };
}

interface Row {
  readonly line: number;
  readonly text: string;
  readonly fields: readonly string[];
}

/** One field: in quotes, with `""` for a quote, or plain; then what ends it. */
const FIELD = /(?:"((?:[^"]|"")*)"|([^",\n\r]*))(,|\r?\n|$)/y;

function* rows(text: string, firstLine: number): Generator<Row> {
  let line = firstLine;
  for (let at = 0; at < text.length; ) {
    const begin = at;
    const fields: string[] = [];
    for (let open = true; open; ) {
      FIELD.lastIndex = at;
      const field = FIELD.exec(text);
      if (field === null) {
        // A stray quote: the row ends at its line, and has no fields.
        const newline = text.indexOf('\n', at);
        at = newline < 0 ? text.length : newline + 1;
        fields.length = 0;
        break;
      }
      at = FIELD.lastIndex;
      fields.push(field[1]?.replaceAll('""', '"') ?? field[2]!);
      open = field[3] === ',';
    }
    const row = text.slice(begin, at);
    yield { line, fields, text: row.trimEnd() };
    line += row.split('\n').length - 1;
  }
}

function orderOf({ line, fields }: Row): Order {
  if (fields.length !== 5) throw new Error('a wrong number of fields');
  const [id, day, country, amount, note] = fields as [string, string, string, string, string];
  if (!/^\d+$/.test(id)) throw new Error('an id that is no number');
  if (Number.isNaN(Date.parse(`${day}T00:00:00Z`))) throw new Error('a day that is not in the calendar');
  if (!/^-?\d+\.\d\d$/.test(amount)) throw new Error('an amount that is no sum of money');
  const cents = Math.round(Number(amount) * 100);
  return { line, id: Number(id), day, country: country.trim().toUpperCase(), cents, note };
}
