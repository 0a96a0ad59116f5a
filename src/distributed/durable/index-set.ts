/** Whole numbers from 0 on, as ranges: what of a run has been delivered, or has a result. */

/** `[from, to)`, one after the other in one array: `[0, 3, 5, 6]` has 0, 1, 2 and 5. */
export type Ranges = readonly number[];

export class IndexSet {
  /** Ascending, never adjacent. */
  #bounds: number[];
  #size = 0;

  constructor(ranges: Ranges = []) {
    this.#bounds = [...ranges];
    for (let i = 0; i < ranges.length; i += 2) this.#size += ranges[i + 1]! - ranges[i]!;
  }

  /** How many there are. */
  get size(): number {
    return this.#size;
  }

  has(index: number): boolean {
    return this.#after(index) % 2 === 1;
  }

  /** Whether all of `[from, from + count)` are there. */
  hasAll(from: number, count: number): boolean {
    const at = this.#after(from);
    return at % 2 === 1 && this.#bounds[at]! >= from + count;
  }

  /** Adds one. Returns whether it was not there. */
  add(index: number): boolean {
    const bounds = this.#bounds;
    const at = this.#after(index);
    if (at % 2 === 1) return false;
    this.#size++;
    const joinsLeft = at > 0 && bounds[at - 1] === index;
    const joinsRight = at < bounds.length && bounds[at] === index + 1;
    if (joinsLeft && joinsRight) bounds.splice(at - 1, 2);
    else if (joinsLeft) bounds[at - 1] = index + 1;
    else if (joinsRight) bounds[at] = index;
    else bounds.splice(at, 0, index, index + 1);
    return true;
  }

  /** The first, from `index` on, that is not there. */
  firstMissing(index: number): number {
    const at = this.#after(index);
    return at % 2 === 1 ? this.#bounds[at]! : index;
  }

  /** One more than the last; 0 for none. */
  get end(): number {
    return this.#bounds.at(-1) ?? 0;
  }

  toRanges(): Ranges {
    return [...this.#bounds];
  }

  /** How many bounds are not greater than `index`: odd inside of a range. */
  #after(index: number): number {
    const bounds = this.#bounds;
    let low = 0;
    let high = bounds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (bounds[middle]! <= index) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
