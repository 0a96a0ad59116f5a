/** Turns offsets into line numbers. A line ends with `\n`, as editors and `wc` count; minified files have one very long line. */
export class LineIndex {
  readonly #ends: number[] = [];
  readonly #length: number;

  constructor(source: string) {
    for (let end = source.indexOf('\n'); end !== -1; end = source.indexOf('\n', end + 1)) this.#ends.push(end);
    this.#length = source.length;
  }

  /** How many lines there are; a last line without `\n` counts, an empty source has none. */
  get count(): number {
    const last = this.#ends.at(-1) ?? -1;
    return this.#ends.length + (last + 1 < this.#length ? 1 : 0);
  }

  /** The line that holds the character at `offset`, from 1. */
  at(offset: number): number {
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ends[middle]! < offset) low = middle + 1;
      else high = middle;
    }
    return low + 1;
  }
}
