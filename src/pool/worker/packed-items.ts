/**
 * What a worker reads of a chunk whose items are messages of their own (Pack in encoded-items.ts):
 * each is decoded just before it runs.
 */
export class PackedItems {
  readonly length: number;
  readonly #view: DataView;
  /** Where the messages stand. */
  readonly #at: number[] = [];

  /** `source[start, end)`. */
  constructor(
    readonly source: Uint8Array,
    readonly start: number,
    end: number,
  ) {
    this.#view = new DataView(source.buffer, source.byteOffset + start, end - start);
    this.length = this.#view.getUint32(0, true);
    let at = align(4 + 4 * this.length);
    for (let i = 0; i < this.length; i++) {
      this.#at.push(at);
      at = align(at + this.#view.getUint32(4 + 4 * i, true));
    }
  }

  /** Where item `index` begins in `source`. */
  from(index: number): number {
    return this.start + this.#at[index]!;
  }

  /** Where it ends. */
  to(index: number): number {
    return this.from(index) + this.#view.getUint32(4 + 4 * index, true);
  }
}

const align = (at: number): number => (at + 7) & ~7;

/** Bytes before a message of which only some items are meant, see Part in encoded-items.ts. */
export const PART_HEADER = 8;
