/**
 * How messages follow each other on a connection, as in Python.
 *
 *   length int32, big-endian | payload
 *   -1 | length uint64 | payload          a payload of more than 0x7fffffff bytes
 */

/** Bytes of the header. */
export const HEADER_BYTES = 4;
/** Bytes of a header that begins with -1. */
export const LONG_HEADER_BYTES = 12;

/** Reads the first word of a header. */
export function readLength(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

/** Writes a header of {@link HEADER_BYTES}. */
export function writeLength(target: Uint8Array, at: number, length: number): void {
  target[at] = length >>> 24;
  target[at + 1] = length >>> 16;
  target[at + 2] = length >>> 8;
  target[at + 3] = length;
}

/** Writes a header that ends at byte 16. Returns its length. */
export function writeHeader(frame: Uint8Array, length: number): number {
  if (length <= 0x7fffffff) {
    writeLength(frame, 16 - HEADER_BYTES, length);
    return HEADER_BYTES;
  }
  writeLength(frame, 16 - LONG_HEADER_BYTES, 0xffffffff);
  new DataView(frame.buffer, frame.byteOffset).setBigUint64(8, BigInt(length));
  return LONG_HEADER_BYTES;
}
