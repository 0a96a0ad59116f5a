/**
 * The records of a topic, which stay in place until nobody will read them any more.
 *
 *   FLOOR             a subscriber        TAIL
 *    |  still there, for replay  |  unread  |  free, up to FLOOR
 *
 * Records are laid out as in memory/ring/record-layout.ts; their state word is not used. A position
 * counts bytes, mod 2^32, and may be that of a pad, over which {@link TopicRing.overPad} leads.
 *
 * All of it is used under the topic's lock, but for the cursors, which anybody may read.
 */
import { ID_WORD, KIND_WORD, PAD, RECORD_HEADER, recordBytes, writePad } from '../../memory/index.js';
import { Cursor } from '../shared/cursor.js';

export class TopicRing {
  /** Where the next record goes, and how many were ever published. */
  readonly tail: Cursor;
  /** The oldest record that is there. */
  readonly floor: Cursor;
  readonly capacity: number;
  /** Largest payload of a record. */
  readonly maximum: number;
  /** The data, in which a payload stands from {@link startOf} on. */
  readonly bytes: Uint8Array;
  /** The data as words. */
  readonly words: Int32Array;
  readonly #mask: number;

  /** @param tail, floor Indices in `control` of the words of the cursors. */
  constructor(control: Int32Array, tail: number, floor: number, bytes: Uint8Array) {
    this.tail = new Cursor(control, tail);
    this.floor = new Cursor(control, floor);
    this.capacity = bytes.byteLength;
    this.maximum = this.capacity / 4 - RECORD_HEADER;
    this.bytes = bytes;
    this.words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2);
    this.#mask = this.capacity - 1;
  }

  /** Bytes of pad before a record of `size` bytes that is written at `position`. */
  padBefore(position: number, size: number): number {
    const rest = this.capacity - (position & this.#mask);
    return size <= rest ? 0 : rest;
  }

  /** Writes a pad and the header of a record behind it. Returns where the record starts. */
  writeHeader(position: number, pad: number, length: number, kind: number, id: number): number {
    if (pad > 0) writePad(this.words, this.#word(position), pad);
    const start = (position + pad) | 0;
    const word = this.#word(start);
    this.words[word] = length;
    this.words[word + KIND_WORD] = kind;
    this.words[word + ID_WORD] = id;
    return start;
  }

  kindOf(position: number): number {
    return this.words[this.#word(position) + 1]!;
  }

  idOf(position: number): number {
    return this.words[this.#word(position) + 2]!;
  }

  /** Where the payload of a record starts in {@link bytes}. */
  startOf(position: number): number {
    return (position & this.#mask) + RECORD_HEADER;
  }

  /** A copy of the payload. */
  payloadOf(position: number): Uint8Array {
    const start = this.startOf(position);
    return this.bytes.slice(start, start + this.words[this.#word(position)]!);
  }

  /** Where the record behind that at `position` starts, or its pad. */
  after(position: number): number {
    return (position + recordBytes(this.words[this.#word(position)]!)) | 0;
  }

  /** Where the record is that starts at `position`, or behind a pad there. */
  overPad(position: number): number {
    return this.kindOf(position) === PAD ? this.after(position) : position;
  }

  /** Passes over so many records. */
  skip(from: number, records: number): number {
    let position = from;
    for (let i = 0; i < records; i++) position = this.after(this.overPad(position));
    return position;
  }

  #word(position: number): number {
    return (position & this.#mask) >> 2;
  }
}
