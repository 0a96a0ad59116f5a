/** A connection over a stream of Node, for TLS. */
import type { TLSSocket } from 'node:tls';
import { ConnectionError } from '../../errors/index.js';
import { Errno } from '../../native/index.js';
import { setImmediate } from '../../util/timers.js';
import type { Transport } from './transport.js';

/** Bytes given to the stream at a time. */
const PIECE_BYTES = 65_536;

export class StreamTransport implements Transport {
  readonly fd = -1;
  readonly peeks = false;
  readonly carriesDescriptors = false;
  readonly #stream: TLSSocket;
  readonly #onReady: () => void;
  #chunk: Uint8Array | undefined;
  #full = false;
  #wanted = false;
  #holds = true;
  #failure: ConnectionError | undefined;

  /** @param stream from here on only read and written through this. */
  constructor(stream: TLSSocket, onReady: () => void) {
    this.#stream = stream;
    this.#onReady = onReady;
    const tell = () => {
      if (this.#wanted) this.#onReady();
    };
    stream.on('error', (cause: Error) => {
      this.#failure ??= new ConnectionError(`Connection: TLS failed: ${cause.message}.`, { code: 'MP_CONNECTION', cause });
      tell();
    });
    stream.on('drain', () => {
      this.#full = false;
      tell();
    });
    for (const event of ['readable', 'end', 'close']) stream.on(event, tell);
  }

  read(bytes: Uint8Array, start: number, end: number): number {
    this.#chunk ??= (this.#stream.read() as Uint8Array | null) ?? undefined;
    const chunk = this.#chunk;
    if (chunk === undefined) {
      if (this.#ended()) return 0;
      if (this.#failure !== undefined) throw this.#failure;
      return this.#stream.destroyed ? 0 : Errno.EAGAIN;
    }
    const count = Math.min(chunk.length, end - start);
    bytes.set(chunk.subarray(0, count), start);
    this.#chunk = count < chunk.length ? chunk.subarray(count) : undefined;
    return count;
  }

  write(bytes: Uint8Array, start: number, end: number): number {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#stream.destroyed || this.#stream.writableEnded) return Errno.EPIPE;
    if (this.#full) return Errno.EAGAIN;
    // The stream keeps what it is given, and the caller reuses his memory.
    const count = Math.min(PIECE_BYTES, end - start);
    this.#full = !this.#stream.write(bytes.slice(start, start + count));
    return count;
  }

  readable(): boolean {
    return this.#chunk !== undefined || this.#stream.readableLength > 0 || this.#ended() || this.#stream.destroyed;
  }

  want(reading: boolean, writing: boolean): void {
    this.#wanted = reading || writing;
    if (this.#wanted) {
      if (this.#holds) this.#stream.ref();
      // What is there already is not told again.
      if (reading && this.readable()) setImmediate(() => this.#wanted && this.#onReady());
    } else this.#stream.unref();
  }

  hold(on: boolean): void {
    this.#holds = on;
    if (!this.#wanted) return;
    if (on) this.#stream.ref();
    else this.#stream.unref();
  }

  block(): boolean {
    throw new ConnectionError('Connection: the blocking calls cannot be used over TLS, which needs the event loop; await the others.');
  }

  close(): void {
    if (!this.#stream.destroyed) this.#stream.destroySoon();
  }

  /** The peer has closed, and everything was read. */
  #ended(): boolean {
    const { ended, length } = (this.#stream as unknown as { _readableState: { ended: boolean; length: number } })._readableState;
    return this.#chunk === undefined && ended && length === 0;
  }
}
