import { brand, type ErrorDetails, MultiprocessError } from './multiprocess-error.js';

/**
 * A connection ended, or cannot do what was asked. `MP_CONNECTION`, `MP_CONNECTION_EOF` (the peer
 * closed its end), `MP_BROKEN_PIPE` (nobody reads what is sent), `MP_CONNECTION_RESET`,
 * `MP_HOST_NOT_FOUND`, `MP_MESSAGE_LENGTH`, `MP_NOT_READABLE`, `MP_NOT_WRITABLE`,
 * `MP_NO_DESCRIPTOR`, `MP_READER_LOST` (another reader of the same end died within a message).
 */
export class ConnectionError extends MultiprocessError {}
brand(ConnectionError, 'MP_CONNECTION');

/** The peer did not prove that it knows the authentication key. `MP_AUTHENTICATION`. */
export class AuthenticationError extends MultiprocessError {}
brand(AuthenticationError, 'MP_AUTHENTICATION');

/**
 * A message was larger than the buffer given for it. The connection stays usable and `data` holds
 * the whole message. `MP_BUFFER_TOO_SHORT`.
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
