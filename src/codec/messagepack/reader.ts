/**
 * Reads MessagePack of any implementation into plain data: nothing in it can run code or name a
 * class. The forms are listed in writer.ts; besides, numbers may be of any width (an integer of 64
 * bits arrives as a bigint), and keys of maps may be numbers or booleans, which become text.
 *
 * Bounds: every length is compared with what remains before anything is allocated for it.
 */
import { badPayload } from '../messages.js';
import { readScalar, scalarWidth } from '../plain/scalars.js';
import { MAX_DEPTH } from './writer.js';

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const EPOCH_NANOSECONDS = 1_000_000;

export class MessagePackReader {
  readonly #source: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  private constructor(source: Uint8Array) {
    this.#source = source;
    this.#view = new DataView(source.buffer, source.byteOffset, source.byteLength);
  }

  /**
   * The one value in `source`. It shares no memory with it.
   * @throws SerializationError `MP_BAD_PAYLOAD`.
   */
  static read(source: Uint8Array): unknown {
    const reader = new MessagePackReader(source);
    const value = reader.#value(0);
    if (reader.#at !== source.length) throw damaged(`${source.length - reader.#at} bytes follow its end`);
    return value;
  }

  #value(depth: number): unknown {
    const first = this.#source[this.#pass(1)]!;
    if (first < 0x80) return first;
    if (first < 0x90) return this.#map(first & 0xf, depth);
    if (first < 0xa0) return this.#array(first & 0xf, depth);
    if (first < 0xc0) return this.#text(first & 0x1f);
    if (first >= 0xe0) return first - 0x100;
    const view = this.#view;
    const width = scalarWidth(first);
    if (width >= 0) return readScalar(view, first, this.#pass(width));
    switch (first) {
      case 0xc4:
        return this.#bin(view.getUint8(this.#pass(1)));
      case 0xc5:
        return this.#bin(view.getUint16(this.#pass(2)));
      case 0xc6:
        return this.#bin(view.getUint32(this.#pass(4)));
      case 0xc7:
        return this.#extension(view.getUint8(this.#pass(1)));
      case 0xca:
        return view.getFloat32(this.#pass(4));
      case 0xd4:
        return this.#extension(1);
      case 0xd6:
        return this.#extension(4);
      case 0xd7:
        return this.#extension(8);
      case 0xd9:
        return this.#text(view.getUint8(this.#pass(1)));
      case 0xda:
        return this.#text(view.getUint16(this.#pass(2)));
      case 0xdb:
        return this.#text(view.getUint32(this.#pass(4)));
      case 0xdc:
        return this.#array(view.getUint16(this.#pass(2)), depth);
      case 0xdd:
        return this.#array(view.getUint32(this.#pass(4)), depth);
      case 0xde:
        return this.#map(view.getUint16(this.#pass(2)), depth);
      case 0xdf:
        return this.#map(view.getUint32(this.#pass(4)), depth);
      default:
        throw damaged(`byte 0x${first.toString(16)} begins no plain data`);
    }
  }

  #array(length: number, depth: number): unknown[] {
    this.#enter(length, depth);
    const array: unknown[] = [];
    for (let i = 0; i < length; i++) array.push(this.#value(depth + 1));
    return array;
  }

  #map(size: number, depth: number): Record<string, unknown> {
    this.#enter(size * 2, depth);
    const object: Record<string, unknown> = {};
    for (let i = 0; i < size; i++) {
      const key = this.#value(depth + 1);
      if (typeof key === 'object' || key === undefined)
        throw damaged('a map has a key that is neither text nor number');
      const name = String(key);
      const value = this.#value(depth + 1);
      // Assigning to `__proto__` would change what the object is.
      if (name === '__proto__')
        Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
      else object[name] = value;
    }
    return object;
  }

  #text(length: number): string {
    const at = this.#pass(length);
    try {
      return UTF8.decode(this.#source.subarray(at, at + length));
    } catch (cause) {
      throw damaged('a text is not UTF-8', cause);
    }
  }

  #bin(length: number): Uint8Array {
    const at = this.#pass(length);
    return new Uint8Array(this.#source.subarray(at, at + length));
  }

  /** A timestamp of the standard, or `undefined`. */
  #extension(length: number): unknown {
    const type = this.#view.getInt8(this.#pass(1));
    const at = this.#pass(length);
    const view = this.#view;
    if (type === 0 && length === 1) return undefined;
    if (type === -1) {
      if (length === 4) return new Date(view.getUint32(at) * 1000);
      if (length === 8) {
        const both = view.getBigUint64(at);
        return moment(Number(both & 0x3ffffffffn), Number(both >> 34n));
      }
      if (length === 12) return moment(Number(view.getBigInt64(at + 4)), view.getUint32(at));
    }
    throw damaged(`extension ${type} of ${length} bytes is no plain data`);
  }

  #enter(count: number, depth: number): void {
    if (depth >= MAX_DEPTH) throw damaged(`it is more than ${MAX_DEPTH} deep`);
    if (count > this.#source.length - this.#at) throw damaged('it is cut off');
  }

  /** Passes over `count` bytes and returns where they start. */
  #pass(count: number): number {
    const at = this.#at;
    if (count > this.#source.length - at) throw damaged('it is cut off');
    this.#at = at + count;
    return at;
  }
}

function moment(seconds: number, nanoseconds: number): Date {
  const date = new Date(seconds * 1000 + Math.floor(nanoseconds / EPOCH_NANOSECONDS));
  if (Number.isNaN(date.getTime()) || nanoseconds >= 1e9) throw damaged('a timestamp is no moment in time');
  return date;
}

const damaged = (reason: string, cause?: unknown) =>
  badPayload(`read as MessagePack, ${reason} (do both ends have the same \`serializer\`?)`, cause);
