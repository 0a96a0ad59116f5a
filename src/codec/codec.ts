/**
 * Encoder and Decoder: any value to bytes and back, each message self-contained.
 *
 * Three roads, cheapest first, told apart by the first byte:
 *   a primitive        written and read by hand
 *   a plain tree       msgpack with records (plain/plain-writer.ts, plain/plain-reader.ts)
 *   everything else    the node table (table/), behind the mark 0xC1
 * Both ends are iterative where values nest without bound, so depth is limited by memory only.
 */
import { type Freight, freightOf } from '../memory/shareable/freight.js';
import { areLoaded, loadModules, loadModulesSync } from '../modules/load-modules.js';
import { atCaller } from './caller.js';
import type { CodeBook } from './graph/code-book.js';
import type { CodeLookup } from './graph/code-table.js';
import { type Annex, needsModules, needsOf, readTable, type Span } from './graph/graph-reader.js';
import { TableWriter } from './graph/graph-writer.js';
import { registerBuiltinKinds } from './kinds/index.js';
import { align, type CodeRecord, MARK, type Message } from './message.js';
import { badPayload } from './messages.js';
import { PendingValue } from './pending.js';
import { PlainReader } from './plain/plain-reader.js';
import { PlainWriter } from './plain/plain-writer.js';
import { Sink } from './sink.js';

export type { Annex } from './graph/graph-reader.js';
export type { Message } from './message.js';
export { PendingValue } from './pending.js';

registerBuiltinKinds();

/** Up to here a loop copies faster than a call: byte by byte, and by words. */
const SHORT = 48;
const SHORT_BY_WORDS = 1024;
const NO_BUFFERS: readonly Uint8Array[] = Object.freeze([]);
const NO_CODES: readonly CodeRecord[] = Object.freeze([]);
const NONE: ReadonlyMap<number, unknown> = new Map();

let forWorker = false;

/**
 * Whether what is being encoded goes to a worker of this process, or from one to its parent, over
 * memory that nobody else has.
 */
export function encodingForWorker(): boolean {
  return forWorker;
}

/** Encodes values, one at a time, into scratch memory of its own. */
export class Encoder {
  readonly #sink = new Sink();
  readonly #plain = new PlainWriter(this.#sink);
  #table: TableWriter | undefined;
  readonly #book: CodeBook | null;
  #busy = false;
  readonly #message = {
    bytes: this.#sink.bytes as Uint8Array,
    length: 0,
    buffers: NO_BUFFERS,
    codes: NO_CODES,
    total: 0,
    stateless: true,
    constant: true,
    freight: null as Freight | null,
  };

  /**
   * @param book For messages to a receiver that keeps the sender's code records
   *   (graph/code-book.ts); without one, messages are self-contained.
   */
  constructor(book: CodeBook | null = null) {
    this.#book = book;
  }

  /**
   * Encodes a value. The message is valid until the next call.
   *
   * @param enclosing Where shareable objects are put in place of their handles, for a message that
   * is read long after: its reader has them in its {@link Annex}.
   * @throws SerializationError with a `path` to what cannot be sent.
   */
  encode(value: unknown, enclosing: object[] | null = null): Message {
    return this.#encode(value, enclosing, false);
  }

  /**
   * As {@link encode}, of an array of which its reader takes the elements only: arguments, items.
   * Looking for other properties would take longer than writing a short list.
   */
  encodeList(items: readonly unknown[]): Message {
    return this.#encode(items, null, true);
  }

  #encode(value: unknown, enclosing: object[] | null, list: boolean): Message {
    if (this.#busy)
      throw new TypeError('Encoder: a getter or reducer encodes with the Encoder that is calling it; use dumps there.');
    const message = this.#message;
    const sink = this.#sink;
    sink.reset();
    this.#busy = true;
    try {
      if (this.#plain.write(value, list)) {
        message.buffers = NO_BUFFERS;
        message.codes = NO_CODES;
        message.stateless = typeof value !== 'object' || value === null;
        message.constant = message.stateless;
        message.freight = null;
        message.total = sink.at;
      } else {
        message.freight = this.#encodeLoaded(value, enclosing);
      }
    } catch (error) {
      throw atCaller(error, this.#encode);
    } finally {
      this.#busy = false;
    }
    message.bytes = sink.bytes;
    message.length = sink.at;
    return message;
  }

  /**
   * Writes the last message into `target` at `offset` (a multiple of 8 where it has buffers) and
   * returns where it ends.
   *
   * @param words The same memory as `target`, from its beginning: short messages are copied by them.
   */
  layout(target: Uint8Array, offset: number, words?: Int32Array): number {
    const { bytes, length, buffers, total } = this.#message;
    if (words !== undefined && length <= SHORT_BY_WORDS && (offset & 3) === 0) {
      this.#sink.copy(length, target, words, offset);
    } else if (length > SHORT) target.set(bytes.subarray(0, length), offset);
    else for (let i = 0; i < length; i++) target[offset + i] = bytes[i]!;
    if (buffers.length === 0) return offset + length;
    let at = offset + length;
    for (const buffer of buffers) {
      const next = offset + align(at - offset);
      target.fill(0, at, next);
      target.set(buffer, next);
      at = next + buffer.byteLength;
    }
    return offset + total;
  }

  /** Lets go of the last message, whose buffers are parts of the value that was encoded. */
  forget(): void {
    this.#message.freight = null;
    if (this.#message.buffers.length === 0) return;
    this.#message.buffers = NO_BUFFERS;
    this.#table?.forget();
  }

  /** Whether {@link layout} would write just these bytes at offset 0. */
  matches(target: Uint8Array): boolean {
    const { bytes, length, buffers, total } = this.#message;
    if (target.length !== total || !isEqual(target.subarray(0, length), bytes.subarray(0, length))) return false;
    let at = length;
    for (const buffer of buffers) {
      at = align(at);
      if (!isEqual(target.subarray(at, at + buffer.byteLength), buffer)) return false;
      at += buffer.byteLength;
    }
    return true;
  }

  /** Apart, since a closure would make each call of `encode` allocate what it closes over. */
  #encodeLoaded(value: unknown, enclosing: object[] | null): Freight | null {
    return freightOf(() => this.#encodeTable(value, enclosing));
  }

  #encodeTable(value: unknown, enclosing: object[] | null): void {
    this.#table ??= new TableWriter(this.#sink, this.#book);
    const table = this.#table;
    const before = forWorker;
    forWorker = this.#book !== null;
    try {
      table.write(value, enclosing);
    } finally {
      forWorker = before;
    }
    const message = this.#message;
    message.buffers = table.buffers.length === 0 ? NO_BUFFERS : table.buffers;
    message.codes = table.codes;
    message.stateless = table.stateless;
    message.constant = table.constant;
    let total = this.#sink.at;
    for (const buffer of message.buffers) total = align(total) + buffer.byteLength;
    message.total = total;
  }
}

/** Decodes messages. */
export class Decoder {
  readonly #plain = new PlainReader();

  /**
   * Decodes the message in `source[start, end)`. The value does not alias `source` unless `owned`
   * is true, when large typed arrays may view its buffer. A message that needs modules not loaded
   * yet gives a {@link PendingValue}.
   *
   * @param codes The code records of the sender, if it has a CodeBook.
   * @param annex What the message does not have in its own bytes.
   * @throws SerializationError `MP_BAD_PAYLOAD` for bytes that no Encoder wrote.
   */
  decode(source: Uint8Array, start: number, end: number, owned = false, codes?: CodeLookup, annex?: Annex): unknown {
    if (source[start] !== MARK) return this.#plain.read(source, start, bounded(source, start, end));
    const span = spanOf(source, start, end, owned, codes, annex);
    if (!needsModules(span)) return readTable(span);
    const needs = needsOf(span);
    if (areLoaded(needs.modules)) return readTable(span);
    const kept = owned
      ? { ...span, codes: needs.codes }
      : spanOf(source.slice(start, end), 0, end - start, true, needs.codes, annex);
    return new PendingValue(loadModules(needs.modules).then(() => readTable(kept)));
  }

  /**
   * The code records that a message names, for one that is decoded later.
   * @throws SerializationError `MP_BAD_PAYLOAD`.
   */
  codesOf(source: Uint8Array, start: number, end: number, codes: CodeLookup): ReadonlyMap<number, unknown> {
    return source[start] === MARK ? needsOf(spanOf(source, start, end, false, codes)).codes : NONE;
  }

  /**
   * As `decode`, but loads modules before it returns.
   *
   * @throws SerializationError `MP_BAD_PAYLOAD`; `MP_ASYNC_MODULE` for a module with a top-level
   * await.
   */
  decodeSync(source: Uint8Array, start: number, end: number, owned = false, annex?: Annex): unknown {
    if (source[start] !== MARK) return this.#plain.read(source, start, bounded(source, start, end));
    const span = spanOf(source, start, end, owned, undefined, annex);
    if (needsModules(span)) loadModulesSync(needsOf(span).modules);
    return readTable(span);
  }
}

const isEqual = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

function spanOf(
  source: Uint8Array,
  start: number,
  end: number,
  owned: boolean,
  codes?: CodeLookup,
  annex?: Annex,
): Span {
  const span: Span = { source, start, end: bounded(source, start, end), owned };
  if (codes === undefined && annex === undefined) return span;
  return { ...span, ...(codes === undefined ? {} : { codes }), ...(annex === undefined ? {} : { annex }) };
}

function bounded(source: Uint8Array, start: number, end: number): number {
  if (start < 0 || start >= end || end > source.length) throw badPayload('it is empty or lies outside its source');
  return end;
}
