/**
 * Primitives as msgpack writes them, except that integers take one byte up to 63 only: 0x40 and
 * above name structures.
 *
 * Every function returns `false`, with the sink as it was, for what msgpack cannot carry without
 * loss: strings with lone surrogates or more bytes of UTF-8 than a string can have units, and
 * integers beyond 64 bits.
 */
import { constants } from 'node:buffer';
import { type Sink, STEP } from '../sink.js';

/** Present on Node 20; not yet in the library types. */
type WellFormed = string & { isWellFormed(): boolean };
/** Buffer's own UTF-8 writer, twice as fast as `write` with its argument checks. */
type Utf8Buffer = Buffer & { utf8Write(text: string, at: number): number };

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const UINT64_MAX = 2n ** 64n - 1n;
/** Shorter strings are copied in JavaScript; a native call costs more than that many characters. */
const NATIVE_FROM = 40;
/** Longer strings are measured before room is made. */
const LONG = 1 << 20;
/** Numbers for which room is made at once. */
const RUN = 256;

/**
 * Writes a number: the smallest integer form, or a double (also for -0, NaN and the infinities).
 */
export function writeNumber(sink: Sink, value: number): void {
  sink.need(STEP);
  sink.at = putNumber(sink.bytes, sink.view, sink.at, value);
}

/**
 * Writes the numbers of `array` from `start` on up to the first element that is none, and returns
 * its index.
 */
export function writeNumbers(sink: Sink, array: readonly unknown[], start: number): number {
  const { length } = array;
  for (let from = start; from < length; ) {
    const to = Math.min(length, from + RUN);
    sink.need(9 * RUN + STEP);
    const { bytes, view } = sink;
    let at = sink.at;
    for (let i = from; i < to; i++) {
      const value = array[i];
      if (typeof value !== 'number') {
        sink.at = at;
        return i;
      }
      at = putNumber(bytes, view, at, value);
    }
    sink.at = at;
    from = to;
  }
  return length;
}

function putNumber(bytes: Uint8Array, view: DataView, from: number, value: number): number {
  let at = from;
  if (value >>> 0 === value && (value !== 0 || 1 / value > 0)) {
    if (value < 0x40) bytes[at++] = value;
    else if (value < 0x100) {
      bytes[at++] = 0xcc;
      bytes[at++] = value;
    } else if (value < 0x10000) {
      bytes[at++] = 0xcd;
      bytes[at++] = value >> 8;
      bytes[at++] = value;
    } else {
      bytes[at++] = 0xce;
      at = put32(bytes, at, value);
    }
  } else if (value >> 0 === value && value < 0) {
    if (value >= -0x20) bytes[at++] = value + 0x100;
    else if (value >= -0x80) {
      bytes[at++] = 0xd0;
      bytes[at++] = value + 0x100;
    } else if (value >= -0x8000) {
      bytes[at++] = 0xd1;
      bytes[at++] = value >> 8;
      bytes[at++] = value;
    } else {
      bytes[at++] = 0xd2;
      at = put32(bytes, at, value);
    }
  } else {
    bytes[at++] = 0xcb;
    view.setFloat64(at, value);
    at += 8;
  }
  return at;
}

/** What {@link putShort} writes. */
export type ShortPrimitive = number | boolean | null | undefined;

/** Whether {@link putShort} writes a value. */
export function isShortPrimitive(value: unknown): value is ShortPrimitive {
  return typeof value === 'number' || typeof value === 'boolean' || value === undefined || value === null;
}

/** Writes a message of such a value, of at most 9 bytes, into `bytes` at `at`. Returns where it ends. */
export function putShort(bytes: Uint8Array, view: DataView, at: number, value: ShortPrimitive): number {
  if (typeof value === 'number') return putNumber(bytes, view, at, value);
  if (value === undefined) {
    bytes[at] = 0xd4;
    bytes[at + 1] = 0;
    bytes[at + 2] = 0;
    return at + 3;
  }
  bytes[at] = value === null ? 0xc0 : value ? 0xc3 : 0xc2;
  return at + 1;
}

/** Writes `undefined`: an extension of type 0 with one byte. */
export function writeUndefined(sink: Sink): void {
  sink.need(STEP);
  sink.bytes[sink.at++] = 0xd4;
  sink.bytes[sink.at++] = 0;
  sink.bytes[sink.at++] = 0;
}

/** Writes a bigint of 64 bits, signed or unsigned. */
export function writeBigInt(sink: Sink, value: bigint): boolean {
  sink.need(STEP);
  if (value >= INT64_MIN && value <= INT64_MAX) {
    sink.bytes[sink.at++] = 0xd3;
    sink.view.setBigInt64(sink.at, value);
  } else if (value > 0n && value <= UINT64_MAX) {
    sink.bytes[sink.at++] = 0xcf;
    sink.view.setBigUint64(sink.at, value);
  } else return false;
  sink.at += 8;
  return true;
}

/** Writes a well-formed string as UTF-8, unless that would be longer than V8 makes a string of. */
export function writeString(sink: Sink, value: string): boolean {
  const length = value.length;
  if (length > LONG) return writeLong(sink, value);
  sink.need(length * 3 + STEP);
  if (length < NATIVE_FROM) {
    const bytes = sink.bytes;
    const start = sink.at;
    let at = start + (length < 0x20 ? 1 : 2);
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) return writeNative(sink, value);
      bytes[at++] = code;
    }
    if (length < 0x20) bytes[start] = 0xa0 | length;
    else {
      bytes[start] = 0xd9;
      bytes[start + 1] = length;
    }
    sink.at = at;
    return true;
  }
  return writeNative(sink, value);
}

/** Writes the header of an array, `set` or ext body of `length` elements. */
export function writeArrayHeader(sink: Sink, length: number): void {
  writeHeader(sink, length, 0x90, 0xdc);
}

/** Writes the header of a map of `length` entries. */
export function writeMapHeader(sink: Sink, length: number): void {
  writeHeader(sink, length, 0x80, 0xde);
}

function writeHeader(sink: Sink, length: number, fix: number, wide: number): void {
  sink.need(STEP);
  const bytes = sink.bytes;
  if (length < 0x10) bytes[sink.at++] = fix | length;
  else if (length < 0x10000) {
    bytes[sink.at++] = wide;
    bytes[sink.at++] = length >> 8;
    bytes[sink.at++] = length;
  } else {
    bytes[sink.at++] = wide + 1;
    sink.at = put32(bytes, sink.at, length);
  }
}

/** For three bytes a unit there may be no room, where one is enough. */
function writeLong(sink: Sink, value: string): boolean {
  const bytes = Buffer.byteLength(value);
  if (bytes > constants.MAX_STRING_LENGTH) return false;
  sink.need(bytes + STEP);
  return writeNative(sink, value);
}

function writeNative(sink: Sink, value: string): boolean {
  if (!(value as WellFormed).isWellFormed()) return false;
  const start = sink.at;
  const guess = value.length < 0x20 ? 1 : value.length < 0x100 ? 2 : value.length < 0x10000 ? 3 : 5;
  const length = (sink.bytes as Utf8Buffer).utf8Write(value, start + guess);
  const header = length < 0x20 ? 1 : length < 0x100 ? 2 : length < 0x10000 ? 3 : 5;
  const bytes = sink.bytes;
  if (header !== guess) bytes.copyWithin(start + header, start + guess, start + guess + length);
  if (header === 1) bytes[start] = 0xa0 | length;
  else if (header === 2) {
    bytes[start] = 0xd9;
    bytes[start + 1] = length;
  } else if (header === 3) {
    bytes[start] = 0xda;
    bytes[start + 1] = length >> 8;
    bytes[start + 2] = length;
  } else {
    bytes[start] = 0xdb;
    put32(bytes, start + 1, length);
  }
  sink.at = start + header + length;
  return true;
}

function put32(bytes: Uint8Array, at: number, value: number): number {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
  return at + 4;
}
