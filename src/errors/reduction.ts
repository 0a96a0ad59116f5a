import { brand, type ErrorDetails, MultiprocessError } from './multiprocess-error.js';

/** What a SerializationError knows of the value it refused. */
export interface SerializationDetails extends ErrorDetails {
  /**
   * Where the culprit hangs, from the value that was sent down to it: `captured \`db\` <- .socket
   * <- function f (file:line)`.
   */
  readonly path?: string | undefined;
  /** What to do about it, as an imperative: `await it and send the result`. */
  readonly repair?: string | undefined;
}

/**
 * A value cannot be sent, or bytes cannot be read back. The message says which part, why, and what
 * to do. `MP_NOT_SERIALIZABLE`, `MP_BAD_PAYLOAD` and the codes of `reduction`.
 * @example
 * import { SerializationError } from 'multiprocess';
 * import { dumps } from 'multiprocess/reduction';
 *
 * try {
 *   dumps({ rows: Promise.resolve([]) });
 * } catch (error) {
 *   if (error instanceof SerializationError) console.log(error.code, error.path); // MP_PROMISE .rows
 * }
 */
export class SerializationError extends MultiprocessError {
  /** Where the culprit hangs, or `undefined` when the value itself is the culprit. */
  readonly path: string | undefined;
  /** What to do about it, or `undefined` where the message says all there is. */
  readonly repair: string | undefined;

  constructor(message: string, details: SerializationDetails = {}) {
    super(message, details);
    this.path = details.path;
    this.repair = details.repair;
  }
}
brand(SerializationError, 'MP_NOT_SERIALIZABLE');
