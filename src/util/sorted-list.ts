/**
 * Items in order, of which there may be tens of thousands: they stand in blocks, so that one that
 * comes or goes moves the others of its block alone (a list of lists, as Python's sortedcontainers).
 */
export class SortedList<T> {
  readonly #blocks: T[][] = [];
  readonly #key: (item: T) => number;
  #length = 0;

  /** Most items of a block; one that has more is halved. */
  static readonly BLOCK = 256;

  /** @param key Least first; no two items have the same. */
  constructor(key: (item: T) => number) {
    this.#key = key;
  }

  /** How many items there are. */
  get length(): number {
    return this.#length;
  }

  /** The items in order, block by block, to be read only: a loop over them allocates nothing. */
  get blocks(): readonly (readonly T[])[] {
    return this.#blocks;
  }

  /** Adds an item. */
  add(item: T): void {
    const key = this.#key(item);
    this.#length++;
    if (this.#blocks.length === 0) {
      this.#blocks.push([item]);
      return;
    }
    const at = Math.min(this.#blockOf(key), this.#blocks.length - 1);
    const block = this.#blocks[at]!;
    block.splice(this.#placeIn(block, key), 0, item);
    if (block.length > SortedList.BLOCK) this.#blocks.splice(at + 1, 0, block.splice(SortedList.BLOCK >> 1));
  }

  /** Removes an item. @returns whether it was there. */
  remove(item: T): boolean {
    const key = this.#key(item);
    const at = this.#blockOf(key);
    const block = this.#blocks[at];
    if (block === undefined) return false;
    const place = this.#placeIn(block, key);
    if (block[place] !== item) return false;
    this.#length--;
    block.splice(place, 1);
    if (block.length === 0) this.#blocks.splice(at, 1);
    return true;
  }

  /** The first block whose last key is not below `key`; the number of blocks where there is none. */
  #blockOf(key: number): number {
    let at = 0;
    for (let end = this.#blocks.length; at < end; ) {
      const middle = (at + end) >> 1;
      if (this.#key(this.#blocks[middle]!.at(-1)!) < key) at = middle + 1;
      else end = middle;
    }
    return at;
  }

  #placeIn(block: readonly T[], key: number): number {
    let at = 0;
    for (let end = block.length; at < end; ) {
      const middle = (at + end) >> 1;
      if (this.#key(block[middle]!) < key) at = middle + 1;
      else end = middle;
    }
    return at;
  }
}
