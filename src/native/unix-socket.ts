import { constants } from 'node:os';
import { addon } from './addon.js';
import { systemError } from './system-error.js';

/**
 * Listens on a name in the abstract name space of local sockets (Linux): it needs no file, and is free again when the last
 * descriptor of the socket is closed. Everybody in the same network name space may connect: authenticate who does.
 *
 * @param name at most 107 bytes.
 * @returns a non-blocking, close-on-exec descriptor.
 * @throws MultiprocessError `MP_SYSTEM` (EADDRINUSE).
 */
export function listenAbstract(name: string): number {
  return checked('listenAbstract', 'bind', addon().listenAbstract(name));
}

/** Connects to such a name. Never blocks. @throws MultiprocessError `MP_SYSTEM` (ECONNREFUSED: nobody listens; EAGAIN: too many wait there). */
export function connectAbstract(name: string): number {
  return checked('connectAbstract', 'connect', addon().connectAbstract(name));
}

/** Takes a connection that waits; `null` when there is none. Non-blocking and close-on-exec. @throws MultiprocessError `MP_SYSTEM`. */
export function acceptSocket(fd: number): number | null {
  const result = addon().acceptSocket(fd);
  if (result === -constants.errno.EAGAIN || result === -constants.errno.ECONNABORTED) return null;
  return checked('acceptSocket', 'accept4', result);
}

function checked(actor: string, syscall: string, result: number): number {
  if (result < 0) throw systemError(actor, syscall, result);
  return result;
}
