/** The receiving side of code records (code-book.ts). */
import { badPayload } from '../messages.js';
import { PlainReader } from '../plain/plain-reader.js';
import { HELD } from './code-book.js';

/** Finds the data of a piece of code by its number. */
export interface CodeLookup {
  /** `undefined` for a number that is not known. The data is shared: it must not be changed. */
  get(id: number): unknown;
}

/** Reading plain data runs no code of others, so one reader serves all. */
const plain = new PlainReader();

/** The code records that one sender sent. */
export class CodeTable implements CodeLookup {
  readonly #records = new Map<number, { bytes: Uint8Array | null; data: unknown }>();

  get(id: number): unknown {
    const record = this.#records.get(id);
    if (record === undefined) return undefined;
    if (record.bytes !== null) {
      record.data = plain.read(record.bytes, 0, record.bytes.length);
      record.bytes = null;
    }
    return record.data;
  }

  /**
   * Takes in the block at `start` and returns where it ends.
   * @throws SerializationError `MP_BAD_PAYLOAD`.
   */
  learn(source: Uint8Array, start: number, end: number): number {
    if (end - start < 8) throw badPayload('a block of code records is cut off');
    const view = new DataView(source.buffer, source.byteOffset + start, end - start);
    const count = view.getUint32(0, true);
    const length = view.getUint32(4, true);
    let at = 8;
    for (let i = 0; i < count; i++) {
      const size = at + 12 <= length && length <= end - start ? view.getUint32(at, true) : length;
      if (at + 12 + size > length) throw badPayload('a code record is cut off');
      const id = view.getFloat64(at + 4, true);
      const known = this.#records.get(id);
      this.#records.delete(id);
      this.#records.set(
        id,
        known ?? {
          bytes: Uint8Array.prototype.slice.call(source, start + at + 12, start + at + 12 + size),
          data: undefined,
        },
      );
      at += 12 + size;
    }
    for (const id of this.#records.keys()) {
      if (this.#records.size <= HELD) break;
      this.#records.delete(id);
    }
    return start + length;
  }
}
