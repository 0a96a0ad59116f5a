/**
 * The receiving half of a connection: bytes to messages, in Python's framing (framing.ts).
 *
 * Three ways of reading:
 *
 *   ahead     One look (MSG_PEEK) shows up to 64 KiB, out of which whole messages are handed out.
 *             settle() takes these out of the kernel, at the end of the turn at the latest. So a
 *             message that nobody asked for stays in the kernel, for whoever shares the
 *             descriptor, and a burst of messages costs two system calls.
 *   claimed   Nobody else will ever read from this end (claim()): bytes are received into a window
 *             of its own, by one call.
 *   exactly   The header, then the payload, as Python does: for pipes, for long messages, for what
 *             comes in pieces, and when others read from this end too (reader-words.ts).
 *
 *   window    0 … base: taken | base … at: handed out, owed to the kernel | at … end: seen
 *             One for the thread: who looks makes its owner before settle and forget. A claimed one
 *             owes nothing.
 */

import type { ConnectionError } from '../../errors/index.js';
import { Errno } from '../../native/index.js';
import { channelError, readerLost, truncated, unreadable } from '../messages.js';
import type { Transport } from '../transport/transport.js';
import { HEADER_BYTES, readLength } from './framing.js';
import { PartialMessage, TOO_LONG, WHOLE } from './partial-message.js';
import type { ReaderWords } from './reader-words.js';

const WINDOW_BYTES = 65_536;
/** Long messages are read into memory of their own, without a look before. */
const LONG_BYTES = 16_384;

/** What {@link Inbox.take} found. */
export const Found = { message: 0, nothing: 1, end: 2, busy: 3 } as const;
export type Found = (typeof Found)[keyof typeof Found];

export class Inbox {
  /** The message last found is `bytes[start, stop)`, until the next call. */
  bytes: Uint8Array = EMPTY;
  start = 0;
  stop = 0;
  /** The message last found has `bytes` for itself. */
  owned = false;

  readonly #transport: Transport;
  #words: ReaderWords | undefined;
  #base = 0;
  #at = 0;
  #end = 0;
  /** The message before was long: the next one probably is. */
  #long = false;
  /**
   * Where bytes are received that nobody else reads, see {@link claim}; `#at … #end` is what was
   * not handed out.
   */
  #own: Uint8Array | undefined;
  /** The message that is read exactly. */
  readonly #partial = new PartialMessage();
  #failure: ConnectionError | undefined;
  #ended = false;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Whether a message was handed out that the kernel still has: {@link settle} soon. */
  get owes(): boolean {
    return this.#own === undefined && this.#at > this.#base;
  }

  /** Whether more was seen than was handed out. */
  get seen(): boolean {
    return this.#end > this.#at;
  }

  /** Bytes of the message that has come in part. */
  get begun(): number {
    return this.#partial.taken + (this.#own === undefined ? 0 : this.#end - this.#at);
  }

  /**
   * Nobody else will ever read from this end: what is there is received at once, by one system call
   * in place of two.
   */
  claim(): void {
    if (this.#own !== undefined || this.#words !== undefined) return;
    this.forget();
    this.#own = new Uint8Array(WINDOW_BYTES);
  }

  /** Others read from this end too, from now on. */
  share(words: ReaderWords): void {
    this.forget();
    this.#words = words;
    if (!this.#partial.isBegun) return;
    words.enter();
    words.begin();
  }

  /** The words by which readers agree, once it is shared. */
  get words(): ReaderWords | undefined {
    return this.#words;
  }

  /** Returns the next message. @param most bytes that are allowed. @throws ConnectionError. */
  take(most: number): Found {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#own !== undefined && this.#transport.peeks) return this.#receive(this.#own, most);
    if (!this.#partial.isBegun && this.#transport.peeks) {
      if (this.#next(most)) return Found.message;
      if (this.#ended) return Found.end;
      if (!this.#long) {
        const found = this.#look(most);
        if (found !== undefined) return found;
      }
    } else if (this.#ended) return Found.end;
    return this.#exactly(most);
  }

  /** Returns the next message, if it was seen before: the kernel is not asked. */
  takeSeen(most: number): boolean {
    const mine = this.#own !== undefined || looking === this;
    return mine && !this.#partial.isBegun && this.#failure === undefined && this.#next(most);
  }

  /**
   * Returns whether bytes can be had: the beginning of a message at least, or the end.
   * @throws MultiprocessError for a bad descriptor.
   */
  readable(): boolean {
    if (this.#end > this.#at || this.#partial.isBegun || this.#ended || this.#failure !== undefined) return true;
    this.settle();
    return this.#transport.readable();
  }

  /** Takes what was handed out out of the kernel. */
  settle(): void {
    if (this.#own !== undefined) return;
    for (let owed = this.#at - this.#base; owed > 0; ) {
      const got = this.#transport.read(SCRATCH, 0, owed, false);
      if (got <= 0) break; // The bytes are there: we saw them.
      owed -= got;
    }
    this.#base = this.#at;
    // Where others read too, they may take from here on what was only seen: it must be looked at
    // again.
    if (this.#words !== undefined) this.#end = this.#at;
    if (!this.#partial.isBegun) this.#words?.leave();
  }

  /** In a fork: a message of which its parent has taken a part is the parent's. */
  restart(): void {
    this.#base = this.#at = this.#end = 0;
    this.#partial.reset();
    if (looking === this) looking = undefined;
    this.#words?.adopt();
  }

  /** Takes what was handed out, and forgets what was only seen: somebody else may read now. */
  forget(): void {
    if (this.#own !== undefined) return;
    this.settle();
    this.#base = 0;
    this.#at = 0;
    this.#end = 0;
    if (looking === this) looking = undefined;
  }

  /** Reads no more. */
  close(): void {
    this.forget();
    if (this.#partial.isBegun) this.#words?.lose();
    this.#words?.resign();
  }

  /** Returns the next message of an end that nobody else reads. */
  #receive(own: Uint8Array, most: number): Found {
    for (;;) {
      if (this.#partial.isBegun) return this.#exactly(most);
      if (this.#next(most)) return Found.message;
      if (this.#ended) return this.#at === this.#end ? Found.end : this.#cut();
      this.#gather(own, most);
      if (this.#partial.isBegun) continue;
      const got = this.#transport.read(own, this.#end, own.length, false);
      if (got <= 0) return got === 0 && this.#end > this.#at ? this.#cut() : this.#none(got);
      this.#end += got;
    }
  }

  /** The peer has ended within a message's first bytes. */
  #cut(): never {
    this.#ended = true;
    const got = this.#end - this.#at;
    this.#at = this.#end;
    throw truncated(got, HEADER_BYTES);
  }

  /**
   * Makes room behind the beginning of a message; one that is longer than the room is read exactly
   * from here on.
   */
  #gather(own: Uint8Array, most: number): void {
    if (this.#at > 0) {
      if (this.#end > this.#at) own.copyWithin(0, this.#at, this.#end);
      this.#end -= this.#at;
      this.#at = 0;
    }
    if (this.#end < HEADER_BYTES) return;
    const length = readLength(own, 0);
    if (length >= 0 && length <= LONG_BYTES) return;
    // All that is here belongs to it: it would have been handed out if it was here as a whole.
    if (this.#partial.begin(own.subarray(0, this.#end), most) === TOO_LONG) this.#refuse(most);
    this.#at = this.#end = 0;
  }

  /** Hands the next message out from what was seen. */
  #next(most: number): boolean {
    const seen = this.#end - this.#at;
    if (seen < HEADER_BYTES) return false;
    const window = this.#own ?? WINDOW;
    const length = readLength(window, this.#at);
    if (length < 0 || length > most || seen - HEADER_BYTES < length) return false; // #exactly judges it
    this.bytes = window;
    this.start = this.#at + HEADER_BYTES;
    this.stop = this.start + length;
    this.owned = false;
    this.#at = this.stop;
    return true;
  }

  /**
   * Takes what was handed out and looks at what is there; `undefined` when it is to be read
   * exactly.
   */
  #look(most: number): Found | undefined {
    let known = 0;
    if (this.owes && this.#words?.stays() !== false) {
      known = this.#at - this.#base;
      this.#base = this.#at = this.#end = 0;
    } else {
      this.forget();
      const standing = this.#words?.enter() ?? 'sole';
      if (standing === 'wait') return Found.busy;
      if (standing === 'lost') throw readerLost();
      if (standing === 'many') return undefined;
      if (looking !== this) looking?.forget();
      looking = this;
    }
    const got = this.#transport.read(WINDOW, 0, WINDOW.length, true, known);
    if (got > 0) {
      this.#end = got;
      if (this.#next(most)) return Found.message;
      this.#end = 0;
      return undefined;
    }
    if (got === Errno.ENOTSOCK) return undefined;
    this.#words?.leave();
    return this.#none(got);
  }

  #exactly(most: number): Found {
    if (!this.#partial.isBegun) {
      this.forget();
      const standing = this.#words?.enter();
      if (standing === 'wait') return Found.busy;
      if (standing === 'lost') throw readerLost();
      if (this.#words !== undefined) {
        // Who only waits has taken nothing, and may be killed.
        if (!this.#transport.readable()) {
          this.#words.leave();
          return Found.nothing;
        }
        this.#words.begin();
      }
    }
    const got = this.#partial.read(this.#transport, most);
    if (got === TOO_LONG) this.#refuse(most);
    if (got !== WHOLE) return this.#stopped(got);
    this.bytes = this.#partial.take();
    this.start = 0;
    this.stop = this.bytes.length;
    this.owned = true;
    this.#long = this.stop > LONG_BYTES;
    this.#release();
    return Found.message;
  }

  /** A message longer than allowed: nobody knows where the next one begins. */
  #refuse(most: number): never {
    const error = this.#partial.lengthError(most);
    this.#words?.lose();
    this.#partial.reset();
    this.#release();
    this.#failure = unreadable();
    throw error;
  }

  /** Nothing of a message is taken any more. */
  #release(): void {
    this.#words?.end();
    this.#words?.leave();
  }

  #stopped(got: number): Found {
    if (got === 0 && this.#partial.isBegun) {
      const error = this.#partial.truncation;
      this.#partial.reset();
      this.#release();
      this.#ended = true;
      throw error;
    }
    if (!this.#partial.isBegun) this.#release();
    return this.#none(got);
  }

  #none(got: number): Found {
    if (got === Errno.EAGAIN) return Found.nothing;
    if (got === 0) {
      this.#ended = true;
      return Found.end;
    }
    throw channelError('receive', got);
  }
}

const EMPTY = new Uint8Array(0);
const SCRATCH = new Uint8Array(WINDOW_BYTES);
/**
 * What was seen. One window serves all connections of the thread, since the kernel still has what
 * is in it.
 */
const WINDOW = new Uint8Array(WINDOW_BYTES);
/** Whose messages are in the window. */
let looking: Inbox | undefined;
