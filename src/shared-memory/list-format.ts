/**
 * How an item of a ShareableList stands in memory: its format (8 bytes of ASCII, a format of
 * Python's `struct`) and a code that says what the unpacked value means. Native byte order.
 *
 *   value           | format      | code | slot
 *   integer (int64) | q           |  0   | int64
 *   other number    | d           |  0   | double
 *   boolean         | xxxxxxx?    |  0   | byte 7
 *   null            | xxxxxx?x    |  3   | 8 bytes, zero
 *   text            | <n>s        |  1   | UTF-8, NULs up to n = the slot's size
 *   bytes           | <n>s        |  2   | bytes, NULs up to n = the slot's size
 *   ... that end in NUL | <n>sx   | 1, 2 | n = their exact length
 *
 * Readers strip trailing NULs from `<n>s`, so that form cannot carry them. `x` is a pad byte:
 * Python unpacks `<n>sx` to the same one value (less its NULs, which it cannot help), and since the
 * format does not end in `s` it computes a new one from the slot's size when it sets the item, so
 * that no length of ours ever truncates a value of Python's.
 */
import { ArgumentError } from '../errors/index.js';
import { describe } from '../util/options.js';

/** What a ShareableList holds. */
export type ShareableValue = number | bigint | boolean | string | Uint8Array | null;

/** Transformation codes. */
export enum Code {
  plain = 0,
  text = 1,
  bytes = 2,
  none = 3,
}

export const INTEGER = 'q';
export const DOUBLE = 'd';
export const BOOLEAN = 'xxxxxxx?';
export const NONE = 'xxxxxx?x';

/** Most bytes of a text: one more digit and the format would not fit into its 8 bytes. */
const LONGEST = 9_999_991;

/** An item, ready to be written. */
export interface Packed {
  readonly code: Code;
  /** Format of an item that fills 8 bytes; `null` for text and bytes. */
  readonly format: string | null;
  readonly value: number | bigint | boolean | null;
  /** Text and bytes. */
  readonly bytes: Uint8Array | null;
}

const encoder = new TextEncoder();
const NUMBER = { code: Code.plain, bytes: null };

/** Judges a value. @throws ArgumentError `MP_LIST_ITEM` for what a list cannot hold. */
export function pack(actor: string, value: unknown): Packed {
  switch (typeof value) {
    case 'number':
      return { ...NUMBER, format: Number.isSafeInteger(value) && !Object.is(value, -0) ? INTEGER : DOUBLE, value };
    case 'bigint':
      if (BigInt.asIntN(64, value) !== value) throw refused(actor, `${value}n`, 'an integer has 64 bits with sign');
      return { ...NUMBER, format: INTEGER, value };
    case 'boolean':
      return { ...NUMBER, format: BOOLEAN, value };
    case 'string':
      if (/\p{Surrogate}/u.test(value))
        throw refused(actor, describe(value), 'half a surrogate pair has no UTF-8 form; mend it with `toWellFormed`');
      return { code: Code.text, format: null, value: null, bytes: limited(actor, encoder.encode(value)) };
    default:
      if (value === null) return { code: Code.none, format: NONE, value, bytes: null };
      if (value instanceof Uint8Array)
        return { code: Code.bytes, format: null, value: null, bytes: limited(actor, value) };
      throw refused(actor, describe(value), 'a list holds numbers, bigints, booleans, strings, Uint8Arrays and null');
  }
}

function limited(actor: string, bytes: Uint8Array): Uint8Array {
  if (bytes.length > LONGEST)
    throw refused(
      actor,
      `a value of ${bytes.length} bytes`,
      `the longest has ${LONGEST}; use a SharedMemory of its own`,
    );
  return bytes;
}

function refused(actor: string, what: string, why: string): ArgumentError {
  return new ArgumentError(`${actor}: ${what} cannot be an item: ${why}.`, { code: 'MP_LIST_ITEM' });
}

/**
 * Bytes of the slot that Python would give a value: text and bytes have room for at least one byte
 * more.
 */
export function slotSize({ bytes }: Packed): number {
  return bytes === null ? 8 : 8 * (Math.floor(bytes.length / 8) + 1);
}

/**
 * The format of text or bytes in a slot.
 * @throws ArgumentError `MP_LIST_ITEM` when its trailing NULs cannot be told from padding.
 */
export function bytesFormat(actor: string, bytes: Uint8Array, slot: number): string {
  if (bytes.length === 0 || bytes[bytes.length - 1] !== 0) return `${slot}s`;
  const exact = `${bytes.length}sx`;
  if (exact.length > 8)
    throw refused(
      actor,
      `a value of ${bytes.length} bytes that ends in NUL`,
      'from 1,000,000 bytes on its end cannot be marked; append another byte',
    );
  return exact;
}

/** How long a value of this format is, for bytes in a slot. */
export function lengthOf(format: string, slot: Uint8Array): number {
  if (format.endsWith('sx')) return Math.min(Number(format.slice(0, -2)), slot.length);
  let end = Math.min(Number(format.slice(0, -1)), slot.length);
  while (end > 0 && slot[end - 1] === 0) end--;
  return end;
}
