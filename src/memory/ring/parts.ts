/**
 * Messages that go through a ring in parts, as room appears: those that are larger than a record,
 * and those that found no room.
 *
 *   PART … PART           id: bytes of the whole message
 *   its own kind | TAIL   the last part, with the message's own id and state
 *
 * Crash: a writer that dies leaves some parts without their tail, which are dropped.
 */
import { uninitializedBytes } from '../../util/uninitialized.js';
import { PART, TAIL } from './link-kinds.js';
import type { RingReader, RingWriter } from './ring.js';

interface Message {
  readonly bytes: Uint8Array;
  readonly kind: number;
  readonly id: number;
  readonly state: number;
  /** Bytes that were sent. */
  sent: number;
}

/** The sender's side: the one message that waits for room. */
export class OutgoingParts {
  readonly #out: RingWriter;
  #message: Message | null = null;

  constructor(out: RingWriter) {
    this.#out = out;
  }

  /** Whether a message waits. */
  get waits(): boolean {
    return this.#message !== null;
  }

  /** Bytes of it that were sent. */
  get sent(): number {
    return this.#message?.sent ?? 0;
  }

  /** Takes a message, which {@link sendParts} sends. */
  beginMessage(bytes: Uint8Array, kind: number, id: number, state: number): void {
    this.#message = { bytes, kind, id, state, sent: 0 };
  }

  /**
   * Sends as far as there is room; asks to be woken for the rest.
   * @returns whether nothing waits any more.
   */
  sendParts(): boolean {
    const message = this.#message;
    if (message === null) return true;
    const { bytes, kind, id, state } = message;
    const out = this.#out;
    for (;;) {
      const rest = bytes.length - message.sent;
      const length = Math.min(rest, out.maximum);
      const at = out.reserve(length);
      if (at < 0) {
        if (out.sleepUntilRoom()) return false;
        continue;
      }
      out.bytes.set(bytes.subarray(message.sent, message.sent + length), at);
      if (length < rest) {
        out.publish(PART, bytes.length, 0);
        out.wake();
        message.sent += length;
        continue;
      }
      out.publish(message.sent === 0 ? kind : kind | TAIL, id, state);
      out.wake();
      this.#message = null;
      return true;
    }
  }

  /**
   * Gives the message up. What of it was sent already is ended by a record of `kind`, for which
   * it may go on waiting.
   */
  giveUp(kind: number): void {
    if (this.#message === null) return;
    const { bytes, sent } = this.#message;
    if (sent === 0) this.#message = null;
    else {
      this.#message = { bytes: bytes.slice(0, sent), kind, id: 0, state: 0, sent };
      this.sendParts();
    }
  }

  /** The link is closed: nothing more is sent. */
  forget(): void {
    this.#message = null;
  }
}

/** The receiver's side: the parts that have come. */
export class IncomingParts {
  #assembly: { readonly bytes: Uint8Array; filled: number } | null = null;

  /** The record that was found is a part. */
  addPart(reader: RingReader): void {
    this.#append(reader, reader.id >>> 0);
  }

  /** The record that was found is a tail. Returns the whole message; `null` without its parts. */
  completeWith(reader: RingReader): Uint8Array | null {
    if (this.#assembly === null) return null;
    const { bytes } = this.#assembly;
    this.#append(reader, bytes.length);
    this.#assembly = null;
    return bytes;
  }

  /**
   * The record that was found is a whole message: parts without their tail came from a writer that
   * died, and another has taken its place.
   */
  dropParts(): void {
    this.#assembly = null;
  }

  #append({ bytes: source, start, end }: RingReader, total: number): void {
    this.#assembly ??= { bytes: uninitializedBytes(total), filled: 0 };
    const { bytes, filled } = this.#assembly;
    bytes.set(source.subarray(start, end), filled);
    this.#assembly.filled = filled + (end - start);
  }
}
