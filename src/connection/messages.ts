/** Every message of this folder. */
import { getSystemErrorName } from 'node:util';
import { ArgumentError, ClosedError, ConnectionError, type MultiprocessError, TimeoutError } from '../errors/index.js';
import { Errno } from '../native/index.js';

/** The peer closed its end, between two messages. */
export function endOfFile(): ConnectionError {
  return new ConnectionError('Connection: the peer has closed its end and everything it sent was received; close this end too.', {
    code: 'MP_CONNECTION_EOF',
  });
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
    return new ConnectionError('Connection: nobody can receive what is sent, since the peer has closed its end; close this end too.', {
      code: 'MP_BROKEN_PIPE',
    });
  }
  if (errno === Errno.ECONNRESET) {
    return new ConnectionError('Connection: the peer has closed its end without receiving everything that was sent to it.', {
      code: 'MP_CONNECTION_RESET',
    });
  }
  const name = getSystemErrorName(errno);
  const repair = errno === Errno.EBADF ? ': the descriptor is not open; it was closed by somebody else, or never was one' : '';
  return Object.assign(new ConnectionError(`Connection: cannot ${doing}: ${name}${repair}.`, { code: 'MP_CONNECTION' }), { errno });
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
  return new ConnectionError('Connection: nothing more can be received after a message whose length was refused; close it.', {
    code: 'MP_MESSAGE_LENGTH',
  });
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

/** A part of a buffer that is none. */
export function badRange(actor: string, what: string): ArgumentError {
  return new ArgumentError(`${actor}: ${what}.`);
}
