/** What carries the bytes of a connection: a descriptor, or a stream of Node. */
import { ConnectionError } from '../../errors/index.js';
import { Backoff } from '../../memory/index.js';
import {
  closeDescriptor,
  Errno,
  Family,
  pollDescriptor,
  Readiness,
  Ready,
  readChannel,
  type SocketName,
  socketName,
  writeChannel,
  writeChannelWith,
} from '../../native/index.js';

/** Looks at the kernel before a blocking write sleeps, about 70 microseconds. */
const BLOCKING_WRITE_LOOKS = 200;

/** The seam between a connection and what carries it. Numbers below zero are negated errnos. */
export interface Transport {
  /** The descriptor; -1 where the bytes on it are not those of the connection. */
  readonly fd: number;
  /** What it is, for messages. */
  readonly title: string;
  /** Whether `read` can leave the bytes where they are. */
  readonly peeks: boolean;
  /**
   * Reads what is there; never waits. 0 at the end of the stream, `-EAGAIN` when nothing is there.
   * @param known Bytes to take and forget first, which were seen by a peek.
   */
  read(bytes: Uint8Array, start: number, end: number, peek: boolean, known?: number): number;
  /** Writes what is taken without waiting; does not keep the bytes. `-EAGAIN` when nothing is. */
  write(bytes: Uint8Array, start: number, end: number): number;
  /** Whether {@link writeWith} can be used. */
  readonly carriesDescriptors: boolean;
  /** As {@link write}, and a copy of the descriptor travels with the first byte. */
  writeWith?(bytes: Uint8Array, start: number, end: number, descriptor: number): number;
  /**
   * Returns whether a read would give something, or the end.
   * @throws MultiprocessError for a bad descriptor.
   */
  readable(): boolean;
  /**
   * Calls `onReady` while bytes can be read or written, and holds the event loop meanwhile, unless
   * {@link hold} says not to.
   */
  want(reading: boolean, writing: boolean): void;
  /** Whether waiting keeps the event loop alive. The state at the start: it does. */
  hold(on: boolean): void;
  /**
   * Blocks until bytes can be read (or written); `false` when the time is over.
   * @throws ConnectionError where that cannot be done.
   */
  block(writing: boolean, timeout: number): boolean;
  /** Where the peer is; `null` where it has no name. */
  peer(): SocketName | null;
  /** Gives everything up. */
  close(): void;
}

/** Makes a transport that is no descriptor's. */
export class TransportMaker {
  constructor(readonly make: (onReady: () => void) => Transport) {}
}

/**
 * A connection over a descriptor, which it owns. Its flags are not touched, since other processes
 * may share it.
 */
export class DescriptorTransport implements Transport {
  readonly fd: number;
  readonly title: string;
  readonly #onReady: () => void;
  #watch: Readiness | undefined;
  readonly #writing = new Backoff(BLOCKING_WRITE_LOOKS, BLOCKING_WRITE_LOOKS);
  #peeks = true;
  #unix: boolean | undefined;
  #holds = true;

  constructor(fd: number, onReady: () => void) {
    this.fd = fd;
    this.title = String(fd);
    this.#onReady = onReady;
  }

  get peeks(): boolean {
    return this.#peeks;
  }

  read(bytes: Uint8Array, start: number, end: number, peek: boolean, known = 0): number {
    const got = readChannel(this.fd, bytes, start, end, peek, known);
    if (got === Errno.ENOTSOCK && peek) this.#peeks = false; // a pipe: the caller reads what it needs
    return got;
  }

  write(bytes: Uint8Array, start: number, end: number): number {
    return writeChannel(this.fd, bytes, start, end);
  }

  get carriesDescriptors(): boolean {
    this.#unix ??= isUnix(this.fd);
    return this.#unix;
  }

  writeWith(bytes: Uint8Array, start: number, end: number, descriptor: number): number {
    return writeChannelWith(this.fd, bytes, start, end, descriptor);
  }

  readable(): boolean {
    return this.#poll(Ready.readable, 0);
  }

  want(reading: boolean, writing: boolean): void {
    if (!reading && !writing) {
      this.#watch?.want(0);
      return;
    }
    if (this.#watch === undefined) {
      this.#watch = new Readiness(this.fd, this.#onReady);
      if (!this.#holds) this.#watch.unref();
    }
    this.#watch.want((reading ? Ready.readable : 0) | (writing ? Ready.writable : 0));
  }

  hold(on: boolean): void {
    if (on === this.#holds) return;
    this.#holds = on;
    if (on) this.#watch?.ref();
    else this.#watch?.unref();
  }

  block(writing: boolean, timeout: number): boolean {
    const events = writing ? Ready.writable : Ready.readable;
    // Looks do not write: the kernel calls a socket writable when it takes a lot, and takes a
    // little long before.
    if (writing && this.#writing.attemptUntil(() => this.#poll(events, 0))) return true;
    return this.#poll(events, timeout);
  }

  peer(): SocketName | null {
    const name = socketName(this.fd, 'peer');
    return name.host === '' ? null : name;
  }

  close(): void {
    this.#watch?.close();
    closeDescriptor(this.fd);
  }

  #poll(events: number, timeout: number): boolean {
    const happened = pollDescriptor(this.fd, events, timeout);
    if ((happened & Ready.invalid) === 0) return happened !== 0;
    throw new ConnectionError(
      `Connection: descriptor ${this.fd} is not open (EBADF); somebody else closed it, or it never was one.`,
    );
  }
}

function isUnix(fd: number): boolean {
  try {
    return socketName(fd, 'own').family === Family.AF_UNIX;
  } catch {
    return false; // A pipe.
  }
}
