/**
 * Errors between a server and its clients: whole where the serializer carries any value, otherwise
 * as plain data.
 */
import { types } from 'node:util';
import * as errors from '../../errors/index.js';
import { dumps, sendableError } from '../../reduction/index.js';
import type { Wire } from './frames.js';

/** An error as plain data. */
interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: string;
  readonly cause?: PlainError;
  /** Own fields that are texts, numbers and flags. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

const MAX_CAUSES = 8;
const BUILTIN: Record<string, ErrorConstructor> = {
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

/** Sends an error, whatever was thrown. */
export function sendError(wire: Wire, error: unknown, kind: number, id: number, object = 0, flags = 0): void {
  if (wire.plain) {
    wire.send(plainError(error, 0), kind, id, object, 0, 0, flags);
    return;
  }
  try {
    wire.send(error, kind, id, object, 0, 0, flags);
  } catch (refused) {
    const sent = types.isNativeError(error) ? sendableError(error, canSend) : refused;
    try {
      wire.send(sent, kind, id, object, 0, 0, flags);
    } catch {
      const { name, message } = (types.isNativeError(error) ? error : refused) as Error;
      wire.send(new errors.RemoteError(`${name}: ${message}`), kind, id, object, 0, 0, flags);
    }
  }
}

/** Returns the error that was sent. */
export function receivedError(wire: Wire, payload: unknown): unknown {
  return wire.plain ? fromPlain(payload as PlainError) : payload;
}

function canSend(part: unknown): boolean {
  try {
    dumps(part);
    return true;
  } catch {
    return false;
  }
}

function plainError(error: unknown, depth: number): PlainError {
  if (!types.isNativeError(error)) return { name: 'RemoteError', message: String(error) };
  const { name, message, stack, cause } = error;
  const { code } = error as { code?: unknown };
  const fields = Object.entries(error).filter(
    ([key, value]) => key !== 'code' && (value === null || /^(string|number|boolean)$/.test(typeof value)),
  );
  return {
    name: String(name),
    message: String(message),
    ...(typeof stack === 'string' ? { stack } : {}),
    ...(typeof code === 'string' ? { code } : {}),
    ...(fields.length === 0 ? {} : { fields: Object.fromEntries(fields) }),
    ...(cause === undefined || depth === MAX_CAUSES ? {} : { cause: plainError(cause, depth + 1) }),
  };
}

function fromPlain(data: PlainError): Error {
  const { name = 'Error', message = '', stack, code, cause, fields } = data ?? {};
  const own = Object.hasOwn(errors, name)
    ? (errors as unknown as Record<string, { prototype: Error }>)[name]
    : undefined;
  const builtin = Object.hasOwn(BUILTIN, name) ? BUILTIN[name] : undefined;
  const error = new Error(String(message));
  Object.setPrototypeOf(error, own?.prototype ?? builtin?.prototype ?? errors.RemoteError.prototype);
  const define = (key: string, value: unknown) =>
    Object.defineProperty(error, key, { value, writable: true, configurable: true, enumerable: false });
  if (own === undefined && builtin === undefined) define('name', String(name));
  if (typeof stack === 'string') define('stack', stack);
  define(
    'code',
    typeof code === 'string' ? code : own === undefined && builtin === undefined ? 'MP_REMOTE' : undefined,
  );
  if (cause !== undefined) define('cause', fromPlain(cause));
  for (const [key, value] of Object.entries(fields ?? {}))
    Object.defineProperty(error, key, { value, writable: true, configurable: true, enumerable: true });
  return error;
}
