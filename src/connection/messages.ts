/** Every message of this folder. */
import { dirname, resolve } from 'node:path';
import { AuthenticationError, ClosedError, ConnectionError, MultiprocessError, TimeoutError } from '../errors/index.js';
import { Errno, errorName } from '../native/index.js';
import { type Address, showAddress } from './address.js';

/**
 * A listener that cannot listen. `stale`: its address is a socket file at which nobody listens.
 * Keeps `errno`.
 */
export function cannotListen(address: Address, stale: boolean, cause: unknown): unknown {
  const { errno } = cause as { errno?: number };
  if (errno === undefined) return cause;
  const place = showAddress(address);
  const file = typeof address === 'string' && !address.startsWith('\0');
  const folder = file ? JSON.stringify(dirname(resolve(address))) : '';
  const repairs: Record<string, string> = {
    EADDRINUSE: stale
      ? 'and nobody listens there: the file was left by a listener that has ended; remove it'
      : file
        ? 'there is a file already; close the other listener, remove the file if it is no socket, or choose another path'
        : 'another listener has it; close that one, or choose another address (port 0 gives a free one)',
    ENOENT: `the directory ${folder} does not exist; make it first`,
    ENOTDIR: `${folder} is not a directory; choose another path`,
    EACCES: file
      ? `this user may not write to ${folder}; choose another path`
      : 'this user may not have that port; choose one from 1024 on, or 0',
    EADDRNOTAVAIL: "the address is not this machine's; choose one of its own, or '' for all interfaces",
    EROFS: `the file system of ${folder} is read-only; choose another path`,
  };
  const name = errorName(errno);
  const repair = repairs[name];
  if (repair === undefined) return cause;
  const error = new MultiprocessError(`Listener.listen: cannot listen at ${place}: ${name}, ${repair}.`, {
    code: 'MP_SYSTEM',
    cause,
  });
  return Object.assign(error, { errno, syscall: 'bind' });
}

/** The peer closed its end, between two messages. */
export function endOfFile(): ConnectionError {
  return new ConnectionError(
    'Connection: the peer has closed its end and everything it sent was received; close this end too.',
    {
      code: 'MP_CONNECTION_EOF',
    },
  );
}

/** The peer closed its end, or ended, within a message. */
export function truncated(got: number, length: number): ConnectionError {
  return new ConnectionError(
    `Connection: the peer ended within a message (${got} of ${length} bytes came), which is lost; look why it ended.`,
    { code: 'MP_CONNECTION_EOF' },
  );
}

/** What a failed read or write of the kernel means. `errno` is negated, as in Node. */
export function channelError(doing: 'receive' | 'send', errno: number): MultiprocessError {
  if (errno === Errno.EPIPE) {
    return new ConnectionError(
      'Connection: nobody can receive what is sent, since the peer has closed its end; close this end too.',
      {
        code: 'MP_BROKEN_PIPE',
      },
    );
  }
  if (errno === Errno.ECONNRESET) {
    return new ConnectionError(
      'Connection: the peer has closed its end without receiving everything that was sent to it.',
      {
        code: 'MP_CONNECTION_RESET',
      },
    );
  }
  const name = errorName(errno);
  const repair =
    errno === Errno.EBADF ? ': the descriptor is not open; it was closed by somebody else, or never was one' : '';
  return Object.assign(
    new ConnectionError(`Connection: cannot ${doing}: ${name}${repair}.`, { code: 'MP_CONNECTION' }),
    { errno },
  );
}

/** A length that is refused before anything is allocated. */
export function badLength(length: number, most: number): ConnectionError {
  const what =
    length < 0
      ? 'the peer announced a message of negative length: it does not speak this protocol'
      : `the peer announced a message of ${length} bytes, more than the ${most} allowed`;
  return new ConnectionError(`Connection: ${what}. Nothing more can be received.`, { code: 'MP_MESSAGE_LENGTH' });
}

/** Reading was given up after {@link badLength}. */
export function unreadable(): ConnectionError {
  return new ConnectionError(
    'Connection: nothing more can be received after a message whose length was refused; close it.',
    {
      code: 'MP_MESSAGE_LENGTH',
    },
  );
}

/** Another reader ended within a message. */
export function readerLost(): ConnectionError {
  return new ConnectionError(
    'Connection: another process that received from this end died within a message, so where the next one begins is lost; close the connection and open another one.',
    { code: 'MP_READER_LOST' },
  );
}

/** The peer wants a handshake that this side was not told of. */
export function keyWanted(cause: unknown): AuthenticationError {
  return new AuthenticationError(
    'Connection: the peer asks for proof of a key, and this side was given none: the listener has an `authkey`; give Client the same one.',
    { code: 'MP_AUTHENTICATION', cause },
  );
}

/** Nothing came of a handshake. */
export function handshakeTimedOut(address: Address, keyed: boolean, tls: boolean, time: number): TimeoutError {
  return new TimeoutError(`${notAnswered(address, keyed, tls, time)}; see \`handshakeTimeout\`.`, {
    code: 'MP_HANDSHAKE_TIMEOUT',
  });
}

/**
 * The caller's own time ran out.
 * @param shaking Whether a connection was there, and its handshake under way.
 */
export function notConnected(
  address: Address,
  time: number,
  shaking: boolean,
  keyed: boolean,
  tls: boolean,
): TimeoutError {
  return new TimeoutError(
    shaking
      ? `${notAnswered(address, keyed, tls, time)}.`
      : `Client: no connection to ${showAddress(address)} within ${time} ms.`,
  );
}

function notAnswered(address: Address, keyed: boolean, tls: boolean, time: number): string {
  const why = tls
    ? 'the listener there may not use `tls`, or has no `authkey`'
    : 'the listener there may have no `authkey` (then leave it out here, or give it there)';
  return `Client: the listener at ${showAddress(address)} has not answered the ${keyed ? 'handshake' : 'TLS handshake'} within ${time} ms: ${why}, or nobody accepts`;
}

/** Used after close(). */
export function closed(actor: string): ClosedError {
  return new ClosedError(`${actor}: the connection is closed; use it before close(), or open another one.`);
}

/** A one-way connection, asked for the other way. */
export function wrongWay(actor: string, way: 'receive' | 'send'): ConnectionError {
  const [only, code] = way === 'receive' ? ['write', 'MP_NOT_READABLE'] : ['read', 'MP_NOT_WRITABLE'];
  return new ConnectionError(
    `${actor}: this end of the connection is ${only}-only; ${way} with the other end, or make the pipe with \`duplex: true\`.`,
    { code },
  );
}

/** Nothing came in time. */
export function timedOut(actor: string, timeout: number | undefined): TimeoutError {
  return new TimeoutError(`${actor}: nothing came within ${timeout} ms; nothing is lost, so it may be called again.`);
}
