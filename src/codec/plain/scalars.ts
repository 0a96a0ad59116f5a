/**
 * Scalars as MessagePack has them, for the readers of node tables and of MessagePack: a reader
 * compares the width with what its message has left, then reads.
 *
 *   c0            null
 *   c2 c3         false, true
 *   cb            a double
 *   cc cd ce cf   an unsigned integer of 1, 2, 4, 8 bytes
 *   d0 d1 d2 d3   a signed one
 *
 * An integer of 8 bytes is a bigint. plain-reader.ts, the hot path, has all of them written out:
 * calling here costs it 8 % of an array of negative numbers (decision 196). A test holds the three
 * readers equal.
 */

const FIRST_INTEGER = 0xcc;
const LAST_INTEGER = 0xd3;

/** Bytes behind the first byte of a scalar; below 0 for any other byte. */
export function scalarWidth(first: number): number {
  // cc to d3: unsigned and signed, each of 1, 2, 4, 8 bytes in this order.
  if (first >= FIRST_INTEGER && first <= LAST_INTEGER) return 1 << (first & 3);
  if (first === 0xcb) return 8;
  return first === 0xc0 || first === 0xc2 || first === 0xc3 ? 0 : -1;
}

/** The scalar that begins with `first` and goes on at `at`. Its width is {@link scalarWidth}. */
export function readScalar(view: DataView, first: number, at: number): null | boolean | number | bigint {
  switch (first) {
    case 0xc0:
      return null;
    case 0xc2:
      return false;
    case 0xc3:
      return true;
    case 0xcb:
      return view.getFloat64(at);
    case 0xcc:
      return view.getUint8(at);
    case 0xcd:
      return view.getUint16(at);
    case 0xce:
      return view.getUint32(at);
    case 0xcf:
      return view.getBigUint64(at);
    case 0xd0:
      return view.getInt8(at);
    case 0xd1:
      return view.getInt16(at);
    case 0xd2:
      return view.getInt32(at);
    default:
      return view.getBigInt64(at);
  }
}
