/**
 * How a ShareableList of n items lies in its block, as Python has it:
 *
 *   length    int64, n
 *   offsets   n + 1 of int64, from the first slot on: where each slot begins; where the last ends
 *   slots     a multiple of 8 bytes each
 *   formats   8 bytes each (list-format.ts)
 *   codes     1 byte each
 */
import { BOOLEAN, bytesFormat, DOUBLE, INTEGER, NONE, type Packed } from './list-format.js';
import { SharedMemory, type SharedMemoryCreateOptions } from './shared-memory.js';

/** The first and second half of a format's 8 bytes. */
type Halves = readonly [number, number];

const scratch = new Uint8Array(8);
const scratchWords = new Int32Array(scratch.buffer);

/** A format as the two words that it takes. */
export function formatHalves(format: string): Halves {
  scratch.fill(0);
  for (let i = 0; i < format.length; i++) scratch[i] = format.charCodeAt(i);
  return [scratchWords[0]!, scratchWords[1]!];
}

export const INTEGER_HALVES = formatHalves(INTEGER);
export const DOUBLE_HALVES = formatHalves(DOUBLE);
export const BOOLEAN_HALVES = formatHalves(BOOLEAN);
export const NONE_HALVES = formatHalves(NONE);

/** Makes a block with a list of these items, each in a slot of so many bytes. */
export function layOutList(
  items: readonly Packed[],
  slots: readonly number[],
  options: SharedMemoryCreateOptions | undefined,
): SharedMemory {
  const count = items.length;
  const base = 16 + 8 * count;
  const data = slots.reduce((sum, slot) => sum + slot, 0);
  const formats = items.map((item, i) => item.format ?? bytesFormat('ShareableList', item.bytes!, slots[i]!));
  const shm = SharedMemory.create(base + data + 9 * count, options);
  const { buf } = shm;
  const words = new BigInt64Array(shm.buffer, 0, count + 2);
  words[0] = BigInt(count);
  let start = base;
  for (const [i, item] of items.entries()) {
    words[i + 1] = BigInt(start - base);
    writeItem(buf, start, slots[i]!, item);
    buf.set(Buffer.from(formats[i]!, 'latin1'), base + data + 8 * i);
    buf[base + data + 8 * count + i] = item.code;
    start += slots[i]!;
  }
  words[count + 1] = BigInt(start - base);
  return shm;
}

/** Writes an item into its slot of `room` bytes; its format is the caller's business. */
export function writeItem(target: Uint8Array, start: number, room: number, { bytes, format, value }: Packed): void {
  if (bytes !== null) {
    target.set(bytes, start);
    target.fill(0, start + bytes.length, start + room);
    return;
  }
  const view = new DataView(target.buffer, start, 8);
  if (format === DOUBLE) view.setFloat64(0, value as number, true);
  else if (format === INTEGER) view.setBigInt64(0, BigInt(value as number | bigint), true);
  else {
    target.fill(0, start, start + 8);
    if (value === true) target[start + 7] = 1;
  }
}
