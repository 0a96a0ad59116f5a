import { ArgumentError } from '../errors/index.js';
import { describe } from '../util/options.js';
import { addon } from './addon.js';
import { Refusal } from './calls.js';
import { Errno } from './errno.js';
import { systemError } from './system-error.js';

/** Families of sockets, by the kernel's numbers. */
export const Family = { AF_UNIX: 1, AF_INET: 2, AF_INET6: 10 } as const;

/**
 * Where a socket is. `host`: a path (a leading NUL: abstract), or an address in numbers. `port` is
 * 0 for paths.
 */
export interface SocketName {
  readonly family: number;
  readonly host: string;
  readonly port: number;
}

const made = new Int32Array(1);

/**
 * Returns a listening stream socket, non-blocking and close-on-exec.
 * @throws ArgumentError; MultiprocessError `MP_SYSTEM` (EADDRINUSE, …).
 */
export function listenSocket({ family, host, port }: SocketName, backlog: number): number {
  return checked(`Listening on ${spell(host, port)}`, 'bind', addon().socketListen(family, host, port, backlog));
}

/**
 * A stream socket that connects.
 *
 * @returns its descriptor, and whether it is still under way: then wait until it is writable and
 * call {@link finishSocket}.
 * @throws ArgumentError; MultiprocessError `MP_SYSTEM` (ECONNREFUSED, ENOENT; EAGAIN for a unix
 * socket with a full backlog).
 */
export function connectSocket({ family, host, port }: SocketName): { fd: number; pending: boolean } {
  const result = addon().socketConnect(family, host, port, made);
  const pending = result === Errno.EINPROGRESS;
  if (!pending) checked(`Connecting to ${spell(host, port)}`, 'connect', result);
  return { fd: made[0]!, pending };
}

/**
 * Ends what {@link connectSocket} began.
 * @throws MultiprocessError `MP_SYSTEM` when it did not succeed; the descriptor stays open.
 */
export function finishSocket(fd: number, { host, port }: SocketName): void {
  checked(`Connecting to ${spell(host, port)}`, 'connect', addon().socketFinish(fd));
}

/**
 * Returns a connection that waits at a listening socket; `null` when there is none.
 * @throws MultiprocessError `MP_SYSTEM`.
 */
export function acceptSocket(fd: number): number | null {
  const result = addon().socketAccept(fd);
  return result === Errno.EAGAIN ? null : checked(`Accepting on descriptor ${fd}`, 'accept4', result);
}

/**
 * Where a socket, or its peer, is; an unbound unix socket has the host ''.
 * @throws MultiprocessError `MP_SYSTEM` (ENOTSOCK, ENOTCONN).
 */
export function socketName(fd: number, which: 'own' | 'peer'): SocketName {
  const name = addon().socketName(fd, which === 'peer');
  if (typeof name === 'number') throw failed(`Name of descriptor ${fd}`, 'getsockname', name);
  const [family, port] = name.split(' ', 2);
  return { family: Number(family), port: Number(port), host: name.slice(family!.length + port!.length + 2) };
}

/** Id of the user who connected a unix socket. @throws MultiprocessError `MP_SYSTEM`. */
export function peerUser(fd: number): number {
  return checked(`User behind descriptor ${fd}`, 'getsockopt', addon().peerUser(fd));
}

/** For messages: what a user would type. */
function spell(host: string, port: number): string {
  return port === 0 ? describe(host.replaceAll('\0', '\\0')) : `${host}:${port}`;
}

function checked(actor: string, syscall: string, result: number): number {
  if (result < 0) throw failed(actor, syscall, result);
  return result;
}

function failed(actor: string, syscall: string, result: number): Error {
  if (result === Refusal.badArgument) return new ArgumentError(`${actor}: the address must be text and numbers.`);
  return systemError(actor, syscall, result);
}
