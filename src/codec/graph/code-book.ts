/**
 * Code records: the data of functions and classes (text, place, slots), which most messages about
 * one piece of code have in common. A sender that knows its receiver writes a number in their
 * place, and sends each record once, ahead of the first message that names it. Captures travel with
 * every message.
 *
 * A record is known by its content: a number stands for these bytes and is never used again. What a
 * receiver holds is bounded: both sides drop the oldest of {@link HELD} records, in the same order,
 * since records arrive as they were sent.
 */
import { align, type CodeRecord } from '../message.js';

/** Records a receiver keeps. */
export const HELD = 256;
/**
 * Records one message may name: fewer than are kept, so that sending one never drops another that
 * the message needs.
 */
const MAX_NAMED_RECORDS = 64;
/** Larger ones go with their message: what is held for a receiver stays below 16 MiB. */
const MAX_NAMED_RECORD_BYTES = 1 << 16;
/** What a book keeps: records, and bytes of them. */
const MAX_KEPT_RECORDS = 1_024;
const MAX_KEPT_BYTES = 1 << 22;

const latin1 = Buffer.prototype as unknown as { latin1Slice(this: Uint8Array, start: number, end: number): string };

/** Numbers the pieces of code that a process sends. One for any number of receivers. */
export class CodeBook {
  /** By content, the oldest first. */
  readonly #records = new Map<string, CodeRecord>();
  #bytes = 0;
  #next = 1;

  /**
   * The record with the content `bytes[0, length)`, which may be overwritten afterwards; `null` for
   * one that goes with its message.
   */
  recordOf(bytes: Uint8Array, length: number, named: number): CodeRecord | null {
    if (length > MAX_NAMED_RECORD_BYTES || named >= MAX_NAMED_RECORDS) return null;
    const key = latin1.latin1Slice.call(bytes, 0, length);
    let record = this.#records.get(key);
    if (record === undefined) {
      // The scratch memory may be a Buffer, whose own `slice` does not copy.
      record = { id: this.#next++, bytes: Uint8Array.prototype.slice.call(bytes, 0, length) };
      this.#records.set(key, record);
      this.#bytes += length;
      if (this.#records.size > MAX_KEPT_RECORDS || this.#bytes > MAX_KEPT_BYTES) this.#drop();
    }
    return record;
  }

  #drop(): void {
    for (const [key, { bytes }] of this.#records) {
      if (this.#records.size <= MAX_KEPT_RECORDS && this.#bytes <= MAX_KEPT_BYTES) return;
      this.#records.delete(key);
      this.#bytes -= bytes.length;
    }
  }
}

/** Which records one receiver has. A new receiver needs a new one. */
export class KnownCodes {
  readonly #ids = new Set<number>();

  /**
   * What is to be sent ahead of a message that names `codes`; `null` when the receiver has them
   * all. Call {@link sent} once it is on its way.
   */
  missing(codes: readonly CodeRecord[]): readonly CodeRecord[] | null {
    const missing = codes.filter(({ id }) => !this.#ids.has(id));
    if (missing.length === 0) return null;
    // Those that it has are sent again where making room might drop them.
    return this.#ids.size + missing.length > HELD ? codes : missing;
  }

  /** These were sent. */
  sent(codes: readonly CodeRecord[]): void {
    for (const { id } of codes) {
      this.#ids.delete(id);
      this.#ids.add(id);
    }
    for (const id of this.#ids) {
      if (this.#ids.size <= HELD) return;
      this.#ids.delete(id);
    }
  }
}

/**
 * Records as bytes, in front of a message or alone:
 *
 *   u32   number of records
 *   u32   length of the block, a multiple of 8
 *   then for each record: u32 length, f64 number, bytes
 */
export function codeBlock(codes: readonly CodeRecord[]): Uint8Array {
  let length = 8;
  for (const { bytes } of codes) length += 12 + bytes.length;
  const block = new Uint8Array(align(length));
  const view = new DataView(block.buffer);
  view.setUint32(0, codes.length, true);
  view.setUint32(4, block.length, true);
  let at = 8;
  for (const { id, bytes } of codes) {
    view.setUint32(at, bytes.length, true);
    view.setFloat64(at + 4, id, true);
    block.set(bytes, at + 12);
    at += 12 + bytes.length;
  }
  return block;
}
