/**
 * The record structures of one message: which key lists were already written, and under which id.
 *
 * A structure is written with its first record (`d4 72 id`, u32 length of the keys in bytes, keys)
 * and named by its id, one byte, afterwards; nothing outlives the message. Ids are 0x40…0x7f; a
 * 65th structure takes the oldest id over, which the reader follows because a definition replaces
 * the one before.
 */
/** Id of the first structure. */
export const FIRST_STRUCTURE = 0x40;
/** How many ids there are. */
export const STRUCTURES = 64;

export class Structures {
  /** Those of this message come first; others may stand behind them, of one before it. */
  readonly #keys: (readonly string[])[] = [];
  #last: readonly string[] = [];
  #lastId = 0;
  #next = 0;

  /** Forgets the structures of the message before. */
  reset(): void {
    if (this.#next === 0) return;
    this.#lastId = 0;
    this.#next = 0;
  }

  /** The id under which these keys were written, or 0. */
  find(keys: readonly string[]): number {
    if (this.#lastId !== 0 && same(this.#last, keys)) return this.#lastId;
    const known = Math.min(this.#next, STRUCTURES);
    for (let i = 0; i < known; i++) {
      if (!same(this.#keys[i]!, keys)) continue;
      this.#last = keys;
      this.#lastId = FIRST_STRUCTURE + i;
      return this.#lastId;
    }
    return 0;
  }

  /** Takes an id for these keys. */
  define(keys: readonly string[]): number {
    const slot = this.#next++ % STRUCTURES;
    this.#keys[slot] = keys;
    this.#last = keys;
    this.#lastId = FIRST_STRUCTURE + slot;
    return this.#lastId;
  }
}

function same(a: readonly string[], b: readonly string[]): boolean {
  const length = a.length;
  if (length !== b.length) return false;
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return false;
  return true;
}
