import { inspect } from 'node:util';
import { Observable } from 'rxjs';
import { ArgumentError, BufferTooShortError, ConnectionError } from '../errors/index.js';
import { allocateBlock, attachBlock, type BlockHandle, forgetShared, registerShareable } from '../memory/index.js';
import { after, type DescriptorOffer, fetchDescriptor } from '../native/index.js';
import { StandingOffer } from '../reduction/index.js';
import { onAbort } from '../util/abort.js';
import { checkOptions, describe } from '../util/options.js';
import { bytesOf, partOf } from './buffers.js';
import { decode, decodeSync, sendPayload, sendValue } from './codec.js';
import { Found, Inbox } from './inbox.js';
import { closed, endOfFile, timedOut, wrongWay } from './messages.js';
import { mostOf, type RecvBytesOptions, type WaitOptions, waitOptions } from './options.js';
import { Outbox } from './outbox.js';
import { pause } from './pause.js';
import { READER_BYTES, ReaderWords } from './reader-words.js';
import { Receivers } from './receivers.js';
import { DescriptorTransport, type Transport } from './transport.js';

/** Which ways a {@link Connection} goes. */
export interface ConnectionOptions {
  /** Whether it receives. Default `true`. */
  readonly readable?: boolean | undefined;
  /** Whether it sends. Default `true`. */
  readonly writable?: boolean | undefined;
}

/** A connection as it travels. */
interface Handle {
  readonly block: BlockHandle;
  readonly offer: DescriptorOffer;
  readonly readable: boolean;
  readonly writable: boolean;
}

/** See {@link Connection}'s own. */
interface Link {
  held: Connection | undefined;
  readonly weak: WeakRef<Connection>;
}

const abandoned = new FinalizationRegistry<Transport>((transport) => transport.close());

/** Messages that may be handed out without a turn of the event loop in between. */
const STREAK = 1_024;
/** How soon to look again, ms, while another reader finishes what it has begun. */
const AGAIN = 1;

/**
 * One end of a connection that carries messages: values, or bytes.
 *
 * Semantics: messages arrive whole and in order. `send` and `recv` carry any value that the codec can; `sendBytes` and `recvBytes` carry
 * bytes, in the framing of Python's `multiprocessing.connection`, so that a stock Python may be at the other end. Calls are served in the order
 * they were made. When the peer has closed its end, what it sent is still received, then `recv` rejects with `MP_CONNECTION_EOF` and iteration
 * ends; `send` rejects with `MP_BROKEN_PIPE`.
 *
 * It is shareable: sent to another process or thread it arrives as the same end of the same connection, which then has several holders,
 * and the peer sees the end only when all have closed it. Each message is received by one of them. Like Python's, it has no lock: let one holder
 * send (or receive) at a time, or use a Lock; otherwise messages of more than a few kilobytes mix.
 *
 * Backpressure: `send` resolves when the kernel has taken the message, some hundred kilobytes ahead of the receiver; await it. Nothing is received
 * that nobody asked for.
 *
 * Cancellation: a `recv` that timed out or was aborted loses nothing; the next one gets the message.
 *
 * Python: `multiprocessing.connection.Connection`. `poll(None)` is `poll({ timeout: Infinity })`.
 */
export class Connection<T = unknown> implements AsyncIterable<T>, AsyncDisposable, Disposable {
  readonly #transport: Transport;
  readonly #inbox: Inbox;
  readonly #outbox: Outbox;
  readonly #receivers = new Receivers(() => this.#want());
  readonly #pollers = new Set<() => void>();
  readonly #offer = new StandingOffer();
  /** How the kernel's news reach it. Held only while it waits for some, so that one that nobody has any more is collected and closed. */
  readonly #link: Link = { held: undefined, weak: new WeakRef(this as Connection) };
  readonly #readable: boolean;
  readonly #writable: boolean;
  #closed = false;
  #released: (() => void)[] | undefined;
  /** Messages handed out since the event loop last turned. */
  #streak = 0;
  #ticking = false;
  #retry: NodeJS.Timeout | NodeJS.Immediate | undefined;

  /**
   * A connection over a descriptor, which it owns from now on: a connected stream socket, or a pipe.
   *
   * @param descriptor its flags are left alone.
   * @throws ArgumentError `MP_INVALID_ARGUMENT` for what cannot be a descriptor.
   */
  constructor(descriptor: number, options?: ConnectionOptions);
  /** @internal */
  constructor(carrier: number | ((onReady: () => void) => Transport), options?: ConnectionOptions);
  constructor(carrier: number | ((onReady: () => void) => Transport), options?: ConnectionOptions) {
    checkOptions('Connection', options, ['readable', 'writable']);
    this.#readable = options?.readable ?? true;
    this.#writable = options?.writable ?? true;
    if (!this.#readable && !this.#writable) throw new ArgumentError('Connection: at least one of `readable` and `writable` must be true.');
    const link = this.#link;
    const onReady = () => {
      const connection = link.held ?? link.weak.deref();
      if (connection !== undefined) connection.#onReady();
    };
    if (typeof carrier === 'function') this.#transport = carrier(onReady);
    else {
      if (!Number.isInteger(carrier) || carrier < 0) {
        throw new ArgumentError(`Connection: the descriptor must be an integer of at least 0, not ${describe(carrier)}.`);
      }
      this.#transport = new DescriptorTransport(carrier, onReady);
    }
    this.#inbox = new Inbox(this.#transport);
    this.#outbox = new Outbox(this.#transport, () => this.#want());
    abandoned.register(this, this.#transport, this);
  }

  /** Whether it was closed here. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Whether it receives. */
  get readable(): boolean {
    return this.#readable;
  }

  /** Whether it sends. */
  get writable(): boolean {
    return this.#writable;
  }

  /** The descriptor; it stays the connection's. @throws ClosedError `MP_CLOSED`; ConnectionError `MP_CONNECTION` over TLS. */
  fileno(): number {
    this.#check('Connection.fileno');
    if (this.#transport.fd < 0) {
      throw new ConnectionError(
        'Connection.fileno: a connection over TLS has no descriptor of its own; wait() takes the connection itself.',
      );
    }
    this.#inbox.forget();
    return this.#transport.fd;
  }

  /**
   * Sends a value.
   *
   * @returns resolves when the kernel has taken the whole message.
   * @throws (as rejection) SerializationError, and nothing was sent; ConnectionError `MP_BROKEN_PIPE`, `MP_NOT_WRITABLE`; ClosedError.
   */
  send(obj: T): Promise<void> {
    try {
      this.#checkWrites('Connection.send');
      return sendValue(this.#outbox, obj);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** As {@link send}, but blocks the thread until the kernel has taken the message. */
  sendSync(obj: T): void {
    this.#checkWrites('Connection.sendSync');
    this.#finish(sendValue(this.#outbox, obj));
  }

  /**
   * Sends bytes.
   *
   * @param buf must not change before the promise settles.
   * @param offset where the message begins in `buf`, bytes. Default 0.
   * @param size bytes. Default: to the end.
   * @throws as {@link send}; ArgumentError for a part that lies outside of `buf`.
   */
  sendBytes(buf: ArrayBufferView | ArrayBufferLike, offset?: number, size?: number): Promise<void> {
    try {
      this.#checkWrites('Connection.sendBytes');
      return sendPayload(this.#outbox, partOf('Connection.sendBytes', buf, offset, size));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** As {@link sendBytes}, but blocks the thread until the kernel has taken the message. */
  sendBytesSync(buf: ArrayBufferView | ArrayBufferLike, offset?: number, size?: number): void {
    this.#checkWrites('Connection.sendBytesSync');
    this.#finish(sendPayload(this.#outbox, partOf('Connection.sendBytesSync', buf, offset, size)));
  }

  /**
   * Receives a value. It comes from a peer that is trusted: decoding can run its code.
   *
   * @throws (as rejection) ConnectionError `MP_CONNECTION_EOF` when the peer has closed its end, `MP_NOT_READABLE`; TimeoutError; `signal.reason`;
   * SerializationError for a message that cannot be decoded, which is then gone; ClosedError.
   */
  recv(options?: WaitOptions): Promise<T> {
    try {
      this.#checkReads('Connection.recv');
      return this.#receive('Connection.recv', false, Number.POSITIVE_INFINITY, waitOptions('Connection.recv', options)) as Promise<T>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** As {@link recv}, but blocks the thread. Calls that wait already are served first. */
  recvSync(options?: WaitOptions): T {
    this.#checkReads('Connection.recvSync');
    return this.#receiveSync('Connection.recvSync', false, Number.POSITIVE_INFINITY, waitOptions('Connection.recvSync', options)) as T;
  }

  /**
   * Receives a message as bytes.
   *
   * @throws as {@link recv}; ConnectionError `MP_MESSAGE_LENGTH` for a message of more than `maxLength` bytes, after which nothing can be received.
   */
  recvBytes(options?: RecvBytesOptions): Promise<Uint8Array> {
    try {
      this.#checkReads('Connection.recvBytes');
      const most = mostOf('Connection.recvBytes', options);
      return this.#receive('Connection.recvBytes', true, most, options) as Promise<Uint8Array>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** As {@link recvBytes}, but blocks the thread. */
  recvBytesSync(options?: RecvBytesOptions): Uint8Array {
    this.#checkReads('Connection.recvBytesSync');
    const most = mostOf('Connection.recvBytesSync', options);
    return this.#receiveSync('Connection.recvBytesSync', true, most, options) as Uint8Array;
  }

  /**
   * Receives a message into memory of yours.
   *
   * @param offset where to put it, bytes. Default 0.
   * @returns its length, bytes.
   * @throws (as rejection) BufferTooShortError, whose `data` is the whole message; the connection stays usable. As {@link recv}; ArgumentError.
   */
  async recvBytesInto(buf: ArrayBufferView | ArrayBufferLike, offset = 0, options?: WaitOptions): Promise<number> {
    const room = partOf('Connection.recvBytesInto', buf, offset, undefined);
    const data = await this.recvBytes(options);
    if (data.length > room.length) {
      throw new BufferTooShortError(
        `Connection.recvBytesInto: the message has ${data.length} bytes, the buffer room for ${room.length}; take the message from \`data\` of this error.`,
        { data },
      );
    }
    room.set(data);
    return data.length;
  }

  /**
   * Whether there is something to receive: a message, the beginning of one, or the end of the connection.
   *
   * @param options `timeout`: how long to wait for it, ms. Default 0: do not wait.
   * @throws (as rejection) ConnectionError for a bad descriptor, `MP_NOT_READABLE`; ClosedError; `signal.reason`.
   */
  async poll(options?: WaitOptions): Promise<boolean> {
    this.#checkReads('Connection.poll');
    const { timeout = 0, signal } = waitOptions('Connection.poll', options) ?? {};
    signal?.throwIfAborted();
    if (this.#inbox.readable()) return true;
    if (timeout <= 0) return false;
    return await new Promise<boolean>((resolve, reject) => {
      const ends = [
        after(timeout, () => settle(() => resolve(false))),
        signal === undefined ? () => {} : onAbort(signal, () => settle(() => reject(signal.reason))),
      ];
      const settle = (outcome: () => void) => {
        this.#pollers.delete(poller);
        for (const end of ends) end();
        this.#want();
        outcome();
      };
      const poller = () => settle(() => (this.#closed ? reject(closed('Connection.poll')) : resolve(true)));
      this.#pollers.add(poller);
      this.#want();
    });
  }

  /** As {@link poll}, but blocks the thread. */
  pollSync(options?: WaitOptions): boolean {
    this.#checkReads('Connection.pollSync');
    const { timeout = 0, signal } = waitOptions('Connection.pollSync', options) ?? {};
    signal?.throwIfAborted();
    return this.#inbox.readable() || (timeout > 0 && this.#transport.block(false, timeout));
  }

  /**
   * Ends the use of the connection here. What was sent and the kernel has not taken yet still goes out; calls that wait to receive reject.
   * Other holders keep it. Closing twice does nothing.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    forgetShared(this);
    if (this.#retry !== undefined) clearTimeout(this.#retry as NodeJS.Timeout);
    this.#inbox.close();
    this.#receivers.rejectAll(closed('Connection'));
    for (const poller of this.#pollers) poller();
    if (!this.#outbox.empty) this.#outbox.flush();
    if (this.#outbox.empty) this.#release();
    else this.#want();
  }

  /** As {@link close}, and resolves when the kernel has taken what was sent. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    if (this.#outbox.empty) return;
    await new Promise<void>((resolve) => {
      this.#released ??= [];
      this.#released.push(resolve);
    });
  }

  /** As {@link close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Receives until the peer closes its end. Leaving the loop early loses nothing and closes nothing. */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    let done = false;
    const end = (): IteratorResult<T, undefined> => {
      done = true;
      return { value: undefined, done: true };
    };
    return {
      next: () => {
        if (done) return Promise.resolve(end());
        return this.recv().then(
          (value) => ({ value, done: false }),
          (error: unknown) => {
            if (error instanceof ConnectionError && error.code === 'MP_CONNECTION_EOF') return end();
            done = true;
            throw error;
          },
        );
      },
      return: () => Promise.resolve(end()),
    };
  }

  /**
   * What is received, from the subscription on; completes when the peer closes its end. Each subscription receives messages of its own. It takes
   * messages as fast as they come: where the subscriber is slower than the peer, iterate instead. Unsubscribing loses nothing.
   */
  asObservable(): Observable<T> {
    return new Observable<T>((subscriber) => {
      const gone = new AbortController();
      const next = () => {
        this.recv({ signal: gone.signal }).then(
          (value) => {
            subscriber.next(value);
            if (!subscriber.closed) next();
          },
          (error: unknown) => {
            if (gone.signal.aborted) return;
            if (error instanceof ConnectionError && error.code === 'MP_CONNECTION_EOF') subscriber.complete();
            else subscriber.error(error);
          },
        );
      };
      next();
      return () => gone.abort();
    });
  }

  /** @internal */
  [inspect.custom](): string {
    const ways = [this.#readable ? 'readable' : '', this.#writable ? 'writable' : ''].filter(Boolean).join(', ');
    return this.#closed ? '<Connection (closed)>' : `<Connection ${this.#transport.fd < 0 ? 'over TLS' : this.#transport.fd} (${ways})>`;
  }

  /** @internal Whether {@link wait} need not wait. */
  static ready(connection: Connection): boolean {
    connection.#checkReads('wait');
    return connection.#inbox.readable();
  }

  /** @internal Its descriptor, undisturbed; `undefined` over TLS. */
  static descriptor(connection: Connection): number | undefined {
    return connection.#transport.fd < 0 ? undefined : connection.#transport.fd;
  }

  /** @internal */
  static toHandle(connection: Connection): Handle {
    connection.#check('Connection');
    if (connection.#transport.fd < 0) {
      throw new ConnectionError('Connection: one over TLS cannot be sent to another process, since its keys are here; pass the data on.');
    }
    const inbox = connection.#inbox;
    if (inbox.words === undefined) inbox.share(new ReaderWords(allocateBlock(READER_BYTES)));
    else inbox.forget();
    return {
      block: inbox.words!.block.handle,
      offer: connection.#offer.of(connection.#transport.fd),
      readable: connection.#readable,
      writable: connection.#writable,
    };
  }

  /** @internal */
  static fromHandle({ block, offer, readable, writable }: Handle): Connection {
    const words = new ReaderWords(attachBlock(block));
    const connection = new Connection(fetchDescriptor(offer), { readable, writable });
    connection.#inbox.share(words);
    return connection;
  }

  #onReady(): void {
    if (this.#outbox.blocked) this.#outbox.flush();
    if (this.#closed) {
      if (this.#outbox.empty) this.#release();
      return;
    }
    this.#pump();
  }

  /** Serves the calls that wait. */
  #pump(): void {
    if (this.#pollers.size > 0 && this.#inbox.readable()) for (const poller of this.#pollers) poller();
    for (let receiver = this.#receivers.first(); receiver !== undefined; receiver = this.#receivers.first()) {
      try {
        const found = this.#inbox.take(receiver.most);
        if (found === Found.nothing) break;
        if (found === Found.busy) {
          this.#later(AGAIN);
          break;
        }
        if (found === Found.end) {
          this.#receivers.rejectAll(endOfFile());
          break;
        }
      } catch (error) {
        this.#receivers.rejectAll(error);
        break;
      }
      this.#receivers.shift();
      try {
        receiver.resolve(this.#message(receiver.raw));
      } catch (error) {
        receiver.reject(error);
      }
    }
    this.#tick();
    this.#want();
  }

  #receive(actor: string, raw: boolean, most: number, options: WaitOptions | undefined): Promise<unknown> {
    options?.signal?.throwIfAborted();
    if (this.#receivers.length === 0) {
      if (++this.#streak < STREAK) {
        const found = this.#inbox.take(most);
        this.#tick();
        if (found === Found.message) return Promise.resolve(this.#message(raw));
        if (found === Found.end) throw endOfFile();
        if (found === Found.busy) this.#later(AGAIN);
        if (options?.timeout !== undefined && options.timeout <= 0) throw timedOut(actor, options.timeout);
      } else this.#later(0); // Others want the event loop too.
    }
    return this.#receivers.wait(actor, raw, most, options);
  }

  #receiveSync(actor: string, raw: boolean, most: number, options: WaitOptions | undefined): unknown {
    options?.signal?.throwIfAborted();
    const timeout = options?.timeout ?? Number.POSITIVE_INFINITY;
    const end = timeout === Number.POSITIVE_INFINITY ? timeout : performance.now() + timeout;
    for (let left = timeout; ; left = end - performance.now()) {
      if (this.#receivers.length > 0) this.#pump();
      let found: Found = Found.nothing;
      if (this.#receivers.length === 0) {
        found = this.#inbox.take(most);
        if (found === Found.message) {
          this.#tick();
          const { bytes, start, stop, owned } = this.#inbox;
          return raw ? bytesOf(this.#inbox) : decodeSync(bytes, start, stop, owned);
        }
        if (found === Found.end) throw endOfFile();
      }
      this.#inbox.settle();
      if (left <= 0) throw timedOut(actor, options?.timeout);
      if (found === Found.busy) pause(Math.min(left, AGAIN));
      else this.#transport.block(false, left);
    }
  }

  /** Blocks until the kernel has taken what was sent. */
  #finish(sent: Promise<void>): void {
    sent.catch(() => {}); // thrown below
    while (!this.#outbox.empty) {
      this.#outbox.flush();
      if (!this.#outbox.empty) this.#transport.block(true, Number.POSITIVE_INFINITY);
    }
    if (this.#outbox.failure !== undefined) throw this.#outbox.failure;
  }

  #message(raw: boolean): unknown {
    const inbox = this.#inbox;
    return raw ? bytesOf(inbox) : decode(inbox.bytes, inbox.start, inbox.stop, inbox.owned);
  }

  /** Takes what was handed out when this burst of microtasks is over. */
  #tick(): void {
    if (this.#ticking || !(this.#inbox.owes || this.#streak > 0)) return;
    this.#ticking = true;
    process.nextTick(this.#endTick);
  }

  readonly #endTick = (): void => {
    this.#ticking = false;
    this.#streak = 0;
    if (!this.#closed) this.#inbox.settle();
  };

  /** Looks again without being told by the kernel. */
  #later(delay: number): void {
    if (this.#retry !== undefined) return;
    const again = () => {
      this.#retry = undefined;
      this.#streak = 0;
      if (!this.#closed) this.#pump();
    };
    this.#retry = delay === 0 ? setImmediate(again) : setTimeout(again, delay);
  }

  #want(): void {
    const reading = !this.#closed && this.#retry === undefined && (this.#receivers.length > 0 || this.#pollers.size > 0);
    const writing = this.#outbox.blocked;
    this.#link.held = reading || writing ? (this as Connection) : undefined;
    this.#transport.want(reading, writing);
  }

  #release(): void {
    abandoned.unregister(this);
    this.#link.held = undefined;
    this.#transport.close();
    for (const resolve of this.#released ?? []) resolve();
  }

  #check(actor: string): void {
    if (this.#closed) throw closed(actor);
  }

  #checkReads(actor: string): void {
    this.#check(actor);
    if (!this.#readable) throw wrongWay(actor, 'receive');
  }

  #checkWrites(actor: string): void {
    this.#check(actor);
    if (!this.#writable) throw wrongWay(actor, 'send');
  }
}

registerShareable('connection', {
  module: new URL(import.meta.url),
  class: Connection,
  toHandle: (connection) => Connection.toHandle(connection),
  fromHandle: (handle: Handle) => Connection.fromHandle(handle),
});
