/**
 * Descriptors over a unix socket, with Python's bytes: one byte that holds their count modulo 256,
 * and SCM_RIGHTS with it.
 */
import { ArgumentError, ConnectionError } from '../errors/index.js';
import { closeDescriptor, Ready, receiveDescriptors, sendDescriptors, whenReady } from '../native/index.js';
import { checkNumber, describe } from '../util/options.js';

/** A unix socket: a descriptor, a Connection (or what else has `fileno()`), or a net.Socket. */
export type SocketLike =
  | number
  | {
      /** The descriptor. */
      fileno(): number;
    }
  | {
      /** Node's own handle of a net.Socket. */
      readonly _handle?:
        | {
            /** The descriptor, while it is open. */
            readonly fd?: number;
          }
        | null
        | undefined;
    };

/**
 * Sends copies of descriptors over a unix socket; yours stay open.
 *
 * Semantics: bytes that the other end expects, so send nothing else on the socket that it might
 * take for them. Await the sends of a Connection before.
 *
 * @param fds at most 253.
 * @throws ArgumentError; MultiprocessError `MP_SYSTEM` (EBADF; EPIPE when the other end is closed).
 */
export async function sendFds(socket: SocketLike, fds: readonly number[]): Promise<void> {
  sendDescriptors(descriptorOf('sendFds', socket), fds, Uint8Array.of(fds.length % 256));
}

/**
 * Receives what {@link sendFds} (or Python's `sendfds`) sent: new descriptors, close-on-exec, yours
 * to close.
 *
 * @param count how many were sent.
 * @throws ConnectionError `MP_CONNECTION_EOF` when the other end is closed, `MP_NO_DESCRIPTOR` when
 * others, or none, came with the byte (they are closed).
 */
export async function recvFds(socket: SocketLike, count: number): Promise<number[]> {
  const fd = descriptorOf('recvFds', socket);
  checkNumber('recvFds', 'count', count, { integer: true, min: 1 });
  for (;;) {
    const got = receiveDescriptors(fd, 253, 1);
    if (got === null) {
      await whenReady([{ fd, events: Ready.readable }]);
      continue;
    }
    if (got.payload.length === 0)
      throw new ConnectionError('recvFds: the other end was closed before it sent any descriptor.', { code: 'MP_CONNECTION_EOF' });
    if (got.fds.length === count && got.payload[0] === count % 256) return got.fds;
    for (const one of got.fds) closeDescriptor(one);
    throw new ConnectionError(
      `recvFds: ${got.fds.length} descriptors came, not ${count}; let the sender use sendFds (or sendHandle) with as many, and send nothing else in between.`,
      { code: 'MP_NO_DESCRIPTOR' },
    );
  }
}

/**
 * Sends a copy of a descriptor over a connection made by `pipe()` or of family AF_UNIX, as Python's
 * `send_handle`.
 *
 * @param handle the descriptor; yours stays open.
 * @param pid process id of who receives it: accepted and not needed here, as in Python outside of
 * Windows.
 * @throws as {@link sendFds}.
 */
export async function sendHandle(connection: SocketLike, handle: number, pid?: number | null): Promise<void>;
export async function sendHandle(connection: SocketLike, handle: number): Promise<void> {
  await sendFds(connection, [handle]);
}

/** Receives what {@link sendHandle} sent. @throws as {@link recvFds}. */
export async function recvHandle(connection: SocketLike): Promise<number> {
  const [fd] = await recvFds(connection, 1);
  return fd!;
}

function descriptorOf(actor: string, socket: SocketLike): number {
  if (typeof socket === 'number') return socket;
  if (typeof socket === 'object' && socket !== null) {
    if ('fileno' in socket && typeof socket.fileno === 'function') return socket.fileno();
    const fd = (socket as { _handle?: { fd?: number } | null })._handle?.fd;
    if (typeof fd === 'number' && fd >= 0) return fd;
  }
  throw new ArgumentError(`${actor}: needs an open unix socket (a descriptor, a Connection or a net.Socket), not ${describe(socket)}.`);
}
