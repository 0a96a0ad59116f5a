/** Milliseconds of work that an automatic chunk aims at. */
const CHUNK_TIME_MS = 3;
const MAX_CHUNK_ITEMS = 4096;
/** Bytes of an automatic chunk: what goes as one record. */
const CHUNK_BYTES = 1 << 16;

/** How many items of a job go as one record, learned from those that went before. */
export class ChunkSize {
  /** Items of {@link CHUNK_TIME_MS}, and of {@link CHUNK_BYTES}. */
  #size = 1;
  #fitting = 1;

  /** Items that the next chunk should hold. */
  get items(): number {
    return Math.min(this.#size, this.#fitting);
  }

  /**
   * `items` took `micros` microseconds: towards {@link CHUNK_TIME_MS} of work, at most fourfold at
   * once.
   */
  measure(items: number, micros: number): void {
    const each = Math.max(micros, 1) / 1000 / items;
    const wanted = Math.min(MAX_CHUNK_ITEMS, Math.max(1, Math.floor(CHUNK_TIME_MS / each)));
    this.#size = Math.min(wanted, this.#size * 4);
  }

  /** `items` were encoded into `bytes` bytes. */
  weigh(items: number, bytes: number): void {
    const fitting = Math.max(1, Math.floor((CHUNK_BYTES * items) / Math.max(1, bytes)));
    // Down at once, up slowly: one light chunk does not make the next one heavy.
    this.#fitting = Math.min(fitting, this.#fitting * 8);
  }
}
