import { ConnectionError } from '../errors/index.js';
import {
  closeDescriptor,
  connectSocket,
  Errno,
  errnoOf,
  finishSocket,
  Ready,
  type SocketName,
  whenReady,
} from '../native/index.js';
import { type SerializerOption, serializerOf } from '../reduction/index.js';
import { onAbort } from '../util/abort.js';
import { after } from '../util/after.js';
import { checkNumber, checkOptions, describe } from '../util/options.js';
import { checkWaitOptions, type WaitOptions } from '../util/wait-options.js';
import { type Address, type AddressFamily, familyOf, resolveAddress } from './address.js';
import { Connection } from './connection.js';
import {
  type AuthKey,
  answerChallenge,
  deliverChallenge,
  HANDSHAKE_TIMEOUT_MS,
  keyOf,
} from './handshake/authentication.js';
import { type ClientTls, checkTls, secureClient } from './handshake/tls.js';
import { handshakeTimedOut, notConnected } from './messages.js';
import { type Carrier, transportOver } from './transport/carrier.js';
import { connectStream, usesStreams } from './transport/streams.js';

/** How {@link Client} connects. */
export interface ClientOptions extends WaitOptions {
  /**
   * The key that the listener has. With one, both ends prove that they know it. Default: no
   * handshake.
   */
  readonly authkey?: AuthKey | undefined;
  /**
   * Milliseconds from being connected to having proved itself (TLS, key). Default: what is left of
   * `timeout`, or 10,000. A listener that accepts nobody meanwhile does not answer.
   */
  readonly handshakeTimeout?: number | undefined;
  /** Default: that of the address. */
  readonly family?: AddressFamily | undefined;
  /** TLS beneath the connection: `true`, or options of `tls.connect`. Default: none. */
  readonly tls?: ClientTls | undefined;
  /**
   * How values become bytes: that of the listener. Default `'multiprocess'`, whose decoding can run
   * code of the listener's process.
   */
  readonly serializer?: SerializerOption | undefined;
}

const CLIENT_OPTIONS = ['authkey', 'family', 'tls', 'serializer', 'handshakeTimeout'];
/** What connect(2) says where nobody listens. */
const NOBODY_LISTENS: ReadonlySet<number | undefined> = new Set([Errno.ENOENT, Errno.ECONNREFUSED]);
/**
 * Milliseconds between two attempts at a unix socket whose backlog is full: the kernel tells nobody
 * when it has room again.
 */
const FULL_BACKLOG_RETRY_MS = 5;

/**
 * Connects to a {@link Listener}, of this library or of Python.
 *
 * Decoding runs the peer's code: with the default serializer, what is received can run code of the
 * listener's process in this one. Use `serializer: 'msgpackr'` for listeners that are not trusted.
 *
 * @param address a path, with a leading NUL an abstract one, or `{ host, port }`.
 * @param options `timeout`: ms for all of it, name lookup and handshake included. Default: no limit
 * but that of the handshake.
 * @returns the connection, once the handshake is done.
 * @throws (as rejection) ConnectionError `MP_CONNECTION_REFUSED` when nobody listens there,
 * `MP_HOST_NOT_FOUND`, `MP_CONNECTION_EOF` when the listener closes before the end of the
 * handshake; AuthenticationError `MP_AUTHENTICATION`; TimeoutError, `MP_HANDSHAKE_TIMEOUT` when one
 * side has an authkey (or TLS) and the other has none; `signal.reason`; ArgumentError.
 *
 * Python: `multiprocessing.connection.Client`.
 * @example
 * import { Client, Listener } from 'multiprocess';
 *
 * await using listener = await Listener.listen({ authkey: 'secret' });
 * const [server, client] = await Promise.all([
 *   listener.accept(),
 *   Client<string>(listener.address, { authkey: 'secret' }),
 * ]);
 * await server.send('hello');
 * console.log(await client.recv()); // hello
 * for (const end of [server, client]) end.close();
 */
export async function Client<T = unknown>(address: Address, options?: ClientOptions): Promise<Connection<T>> {
  checkWaitOptions('Client', options, CLIENT_OPTIONS, { string: 'authkey', number: 'timeout' });
  const family = familyOf('Client', address, options?.family);
  const key = options?.authkey === undefined ? undefined : keyOf('Client', options.authkey);
  if (options?.tls !== undefined && options.tls !== true)
    checkOptions('Client (tls)', options.tls, Object.keys(options.tls));
  if (options?.tls !== undefined) checkTls('Client', family);
  serializerOf('Client', options?.serializer);
  const handshakeTimeout =
    checkNumber('Client', 'handshakeTimeout', options?.handshakeTimeout, { min: 1, infinite: true }) ??
    (options?.timeout === undefined ? HANDSHAKE_TIMEOUT_MS : Number.POSITIVE_INFINITY);
  options?.signal?.throwIfAborted();
  const limit = new AbortController();
  const { signal } = limit;
  const theirs = options?.signal;
  const forget = theirs === undefined ? undefined : onAbort(theirs, () => limit.abort(theirs.reason));
  const secured = options?.tls !== undefined;
  let shaking = false;
  const end = after(options?.timeout ?? Number.POSITIVE_INFINITY, () =>
    limit.abort(notConnected(address, options!.timeout!, shaking, key !== undefined, secured)),
  );
  let endHandshake = () => {};
  try {
    const carrier = await connectTo(await resolveAddress(address, family), signal);
    shaking = secured || key !== undefined;
    if (shaking)
      endHandshake = after(handshakeTimeout, () =>
        limit.abort(handshakeTimedOut(address, key !== undefined, secured, handshakeTimeout)),
      );
    const { tls, serializer } = options ?? {};
    const connection =
      tls === undefined
        ? new Connection(transportOver(carrier), { serializer })
        : await secureClient(carrier, hostOf(address), tls, serializer, signal);
    try {
      if (key !== undefined) {
        const bounds = { signal, timeout: Number.POSITIVE_INFINITY };
        await answerChallenge(connection, key, bounds);
        await deliverChallenge(connection, key, 'sha256', bounds);
      }
    } catch (error) {
      connection.close();
      throw error;
    }
    return connection as Connection<T>;
  } finally {
    end();
    forget?.();
    endHandshake();
  }
}

async function connectTo(name: SocketName, signal: AbortSignal): Promise<Carrier> {
  for (;;) {
    signal.throwIfAborted();
    let fd: number | undefined;
    try {
      if (usesStreams(name)) return await connectStream(name, signal);
      const made = connectSocket(name);
      fd = made.fd;
      if (made.pending) {
        await whenReady([{ fd, events: Ready.writable }], Number.POSITIVE_INFINITY, signal);
        finishSocket(fd, name);
      }
      return fd;
    } catch (cause) {
      if (fd !== undefined) closeDescriptor(fd);
      const errno = errnoOf(cause);
      if (NOBODY_LISTENS.has(errno)) {
        const what = name.port === 0 ? describe(name.host) : `${name.host}:${name.port}`;
        const error = new ConnectionError(
          `Client: nobody listens at ${what}; start the listener first, or check the address.`,
          {
            code: 'MP_CONNECTION_REFUSED',
            cause,
          },
        );
        throw Object.assign(error, { errno });
      }
      if (errno !== Errno.EAGAIN) throw cause;
    }
    await new Promise<void>((resolve) => {
      after(FULL_BACKLOG_RETRY_MS, resolve);
    });
  }
}

function hostOf(address: Address): string | undefined {
  return typeof address === 'string' ? undefined : address.host;
}
