import { inspect } from 'node:util';
import { Observable } from 'rxjs';
import { ArgumentError, AuthenticationError, ClosedError, ConnectionError } from '../errors/index.js';
import { Errno, errnoOf, nativeAvailable } from '../native/index.js';
import { type SerializerOption, serializerOf } from '../reduction/index.js';
import { staysHere } from '../util/local-class.js';
import { checkNumber, checkOptions } from '../util/options.js';
import { printedAsShown } from '../util/printed.js';
import { clearTimeout, setTimeout } from '../util/timers.js';
import { boundsOf, type WaitOptions } from '../util/wait-options.js';
import type { WaitableObject } from '../util/waitable.js';
import { AcceptQueue } from './accept-queue.js';
import { type Address, type AddressFamily, addressOf, checkFamily, familyOf, resolveAddress } from './address.js';
import { Connection } from './connection.js';
import { type AuthKey, keyOf } from './handshake/authentication.js';
import { Handshakes } from './handshake/handshakes.js';
import { checkTls, type ListenerTls } from './handshake/tls.js';
import { cannotListen } from './messages.js';
import { type Entrance, openEntrance } from './transport/entrance.js';
import { freshName, isStale, SocketFile } from './transport/socket-file.js';

/** How {@link Listener.listen} listens. */
export interface ListenerOptions {
  /**
   * A path, with a leading NUL an abstract one, or `{ host, port }`. Default: one is chosen, of
   * `family`.
   */
  readonly address?: Address | undefined;
  /** Default: that of the address, or `AF_UNIX`. */
  readonly family?: AddressFamily | undefined;
  /** Connections that the kernel keeps while nobody accepts them. Default 511, as that of Node. */
  readonly backlog?: number | undefined;
  /**
   * With a key, the empty one too, only peers that prove to know it are accepted. Default:
   * everybody is.
   */
  readonly authkey?: AuthKey | undefined;
  /**
   * TLS beneath the connections: `key` and `cert`, and what else `tls.createServer` takes. Default:
   * none.
   */
  readonly tls?: ListenerTls | undefined;
  /**
   * How values become bytes on the connections. Default `'multiprocess'`, whose decoding can run
   * code of the peer.
   */
  readonly serializer?: SerializerOption | undefined;
  /** Milliseconds that a peer has to prove itself. Default 10,000. */
  readonly handshakeTimeout?: number | undefined;
  /**
   * Peers that may be about to prove themselves at a time; as many more wait for a place, and an
   * address that has many gives way to others. Default 128.
   */
  readonly maxHandshakes?: number | undefined;
}

const LISTENER_OPTIONS = [
  'address',
  'family',
  'backlog',
  'authkey',
  'tls',
  'serializer',
  'handshakeTimeout',
  'maxHandshakes',
];

/**
 * Accepts connections of {@link Client}s, of this library or of Python.
 *
 * Semantics: with an `authkey` both ends prove that they know it, by Python's handshake, before
 * anything else is received. Peers that hang up, stay silent, or send anything but an answer are
 * dropped; one with another key makes `accept` reject with AuthenticationError, as in Python, and
 * the next `accept` serves the next peer. Nobody is accepted while nobody waits for a connection:
 * the kernel keeps `backlog` of them.
 *
 * Decoding runs the peer's code: with the default serializer, what is received from an accepted
 * connection can run code of its sender in this process. Without an `authkey` everybody who can
 * connect may send it. Use `serializer: 'msgpackr'` for peers that are not trusted.
 *
 * A unix socket that was chosen lies in a folder of mode 0700; its file is removed by `close`, or
 * when the process ends in good order. Without the native addon paths are names that the threads of
 * this process share, and are no files; TCP goes over sockets of Node, which accept up to `backlog`
 * connections ahead and hang up on more.
 *
 * Python: `multiprocessing.connection.Listener`. There the backlog is 1.
 *
 * @example
 * import { Client, Listener } from 'multiprocess';
 *
 * const authkey = 'secret';
 * const listener = await Listener.listen({ authkey });
 * const connecting = Client(listener.address, { authkey });
 * const [server, client] = await Promise.all([listener.accept(), connecting]);
 * await server.send('welcome');
 * console.log(await client.recv()); // welcome
 * for (const each of [server, client, listener]) each.close();
 */
export class Listener implements AsyncDisposable, Disposable {
  /** Where clients find it. */
  readonly address: Address;
  /** What sort of socket it is. */
  readonly family: AddressFamily;
  readonly #entrance: Entrance;
  readonly #file: SocketFile | undefined;
  readonly #handshakes: Handshakes;
  readonly #queue = new AcceptQueue();
  #lastAccepted: Address | null = null;
  #closed = false;
  /** Milliseconds of the last pause after an error that may pass; 0: there was none. */
  #pause = 0;
  #retry: NodeJS.Timeout | undefined;

  private constructor(
    entrance: Entrance,
    family: AddressFamily,
    file: SocketFile | undefined,
    options: ListenerOptions,
  ) {
    if (typeof (entrance as Partial<Entrance> | undefined)?.take !== 'function')
      throw new ArgumentError('Listener: there is no public constructor; use `await Listener.listen({ address })`.');
    this.#entrance = entrance;
    this.#file = file;
    this.family = family;
    this.address = addressOf(entrance.name);
    const { authkey, tls, serializer, handshakeTimeout = 10_000, maxHandshakes = 128 } = options;
    const key = authkey === undefined ? undefined : keyOf('Listener.listen', authkey);
    this.#handshakes = new Handshakes(
      { key, tls, serializer },
      { most: maxHandshakes, time: handshakeTimeout },
      {
        passed: (connection) => this.#passed(connection),
        failed: (error) => this.#queue.fail(error),
        room: () => this.#want(),
      },
    );
  }

  /**
   * Starts to listen.
   *
   * @throws (as rejection) ArgumentError; MultiprocessError `MP_SYSTEM`, with `errno`, when the
   * address is taken (EADDRINUSE), or not ours.
   */
  static async listen(options: ListenerOptions = {}): Promise<Listener> {
    checkOptions('Listener.listen', options, LISTENER_OPTIONS, { string: 'address' });
    const backlog = checkNumber('Listener.listen', 'backlog', options.backlog, { integer: true }) ?? BACKLOG;
    checkNumber('Listener.listen', 'handshakeTimeout', options.handshakeTimeout, { min: 1 });
    checkNumber('Listener.listen', 'maxHandshakes', options.maxHandshakes, { integer: true, min: 1 });
    if (options.authkey !== undefined) keyOf('Listener.listen', options.authkey);
    serializerOf('Listener.listen', options.serializer);
    checkFamily('Listener.listen', options.family);
    // Without the addon an address of a unix socket is a name among threads, and no file.
    const files = nativeAvailable();
    const chosen = options.address === undefined && (options.family ?? 'AF_UNIX') === 'AF_UNIX';
    const file = chosen && files ? SocketFile.arbitrary() : undefined;
    const address =
      options.address ??
      file?.path ??
      (chosen ? freshName() : { host: options.family === 'AF_INET6' ? '::1' : 'localhost', port: 0 });
    const family = familyOf('Listener.listen', address, options.family);
    if (options.tls !== undefined) checkTls('Listener.listen', family);
    let entrance: Entrance | undefined;
    let listener: Listener | undefined;
    try {
      const name = await resolveAddress(address, family);
      try {
        entrance = await openEntrance(name, backlog, () => listener!.#arrived());
      } catch (cause) {
        throw cannotListen(address, isStale(address), cause);
      }
      const given = files && file === undefined && typeof address === 'string' && !address.startsWith('\0');
      const path = given ? address : undefined;
      const bound = path === undefined ? file : new SocketFile(path, false);
      bound?.bound();
      listener = new Listener(entrance, family, bound, options);
      return listener;
    } catch (error) {
      entrance?.close();
      file?.remove();
      throw error;
    }
  }

  /**
   * The peer that was accepted last: its host and port, or `null` before the first one and for unix
   * sockets, which have no name.
   */
  get lastAccepted(): Address | null {
    return this.#lastAccepted;
  }

  /** Whether it was closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Returns the descriptor of the listening socket, for {@link wait}; it stays the listener's.
   * @throws ClosedError; ConnectionError `MP_CONNECTION` for TCP without the native addon.
   */
  fileno(): number {
    this.#check('Listener.fileno');
    const { target } = this.#entrance;
    if (typeof target === 'number') return target;
    throw new ConnectionError(
      'Listener.fileno: a listener at TCP has no descriptor without the native addon; wait() takes the listener itself.',
    );
  }

  /**
   * Returns the next connection, its handshake done.
   *
   * @throws (as rejection) AuthenticationError `MP_AUTHENTICATION` when a peer has another key;
   * TimeoutError; `signal.reason`; ClosedError when the listener is closed, before or meanwhile.
   * While descriptors or memory are missing it goes on waiting (with a warning,
   * `MP_LISTENER_EXHAUSTED`).
   */
  async accept<T = unknown>(options?: WaitOptions): Promise<Connection<T>> {
    const bounds = boundsOf('Listener.accept', options) ?? {};
    this.#check('Listener.accept');
    bounds.signal?.throwIfAborted();
    try {
      const waiting = this.#queue.take(bounds);
      this.#want();
      return this.#accepted(await waiting) as Connection<T>;
    } finally {
      this.#want();
    }
  }

  /**
   * The connections, from the subscription on; completes when the listener is closed. Peers with
   * another key are passed over. Several subscriptions, and calls of {@link accept}, share them out
   * among each other.
   */
  get connections(): Observable<Connection> {
    return new Observable((subscriber) => {
      const gone = new AbortController();
      const next = () => {
        this.accept({ signal: gone.signal }).then(
          (connection) => {
            if (subscriber.closed) this.#passed(connection);
            else subscriber.next(connection);
            if (!subscriber.closed) next();
          },
          (error: unknown) => {
            if (gone.signal.aborted) return;
            if (error instanceof ClosedError) subscriber.complete();
            else if (error instanceof AuthenticationError) next();
            else subscriber.error(error);
          },
        );
      };
      next();
      return () => gone.abort();
    });
  }

  /**
   * Listens no more: calls that wait reject, peers that were not accepted are hung up on; accepted
   * connections stay. Closing twice does nothing.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#entrance.close();
    this.#file?.remove();
    this.#handshakes.close();
    this.#queue.close(() => closed('Listener.accept'));
  }

  /** As {@link close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /** As {@link close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal */
  [inspect.custom](): string {
    return `<Listener ${inspect(this.address)}${this.#closed ? ' (closed)' : ''}>`;
  }

  /** @internal What {@link wait} waits for. */
  static target(listener: Listener): number | WaitableObject {
    listener.#check('wait');
    return listener.#entrance.target;
  }

  #arrived(): void {
    try {
      // A few at a time: those that were taken in must get to answer.
      for (let i = 0; i < MAX_ACCEPTED_AT_ONCE && this.#queue.wanted > 0 && !this.#handshakes.full; i++) {
        const arrival = this.#entrance.take();
        if (arrival === null) break;
        this.#pause = 0;
        this.#handshakes.begin(arrival.carrier, arrival.origin);
      }
    } catch (error) {
      if (TRANSIENT_ERRORS.has(errnoOf(error))) this.#backOff(error);
      else this.#queue.fail(error);
    }
    this.#want();
  }

  /**
   * Descriptors or memory ran out, perhaps by strangers: who waits goes on waiting, and the kernel
   * keeps who comes.
   */
  #backOff(error: unknown): void {
    if (this.#pause === 0) {
      process.emitWarning(`Listener.accept: ${(error as Error).message} It tries again until it can.`, {
        code: 'MP_LISTENER_EXHAUSTED',
      });
    }
    this.#pause = Math.min(MAX_PAUSE_MS, this.#pause * 2 || FIRST_PAUSE_MS);
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      if (!this.#closed) this.#arrived();
    }, this.#pause);
  }

  #passed(connection: Connection): void {
    if (this.#closed) connection.close();
    else this.#queue.pass(connection);
  }

  #accepted(connection: Connection): Connection {
    const peer = Connection.peer(connection);
    this.#lastAccepted = peer === null ? null : addressOf(peer);
    return connection;
  }

  #want(): void {
    if (this.#closed) return;
    const wants = this.#queue.wanted > 0 && this.#retry === undefined && !this.#handshakes.full;
    this.#entrance.want(wants);
  }

  #check(actor: string): void {
    if (this.#closed) throw closed(actor);
  }
}
printedAsShown(Listener);

/**
 * TCP drops who finds a full backlog without a word, and the client's system tries again after 1, 2,
 * 4 ... seconds, so it must hold a crowd.
 */
const BACKLOG = 511;
/** Accepted at once. */
const MAX_ACCEPTED_AT_ONCE = 16;
/** Milliseconds before it tries again, at first and at most. */
const FIRST_PAUSE_MS = 5;
const MAX_PAUSE_MS = 1_000;
/**
 * Failures of accept(2) after which it may succeed again: a resource ran out, the peer has hung up,
 * or the network of that peer failed (accept(2): "Error handling").
 */
const TRANSIENT_ERRORS: ReadonlySet<number | undefined> = new Set([
  Errno.EMFILE,
  Errno.ENFILE,
  Errno.ENOMEM,
  Errno.ENOBUFS,
  Errno.ECONNABORTED,
  Errno.EPERM,
  Errno.EPROTO,
  Errno.ENETDOWN,
  Errno.ENETUNREACH,
  Errno.ENONET,
  Errno.ENOPROTOOPT,
  Errno.EHOSTDOWN,
  Errno.EHOSTUNREACH,
  Errno.EOPNOTSUPP,
]);

function closed(actor: string): ClosedError {
  return new ClosedError(`${actor}: the listener is closed; use it before close(), or make another one.`);
}

staysHere(Listener, 'send its `address` and connect with Client inside the function, or listen inside the function');
