/**
 * Where one side of a queue has got to, and how many items that were: two numbers that change in
 * one store.
 *
 *   word 0        version
 *   words 1, 2    position and count while the version is even
 *   words 3, 4    position and count while it is odd
 *
 * Who moves it holds that side's lock: it fills the pair that is not in force and then stores the
 * next version. So whoever dies in between has changed nothing, and there is nothing to repair.
 * Readers need no lock: they read the pair in force, and again when the version changed meanwhile,
 * for then the pair may be that of the next change but one.
 *
 * Position: bytes, mod 2^32, as in memory/ring/ring.ts. Count: items, mod 2^32.
 */

/** Words a cursor takes. */
export const CURSOR_WORDS = 5;

export class Cursor {
  /** As {@link read} found it. */
  position = 0;
  count = 0;
  readonly #words: Int32Array;
  readonly #at: number;

  constructor(words: Int32Array, at: number) {
    this.#words = words;
    this.#at = at;
  }

  /** Finds both numbers as they were at one moment. */
  read(): void {
    for (;;) {
      const version = Atomics.load(this.#words, this.#at);
      const pair = this.#at + 1 + 2 * (version & 1);
      this.position = Atomics.load(this.#words, pair);
      this.count = Atomics.load(this.#words, pair + 1);
      if (Atomics.load(this.#words, this.#at) === version) return;
    }
  }

  /** Moves it. Only under the lock of its side. */
  move(position: number, count: number): void {
    const next = (Atomics.load(this.#words, this.#at) + 1) | 0;
    const pair = this.#at + 1 + 2 * (next & 1);
    Atomics.store(this.#words, pair, position);
    Atomics.store(this.#words, pair + 1, count);
    Atomics.store(this.#words, this.#at, next);
  }
}
