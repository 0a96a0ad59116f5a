/**
 * The sending half of a connection: messages to bytes, in the order of the calls.
 *
 * The first message of a burst goes to the kernel at once; what follows in the same stretch of
 * synchronous code is gathered and written together right after it. So a message is not held back
 * by work that comes after the send, and a thousand sends without an await in between cost a few
 * system calls.
 *
 * Each send resolves when the kernel has the whole message. What the kernel does not take waits
 * here, in the memory of the sends that are not settled: a sender that awaits its sends holds one
 * message.
 */
import type { MultiprocessError } from '../../errors/index.js';
import { type Freight, holdUntil } from '../../memory/index.js';
import { Errno } from '../../native/index.js';
import { deferred } from '../../util/deferred.js';
import { Deque } from '../../util/deque.js';
import { channelError } from '../messages.js';
import type { Transport } from '../transport/transport.js';
import { ReadReceipt } from './read-receipts.js';

const GATHER_BYTES = 65_536;
/** Up to here header and payload go in one write, as in Python. */
export const SMALL_MESSAGE_BYTES = 16_384;

interface Part {
  readonly bytes: Uint8Array;
  start: number;
  end: number;
  /** Travels with it: a part of one byte. */
  readonly receipt?: ReadReceipt;
}

interface Unsent {
  /** Bytes that the kernel must have taken, counted from the beginning. */
  readonly until: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const SENT = Promise.resolve();

export class Outbox {
  readonly #transport: Transport;
  readonly #onBlocked: () => void;
  readonly #parts = new Deque<Part>();
  readonly #unsent = new Deque<Unsent>();
  /** Where small messages are put together. */
  #gather: Part | undefined;
  #queued = 0;
  #taken = 0;
  #burst = false;
  #blocked = false;
  #failure: MultiprocessError | undefined;
  #receipt: ReadReceipt | undefined;
  #over = false;

  /** @param onBlocked called when {@link blocked} changes. */
  constructor(transport: Transport, onBlocked: () => void) {
    this.#transport = transport;
    this.#onBlocked = onBlocked;
  }

  /** Whether the kernel takes no more for now: call {@link flush} when it does. */
  get blocked(): boolean {
    return this.#blocked;
  }

  /** Whether everything has been taken by the kernel, or never will be. */
  get empty(): boolean {
    return this.#parts.length === 0;
  }

  /** Bytes that the kernel has taken. */
  get taken(): number {
    return this.#taken;
  }

  /** Why nothing can be sent any more. */
  get failure(): MultiprocessError | undefined {
    return this.#failure;
  }

  /** A small frame of `length` bytes, which `write` puts where it is told. */
  small(length: number, write: (target: Uint8Array, at: number) => void): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const part = this.#room(length);
    write(part.bytes, part.end);
    part.end += length;
    this.#queued += length;
    if (this.#parts.length === 0) this.#parts.push(part);
    return this.#go();
  }

  /** Bytes that wait for the kernel. */
  get waiting(): number {
    return this.#queued - this.#taken;
  }

  /**
   * Resolves when the kernel has taken what was sent so far.
   * @throws (as rejection) ConnectionError.
   */
  drained(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#parts.length === 0) return SENT;
    const { promise, resolve, reject } = deferred<void>();
    this.#unsent.push({ until: this.#queued, resolve, reject });
    return promise;
  }

  /**
   * As {@link small}, for a caller who looks at {@link blocked} and {@link failure} instead of
   * waiting.
   */
  post(length: number, write: (target: Uint8Array, at: number) => void): void {
    if (this.#failure !== undefined) return;
    const part = this.#room(length);
    write(part.bytes, part.end);
    part.end += length;
    this.#queued += length;
    if (this.#parts.length === 0) this.#parts.push(part);
    this.#push();
  }

  /** A whole frame, in as many parts as it has. The bytes must not change until it was sent. */
  large(...frame: readonly Uint8Array[]): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.#gather = undefined; // What comes later must not get before it.
    for (const bytes of frame) {
      this.#parts.push({ bytes, start: 0, end: bytes.length });
      this.#queued += bytes.length;
    }
    return this.#go();
  }

  /**
   * As {@link large}, for a message that refers to shared objects: they are kept until it was read.
   */
  loaded(freight: Freight, frame: Uint8Array): Promise<void> {
    if (!this.#transport.carriesDescriptors) {
      holdUntil(freight, () => this.#over);
      return this.large(frame);
    }
    if (this.#receipt?.fresh !== true) this.#receipt = new ReadReceipt();
    const receipt = this.#receipt;
    receipt.queue();
    holdUntil(freight, (hurried) => receipt.isGone(hurried));
    if (this.#failure !== undefined) {
      receipt.sent();
      return Promise.reject(this.#failure);
    }
    this.#gather = undefined;
    const last = frame.length - 1;
    this.#parts.push({ bytes: frame, start: 0, end: last });
    this.#parts.push({ bytes: frame, start: last, end: frame.length, receipt });
    this.#queued += frame.length;
    return this.#go();
  }

  /** The transport was given up: what was sent may still be read, but nobody says so any more. */
  end(): void {
    this.#over = true;
  }

  /** Writes what the kernel takes. */
  flush(): void {
    try {
      while (this.#parts.length > 0) {
        const part = this.#parts.first()!;
        const sent =
          part.receipt === undefined
            ? this.#transport.write(part.bytes, part.start, part.end)
            : this.#transport.writeWith!(part.bytes, part.start, part.end, part.receipt.fd);
        if (sent === Errno.EAGAIN) {
          this.#block(true);
          return;
        }
        if (sent < 0) throw channelError('send', sent);
        this.#taken += sent;
        part.start += sent;
        if (part.start < part.end) continue;
        part.receipt?.sent();
        this.#parts.shift();
        if (part === this.#gather) part.start = part.end = 0;
      }
    } catch (error) {
      this.fail(error as MultiprocessError);
    }
    this.#settle();
    this.#block(false);
  }

  /** In a fork: what its parent has not sent yet, the parent sends. */
  restart(): void {
    this.#parts.clear();
    this.#unsent.clear();
    this.#gather = undefined;
    this.#queued = this.#taken = 0;
    this.#burst = this.#blocked = false;
  }

  /** Nothing can be sent any more; what waits is rejected. */
  fail(error: MultiprocessError): void {
    this.#failure = error;
    this.#over = true;
    for (let part = this.#parts.shift(); part !== undefined; part = this.#parts.shift()) part.receipt?.sent();
    this.#gather = undefined;
    for (let one = this.#unsent.shift(); one !== undefined; one = this.#unsent.shift()) one.reject(error);
  }

  #go(): Promise<void> {
    if (this.#push()) {
      if (this.#failure !== undefined) return Promise.reject(this.#failure);
      if (this.#parts.length === 0) return SENT;
    }
    const { promise, resolve, reject } = deferred<void>();
    this.#unsent.push({ until: this.#queued, resolve, reject });
    return promise;
  }

  /** Gives the kernel what is due; whether anything was. */
  #push(): boolean {
    if (this.#blocked) return false;
    if (!this.#burst) {
      this.#burst = true;
      void SENT.then(this.#endBurst); // a microtask; queueMicrotask() makes an AsyncResource for each
    } else if (this.#queued - this.#taken < GATHER_BYTES) return false;
    this.flush();
    return true;
  }

  readonly #endBurst = (): void => {
    this.#burst = false;
    if (!this.#blocked && this.#parts.length > 0) this.flush();
  };

  #settle(): void {
    for (let one = this.#unsent.first(); one !== undefined && one.until <= this.#taken; one = this.#unsent.first()) {
      this.#unsent.shift();
      one.resolve();
    }
  }

  #block(on: boolean): void {
    if (on) this.#settle();
    if (on === this.#blocked) return;
    this.#blocked = on;
    this.#onBlocked();
  }

  /** Memory with room for a small frame at its end, in line for sending once it holds something. */
  #room(length: number): Part {
    const gather = this.#gather;
    if (gather !== undefined && gather.end + length <= gather.bytes.length) return gather;
    const part = { bytes: new Uint8Array(GATHER_BYTES), start: 0, end: 0 };
    if (this.#parts.length > 0) this.#parts.push(part);
    this.#gather = part;
    return part;
  }
}
