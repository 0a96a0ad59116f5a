/** Double-ended queue over a circular array that grows by doubling. All operations are O(1). */
export class Deque<T> {
  #slots: (T | undefined)[] = new Array<T | undefined>(16).fill(undefined);
  #head = 0;
  #length = 0;

  /** Number of elements. */
  get length(): number {
    return this.#length;
  }

  /** The first element, or `undefined`. */
  first(): T | undefined {
    return this.#slots[this.#head];
  }

  /** The last element, or `undefined`. */
  last(): T | undefined {
    return this.#length === 0 ? undefined : this.#slots[(this.#head + this.#length - 1) & (this.#slots.length - 1)];
  }

  /** Element `i` from the front, or `undefined`. */
  at(i: number): T | undefined {
    return i < this.#length ? this.#slots[(this.#head + i) & (this.#slots.length - 1)] : undefined;
  }

  /** Appends at the end. */
  push(item: T): void {
    if (this.#length === this.#slots.length) this.#grow();
    this.#slots[(this.#head + this.#length) & (this.#slots.length - 1)] = item;
    this.#length++;
  }

  /** Puts before the first. */
  unshift(item: T): void {
    if (this.#length === this.#slots.length) this.#grow();
    this.#head = (this.#head - 1) & (this.#slots.length - 1);
    this.#slots[this.#head] = item;
    this.#length++;
  }

  /** Takes the first. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#slots[this.#head];
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#slots.length - 1);
    this.#length--;
    return item;
  }

  /** Takes the last. */
  pop(): T | undefined {
    if (this.#length === 0) return undefined;
    const at = (this.#head + this.#length - 1) & (this.#slots.length - 1);
    const item = this.#slots[at];
    this.#slots[at] = undefined;
    this.#length--;
    return item;
  }

  /**
   * Takes `item` out, wherever it is; `false` when it is not here. O(distance from the nearer end).
   */
  remove(item: T): boolean {
    const mask = this.#slots.length - 1;
    const last = this.#length - 1;
    for (let i = 0; 2 * i <= last; i++) {
      if (this.at(i) === item) {
        for (let k = i; k > 0; k--) this.#slots[(this.#head + k) & mask] = this.at(k - 1);
        this.shift();
        return true;
      }
      if (this.at(last - i) === item) {
        for (let k = last - i; k < last; k++) this.#slots[(this.#head + k) & mask] = this.at(k + 1);
        this.pop();
        return true;
      }
    }
    return false;
  }

  /** Drops everything. */
  clear(): void {
    this.#slots = new Array<T | undefined>(16).fill(undefined);
    this.#head = 0;
    this.#length = 0;
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let i = 0; i < this.#length; i++) yield this.at(i) as T;
  }

  #grow(): void {
    const slots = new Array<T | undefined>(this.#slots.length * 2).fill(undefined);
    for (let i = 0; i < this.#length; i++) slots[i] = this.at(i);
    this.#slots = slots;
    this.#head = 0;
  }
}
