/**
 * Reads plain msgpack. Primitives and short arrays of them are read here; everything else is msgpackr's.
 *
 * msgpackr gets a view of exactly the message, so that damaged lengths end at its last byte and not in the
 * neighbouring ones, or, which is cheaper for a short one, a copy in scratch memory, where they end soon after and
 * are noticed then. It copies binary data out, so the value never aliases the source.
 */
import { clearSource, Unpackr } from 'msgpackr';
import { badPayload } from '../failure.js';

// `copyBuffers` is known to msgpackr, not to its types. structuredClone: false refuses reference extensions.
const options: object = { structuredClone: false, copyBuffers: true, mapsAsObjects: false };
const unpackr = new Unpackr(options);
const { utf8Slice } = Buffer.prototype as unknown as { utf8Slice(this: Uint8Array, start: number, end: number): string };

/** Up to this many bytes, copying the message costs less than making a view of it. */
const SCRATCH = 1024;
/** Up to here a loop copies faster than a call. */
const LOOP = 64;
const scratch = Buffer.allocUnsafeSlow(SCRATCH);

/** Says that the bytes are more than this reader knows. Never part of a value. */
const OTHER = Symbol('other');
/** Longest array that is read here. */
const SHORT = 15;

export class PlainReader {
  #source: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #at = 0;
  #end = 0;

  /** Reads the one value in `source[start, end)`. @throws SerializationError `MP_BAD_PAYLOAD`. */
  read(source: Uint8Array, start: number, end: number): unknown {
    if (source !== this.#source) {
      this.#source = source;
      this.#view = new DataView(source.buffer, source.byteOffset, source.byteLength);
    }
    this.#at = start;
    this.#end = end;
    const value = this.#short();
    if (value !== OTHER && this.#at === end) return value;
    return unpack(source, start, end);
  }

  #short(): unknown {
    if (this.#at >= this.#end) return OTHER;
    const first = this.#source[this.#at]!;
    if (first < 0x90 || first > 0x9f) return this.#primitive();
    const length = first & SHORT;
    this.#at++;
    if (length > this.#end - this.#at) return OTHER;
    const array: unknown[] = [];
    for (let i = 0; i < length; i++) {
      const element = this.#primitive();
      if (element === OTHER) return OTHER;
      array.push(element);
    }
    return array;
  }

  #primitive(): unknown {
    let at = this.#at;
    const left = this.#end - at;
    if (left < 1) return OTHER;
    const source = this.#source;
    const first = source[at++]!;
    if (first < 0x40) {
      this.#at = at;
      return first;
    }
    if (first >= 0xe0) {
      this.#at = at;
      return first - 0x100;
    }
    if (first >= 0xa0 && first < 0xc0) return this.#string(at, first & 0x1f);
    switch (first) {
      case 0xc0:
        this.#at = at;
        return null;
      case 0xc2:
        this.#at = at;
        return false;
      case 0xc3:
        this.#at = at;
        return true;
      case 0xcb:
        if (left < 9) return OTHER;
        this.#at = at + 8;
        return this.#view.getFloat64(at);
      case 0xcc:
        if (left < 2) return OTHER;
        this.#at = at + 1;
        return source[at];
      case 0xcd:
        if (left < 3) return OTHER;
        this.#at = at + 2;
        return (source[at]! << 8) | source[at + 1]!;
      case 0xce:
        if (left < 5) return OTHER;
        this.#at = at + 4;
        return this.#view.getUint32(at);
      case 0xd0:
        if (left < 2) return OTHER;
        this.#at = at + 1;
        return this.#view.getInt8(at);
      case 0xd1:
        if (left < 3) return OTHER;
        this.#at = at + 2;
        return this.#view.getInt16(at);
      case 0xd2:
        if (left < 5) return OTHER;
        this.#at = at + 4;
        return this.#view.getInt32(at);
      case 0xd4:
        if (left < 3 || source[at] !== 0 || source[at + 1] !== 0) return OTHER;
        this.#at = at + 2;
        return undefined;
      case 0xd9:
        if (left < 2) return OTHER;
        return this.#string(at + 1, source[at]!);
      default:
        return OTHER;
    }
  }

  #string(start: number, length: number): unknown {
    const end = start + length;
    if (end > this.#end) return OTHER;
    this.#at = end;
    const source = this.#source;
    if (length > 12) return utf8Slice.call(source, start, end);
    let text = '';
    for (let i = start; i < end; i++) {
      const code = source[i]!;
      if (code > 0x7f) return utf8Slice.call(source, start, end);
      text += String.fromCharCode(code);
    }
    return text;
  }
}

/** Reads one value with msgpackr. @throws SerializationError `MP_BAD_PAYLOAD`. */
export function unpack(source: Uint8Array, start: number, end: number): unknown {
  if (start >= end) throw badPayload('it is empty');
  try {
    const length = end - start;
    if (length > SCRATCH) return unpackr.unpack(exactly(source, start, end));
    if (length <= LOOP) for (let i = 0; i < length; i++) scratch[i] = source[start + i]!;
    else scratch.set(source.subarray(start, end));
    return unpackr.unpack(scratch, length);
  } catch (cause) {
    clearSource();
    throw badPayload(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** A Buffer of exactly these bytes. */
function exactly(source: Uint8Array, start: number, end: number): Buffer {
  const { buffer } = source;
  // msgpackr's string extractor and TextDecoder want ordinary memory; a copy costs less than their slow paths.
  return buffer instanceof ArrayBuffer
    ? Buffer.from(buffer, source.byteOffset + start, end - start)
    : Buffer.from(source.subarray(start, end));
}
