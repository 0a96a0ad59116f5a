/**
 * Binary data inside a plain message: `c4`/`c5 length` for a Buffer, `c7`/`c8`/`c9 length 74 code`
 * for the others.
 *
 * Only data that owns its whole ArrayBuffer is plain; a view of a part may share it with another
 * view, which the node table keeps. A Buffer is the exception: pooled ones are the rule, so a
 * Buffer always sends its own slice.
 */
import { ownerOfMemory } from '../../memory/shareable/shareable.js';
import { badPayload } from '../messages.js';
import { type Sink, STEP } from '../sink.js';

/** Binary data of this many bytes and more is not copied into the body but travels beside it. */
export const OUT_OF_BAND = 64 * 1024;

const ARRAY_BUFFER = 16;
const DATA_VIEW = 17;
const codes = new Map<object, number>([
  [Int8Array.prototype, 0],
  [Uint8Array.prototype, 1],
  [Uint8ClampedArray.prototype, 2],
  [Int16Array.prototype, 3],
  [Uint16Array.prototype, 4],
  [Int32Array.prototype, 5],
  [Uint32Array.prototype, 6],
  [Float32Array.prototype, 7],
  [Float64Array.prototype, 8],
  [BigInt64Array.prototype, 9],
  [BigUint64Array.prototype, 10],
  [DataView.prototype, DATA_VIEW],
]);

type MakeView = new (buffer: ArrayBuffer) => ArrayBufferView;
const types = new Map(
  [...codes].map(([prototype, code]): [number, MakeView] => [
    code,
    (prototype as { constructor: MakeView }).constructor,
  ]),
);

/**
 * Appends the data, or returns `false` for what the node table must carry (part views, resizable or
 * shared buffers).
 */
export function writeBinary(sink: Sink, value: ArrayBufferView | ArrayBuffer): boolean {
  if (!ArrayBuffer.isView(value)) {
    if (!isOrdinary(value)) return false;
    writeExtension(sink, ARRAY_BUFFER, new Uint8Array(value));
    return true;
  }
  const prototype = Object.getPrototypeOf(value) as object;
  const { buffer } = value;
  if (!isOrdinary(buffer)) return false;
  const bytes = new Uint8Array(buffer, value.byteOffset, value.byteLength);
  if (prototype === Buffer.prototype) {
    writeBin(sink, bytes);
    return true;
  }
  const code = codes.get(prototype);
  if (code === undefined || value.byteLength !== buffer.byteLength) return false;
  writeExtension(sink, code, bytes);
  return true;
}

/**
 * Whether the buffer is a plain ArrayBuffer of fixed length, present, without properties of its own
 * and nobody else's memory too.
 */
function isOrdinary(buffer: ArrayBufferLike): buffer is ArrayBuffer {
  return (
    Object.getPrototypeOf(buffer) === ArrayBuffer.prototype &&
    ownerOfMemory(buffer) === undefined &&
    (buffer as unknown as { resizable?: boolean }).resizable !== true &&
    !isDetached(buffer as ArrayBuffer) &&
    Object.isExtensible(buffer) &&
    Reflect.ownKeys(buffer).length === 0
  );
}

/** Whether the buffer was transferred away. */
export function isDetached(buffer: ArrayBuffer): boolean {
  if (buffer.byteLength > 0) return false;
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}

function writeBin(sink: Sink, bytes: Uint8Array): void {
  const { length } = bytes;
  sink.need(length + STEP);
  if (length < 0x100) {
    sink.byte(0xc4);
    sink.byte(length);
  } else {
    sink.byte(0xc5);
    sink.byte(length >> 8);
    sink.byte(length & 0xff);
  }
  sink.raw(bytes);
}

function writeExtension(sink: Sink, code: number, bytes: Uint8Array): void {
  const length = bytes.length + 1;
  sink.need(length + STEP);
  if (length < 0x100) {
    sink.byte(0xc7);
    sink.byte(length);
  } else if (length < 0x10000) {
    sink.byte(0xc8);
    sink.byte(length >> 8);
    sink.byte(length & 0xff);
  } else {
    sink.byte(0xc9);
    sink.need(STEP);
    sink.view.setUint32(sink.at, length);
    sink.at += 4;
  }
  sink.byte(0x74);
  sink.byte(code);
  sink.raw(bytes);
}

/** A Buffer of its own with these bytes. */
export function readBin(source: Uint8Array, at: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(length);
  bytes.set(source.subarray(at, at + length));
  return bytes;
}

/**
 * A view of its own, or an ArrayBuffer, with these bytes.
 * @throws SerializationError for an unknown code or half an element.
 */
export function readExtension(
  code: number,
  source: Uint8Array,
  at: number,
  length: number,
): ArrayBufferView | ArrayBuffer {
  const { buffer } = source.slice(at, at + length);
  if (code === ARRAY_BUFFER) return buffer as ArrayBuffer;
  const type = types.get(code);
  if (type === undefined) throw badPayload('a typed array has no type');
  return new type(buffer as ArrayBuffer);
}
