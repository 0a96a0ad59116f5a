/**
 * The short strings of a message, gathered into blocks: one native call writes a block and one
 * reads it, where a call or a loop for each string costs more than the string.
 *
 * In the body a gathered string is `d5 length`, in the order of the block. Where a block begins,
 * `d7 offset u32, length u32, form` stands before its first string: where the block lies from the
 * start of the message, its bytes, and 0 for one byte a unit (all of it is ASCII) or 1 for UTF-16
 * (which carries lone surrogates too). The blocks follow the body, one behind the other, to the end
 * of the message.
 *
 * Strings read from a block are slices of it, and V8 keeps the whole block while one slice of 13
 * units and more lives. So a block is short.
 */
import { badPayload } from '../messages.js';
import { type Sink, STEP } from '../sink.js';

/** Longest string that is gathered, in UTF-16 units. */
export const GATHERED = 63;
export const TEXT = 0xd5;
export const BLOCK = 0xd7;
const ASCII = 0;
const UTF16 = 1;
/** Units after which a new block begins. */
const FULL = 4096;

type NativeText = Buffer & {
  utf8Write(text: string, at: number): number;
  ucs2Write(text: string, at: number): number;
};
const { latin1Slice, ucs2Slice } = Buffer.prototype as unknown as Record<
  'latin1Slice' | 'ucs2Slice',
  (this: Uint8Array, start: number, end: number) => string
>;

/** Gathers the strings of one message. */
export class TextWriter {
  readonly #sink: Sink;
  /** The open block. */
  #text = '';
  /** Where its place is to be noted in the body; -1 while there is none. */
  #at = -1;
  readonly #full: { readonly text: string; readonly at: number }[] = [];

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  /** Appends a string of at most {@link GATHERED} units. */
  add(value: string): void {
    const sink = this.#sink;
    sink.need(STEP);
    if (this.#at < 0 || this.#text.length > FULL) this.#open();
    const { bytes } = sink;
    bytes[sink.at++] = TEXT;
    bytes[sink.at++] = value.length;
    this.#text += value;
  }

  /** Writes the blocks behind the body of the message that began at `start`. */
  finish(start: number): void {
    if (this.#at < 0) return;
    for (const { text, at } of this.#full) this.#write(text, at, start);
    this.#write(this.#text, this.#at, start);
    this.reset();
  }

  /** Forgets what was gathered. */
  reset(): void {
    if (this.#at < 0) return;
    this.#at = -1;
    this.#text = '';
    this.#full.length = 0;
  }

  #open(): void {
    const sink = this.#sink;
    if (this.#at >= 0) this.#full.push({ text: this.#text, at: this.#at });
    this.#text = '';
    sink.bytes[sink.at++] = BLOCK;
    this.#at = sink.at;
    sink.at += 9;
  }

  #write(text: string, at: number, start: number): void {
    const sink = this.#sink;
    sink.need(text.length * 3 + STEP);
    const bytes = sink.bytes as NativeText;
    let length = bytes.utf8Write(text, sink.at);
    const form = length === text.length ? ASCII : UTF16;
    if (form === UTF16) length = bytes.ucs2Write(text, sink.at);
    sink.view.setUint32(at, sink.at - start);
    sink.view.setUint32(at + 4, length);
    bytes[at + 8] = form;
    sink.at += length;
  }
}

/** Takes the strings of one message back out of its blocks. */
export class TextReader {
  #text = '';
  #at = 0;
  /** Where the body ends: at the first block, or with the message. */
  bodyEnd = 0;
  #next = 0;

  /** Starts a message that ends at `end`. */
  reset(end: number): void {
    this.#text = '';
    this.#at = 0;
    this.bodyEnd = end;
    this.#next = -1;
  }

  /**
   * Enters the block that `source` holds at `at`, in a message that reaches from `start` to `end`.
   */
  open(source: Uint8Array, at: number, length: number, form: number, end: number): void {
    if (this.#next < 0) this.bodyEnd = at;
    else if (at !== this.#next) throw badPayload('its strings are not in order');
    if (this.#at !== this.#text.length) throw badPayload('a string is left over');
    if (length > end - at || form > UTF16 || (form === UTF16 && length % 2 !== 0))
      throw badPayload('its strings are cut off');
    this.#next = at + length;
    this.#text = (form === ASCII ? latin1Slice : ucs2Slice).call(source, at, at + length);
    this.#at = 0;
  }

  /** The next string. */
  take(length: number): string {
    const from = this.#at;
    const to = from + length;
    if (to > this.#text.length) throw badPayload('a string is cut off');
    this.#at = to;
    return this.#text.slice(from, to);
  }

  /** Whether everything was read to the end of the message. */
  complete(at: number, end: number): boolean {
    return at === this.bodyEnd && this.#at === this.#text.length && (this.#next < 0 || this.#next === end);
  }
}
