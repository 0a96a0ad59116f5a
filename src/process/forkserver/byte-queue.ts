/** Bytes of a stream that arrived and were not taken yet. */
export class ByteQueue {
  #bytes: Buffer = Buffer.alloc(0);

  add(bytes: Uint8Array): void {
    this.#bytes =
      this.#bytes.length === 0
        ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
        : Buffer.concat([this.#bytes, bytes]);
  }

  /** Returns the first `length` bytes without taking them; `null` while there are fewer. */
  peek(length: number): Buffer | null {
    return this.#bytes.length < length ? null : this.#bytes.subarray(0, length);
  }

  /** Takes the first `length` bytes; `null` while there are fewer. */
  take(length: number): Buffer | null {
    const taken = this.peek(length);
    if (taken !== null) this.#bytes = this.#bytes.subarray(length);
    return taken;
  }
}
