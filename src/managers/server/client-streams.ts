/**
 * The streams that a server's methods returned to one client, and the client's readings of them.
 */
import type { Wire } from '../wire/frames.js';
import { OutgoingStream } from './outgoing-stream.js';

export class ClientStreams {
  readonly #wire: Wire;
  readonly #encode: (send: () => void) => void;
  /** Streams that methods returned. The client may read each as often as the stream allows. */
  readonly #sources = new Map<number, object>();
  #lastSource = 0;
  /** Readings under way, by the client's numbers. */
  readonly #readings = new Map<number, OutgoingStream>();

  /** @param encode runs what encodes for the client. */
  constructor(wire: Wire, encode: (send: () => void) => void) {
    this.#wire = wire;
    this.#encode = encode;
  }

  /** Keeps a stream for the client. Returns its number. */
  offer(source: object): number {
    const number = ++this.#lastSource;
    this.#sources.set(number, source);
    return number;
  }

  /** The client asks for items: of a reading under way, or of a new one of the stream `source`. */
  pull(reading: number, source: number, credits: number): void {
    let stream = this.#readings.get(reading);
    if (stream === undefined) {
      const from = this.#sources.get(source);
      if (from === undefined) return;
      const over = () => void this.#readings.delete(reading);
      stream = new OutgoingStream(from, reading, this.#wire, over, this.#encode);
      this.#readings.set(reading, stream);
    }
    stream.pull(credits);
  }

  /** The client ends a reading. */
  stop(reading: number): void {
    this.#readings.get(reading)?.stop();
    this.#readings.delete(reading);
  }

  /** The client does not need a stream any more. */
  drop(source: number): void {
    this.#sources.delete(source);
  }

  /** The client has ended: so do its readings. */
  end(): void {
    for (const stream of this.#readings.values()) stream.stop();
    this.#readings.clear();
    this.#sources.clear();
  }
}
