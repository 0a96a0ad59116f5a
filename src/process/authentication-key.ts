import { SerializationError } from '../errors/reduction.js';

/**
 * A key that only the start of a child may carry: it cannot be encoded otherwise. Python:
 * `AuthenticationString`.
 * @example
 * import { currentProcess } from 'multiprocess';
 * import { AuthenticationKey } from 'multiprocess/process';
 * import { dumps } from 'multiprocess/reduction';
 *
 * const { authkey } = currentProcess();
 * console.log(authkey instanceof AuthenticationKey); // true
 * try {
 *   dumps({ authkey });
 * } catch (error) {
 *   console.log((error as { code?: string }).code); // MP_AUTHKEY
 * }
 */
export class AuthenticationKey extends Uint8Array {
  /** Views and copies of it are plain bytes. */
  static get [Symbol.species](): Uint8ArrayConstructor {
    return Uint8Array;
  }

  /** Asked by the codec. @throws SerializationError `MP_AUTHKEY`, always. */
  get [Symbol.for('multiprocess.reduce')](): never {
    throw new SerializationError(
      'An authkey cannot be sent: it would lie in a queue or connection. Children inherit it when they are started; ' +
        'to give it to another program, copy the bytes (`Uint8Array.from(key)`) and keep them secret.',
      { code: 'MP_AUTHKEY' },
    );
  }
}
