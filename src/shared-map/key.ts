/**
 * Keys of a SharedMap as words: a kind, and bytes filled up to a word with zeros.
 *
 *   kind | bytes
 *     0  | a number: a double. -0 is 0, and every NaN is one, as with the keys of a Map
 *     1  | a string of characters up to U+00FF: a byte each
 *     2  | any other string: its UTF-16 code units, lone surrogates too
 */
import { ArgumentError } from '../errors/index.js';
import { describe } from '../util/options.js';

const NUMBER = 0;
const NARROW = 1;
const WIDE = 2;
const KIND_SHIFT = 28;
const MAX_BYTES = 1 << KIND_SHIFT;
/** Bytes of the memory that keys share which are not longer. */
const SCRATCH_BYTES = 4_096;
const NAN_HIGH = 0x7ff80000;

export interface MapKey {
  /** Kind and bytes, as in the header of a chain. */
  readonly header: number;
  readonly hash: number;
  /** At least so many words as the key has. */
  readonly data: Int32Array;
  readonly words: number;
}

const scratch = new ArrayBuffer(SCRATCH_BYTES);
const scratchWords = new Int32Array(scratch);
const scratchBytes = new Uint8Array(scratch);
const scratchUnits = new Uint16Array(scratch);
const scratchDouble = new Float64Array(scratch, 0, 1);

/**
 * The key as words. Valid until the next call, unless it is a {@link copyOf} it.
 * @throws ArgumentError `MP_TYPE` for what is neither a string nor a number.
 */
export function keyOf(actor: string, key: unknown): MapKey {
  if (typeof key === 'string') return textKey(actor, key);
  if (typeof key !== 'number') {
    throw new ArgumentError(
      `${actor}: the key must be a string or a number, not ${describe(key)}; make one of it, as by String(key).`,
      {
        code: 'MP_TYPE',
      },
    );
  }
  if (Number.isNaN(key)) {
    scratchWords[0] = 0;
    scratchWords[1] = NAN_HIGH;
  } else scratchDouble[0] = key + 0;
  return made(NUMBER, 8, scratchWords);
}

/** A key that stays as it is. */
export function copyOf(key: MapKey): MapKey {
  return { ...key, data: key.data.slice(0, key.words) };
}

/** The key that a chain's header and words name. */
export function keyFrom(header: number, data: Int32Array): string | number {
  const bytes = keyBytes(header);
  const kind = header >>> KIND_SHIFT;
  if (kind === NUMBER) return new Float64Array(data.buffer, data.byteOffset, 1)[0]!;
  return Buffer.from(data.buffer, data.byteOffset, bytes).toString(kind === NARROW ? 'latin1' : 'utf16le');
}

/** Bytes of the key that a chain's header names. */
export function keyBytes(header: number): number {
  return header & (MAX_BYTES - 1);
}

/** Words of it. */
export function keyWords(header: number): number {
  return (keyBytes(header) + 3) >>> 2;
}

function textKey(actor: string, key: string): MapKey {
  const { length } = key;
  if (2 * length >= MAX_BYTES)
    throw new ArgumentError(`${actor}: the key has ${length} characters; at most ${MAX_BYTES / 2 - 1} can be.`);
  const long = 2 * length > SCRATCH_BYTES ? new ArrayBuffer(2 * length + 4 - ((2 * length) % 4)) : null;
  const words = long === null ? scratchWords : new Int32Array(long);
  const bytes = long === null ? scratchBytes : new Uint8Array(long);
  if (length > 0) words[(length - 1) >>> 2] = 0;
  for (let i = 0; i < length; i++) {
    const unit = key.charCodeAt(i);
    if (unit > 0xff) return wideKey(key, words, long === null ? scratchUnits : new Uint16Array(long));
    bytes[i] = unit;
  }
  return made(NARROW, length, words);
}

function wideKey(key: string, words: Int32Array, units: Uint16Array): MapKey {
  const { length } = key;
  words[(length - 1) >>> 1] = 0;
  for (let i = 0; i < length; i++) units[i] = key.charCodeAt(i);
  return made(WIDE, 2 * length, words);
}

/** Source of the mixing: MurmurHash3, A. Appleby (2011). */
function made(kind: number, bytes: number, data: Int32Array): MapKey {
  const words = (bytes + 3) >>> 2;
  const header = (kind << KIND_SHIFT) | bytes;
  let hash = header;
  for (let i = 0; i < words; i++) {
    const mixed = Math.imul(data[i]!, 0xcc9e2d51);
    hash ^= Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return { header, hash: hash ^ (hash >>> 16), data, words };
}
