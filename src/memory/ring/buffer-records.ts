/**
 * Large messages of a link: those that go in a shared buffer (shared-buffer.ts), of which a record
 * has the handle.
 *
 * A message goes in a buffer where one is free that the other side has mapped. Where none is, it
 * takes another way, and an offer of a buffer goes ahead of it: the other side maps the buffer and
 * sends it back, or ignores it if it cannot.
 */
import { BufferInbox } from './buffer-inbox.js';
import { BufferPool } from './buffer-pool.js';
import { BUFFER_OFFER, SHARED_BUFFER } from './link-kinds.js';
import type { Payload } from './payload.js';
import type { RingReader, RingWriter } from './ring.js';
import type { BufferHandle } from './shared-buffer.js';

export class BufferRecords {
  readonly #out: RingWriter;
  readonly #in: RingReader;
  readonly #pool = new BufferPool('buffer');
  readonly #inbox = new BufferInbox();
  /** The buffer of the message that is being read. */
  #received: BufferHandle | undefined;

  constructor(out: RingWriter, reader: RingReader) {
    this.#out = out;
    this.#in = reader;
  }

  /** Sends a message in a buffer. Returns whether it did; if not, it may have offered a buffer. */
  sendInBuffer(kind: number, id: number, state: number, payload: Payload): boolean {
    const buffer = this.#pool.writeToReturned(payload);
    if (buffer !== null) {
      if (this.#publishHandle(kind | SHARED_BUFFER, id, state, buffer)) return true;
      this.#pool.reclaim(buffer);
    } else {
      const offer = this.#pool.offerBuffer(payload.total);
      if (offer !== null && !this.#publishHandle(BUFFER_OFFER, 0, 0, offer)) this.#pool.reclaim(offer);
    }
    return false;
  }

  /** A copy of a message that was sent; `null` when its buffer was filled again. */
  recallFrom(handle: Uint8Array): Uint8Array | null {
    return this.#pool.copy(JSON.parse(Buffer.from(handle).toString('latin1')) as BufferHandle);
  }

  /** The record that was found is an offer: maps the buffer and sends it back. */
  acceptOffer(): void {
    const offer = this.#handle();
    try {
      this.#inbox.map(offer);
      this.#inbox.release(offer);
    } catch {
      // This process has no descriptor left or may not open the other's: messages go through the
      // ring.
    }
  }

  /** The record that was found has a handle: the message, until {@link releaseReceived}. */
  view(): Uint8Array {
    this.#received = this.#handle();
    return this.#inbox.view(this.#received);
  }

  /** The message that was received has been read. Does nothing if it came in no buffer. */
  releaseReceived(): void {
    if (this.#received !== undefined) this.#inbox.release(this.#received);
    this.#received = undefined;
  }

  close(): void {
    this.#pool.close();
    this.#inbox.close();
  }

  #publishHandle(kind: number, id: number, state: number, buffer: BufferHandle): boolean {
    const text = Buffer.from(JSON.stringify(buffer), 'latin1');
    if (text.length > this.#out.maximum) return false;
    const at = this.#out.reserve(text.length);
    if (at < 0) return false;
    this.#out.bytes.set(text, at);
    this.#out.publish(kind, id, state);
    return true;
  }

  #handle(): BufferHandle {
    const { bytes, start, end } = this.#in;
    return JSON.parse(
      Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1'),
    ) as BufferHandle;
  }
}
