import { inspect } from 'node:util';
import type { Observable } from 'rxjs';
import { ArgumentError, BufferTooShortError, ConnectionError } from '../errors/index.js';
import { ATTACH, attachBlock, type BlockHandle, registerShareable } from '../memory/index.js';
import { checkUsable, type SocketName } from '../native/index.js';
import {
  declineOffer,
  obtainDescriptor,
  optionOf,
  type Passage,
  type SerializerOption,
  StandingOffer,
  serializerOf,
} from '../reduction/index.js';
import { checkBoolean, checkOptions, describe } from '../util/options.js';
import { entry } from '../util/package.js';
import { printedAsShown } from '../util/printed.js';
import { boundsOf, type WaitOptions } from '../util/wait-options.js';
import { Exchange } from './exchange/exchange.js';
import { iterate, observe } from './exchange/incoming.js';
import { type OpenConnection, trackConnection, untrackConnection } from './exchange/open-connections.js';
import { ReaderWords } from './exchange/reader-words.js';
import { sendPayload, sendValue } from './exchange/value-frames.js';
import { closed, wrongWay } from './messages.js';
import { maxLengthOf, type RecvBytesOptions } from './options.js';
import { partOf } from './transport/buffers.js';
import { TransportMaker } from './transport/transport.js';

/** In a handle: the serializer has no name. */
const UNNAMED_SERIALIZER = '';

/** Which ways a {@link Connection} goes, and what it carries. */
export interface ConnectionOptions {
  /** Whether it receives. Default `true`. */
  readonly readable?: boolean | undefined;
  /** Whether it sends. Default `true`. */
  readonly writable?: boolean | undefined;
  /**
   * How values become bytes; the peer's must be the same. Default `'multiprocess'`, whose decoding
   * can run code of the peer.
   */
  readonly serializer?: SerializerOption | undefined;
}

/** A connection as it travels. */
interface Handle {
  readonly block: BlockHandle;
  readonly offer: Passage;
  readonly readable: boolean;
  readonly writable: boolean;
  /** By name; one without travels as a part. */
  readonly serializer: string;
}

/**
 * One end of a connection that carries messages: values, or bytes.
 *
 * Semantics: messages arrive whole and in order. `send` and `recv` carry any value that the
 * `serializer` can; `sendBytes` and `recvBytes` carry bytes, in the framing of Python's
 * `multiprocessing.connection`, so that a stock Python may be at the other end. Calls are served in
 * the order they were made. When the peer has closed its end, what it sent is still received, then
 * `recv` rejects with `MP_CONNECTION_EOF` and iteration ends; `send` rejects with `MP_BROKEN_PIPE`.
 *
 * It is shareable: sent to another process or thread it arrives as the same end of the same
 * connection, which then has several holders, and the peer sees the end only when all have closed
 * it. Each message is received by one of them. Like Python's, it has no lock: let one holder send
 * (or receive) at a time, or use a Lock; otherwise messages of more than a few kilobytes mix. When
 * a holder dies, or closes its end, within a message that it receives, nobody can tell where the
 * next one begins: the others get `MP_READER_LOST`.
 *
 * Decoding runs the peer's code: with the default serializer what is received can run code of its
 * sender. Use `serializer: 'msgpackr'`, or `recvBytes`, for peers that are not trusted.
 *
 * Backpressure: `send` resolves when the kernel has taken the message, some hundred kilobytes ahead
 * of the receiver; await it. Nothing is received that nobody asked for.
 *
 * Cancellation: a `recv` that timed out or was aborted loses nothing; the next one gets the
 * message.
 *
 * Python: `multiprocessing.connection.Connection`. `poll(None)` is `poll({ timeout: Infinity })`.
 * @example
 * import { Pool, pipe } from 'multiprocess';
 *
 * const [ours, theirs] = pipe<number>();
 * await using pool = new Pool({ processes: 1 });
 * const served = pool.apply(async (end) => {
 *   for await (const n of end) await end.send(n * 2);
 * }, [theirs]);
 * theirs.close();
 * await ours.send(21);
 * console.log(await ours.recv()); // 42
 * ours.close();
 * await served;
 */
export class Connection<T = unknown, S = T> implements AsyncIterable<T>, AsyncDisposable, Disposable {
  readonly #exchange: Exchange;
  readonly #offer = new StandingOffer();
  readonly #resources: OpenConnection;
  readonly #readable: boolean;
  readonly #writable: boolean;

  /**
   * A connection over a descriptor, which it owns from now on: a connected stream socket, or a
   * pipe.
   *
   * @param descriptor its flags are left alone.
   * @throws ArgumentError `MP_INVALID_ARGUMENT` for what cannot be a descriptor; UnsupportedError
   * without the native addon.
   */
  constructor(descriptor: number, options?: ConnectionOptions);
  /** @internal */
  constructor(carrier: number | TransportMaker, options?: ConnectionOptions);
  constructor(carrier: number | TransportMaker, options?: ConnectionOptions) {
    checkOptions('Connection', options, ['readable', 'writable', 'serializer']);
    const serializer = serializerOf('Connection', options?.serializer);
    this.#readable = checkBoolean('Connection', 'readable', options?.readable) ?? true;
    this.#writable = checkBoolean('Connection', 'writable', options?.writable) ?? true;
    if (!this.#readable && !this.#writable)
      throw new ArgumentError('Connection: at least one of `readable` and `writable` must be true.');
    if (!(carrier instanceof TransportMaker) && !(Number.isInteger(carrier) && carrier >= 0)) {
      throw new ArgumentError(`Connection: the descriptor must be an integer of at least 0, not ${describe(carrier)}.`);
    }
    if (typeof carrier === 'number') checkUsable('Connection', carrier);
    this.#exchange = new Exchange(this, carrier, serializer);
    this.#resources = { transport: this.#exchange.transport, offer: this.#offer, exchange: this.#exchange };
    trackConnection(this, this.#resources);
  }

  /** Whether it was closed here. */
  get closed(): boolean {
    return this.#exchange.closed;
  }

  /** Whether it receives. */
  get readable(): boolean {
    return this.#readable;
  }

  /** Whether it sends. */
  get writable(): boolean {
    return this.#writable;
  }

  /**
   * Returns the descriptor; it stays the connection's.
   * @throws ClosedError `MP_CLOSED`; ConnectionError `MP_CONNECTION` over a stream of
   * Node: TLS, and TCP without the native addon.
   */
  fileno(): number {
    this.#check('Connection.fileno');
    if (this.#exchange.transport.fd < 0) {
      throw new ConnectionError(
        `Connection.fileno: a connection ${this.#exchange.transport.title} has no descriptor of its own; wait() takes the connection itself.`,
      );
    }
    this.#exchange.inbox.forget();
    return this.#exchange.transport.fd;
  }

  /**
   * Sends a value.
   *
   * @returns resolves when the kernel has taken the whole message.
   * @throws (as rejection) SerializationError, and nothing was sent; ConnectionError
   * `MP_BROKEN_PIPE`, `MP_NOT_WRITABLE`; ClosedError.
   */
  send(obj: S): Promise<void> {
    try {
      this.#checkWrites('Connection.send');
      return sendValue(this.#exchange.outbox, obj, this.#exchange.serializer);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** As {@link send}, but blocks the thread until the kernel has taken the message. */
  sendSync(obj: S): void {
    this.#checkWrites('Connection.sendSync');
    this.#exchange.finish(sendValue(this.#exchange.outbox, obj, this.#exchange.serializer));
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
      return sendPayload(this.#exchange.outbox, partOf('Connection.sendBytes', buf, offset, size));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** As {@link sendBytes}, but blocks the thread until the kernel has taken the message. */
  sendBytesSync(buf: ArrayBufferView | ArrayBufferLike, offset?: number, size?: number): void {
    this.#checkWrites('Connection.sendBytesSync');
    this.#exchange.finish(sendPayload(this.#exchange.outbox, partOf('Connection.sendBytesSync', buf, offset, size)));
  }

  /**
   * Receives a value. With the default serializer it must come from a peer that is trusted:
   * decoding can run its code.
   *
   * @throws (as rejection) ConnectionError `MP_CONNECTION_EOF` when the peer has closed its end,
   * `MP_READER_LOST`, `MP_NOT_READABLE`; TimeoutError; `signal.reason`; AuthenticationError when
   * the peer asks for a key that `Client` was not given; SerializationError for a message that
   * cannot be decoded, which is then gone; what the serializer's own `decode` throws; ClosedError.
   */
  recv(options?: WaitOptions): Promise<T> {
    try {
      this.#checkReads('Connection.recv');
      return this.#exchange.receive(
        'Connection.recv',
        false,
        Number.POSITIVE_INFINITY,
        boundsOf('Connection.recv', options),
      ) as Promise<T>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** As {@link recv}, but blocks the thread. Calls that wait already are served first. */
  recvSync(options?: WaitOptions): T {
    this.#checkReads('Connection.recvSync');
    return this.#exchange.receiveSync(
      'Connection.recvSync',
      false,
      Number.POSITIVE_INFINITY,
      boundsOf('Connection.recvSync', options),
    ) as T;
  }

  /**
   * Receives a message as bytes.
   *
   * @throws as {@link recv}; ConnectionError `MP_MESSAGE_LENGTH` for a message of more than
   * `maxLength` bytes, after which nothing can be received.
   */
  recvBytes(options?: RecvBytesOptions): Promise<Uint8Array> {
    return this.#receiveBytes('Connection.recvBytes', options);
  }

  #receiveBytes(actor: string, options: RecvBytesOptions | undefined): Promise<Uint8Array> {
    try {
      this.#checkReads(actor);
      const most = maxLengthOf(actor, options);
      return this.#exchange.receive(actor, true, most, options) as Promise<Uint8Array>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** As {@link recvBytes}, but blocks the thread. */
  recvBytesSync(options?: RecvBytesOptions): Uint8Array {
    this.#checkReads('Connection.recvBytesSync');
    const most = maxLengthOf('Connection.recvBytesSync', options);
    return this.#exchange.receiveSync('Connection.recvBytesSync', true, most, options) as Uint8Array;
  }

  /**
   * Receives a message into memory of yours.
   *
   * @param offset where to put it, bytes. Default 0.
   * @returns its length, bytes.
   * @throws (as rejection) BufferTooShortError, whose `data` is the whole message; the connection
   * stays usable. As {@link recv}; ArgumentError.
   */
  async recvBytesInto(buf: ArrayBufferView | ArrayBufferLike, offset = 0, options?: WaitOptions): Promise<number> {
    const room = partOf('Connection.recvBytesInto', buf, offset, undefined);
    const data = await this.#receiveBytes('Connection.recvBytesInto', options);
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
   * Returns whether there is something to receive: a message, the beginning of one, or the end of
   * the connection.
   *
   * @param options `timeout`: how long to wait for it, ms. Default 0: do not wait.
   * @throws (as rejection) ConnectionError for a bad descriptor, `MP_NOT_READABLE`; ClosedError;
   * `signal.reason`.
   */
  async poll(options?: WaitOptions): Promise<boolean> {
    this.#checkReads('Connection.poll');
    const { timeout = 0, signal } = boundsOf('Connection.poll', options) ?? {};
    signal?.throwIfAborted();
    if (this.#exchange.inbox.readable()) return true;
    if (timeout <= 0) return false;
    return await this.#exchange.readable(timeout, signal);
  }

  /** As {@link poll}, but blocks the thread. */
  pollSync(options?: WaitOptions): boolean {
    this.#checkReads('Connection.pollSync');
    const { timeout = 0, signal } = boundsOf('Connection.pollSync', options) ?? {};
    signal?.throwIfAborted();
    return this.#exchange.inbox.readable() || (timeout > 0 && this.#exchange.readableSync(timeout));
  }

  /**
   * Ends the use of the connection here. What was sent and the kernel has not taken yet still goes
   * out; calls that wait to receive reject. Other holders keep it. Closing twice does nothing.
   */
  close(): void {
    if (this.#exchange.closed) return;
    untrackConnection(this, this.#resources);
    this.#exchange.close();
  }

  /** As {@link close}, and resolves when the kernel has taken what was sent. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.#exchange.released();
  }

  /** As {@link close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * Receives until the peer closes its end. Leaving the loop early loses nothing and closes
   * nothing.
   */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return iterate((options) => this.recv(options));
  }

  /**
   * Returns what is received, from the subscription on; completes when the peer closes its end.
   * Each subscription receives messages of its own. It takes messages as fast as they come: where
   * the subscriber is slower than the peer, iterate instead. Unsubscribing loses nothing.
   */
  asObservable(): Observable<T> {
    return observe((options) => this.recv(options));
  }

  /** @internal */
  [inspect.custom](): string {
    const ways = [this.#readable ? 'readable' : '', this.#writable ? 'writable' : ''].filter(Boolean).join(', ');
    return this.#exchange.closed ? '<Connection (closed)>' : `<Connection ${this.#exchange.transport.title} (${ways})>`;
  }

  /** @internal Returns whether {@link wait} need not wait. */
  static ready(connection: Connection): boolean {
    connection.#checkReads('wait');
    return connection.#exchange.inbox.readable();
  }

  /** @internal Returns what goes on beneath it, for managers, which write frames of their own. */
  static exchange(connection: Connection): Exchange {
    return connection.#exchange;
  }

  /** @internal Its descriptor, undisturbed; `undefined` over a stream of Node. */
  static descriptor(connection: Connection): number | undefined {
    return connection.#exchange.transport.fd < 0 ? undefined : connection.#exchange.transport.fd;
  }

  /** @internal Where the peer is; `null` where it has no name. */
  static peer(connection: Connection): SocketName | null {
    return connection.#exchange.transport.peer();
  }

  /** @internal */
  static toHandle(connection: Connection): Handle {
    if (connection.#exchange.transport.fd < 0) {
      throw new ConnectionError(
        `Connection: one ${connection.#exchange.transport.title} cannot be sent to another process or thread, since its stream is here; pass the data on.`,
      );
    }
    const serializer = optionOf(connection.#exchange.serializer);
    return {
      block: connection.#exchange.share().block.handle,
      offer: connection.#offer.of(connection.#exchange.transport.fd),
      readable: connection.#readable,
      writable: connection.#writable,
      serializer: typeof serializer === 'string' ? serializer : UNNAMED_SERIALIZER,
    };
  }

  /** @internal */
  static parts(connection: Connection): readonly unknown[] {
    const serializer = optionOf(connection.#exchange.serializer);
    return typeof serializer === 'string' ? [] : [serializer];
  }

  /** @internal */
  static [ATTACH]({ block, offer, readable, writable, serializer }: Handle, parts: readonly unknown[]): Connection {
    const words = new ReaderWords(attachBlock(block));
    const option = (serializer === UNNAMED_SERIALIZER ? parts[0] : serializer) as SerializerOption;
    const connection = new Connection(obtainDescriptor(offer), { readable, writable, serializer: option });
    connection.#exchange.inbox.share(words);
    return connection;
  }

  #check(actor: string): void {
    if (this.#exchange.closed) throw closed(actor);
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
printedAsShown(Connection);

registerShareable('connection', {
  module: entry('connection/index'),
  class: Connection,
  toHandle: Connection.toHandle,
  closed: (connection) => connection.closed,
  parts: Connection.parts,
  again: ({ offer }) => declineOffer(offer),
});
