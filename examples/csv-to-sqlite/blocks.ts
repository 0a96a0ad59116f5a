/** Cuts a CSV file into blocks of whole rows, from any place on. Nothing is read before the next block is asked for. */
import { createReadStream } from 'node:fs';

const NEWLINE = 0x0a;
const QUOTE = 0x22;

/** A place in a file, between two rows. */
export interface Place {
  /** Bytes before it. */
  readonly offset: number;
  /** Number of the line that begins there, from 1 on. */
  readonly line: number;
}

/** Some rows in a row, as they stand in the file. */
export interface Block {
  readonly text: string;
  readonly start: Place;
  readonly end: Place;
}

/**
 * Yields blocks of about `size` bytes. A newline inside of quotes ends no row; two quotes that stand for one change
 * the state twice, so they need no care of their own.
 */
export async function* blocks(file: string, from: Place, size: number): AsyncGenerator<Block, void, undefined> {
  let start = from;
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(file, {
    start: from.offset,
    highWaterMark: size,
  }) as AsyncIterable<Buffer>) {
    const bytes = Buffer.concat([rest, chunk]);
    const { length, lines } = wholeRows(bytes);
    if (length > 0) {
      const end = { offset: start.offset + length, line: start.line + lines };
      yield { text: bytes.toString('utf8', 0, length), start, end };
      start = end;
    }
    rest = bytes.subarray(length);
  }
  // The last row may lack its newline; a quote that is never closed leaves the rest of the file in one row.
  if (rest.length > 0) {
    const end = { offset: start.offset + rest.length, line: start.line + 1 };
    yield { text: rest.toString('utf8'), start, end };
  }
}

function wholeRows(bytes: Buffer): { length: number; lines: number } {
  let quoted = false;
  let seen = 0;
  let length = 0;
  let lines = 0;
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] === QUOTE) quoted = !quoted;
    else if (bytes[i] === NEWLINE) {
      seen++;
      if (!quoted) {
        length = i + 1;
        lines = seen;
      }
    }
  }
  return { length, lines };
}
