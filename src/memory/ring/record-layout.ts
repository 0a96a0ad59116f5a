/**
 * The layout of a record, the same in the rings of links, queues and topics.
 *
 *    0  length  u32  bytes of payload
 *    4  kind    i32  0 = PAD; all else is the owner's
 *    8  id      i32  the owner's
 *   12  state   i32  the owner's
 *   16  payload, then up to 15 bytes of nothing
 *
 * A record starts at a multiple of 16 and never wraps: a PAD record fills the end of the data when
 * the next one does not fit there, and becomes visible together with the record behind it.
 */

/** Bytes before a record's payload; also the alignment of records. */
export const RECORD_HEADER = 16;
/** Kind of a record that only fills the end of the data. */
export const PAD = 0;
/** Words of a record's header, from its first. */
export const KIND_WORD = 1;
export const ID_WORD = 2;
export const STATE_WORD = 3;

/** Bytes that a record with a payload of `length` takes. */
export function recordBytes(length: number): number {
  return (RECORD_HEADER + length + (RECORD_HEADER - 1)) & ~(RECORD_HEADER - 1);
}

/**
 * Writes a PAD record over the `rest` bytes at the end of the data.
 * @param word Index of its first word.
 */
export function writePad(words: Int32Array, word: number, rest: number): void {
  words[word] = rest - RECORD_HEADER;
  words[word + KIND_WORD] = PAD;
}
