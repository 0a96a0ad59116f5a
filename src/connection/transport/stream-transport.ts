/** A connection over a stream of Node: TLS, or TCP without the addon. */
import type { Socket } from 'node:net';
import { ConnectionError, type MultiprocessError } from '../../errors/index.js';
import { Errno, Family, type SocketName } from '../../native/index.js';
import { setImmediate } from '../../util/timers.js';
import { channelError } from '../messages.js';
import { errnoOfStream } from './streams.js';
import type { Transport } from './transport.js';

/** Bytes given to the stream at a time. */
const PIECE_BYTES = 65_536;

export class StreamTransport implements Transport {
  readonly fd = -1;
  readonly peeks = false;
  readonly carriesDescriptors = false;
  readonly title: string;
  readonly #stream: Socket;
  readonly #onReady: () => void;
  #chunk: Uint8Array | undefined;
  #full = false;
  #wanted = false;
  #holds = true;
  #failure: MultiprocessError | undefined;

  /**
   * @param stream from here on only read and written through this.
   * @param title what it is, for messages: `over TLS`.
   */
  constructor(stream: Socket, title: string, onReady: () => void) {
    this.#stream = stream;
    this.title = title;
    stream.unref();
    this.#onReady = onReady;
    const tell = () => {
      if (this.#wanted) this.#onReady();
    };
    stream.on('error', (cause: Error) => {
      this.#failure ??= failureOf(cause);
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
    throw new ConnectionError(
      `Connection: the blocking calls cannot be used ${this.title}, which needs the event loop; await the others.`,
    );
  }

  peer(): SocketName | null {
    const { remoteAddress: host, remotePort: port, remoteFamily } = this.#stream;
    if (host === undefined || port === undefined) return null;
    return { family: remoteFamily === 'IPv6' ? Family.AF_INET6 : Family.AF_INET, host, port };
  }

  close(): void {
    if (!this.#stream.destroyed) this.#stream.destroySoon();
  }

  /** The peer has closed, and everything was read. */
  #ended(): boolean {
    const { ended, length } = (this.#stream as unknown as { _readableState: { ended: boolean; length: number } })
      ._readableState;
    return this.#chunk === undefined && ended && length === 0;
  }
}

/** What TLS says has no number. */
function failureOf(cause: Error): MultiprocessError {
  const errno = errnoOfStream(cause);
  if (errno !== undefined) return channelError('receive', errno);
  return new ConnectionError(`Connection: TLS failed: ${cause.message}.`, { code: 'MP_CONNECTION', cause });
}
