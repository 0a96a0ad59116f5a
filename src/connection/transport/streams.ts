/**
 * Sockets of Node, where the library has none of its own: TCP without the addon. They need the event
 * loop, and stay in their thread.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Errno, errnoOf, Family, nativeAvailable, type SocketName, systemError } from '../../native/index.js';

/** Returns whether an address is reached by a socket of Node. */
export function usesStreams({ family }: SocketName): boolean {
  return family !== Family.AF_UNIX && !nativeAvailable();
}

/**
 * Connects.
 * @throws (as rejection) MultiprocessError `MP_SYSTEM`; `signal.reason`.
 */
export async function connectStream({ host, port }: SocketName, signal: AbortSignal): Promise<Socket> {
  const socket = connect({ host, port, noDelay: true });
  try {
    await once(socket, 'connect', { signal });
  } catch (error) {
    socket.destroy();
    signal.throwIfAborted();
    throw streamError(`Connecting to ${host}:${port}`, 'connect', error);
  }
  // Nobody else hears of what happens to it before it has a connection.
  socket.on('error', () => {});
  return socket;
}

/** Returns the error of a system call that Node made, with the number that Linux has for it. */
export function streamError(actor: string, syscall: string, error: unknown): Error {
  const errno = errnoOfStream(error);
  return errno === undefined ? (error as Error) : systemError(actor, syscall, errno);
}

/** Returns the negated error number of Linux; other systems have others. */
export function errnoOfStream(error: unknown): number | undefined {
  const { code } = error as { readonly code?: unknown };
  return Object.hasOwn(Errno, code as string) ? Errno[code as keyof typeof Errno] : errnoOf(error);
}
