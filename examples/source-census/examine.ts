import { readFileSync } from 'node:fs';
import { LineIndex } from './lines.js';
import { type Measurement, measure } from './measure.js';
import { peakMemory } from './memory.js';
import { syntaxReason, unreadableReason } from './reasons.js';

/** What became of one file. Bytes and lines count for every file that could be read, whether it parses or not. */
export type Examined = Size & ({ readonly measured: Measurement } | { readonly failure: string });

interface Size {
  readonly bytes: number;
  readonly lines: number;
  /** Peak memory of the process that examined it, in bytes. */
  readonly memory: number;
}

/** Reads and measures one file; runs in a worker. What is wrong with the file is part of the answer, never thrown. */
export function examine(path: string, top: number): Examined {
  let content: Buffer;
  try {
    content = readFileSync(path);
  } catch (error) {
    return { failure: unreadableReason(error), bytes: 0, lines: 0, memory: peakMemory() };
  }
  const source = content.toString('utf8');
  const lines = new LineIndex(source);
  const outcome = attempt(source, top, lines);
  return { ...outcome, bytes: content.byteLength, lines: lines.count, memory: peakMemory() };
}

function attempt(source: string, top: number, lines: LineIndex): { measured: Measurement } | { failure: string } {
  try {
    return { measured: measure(source, top, lines) };
  } catch (error) {
    return { failure: syntaxReason(error) };
  }
}
