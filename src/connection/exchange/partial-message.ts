/**
 * A message that is taken out of the kernel in pieces: its header (framing.ts), then its payload.
 *
 *   state     has                                  left by read()
 *   none      nothing                              -> header, body
 *   header    a part of the header                 -> body; TOO_LONG, for good
 *   body      the length, a part of the payload    -> whole
 *   whole     all of it                            take() -> none
 *
 * Memory: the payload's buffer grows with what has arrived, never with what was announced.
 */
import { constants } from 'node:buffer';
import type { ConnectionError } from '../../errors/index.js';
import { uninitializedBytes } from '../../util/uninitialized.js';
import { badLength, truncated } from '../messages.js';
import type { Transport } from '../transport/transport.js';
import { HEADER_BYTES, LONG_HEADER_BYTES, readLength } from './framing.js';

/** The first buffer of a payload whose header announced more; it doubles. */
const FIRST_BODY_BYTES = 1 << 20;
/** Payloads of at most this many bytes get memory of V8's, which is zeroed. */
const SMALL_BODY_BYTES = 16_384;

/**
 * What {@link PartialMessage.read} returns beside the transport's own results, which are at most 0.
 */
export const WHOLE = 1;
export const TOO_LONG = 2;

export class PartialMessage {
  readonly #header = new Uint8Array(LONG_HEADER_BYTES);
  #headed = 0;
  #body: Uint8Array | undefined;
  #length = 0;
  #filled = 0;

  /** Bytes of it that were taken. */
  get taken(): number {
    return this.#headed + this.#filled;
  }

  /** Whether any byte of it was taken. */
  get isBegun(): boolean {
    return this.#headed > 0;
  }

  /** The error where the peer ends within it. */
  get truncation(): ConnectionError {
    return this.#body === undefined ? truncated(this.#headed, HEADER_BYTES) : truncated(this.#filled, this.#length);
  }

  /** Returns the error for a length above `most`. */
  lengthError(most: number): ConnectionError {
    return badLength(this.#length, Math.min(most, constants.MAX_LENGTH));
  }

  /**
   * Takes the beginning of a message over that was received already.
   * @param bytes at least its first {@link HEADER_BYTES}, not all of it.
   * @returns 0, or {@link TOO_LONG}.
   */
  begin(bytes: Uint8Array, most: number): number {
    const size = readLength(bytes, 0) === -1 ? LONG_HEADER_BYTES : HEADER_BYTES;
    this.#headed = Math.min(size, bytes.length);
    this.#header.set(bytes.subarray(0, this.#headed));
    if (this.#headed < size) return 0;
    if (!this.#allocate(most, size)) return TOO_LONG;
    this.#filled = bytes.length - size;
    this.#body!.set(bytes.subarray(size));
    return 0;
  }

  /**
   * Reads on.
   * @returns {@link WHOLE}; {@link TOO_LONG}; or what the transport says that has no more: 0 at the
   * end, or a negated errno.
   */
  read(transport: Transport, most: number): number {
    let size = this.#headed > HEADER_BYTES || this.#isLong() ? LONG_HEADER_BYTES : HEADER_BYTES;
    while (this.#headed < size) {
      const got = transport.read(this.#header, this.#headed, size, false);
      if (got <= 0) return got;
      this.#headed += got;
      if (this.#headed === HEADER_BYTES && this.#isLong()) size = LONG_HEADER_BYTES;
    }
    if (this.#body === undefined && !this.#allocate(most, size)) return TOO_LONG;
    for (let body = this.#body!; this.#filled < this.#length; body = this.#body!) {
      const got = transport.read(body, this.#filled, body.length, false);
      if (got <= 0) return got;
      this.#filled += got;
      if (this.#filled === body.length && this.#filled < this.#length) this.#grow(body);
    }
    return WHOLE;
  }

  /** Returns the payload of a whole message. */
  take(): Uint8Array {
    // The buffer has grown to the length of it, and no further.
    const payload = this.#body!;
    this.reset();
    return payload;
  }

  /** Forgets what was taken. */
  reset(): void {
    this.#headed = 0;
    this.#filled = 0;
    this.#body = undefined;
  }

  #isLong(): boolean {
    return this.#headed >= HEADER_BYTES && readLength(this.#header, 0) === -1;
  }

  /** Returns whether the length is allowed. */
  #allocate(most: number, size: number): boolean {
    const view = new DataView(this.#header.buffer);
    this.#length = size === HEADER_BYTES ? view.getInt32(0) : Number(view.getBigUint64(HEADER_BYTES));
    if (this.#length < 0 || this.#length > Math.min(most, constants.MAX_LENGTH)) return false;
    this.#filled = 0;
    this.#body = this.#length === 0 ? EMPTY : memory(Math.min(this.#length, FIRST_BODY_BYTES));
    return true;
  }

  #grow(body: Uint8Array): void {
    const larger = memory(Math.min(this.#length, body.length * 2));
    larger.set(body);
    this.#body = larger;
  }
}

const EMPTY = new Uint8Array(0);

function memory(length: number): Uint8Array {
  return length <= SMALL_BODY_BYTES ? new Uint8Array(length) : uninitializedBytes(length);
}
