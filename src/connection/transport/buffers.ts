/** Parts of buffers. */
import { ArgumentError } from '../../errors/index.js';
import { describe } from '../../util/options.js';

/**
 * Returns the bytes `[offset, offset + size)` of a buffer, not copied.
 * @throws ArgumentError for a part that lies outside.
 */
export function partOf(
  actor: string,
  buffer: ArrayBufferView | ArrayBufferLike,
  offset: number | undefined,
  size: number | undefined,
): Uint8Array {
  const bytes = allOf(actor, buffer);
  const from = checked(actor, 'offset', offset ?? 0);
  if (from > bytes.length)
    throw new ArgumentError(`${actor}: \`offset\` ${from} lies beyond the end of the buffer of ${bytes.length} bytes.`);
  const length = size === undefined ? bytes.length - from : checked(actor, 'size', size);
  if (from + length > bytes.length) {
    throw new ArgumentError(`${actor}: the buffer has ${bytes.length} bytes, not ${length} from offset ${from} on.`);
  }
  return from === 0 && length === bytes.length ? bytes : bytes.subarray(from, from + length);
}

/** Returns a message that its receiver may keep. */
export function bytesOf(found: {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly stop: number;
  readonly owned: boolean;
}): Uint8Array {
  const { bytes, start, stop, owned } = found;
  if (!owned) return bytes.slice(start, stop);
  return start === 0 && stop === bytes.length ? bytes : bytes.subarray(start, stop);
}

function allOf(actor: string, buffer: unknown): Uint8Array {
  if (buffer instanceof Uint8Array) return buffer;
  if (ArrayBuffer.isView(buffer)) return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  if (buffer instanceof ArrayBuffer || buffer instanceof SharedArrayBuffer) return new Uint8Array(buffer);
  throw new ArgumentError(
    `${actor}: needs bytes (a Uint8Array, another view or an ArrayBuffer), not ${describe(buffer)}.`,
  );
}

function checked(actor: string, name: string, value: number): number {
  if (Number.isInteger(value) && value >= 0) return value;
  throw new ArgumentError(`${actor}: \`${name}\` must be an integer of at least 0, not ${describe(value)}.`);
}
