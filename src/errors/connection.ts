import { brand, type ErrorDetails, MultiprocessError } from './multiprocess-error.js';

/**
 * A connection ended, or cannot do what was asked. `MP_CONNECTION`, `MP_CONNECTION_EOF` (the peer
 * closed its end), `MP_BROKEN_PIPE` (nobody reads what is sent), `MP_CONNECTION_RESET`,
 * `MP_HOST_NOT_FOUND`, `MP_MESSAGE_LENGTH`, `MP_NOT_READABLE`, `MP_NOT_WRITABLE`,
 * `MP_NO_DESCRIPTOR`, `MP_READER_LOST` (another reader of the same end died within a message).
 * @example
 * import { ConnectionError, pipe } from 'multiprocess';
 *
 * const [ours, theirs] = pipe<string>();
 * theirs.close();
 * const error = await ours.recv().catch((reason) => reason);
 * console.log(error instanceof ConnectionError, error.code); // true MP_CONNECTION_EOF
 * ours.close();
 */
export class ConnectionError extends MultiprocessError {}
brand(ConnectionError, 'MP_CONNECTION');

/**
 * The peer did not prove that it knows the authentication key. `MP_AUTHENTICATION`.
 * @example
 * import { AuthenticationError, Client, Listener } from 'multiprocess';
 *
 * await using listener = await Listener.listen({ authkey: 'ours' });
 * const [served, asked] = await Promise.allSettled([
 *   listener.accept(),
 *   Client(listener.address, { authkey: 'not ours' }),
 * ]);
 * for (const end of [served, asked])
 *   if (end.status === 'rejected') console.log(end.reason instanceof AuthenticationError); // true true
 */
export class AuthenticationError extends MultiprocessError {}
brand(AuthenticationError, 'MP_AUTHENTICATION');

/**
 * A message was larger than the buffer given for it. The connection stays usable and `data` holds
 * the whole message. `MP_BUFFER_TOO_SHORT`.
 * @example
 * import { BufferTooShortError, pipe } from 'multiprocess';
 *
 * const [ours, theirs] = pipe();
 * await theirs.sendBytes(Buffer.from('longer than four'));
 * try {
 *   await ours.recvBytesInto(new Uint8Array(4));
 * } catch (error) {
 *   if (error instanceof BufferTooShortError) console.log(Buffer.from(error.data).toString()); // longer than four
 * }
 * for (const end of [ours, theirs]) end.close();
 */
export class BufferTooShortError extends MultiprocessError {
  /** The message that did not fit. */
  readonly data: Uint8Array;

  constructor(message: string, details: ErrorDetails & { readonly data: Uint8Array }) {
    super(message, details);
    this.data = details.data;
  }
}
brand(BufferTooShortError, 'MP_BUFFER_TOO_SHORT');
