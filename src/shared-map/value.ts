/** Values of a SharedMap: to words and back. */
import { refuse } from '../errors/refuse.js';
import { borrowEncoder, Decoder, returnEncoder } from '../reduction/index.js';
import type { FoundValue } from './map-memory.js';

export interface EncodedValue {
  /** Valid until the next value is encoded. */
  readonly words: Int32Array;
  readonly bytes: number;
}

/** Bytes of the memory that values share which are not longer. */
const SCRATCH_BYTES = 65_536;
const decoder = new Decoder();
const scratch = new ArrayBuffer(SCRATCH_BYTES);
const scratchWords = new Int32Array(scratch);
const scratchBytes = new Uint8Array(scratch);

/**
 * @throws SerializationError `MP_NOT_SERIALIZABLE` and its kin; `MP_SHARED_IN_MAP` for what refers
 * to a shared object: nobody could say how long that must be kept.
 */
export function encodeValue(actor: string, value: unknown): EncodedValue {
  const encoder = borrowEncoder();
  try {
    const { total, freight } = encoder.encode(value);
    if (freight !== null) {
      throw refuse(
        'MP_SHARED_IN_MAP',
        `${actor}: the value has a shared object in it (a lock, a queue, a connection, a view of shared memory), which may be gone when it is read`,
        'pass that beside the map, or store a copy, as by slice()',
      );
    }
    const long = total > SCRATCH_BYTES ? new ArrayBuffer((total + 3) & ~3) : null;
    encoder.layout(long === null ? scratchBytes : new Uint8Array(long), 0);
    return { words: long === null ? scratchWords : new Int32Array(long), bytes: total };
  } finally {
    returnEncoder(encoder);
  }
}

/** Words of the memory that values are copied to which are not longer. */
const READING_WORDS = 1_024;
const reading = new Int32Array(READING_WORDS);
const readingBytes = new Uint8Array(reading.buffer);
let readingBusy = false;

/**
 * Memory for a value that is decoded at once, by {@link decodeValue}: the same again, but for one
 * that is read while another is decoded, as by code of a class.
 */
export function memoryToRead(words: number): Int32Array {
  return readingBusy || words > READING_WORDS ? new Int32Array(words) : reading;
}

/** @throws SerializationError `MP_ASYNC_MODULE` for a value of a module with a top-level await. */
export function decodeValue({ words, bytes }: FoundValue): unknown {
  if (words !== reading) return decoder.decodeSync(new Uint8Array(words.buffer), 0, bytes, true);
  readingBusy = true;
  try {
    return decoder.decodeSync(readingBytes, 0, bytes);
  } finally {
    readingBusy = false;
  }
}

/** The value, or a PendingValue where modules must be loaded first. */
export function decodeValueAsync({ words, bytes }: FoundValue): unknown {
  return decoder.decode(new Uint8Array(words.buffer), 0, bytes, true);
}
