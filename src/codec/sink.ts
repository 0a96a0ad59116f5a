/**
 * The scratch buffer a message body is written into: one per Encoder, reused, grown by doubling.
 *
 * Invariant: after `need(n)` at least `n` bytes stand free behind `at`. Writers that append only a
 * few bytes a step call it once a step with {@link STEP}; everything that copies a string or bytes
 * asks for the exact size.
 */
import { constants } from 'node:buffer';
import { SerializationError } from '../errors/index.js';

const FIRST_SCRATCH_BYTES = 16 * 1024;
/**
 * Scratch beyond this is given back after the message, so that one huge value does not pin its
 * memory.
 */
const MAX_KEPT_SCRATCH_BYTES = 4 * 1024 * 1024;

/** Longest body, whose length is a u32. */
const MAX_BODY_BYTES = Math.min(constants.MAX_LENGTH, 2 ** 32 - 1);

/** Free bytes that any single fixed-size item fits in. */
export const STEP = 32;

export class Sink {
  bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_SCRATCH_BYTES);
  view: DataView = new DataView(this.bytes.buffer);
  at = 0;

  /** The same memory as `bytes`. */
  #words: Int32Array = new Int32Array(this.bytes.buffer);

  /** Copies the first `length` bytes to `offset`, a multiple of 4, of memory that is `bytes` and `words`. */
  copy(length: number, bytes: Uint8Array, words: Int32Array, offset: number): void {
    const source = this.#words;
    const count = length >> 2;
    const to = offset >> 2;
    for (let i = 0; i < count; i++) words[to + i] = source[i]!;
    for (let i = count << 2; i < length; i++) bytes[offset + i] = this.bytes[i]!;
  }

  /** Starts a new message. */
  reset(): void {
    this.at = 0;
    if (this.bytes.length > MAX_KEPT_SCRATCH_BYTES) this.#use(Buffer.allocUnsafeSlow(FIRST_SCRATCH_BYTES));
  }

  /** Makes room for `count` more bytes. */
  need(count: number): void {
    if (this.at + count > this.bytes.length) this.#grow(this.at + count);
  }

  /** Appends an unsigned integer below 2^53, seven bits a byte, lowest first. */
  varint(value: number): void {
    this.need(STEP);
    let rest = value;
    while (rest > 0x7f) {
      this.bytes[this.at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.bytes[this.at++] = rest;
  }

  /** Makes room for `count` bytes, at most {@link STEP}, to be written later; returns where. */
  reserve(count: number): number {
    this.need(STEP);
    const { at } = this;
    this.at += count;
    return at;
  }

  /** Appends one byte. */
  byte(value: number): void {
    this.need(STEP);
    this.bytes[this.at++] = value;
  }

  /** Appends raw bytes. */
  raw(source: Uint8Array): void {
    this.need(source.length);
    this.bytes.set(source, this.at);
    this.at += source.length;
  }

  #grow(least: number): void {
    if (least + STEP > MAX_BODY_BYTES) throw tooLarge();
    const grown = scratch(Math.max(least + STEP, Math.min(this.bytes.length * 2, MAX_BODY_BYTES)));
    grown.set(this.bytes.subarray(0, this.at));
    this.#use(grown);
  }

  #use(bytes: Buffer): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
    this.#words = new Int32Array(bytes.buffer, 0, bytes.length >> 2);
  }
}

const scratch = (bytes: number): Buffer => allocated(bytes, () => Buffer.allocUnsafeSlow(bytes));

/** Memory for a whole message. @throws SerializationError `MP_TOO_LARGE`. */
export const messageBytes = (bytes: number): Uint8Array => allocated(bytes, () => new Uint8Array(bytes));

function allocated<T>(bytes: number, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    throw new SerializationError(
      `The value cannot be sent: there is no memory for ${bytes} bytes of message; send it in parts.`,
      {
        code: 'MP_TOO_LARGE',
        repair: 'send it in parts',
        cause,
      },
    );
  }
}

function tooLarge(): SerializationError {
  return new SerializationError(
    'The value cannot be sent: it takes more than 4 GiB of message, not counting large typed arrays and buffers; send it in parts, or put the bulk into typed arrays or SharedMemory.',
    { code: 'MP_TOO_LARGE', repair: 'send it in parts' },
  );
}
