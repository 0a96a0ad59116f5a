/** Errors that go to other hosts: any error gets through. */
import { RemoteError } from '../../errors/index.js';
import { dumps, isError, MULTIPROCESS, type Serializer, sendableError } from '../../reduction/index.js';

/** The bytes of an error. With a serializer for plain data: what can be said of it. */
export function encodeError(serializer: Serializer, error: unknown): Uint8Array {
  if (serializer !== MULTIPROCESS) return serializer.encode(plainForm(error));
  try {
    return dumps(error);
  } catch (refused) {
    return dumps(isError(error) ? sendableError(error, canSend) : refused);
  }
}

/** @throws SerializationError, where it names what is not here. */
export function decodeError(serializer: Serializer, bytes: Uint8Array): unknown {
  const value = serializer.decode(bytes);
  if (serializer === MULTIPROCESS) return value;
  const { name, message, stack, code } = (value ?? {}) as Partial<Record<string, string>>;
  const error = new RemoteError(message ?? '', { code: code?.startsWith('MP_') === true ? code : 'MP_REMOTE' });
  if (name !== undefined && name !== 'RemoteError') error.message = `${name}: ${error.message}`;
  if (stack !== undefined && stack !== '')
    Object.defineProperty(error, 'stack', { value: stack, writable: true, configurable: true });
  return error;
}

function plainForm(error: unknown): Record<string, string> {
  const { name, message, stack, code } = (typeof error === 'object' && error !== null ? error : {}) as Record<
    string,
    unknown
  >;
  return {
    name: typeof name === 'string' ? name : 'Error',
    message: typeof message === 'string' ? message : String(error),
    stack: typeof stack === 'string' ? stack : '',
    code: typeof code === 'string' ? code : '',
  };
}

function canSend(value: unknown): boolean {
  try {
    dumps(value);
    return true;
  } catch {
    return false;
  }
}
