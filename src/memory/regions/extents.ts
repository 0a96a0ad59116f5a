/**
 * Free room of an arena: which byte ranges of `[start, end)` are free, best fit first, neighbours
 * merged.
 *
 * Invariant: free ranges never touch each other, and every boundary is a multiple of the alignment.
 * Source: the free lists of CPython's multiprocessing.heap, which index blocks by start, by end and
 * by length.
 */
export class Extents {
  /** Bytes that are free now. */
  free = 0;
  readonly #alignment: number;
  readonly #byStart = new Map<number, number>();
  readonly #byEnd = new Map<number, number>();
  /** Starts of the free ranges of each length. */
  readonly #byLength = new Map<number, Set<number>>();
  /** Lengths that occur, ascending. */
  readonly #lengths: number[] = [];

  constructor(start: number, end: number, alignment: number) {
    this.#alignment = alignment;
    if (end > start) this.#insert(start, end);
  }

  /** `size` rounded up to what {@link take} really takes. */
  rounded(size: number): number {
    return Math.ceil(size / this.#alignment) * this.#alignment;
  }

  /** Takes `rounded(size)` bytes and returns where they start; -1 when there is no such room. */
  take(size: number): number {
    const length = this.rounded(size);
    const at = this.#position(length);
    if (at === this.#lengths.length) return -1;
    const start = this.#byLength.get(this.#lengths[at]!)!.values().next().value as number;
    const end = this.#byStart.get(start)!;
    this.#remove(start, end);
    if (start + length < end) this.#insert(start + length, end);
    return start;
  }

  /** Gives `rounded(size)` bytes at `start` back, which {@link take} gave out before. */
  give(start: number, size: number): void {
    let from = start;
    let to = start + this.rounded(size);
    const before = this.#byEnd.get(from);
    if (before !== undefined) {
      this.#remove(before, from);
      from = before;
    }
    const after = this.#byStart.get(to);
    if (after !== undefined) {
      this.#remove(to, after);
      to = after;
    }
    this.#insert(from, to);
  }

  /** The free ranges as `[start, end)`, in no order. */
  ranges(): Iterable<readonly [start: number, end: number]> {
    return this.#byStart;
  }

  #insert(start: number, end: number): void {
    const length = end - start;
    this.free += length;
    this.#byStart.set(start, end);
    this.#byEnd.set(end, start);
    const starts = this.#byLength.get(length);
    if (starts !== undefined) starts.add(start);
    else {
      this.#byLength.set(length, new Set([start]));
      this.#lengths.splice(this.#position(length), 0, length);
    }
  }

  #remove(start: number, end: number): void {
    const length = end - start;
    this.free -= length;
    this.#byStart.delete(start);
    this.#byEnd.delete(end);
    const starts = this.#byLength.get(length)!;
    starts.delete(start);
    if (starts.size > 0) return;
    this.#byLength.delete(length);
    this.#lengths.splice(this.#position(length), 1);
  }

  /** Index of the first length that is at least `length`. */
  #position(length: number): number {
    let low = 0;
    let high = this.#lengths.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#lengths[middle]! < length) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
