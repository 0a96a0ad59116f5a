/**
 * A stream of a server, read here: credits go out as items are taken, so the server is never
 * further ahead than the window.
 */
import {
  DONE,
  FAILED,
  MORE,
  type PullReader,
  type ReadState,
  streamOf,
  type TaskStream,
  WAIT,
} from '../../streams/index.js';
import { Deque } from '../../util/deque.js';

/** Items that the server may be ahead. */
const WINDOW_ITEMS = 256;

/** The part of a client that streams need. */
export interface StreamPeer {
  /** Opens a reading, whose number is returned; it is given items and the end. */
  open(source: number, reading: Reading, credits: number): number;
  /** The reading takes so many more. */
  more(source: number, reading: number, credits: number): void;
  /** The reading is left. */
  leave(reading: number): void;
  /** The stream is not needed any more. */
  drop(source: number): void;
}

/** Who is given what comes. */
export interface Reading {
  items(items: readonly unknown[]): void;
  end(): void;
  fail(error: unknown): void;
}

const forgotten = new FinalizationRegistry<() => void>((drop) => drop());

/** Returns the stream that a method returned. */
export function incomingStream(peer: StreamPeer, source: number): TaskStream<unknown> {
  // Readings keep the stream.
  const stream: TaskStream<unknown> = streamOf((wake) => new IncomingReader(peer, source, wake, token));
  const token = {};
  forgotten.register(token, () => peer.drop(source));
  return stream;
}

class IncomingReader implements PullReader<unknown>, Reading {
  error: unknown = undefined;
  readonly #peer: StreamPeer;
  readonly #source: number;
  readonly #wake: () => void;
  readonly #items = new Deque<unknown>();
  /** Keeps the stream while it is read. */
  readonly token: object;
  #number = 0;
  #taken = 0;
  #state: ReadState = WAIT;

  constructor(peer: StreamPeer, source: number, wake: () => void, token: object) {
    this.#peer = peer;
    this.#source = source;
    this.#wake = wake;
    this.token = token;
    this.#number = peer.open(source, this, WINDOW_ITEMS);
  }

  read(into: unknown[], max: number): ReadState {
    const items = this.#items;
    let n = 0;
    for (; n < max && items.length > 0; n++) into.push(items.shift());
    this.#taken += n;
    if (this.#state === WAIT && this.#taken >= WINDOW_ITEMS / 2) {
      this.#peer.more(this.#source, this.#number, this.#taken);
      this.#taken = 0;
    }
    if (items.length > 0) return MORE;
    return this.#state;
  }

  cancel(): Promise<void> {
    if (this.#state === WAIT) this.#peer.leave(this.#number);
    this.#state = DONE;
    this.#items.clear();
    return Promise.resolve();
  }

  items(items: readonly unknown[]): void {
    for (const item of items) this.#items.push(item);
    this.#wake();
  }

  end(): void {
    this.#state = DONE;
    this.#wake();
  }

  fail(error: unknown): void {
    this.error = error;
    this.#state = FAILED;
    this.#wake();
  }
}
