/**
 * Reads the tokens of a node table. Every length is checked against what remains before anything is
 * allocated.
 *
 * Copying: bytes are copied out of the source, unless it is `owned`, in which case an out-of-band
 * buffer that only one view uses and that lies at a multiple of 8 in memory is viewed in place.
 */

import { align } from '../message.js';
import { badPayload } from '../messages.js';
import { PlainReader } from '../plain/plain-reader.js';
import { readScalar, scalarWidth } from '../plain/scalars.js';
import type { CodeLookup } from './code-table.js';
import { INTERN, Token } from './tokens.js';

/** What `token` returns for a child that comes later. Never part of a value. */
export const LATE = Symbol('late');

/** Reading plain data runs no code of others, so one reader serves all. */
const plain = new PlainReader();

/** A reference to a node, by number. Reused: read it before the next token. */
export class NodeRef {
  number = 0;
}

export class TokenReader {
  at = 0;
  readonly ref = new NodeRef();
  /** The code that was named so far. */
  readonly codes = new Map<number, unknown>();
  readonly #source: Uint8Array;
  readonly #view: DataView;
  readonly #start: number;
  readonly #bodyEnd: number;
  readonly #end: number;
  readonly #owned: boolean;
  readonly #skipData: boolean;
  readonly #lookup: CodeLookup | undefined;
  /** Has the out-of-band buffers, where they do not lie behind the body. */
  readonly #annex: { nextBuffer(length: number): Uint8Array } | undefined;
  readonly #interned: string[] = [];
  #beside: number;

  /**
   * Reads the body `[at, bodyEnd)` of the message `[start, end)`. With `skipData`, bytes are passed
   * over.
   */
  constructor(
    source: Uint8Array,
    start: number,
    at: number,
    bodyEnd: number,
    end: number,
    owned: boolean,
    skipData: boolean,
    lookup?: CodeLookup,
    annex?: { nextBuffer(length: number): Uint8Array },
  ) {
    this.#source = source;
    this.#view = new DataView(source.buffer, source.byteOffset, source.byteLength);
    this.#start = start;
    this.at = at;
    this.#bodyEnd = bodyEnd;
    this.#end = end;
    this.#owned = owned && source.buffer instanceof ArrayBuffer;
    this.#skipData = skipData;
    this.#beside = bodyEnd;
    this.#lookup = lookup;
    this.#annex = annex;
  }

  /** Whether body and out-of-band buffers were read to their last byte. */
  get complete(): boolean {
    return this.at === this.#bodyEnd && this.#beside === this.#end;
  }

  byte(): number {
    if (this.at >= this.#bodyEnd) throw badPayload('it ends too early');
    return this.#source[this.at++]!;
  }

  /** An unsigned integer below 2^53. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
      scale *= 0x80;
    }
    throw badPayload('a number is too large');
  }

  /** A count of things that take at least `width` bytes each. */
  count(width: number): number {
    const count = this.varint();
    if (count > (this.#bodyEnd - this.at) / width) throw badPayload('a count exceeds what follows');
    return count;
  }

  /** The next token: a primitive, plain data, bytes, {@link LATE} or {@link NodeRef}. */
  token(): unknown {
    const first = this.byte();
    if (first < 0x40) return first;
    if (first >= 0xe0) return first - 0x100;
    if (first >= 0xa0 && first < 0xc0) return this.#text(first & 0x1f);
    switch (first) {
      case Token.ref:
        this.ref.number = this.varint();
        return this.ref;
      case Token.late:
        return LATE;
      case Token.interned:
        return this.#known(this.varint());
      case Token.utf16:
        return this.#utf16();
      case Token.bigint:
        return this.#bigint();
      case Token.registered:
        return Symbol.for(this.#string());
      case Token.wellKnown:
        return this.#wellKnown();
      case Token.plain:
        return this.plain(this.varint());
      case Token.bytes:
        return this.#inline();
      case Token.code:
        return this.#code();
      case Token.outOfBand:
        return this.#outOfBand(this.#owned);
      case Token.outOfBandShared:
        return this.#outOfBand(false);
      default:
        return this.#scalar(first);
    }
  }

  #scalar(first: number): unknown {
    const width = scalarWidth(first);
    if (width >= 0) return readScalar(this.#view, first, this.#take(width));
    switch (first) {
      case 0xd4:
        if (this.#view.getUint16(this.#take(2)) === 0) return undefined;
        break;
      case 0xd9:
        return this.#text(this.#view.getUint8(this.#take(1)));
      case 0xda:
        return this.#text(this.#view.getUint16(this.#take(2)));
      case 0xdb:
        return this.#text(this.#view.getUint32(this.#take(4)));
    }
    throw badPayload(`byte 0x${first.toString(16)} has no meaning here`);
  }

  /** Passes over `length` bytes of the body and returns where they start. */
  #take(length: number): number {
    const at = this.at;
    if (length > this.#bodyEnd - at) throw badPayload('it ends too early');
    this.at = at + length;
    return at;
  }

  #text(length: number): string {
    const at = this.#take(length);
    const text = decodeUtf8(this.#source, at, at + length);
    if (text.length <= INTERN) this.#interned.push(text);
    return text;
  }

  #known(index: number): string {
    const text = this.#interned[index];
    if (text === undefined) throw badPayload('a string is named that never came');
    return text;
  }

  #string(): string {
    const text = this.token();
    if (typeof text !== 'string') throw badPayload('a symbol has no name');
    return text;
  }

  #utf16(): string {
    const length = this.varint();
    if (length % 2 !== 0) throw badPayload('a string ends inside a character');
    const at = this.#take(length);
    return ucs2Slice.call(this.#source, at, at + length);
  }

  #bigint(): bigint {
    const negative = this.byte() === 1;
    const length = this.varint();
    const at = this.#take(length);
    const magnitude = BigInt(`0x0${Buffer.from(this.#source.subarray(at, at + length)).toString('hex')}`);
    return negative ? -magnitude : magnitude;
  }

  #wellKnown(): symbol {
    const name = this.#string();
    const value: unknown = Object.hasOwn(Symbol, name)
      ? (Symbol as unknown as Record<string, unknown>)[name]
      : undefined;
    if (typeof value !== 'symbol') throw badPayload('a well-known symbol is unknown');
    return value;
  }

  /** A little endian u32. */
  uint32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** Passes over bytes of the body. */
  skip(length: number): void {
    this.#take(length);
  }

  /** Plain data of so many bytes. */
  plain(length: number): unknown {
    const at = this.#take(length);
    return plain.read(this.#source, at, at + length);
  }

  #code(): unknown {
    const id = this.varint();
    const data = this.#lookup?.get(id);
    if (data === undefined) throw badPayload('a code record is named that never came');
    this.codes.set(id, data);
    return data;
  }

  #inline(): Uint8Array {
    const length = this.varint();
    const at = this.#take(length);
    return this.#skipData ? new Uint8Array(0) : copy(this.#source, at, length);
  }

  #outOfBand(inPlace: boolean): Uint8Array {
    const length = this.varint();
    if (this.#annex !== undefined) return this.#skipData ? new Uint8Array(0) : this.#annex.nextBuffer(length);
    const at = this.#start + align(this.#beside - this.#start);
    if (length > this.#end - at) throw badPayload('a buffer is cut off');
    this.#beside = at + length;
    if (this.#skipData) return new Uint8Array(0);
    const address = this.#source.byteOffset + at;
    return inPlace && address % 8 === 0
      ? new Uint8Array(this.#source.buffer, address, length)
      : copy(this.#source, at, length);
  }
}

const { utf8Slice, ucs2Slice } = Buffer.prototype as unknown as Record<
  'utf8Slice' | 'ucs2Slice',
  (this: Uint8Array, start: number, end: number) => string
>;

/** Reads UTF-8 from any memory. */
function decodeUtf8(source: Uint8Array, start: number, end: number): string {
  return utf8Slice.call(source, start, end);
}

function copy(source: Uint8Array, at: number, length: number): Uint8Array {
  // Memory that is about to be filled is not zeroed by this constructor.
  return new Uint8Array(source.subarray(at, at + length));
}
