/** What carries the bytes of a connection: a descriptor, or a stream of Node (TLS). */
import { getSystemErrorName } from 'node:util';
import { ConnectionError } from '../errors/index.js';
import type { Attempt } from '../memory/index.js';
import { Spin } from '../memory/spin.js';
import { closeDescriptor, Errno, pollDescriptor, Readiness, Ready, readChannel, writeChannel } from '../native/index.js';

/** Looks at the kernel before a blocking call sleeps, about 70 microseconds. */
const LOOKS = 200;
/** Looks before an awaited call takes a turn of the event loop, about 10 microseconds. */
const BRIEF_LOOKS = 30;

/** The seam between a connection and what carries it. Numbers below zero are negated errnos. */
export interface Transport {
  /** The descriptor; -1 where the bytes on it are not those of the connection. */
  readonly fd: number;
  /** Whether `read` can leave the bytes where they are. */
  readonly peeks: boolean;
  /** Reads what is there; never waits. 0 at the end of the stream, `-EAGAIN` when nothing is there. */
  read(bytes: Uint8Array, start: number, end: number, peek: boolean): number;
  /** Writes what is taken without waiting; does not keep the bytes. `-EAGAIN` when nothing is. */
  write(bytes: Uint8Array, start: number, end: number): number;
  /** Whether a read would give something, or the end. @throws MultiprocessError for a bad descriptor. */
  readable(): boolean;
  /** Calls `onReady` while bytes can be read or written, and holds the event loop meanwhile. */
  want(reading: boolean, writing: boolean): void;
  /** Makes attempts to receive for some microseconds, as long as that pays: whether one succeeded. */
  brief(attempt: Attempt): boolean;
  /**
   * Blocks until bytes can be read, or an attempt to do so succeeds; `false` when the time is over.
   * @throws ConnectionError where that cannot be done.
   */
  blockReading(timeout: number, attempt: Attempt): boolean;
  /** Blocks until a good part of the kernel's room is free. @throws ConnectionError where that cannot be done. */
  blockWriting(): void;
  /** Gives everything up. */
  close(): void;
}

/** A connection over a descriptor, which it owns. Its flags are not touched, since other processes may share it. */
export class DescriptorTransport implements Transport {
  readonly fd: number;
  readonly #onReady: () => void;
  #watch: Readiness | undefined;
  readonly #brief = new Spin(BRIEF_LOOKS, BRIEF_LOOKS);
  readonly #reading = new Spin(LOOKS, LOOKS);
  readonly #writing = new Spin(LOOKS, LOOKS);
  #peeks = true;

  constructor(fd: number, onReady: () => void) {
    this.fd = fd;
    this.#onReady = onReady;
  }

  get peeks(): boolean {
    return this.#peeks;
  }

  read(bytes: Uint8Array, start: number, end: number, peek: boolean): number {
    const got = readChannel(this.fd, bytes, start, end, peek);
    if (got === Errno.ENOTSOCK && peek) this.#peeks = false; // a pipe: the caller reads what it needs
    return got;
  }

  write(bytes: Uint8Array, start: number, end: number): number {
    return writeChannel(this.fd, bytes, start, end);
  }

  readable(): boolean {
    return this.#poll(Ready.readable, 0);
  }

  want(reading: boolean, writing: boolean): void {
    if (!reading && !writing) {
      this.#watch?.want(0);
      return;
    }
    this.#watch ??= new Readiness(this.fd, this.#onReady);
    this.#watch.want((reading ? Ready.readable : 0) | (writing ? Ready.writable : 0));
  }

  brief(attempt: Attempt): boolean {
    return this.#brief.until(attempt);
  }

  blockReading(timeout: number, attempt: Attempt): boolean {
    // To be woken takes a peer on another core longer than to answer: a while of looking first, as long as that pays.
    return this.#reading.until(attempt) || this.#poll(Ready.readable, timeout);
  }

  blockWriting(): void {
    // Not by writing: the kernel calls a socket writable when it takes a lot, and takes a little long before.
    const writable = () => this.#poll(Ready.writable, 0);
    if (!this.#writing.until(writable)) this.#poll(Ready.writable, Number.POSITIVE_INFINITY);
  }

  close(): void {
    this.#watch?.close();
    closeDescriptor(this.fd);
  }

  #poll(events: number, timeout: number): boolean {
    const happened = pollDescriptor(this.fd, events, timeout);
    if ((happened & Ready.invalid) === 0) return happened !== 0;
    throw new ConnectionError(
      `Connection: descriptor ${this.fd} is not open (${getSystemErrorName(-9)}); somebody else closed it, or it never was one.`,
    );
  }
}
