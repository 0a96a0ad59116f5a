/** Functions that drivers have sent to this host, as bytes: each is fetched once. */

/** Bytes that are kept; the function that was used last is kept in any case. */
const MAX_BYTES = 64 * 1024 * 1024;

export class CodeCache {
  /** The least recently used first. */
  readonly #codes = new Map<string, Uint8Array>();
  readonly #loading = new Map<string, Promise<Uint8Array>>();
  #bytes = 0;

  /** @throws (rejects) what `load` throws. */
  get(hash: string, load: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const known = this.#codes.get(hash);
    if (known !== undefined) {
      this.#codes.delete(hash);
      this.#codes.set(hash, known);
      return Promise.resolve(known);
    }
    let loading = this.#loading.get(hash);
    if (loading === undefined) {
      loading = load().then((bytes) => this.#keep(hash, bytes));
      this.#loading.set(hash, loading);
      const done = (): void => void this.#loading.delete(hash);
      loading.then(done, done);
    }
    return loading;
  }

  #keep(hash: string, bytes: Uint8Array): Uint8Array {
    this.#codes.set(hash, bytes);
    this.#bytes += bytes.length;
    for (const [oldest, { length }] of this.#codes) {
      if (this.#bytes <= MAX_BYTES || oldest === hash) break;
      this.#codes.delete(oldest);
      this.#bytes -= length;
    }
    return bytes;
  }
}
