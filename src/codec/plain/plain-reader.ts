/**
 * Reads plain messages; the forms are listed in plain-writer.ts.
 *
 * Bounds: every count and length is compared with what remains before anything is allocated for it,
 * each element takes a byte at least, and the message must end just where it says. Fixed-size
 * numbers may be read beyond the end of a damaged message, never beyond the source; that is noticed
 * at the end at the latest. The value never aliases the source.
 */
import { SerializationError } from '../../errors/index.js';
import { badPayload } from '../messages.js';
import { readBin, readExtension } from './binary.js';
import { RecordShape } from './record-shapes.js';
import { FIRST_STRUCTURE, STRUCTURES } from './structures.js';
import { BLOCK, TEXT, TextReader } from './texts.js';

const { utf8Slice, latin1Slice } = Buffer.prototype as unknown as Record<
  'utf8Slice' | 'latin1Slice',
  (this: Uint8Array, start: number, end: number) => string
>;
/** Definitions up to this length are remembered. */
const SHORT_DEFINITION = 512;
/** Arrays up to this length grow as they are read. */
const SHORT_ARRAY = 16;
/** Messages up to this length are copied rather than looked at through a new DataView. */
const SHORT_MESSAGE = 64;

export class PlainReader {
  readonly #scratch = new Uint8Array(SHORT_MESSAGE);
  readonly #scratchView = new DataView(this.#scratch.buffer);
  /** What messages came from last: a ring, mostly. */
  #known: Uint8Array = this.#scratch;
  #knownView: DataView = this.#scratchView;
  #source: Uint8Array = this.#scratch;
  #view: DataView = this.#scratchView;
  #start = 0;
  #at = 0;
  #end = 0;
  /**
   * Elements that arrays were made for: all of them together are no more than the message has
   * bytes.
   */
  #claimed = 0;
  #shapes: (RecordShape | undefined)[] = [];
  /** The shape whose definition was read last: most messages have the same. */
  #latest: RecordShape | undefined;
  readonly #texts = new TextReader();

  /** Reads the one value in `source[start, end)`. @throws SerializationError `MP_BAD_PAYLOAD`. */
  read(source: Uint8Array, start: number, end: number): unknown {
    const length = end - start;
    // The usual result: what it is, and that it ends where it should, is seen at once.
    const first = source[start]!;
    if (length === 1 && first < FIRST_STRUCTURE) return first;
    if (length === 3 && first === 0xcd) return (source[start + 1]! << 8) | source[start + 2]!;
    if (length === 5 && first === 0xce) {
      const low = (source[start + 2]! << 16) | (source[start + 3]! << 8) | source[start + 4]!;
      return source[start + 1]! * 0x100_0000 + low;
    }
    if (source !== this.#known && length <= SHORT_MESSAGE) {
      const scratch = this.#scratch;
      for (let i = 0; i < length; i++) scratch[i] = source[start + i]!;
      return this.#read(scratch, this.#scratchView, 0, length);
    }
    if (source !== this.#known) {
      this.#known = source;
      this.#knownView = new DataView(source.buffer, source.byteOffset, source.byteLength);
    }
    return this.#read(source, this.#knownView, start, end);
  }

  #read(source: Uint8Array, view: DataView, start: number, end: number): unknown {
    this.#source = source;
    this.#view = view;
    this.#start = start;
    this.#at = start;
    this.#end = end;
    this.#claimed = 0;
    this.#texts.reset(end);
    if (this.#shapes.length > 0) this.#shapes = [];
    try {
      const value = this.value();
      if (!this.#texts.complete(this.#at, end)) throw badPayload('it does not end where it should');
      return value;
    } catch (cause) {
      if (cause instanceof SerializationError) throw cause;
      throw badPayload(cause instanceof Error ? cause.message : String(cause), cause);
    }
  }

  /** Reads the next value. */
  value(): unknown {
    const source = this.#source;
    const at = this.#at;
    const first = source[at]!;
    this.#at = at + 1;
    if (first < FIRST_STRUCTURE) return first;
    if (first < FIRST_STRUCTURE + STRUCTURES) return this.#record(first - FIRST_STRUCTURE);
    if (first >= 0xe0) return first - 0x100;
    if (first < 0xa0) return first < 0x90 ? this.#map(first & 0xf) : this.#array(first & 0xf);
    if (first < 0xc0) return this.#string(first & 0x1f);
    switch (first) {
      case TEXT:
        this.#at = at + 2;
        return this.#texts.take(source[at + 1]!);
      case BLOCK:
        return this.#block();
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xcb:
        this.#at = at + 9;
        return this.#view.getFloat64(at + 1);
      case 0xcc:
        this.#at = at + 2;
        return source[at + 1];
      case 0xcd:
        this.#at = at + 3;
        return (source[at + 1]! << 8) | source[at + 2]!;
      case 0xce:
        this.#at = at + 5;
        return this.#view.getUint32(at + 1);
      default:
        return this.#rare(first);
    }
  }

  #rare(first: number): unknown {
    const view = this.#view;
    switch (first) {
      case 0xcf:
        return view.getBigUint64(this.#pass(8));
      case 0xd0:
        return view.getInt8(this.#pass(1));
      case 0xd1:
        return view.getInt16(this.#pass(2));
      case 0xd2:
        return view.getInt32(this.#pass(4));
      case 0xd3:
        return view.getBigInt64(this.#pass(8));
      case 0xd4:
        return this.#tagged(this.#byte(), this.#byte());
      case 0xd6:
        return new Date(view.getFloat64(this.#pass(8)));
      case 0xd9:
        return this.#string(this.#byte());
      case 0xda:
        return this.#string(view.getUint16(this.#pass(2)));
      case 0xdb:
        return this.#string(view.getUint32(this.#pass(4)));
      case 0xdc:
        return this.#array(view.getUint16(this.#pass(2)));
      case 0xdd:
        return this.#array(view.getUint32(this.#pass(4)));
      case 0xde:
        return this.#map(view.getUint16(this.#pass(2)));
      case 0xdf:
        return this.#map(view.getUint32(this.#pass(4)));
      case 0xc4:
      case 0xc5: {
        const length = first === 0xc4 ? this.#byte() : view.getUint16(this.#pass(2));
        return readBin(this.#source, this.#take(length), length);
      }
      case 0xc7:
      case 0xc8:
      case 0xc9: {
        const length =
          first === 0xc7
            ? this.#byte()
            : first === 0xc8
              ? view.getUint16(this.#pass(2))
              : view.getUint32(this.#pass(4));
        if (this.#byte() !== 0x74 || length === 0) break;
        const code = this.#byte();
        return readExtension(code, this.#source, this.#take(length - 1), length - 1);
      }
    }
    throw badPayload(`byte ${first} has no meaning here`);
  }

  #tagged(tag: number, detail: number): unknown {
    if (tag === 0x72) return this.#define(detail - FIRST_STRUCTURE);
    if (detail === 0) {
      if (tag === 0) return undefined;
      if (tag === 0x73) return this.#set();
      if (tag === 0x78) return this.#regexp();
    }
    throw badPayload(`extension ${tag} is unknown`);
  }

  #record(slot: number): unknown {
    const shape = this.#shapes[slot];
    if (shape === undefined) throw badPayload('a record has no structure');
    return shape.read(this);
  }

  #define(slot: number): unknown {
    const length = this.#view.getUint32(this.#pass(4));
    const at = this.#take(length);
    if (slot < 0 || slot >= STRUCTURES) throw badPayload('a structure has no place');
    if (this.#latest?.isDefinedBy(this.#source, at, length) !== true) {
      const definition = length <= SHORT_DEFINITION ? latin1Slice.call(this.#source, at, at + length) : undefined;
      this.#latest = RecordShape.of(definition, () => this.#keys(at, length));
    }
    const shape = this.#latest!;
    this.#at = at + length;
    this.#shapes[slot] = shape;
    return shape.read(this);
  }

  #keys(at: number, length: number): string[] {
    this.#at = at;
    const end = at + length;
    const keys: string[] = [];
    while (this.#at < end) {
      const first = this.#source[this.#at]!;
      // Written out: a shape that is remembered must not depend on other bytes of this message.
      const inline = (first >= 0xa0 && first < 0xc0) || (first >= 0xd9 && first <= 0xdb);
      if (!inline) throw badPayload('a key is no string');
      keys.push(this.value() as string);
    }
    if (this.#at !== end) throw badPayload('a structure is cut off');
    return keys;
  }

  #array(length: number): unknown[] {
    this.#check(length);
    if (length <= SHORT_ARRAY) {
      const short: unknown[] = [];
      for (let i = 0; i < length; i++) short.push(this.value());
      return short;
    }
    this.#claimed += length;
    if (this.#claimed > this.#end - this.#start) throw badPayload('its arrays claim more elements than it has bytes');
    const array = new Array<unknown>(length);
    for (let i = 0; i < length; ) {
      i = this.#numbers(array, i);
      if (i < length) array[i++] = this.value();
    }
    return array;
  }

  /**
   * Reads numbers into `array` from `start` on, up to the first other value, and returns its index.
   */
  #numbers(array: unknown[], start: number): number {
    const source = this.#source;
    const view = this.#view;
    const { length } = array;
    let at = this.#at;
    let i = start;
    for (; i < length; i++) {
      const first = source[at]!;
      if (first < FIRST_STRUCTURE) {
        array[i] = first;
        at++;
      } else if (first === 0xcb) {
        array[i] = view.getFloat64(at + 1);
        at += 9;
      } else if (first === 0xcd) {
        array[i] = (source[at + 1]! << 8) | source[at + 2]!;
        at += 3;
      } else if (first === 0xce) {
        array[i] = view.getUint32(at + 1);
        at += 5;
      } else if (first === 0xcc) {
        array[i] = source[at + 1];
        at += 2;
      } else break;
    }
    this.#at = at;
    return i;
  }

  #map(size: number): Map<unknown, unknown> {
    this.#check(size * 2);
    const map = new Map<unknown, unknown>();
    for (let i = 0; i < size; i++) {
      const key = this.value();
      map.set(key, this.value());
    }
    return map;
  }

  #set(): Set<unknown> {
    return new Set(this.#list());
  }

  #regexp(): RegExp {
    const [source, flags, ...rest] = this.#list();
    if (typeof source !== 'string' || typeof flags !== 'string' || rest.length > 0)
      throw badPayload('a RegExp has no source');
    return new RegExp(source, flags);
  }

  #list(): unknown[] {
    const list = this.value();
    if (!Array.isArray(list)) throw badPayload('a list is missing');
    return list;
  }

  #string(length: number): string {
    const at = this.#take(length);
    const source = this.#source;
    const end = at + length;
    if (length > 12) return utf8Slice.call(source, at, end);
    let text = '';
    for (let i = at; i < end; i++) {
      const code = source[i]!;
      if (code > 0x7f) return utf8Slice.call(source, at, end);
      text += String.fromCharCode(code);
    }
    return text;
  }

  #block(): unknown {
    const at = this.#pass(9);
    const view = this.#view;
    this.#texts.open(
      this.#source,
      this.#start + view.getUint32(at),
      view.getUint32(at + 4),
      view.getUint8(at + 8),
      this.#end,
    );
    return this.value();
  }

  #byte(): number {
    return this.#source[this.#pass(1)]!;
  }

  /** Passes over `count` bytes and returns where they start. */
  #pass(count: number): number {
    const at = this.#at;
    this.#at = at + count;
    return at;
  }

  /** The same, for bytes that are copied out. */
  #take(count: number): number {
    this.#check(count);
    return this.#pass(count);
  }

  #check(count: number): void {
    if (count > this.#texts.bodyEnd - this.#at) throw badPayload('a length exceeds what follows');
  }
}
