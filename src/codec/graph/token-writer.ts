/**
 * Writes the tokens of a node table: primitives, strings by number, bytes in the body or beside it.
 */

import type { CodeRecord } from '../message.js';
import { Refused } from '../messages.js';
import { OUT_OF_BAND } from '../plain/binary.js';
import { PlainWriter } from '../plain/plain-writer.js';
import { writeBigInt, writeNumber, writeString, writeUndefined } from '../plain/primitives.js';
import { Sink, STEP } from '../sink.js';
import type { CodeBook } from './code-book.js';
import { INTERN, Token, wellKnownSymbols } from './tokens.js';

export class TokenWriter {
  readonly sink: Sink;
  /** The out-of-band parts of this message. */
  buffers: Uint8Array[] = [];
  /** The code records that this message names. */
  codes: CodeRecord[] = [];
  readonly #book: CodeBook | null;
  readonly #interned = new Map<string, number>();
  readonly #scratch = new Sink();
  readonly #plain = new PlainWriter(this.#scratch);

  /** @param book Numbers the code of functions; without one it goes with each message. */
  constructor(sink: Sink, book: CodeBook | null) {
    this.sink = sink;
    this.#book = book;
  }

  /** Starts a new message. */
  reset(): void {
    this.#interned.clear();
    this.buffers = [];
    if (this.codes.length > 0) this.codes = [];
  }

  /** Writes a primitive. @throws Refused `MP_SYMBOL`. */
  primitive(value: unknown): void {
    const { sink } = this;
    switch (typeof value) {
      case 'string':
        this.#string(value);
        return;
      case 'number':
        writeNumber(sink, value);
        return;
      case 'boolean':
        sink.byte(value ? 0xc3 : 0xc2);
        return;
      case 'bigint':
        if (!writeBigInt(sink, value)) this.#bigint(value);
        return;
      case 'symbol':
        this.#symbol(value);
        return;
      case 'undefined':
        writeUndefined(sink);
        return;
      default:
        sink.byte(0xc0);
    }
  }

  /** Writes a reduction's data: a primitive, bytes, or plain data. */
  data(value: unknown): void {
    if (typeof value !== 'object' || value === null) {
      this.primitive(value);
    } else if (value instanceof Uint8Array) {
      this.bytes(value);
    } else {
      this.#scratch.reset();
      if (!this.#plain.write(value))
        throw new TypeError('A reduction must have plain data; pass anything else as children.');
      this.sink.byte(Token.plain);
      this.sink.varint(this.#scratch.at);
      this.sink.raw(this.#scratch.bytes.subarray(0, this.#scratch.at));
    }
  }

  /** Writes data that is code: by the number of its record, if there is a book. */
  code(value: unknown): void {
    this.#scratch.reset();
    const record =
      this.#book === null || !this.#plain.write(value)
        ? null
        : this.#book.recordOf(this.#scratch.bytes, this.#scratch.at, this.codes.length);
    if (record === null) {
      this.data(value);
      return;
    }
    if (!this.codes.includes(record)) this.codes.push(record);
    this.sink.byte(Token.code);
    this.sink.varint(record.id);
  }

  /** Writes bytes and returns where their token stands. */
  bytes(value: Uint8Array): number {
    const { sink } = this;
    sink.need(STEP);
    const at = sink.at;
    if (value.byteLength >= OUT_OF_BAND) {
      sink.byte(Token.outOfBand);
      sink.varint(value.byteLength);
      this.buffers.push(value);
    } else {
      sink.byte(Token.bytes);
      sink.varint(value.byteLength);
      sink.raw(value);
    }
    return at;
  }

  #string(value: string): void {
    if (value.length > INTERN) {
      if (!writeString(this.sink, value)) this.#utf16(value);
      return;
    }
    const known = this.#interned.get(value);
    if (known !== undefined) {
      this.sink.byte(Token.interned);
      this.sink.varint(known);
    } else if (writeString(this.sink, value)) {
      this.#interned.set(value, this.#interned.size);
    } else {
      this.#utf16(value);
    }
  }

  #utf16(value: string): void {
    const { sink } = this;
    const length = value.length * 2;
    sink.byte(Token.utf16);
    sink.varint(length);
    sink.need(length);
    sink.at += sink.bytes.write(value, sink.at, 'utf16le');
  }

  #bigint(value: bigint): void {
    const digits = (value < 0n ? -value : value).toString(16);
    const bytes = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex');
    this.sink.byte(Token.bigint);
    this.sink.byte(value < 0n ? 1 : 0);
    this.sink.varint(bytes.length);
    this.sink.raw(bytes);
  }

  #symbol(value: symbol): void {
    const wellKnown = wellKnownSymbols.get(value);
    const key = wellKnown ?? Symbol.keyFor(value);
    if (key === undefined) {
      throw new Refused({
        code: 'MP_SYMBOL',
        what: `the symbol ${String(value)}`,
        why: 'a symbol made by Symbol() has no identity in another process',
        repair: `use Symbol.for(${JSON.stringify(value.description ?? '')})`,
      });
    }
    this.sink.byte(wellKnown === undefined ? Token.registered : Token.wellKnown);
    this.#string(key);
  }
}
