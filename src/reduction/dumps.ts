/** `dumps`, `loads`, `dump`: values to bytes that can be kept, as Python's pickle module. */
import type { Writable } from 'node:stream';
import { Decoder, Encoder, PendingValue } from './codec.js';
import { LARGE_CAPTURE, warnAboutCaptures } from './large-capture.js';

let idle: Encoder | undefined;
const decoder = new Decoder();

/**
 * Encodes a value into bytes of its own.
 *
 * @param value Anything but what is bound to this process: functions, classes and their instances, cycles, shared
 *   references, Map, Set, typed arrays, errors. A plain object travels as its enumerable properties, getters read.
 * @returns The whole message: self-contained, to be read by `loads` of the same version.
 * @throws SerializationError with `path` and a code: `MP_PROMISE`, `MP_WEAK`, `MP_NATIVE_OBJECT`, `MP_SYMBOL`,
 *   `MP_PRIVATE_FIELDS`, `MP_PLATFORM_SUBCLASS`, `MP_SHARED_ARRAY_BUFFER`, `MP_DETACHED`, `MP_CYCLE`, `MP_REDUCER`, and those of functions.
 * @example
 * const list = [1, new Map([['a', -0]])];
 * list.push(list);
 * const copy = loads(dumps(list)); // copy[2] === copy
 */
export function dumps(value: unknown): Uint8Array {
  // A reducer may call dumps in its turn, so the shared encoder is taken away while it works.
  const encoder = idle ?? new Encoder();
  idle = undefined;
  try {
    const { total } = encoder.encode(value);
    const bytes = new Uint8Array(total);
    encoder.layout(bytes, 0);
    if (total > LARGE_CAPTURE && typeof value === 'function') warnAboutCaptures(value, total);
    return bytes;
  } finally {
    idle = encoder;
  }
}

/**
 * Decodes what `dumps` made. The bytes are code: load only what comes from a trusted sender.
 *
 * @param bytes A whole message. The value does not alias it.
 * @returns A new value.
 * @throws SerializationError `MP_BAD_PAYLOAD` for damaged bytes, `MP_ASYNC_MODULE` when a function in it needs a module
 *   with a top-level await (use `loadsAsync`), `MP_MODULE` when a module does not load, `MP_REBUILD` when a reducer's function throws.
 */
export function loads<T = unknown>(bytes: Uint8Array): T {
  return decoder.decodeSync(bytes, 0, bytes.length) as T;
}

/**
 * Decodes what `dumps` made, and loads the modules it needs by import, in parallel.
 *
 * @param bytes A whole message. The value does not alias it.
 * @throws SerializationError (as rejection) `MP_BAD_PAYLOAD`, `MP_MODULE`, `MP_REBUILD`.
 */
export async function loadsAsync<T = unknown>(bytes: Uint8Array): Promise<T> {
  const value = decoder.decode(bytes, 0, bytes.length);
  return (value instanceof PendingValue ? await value.ready : value) as T;
}

/**
 * Writes `dumps(value)` to a stream and waits while the stream is full. The stream stays open.
 *
 * @throws SerializationError as `dumps`; the stream's own error when it fails.
 * @example
 * await dump({ step: 3 }, createWriteStream('checkpoint'));
 */
export async function dump(value: unknown, stream: Writable): Promise<void> {
  const bytes = dumps(value);
  await new Promise<void>((resolve, reject) => {
    stream.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}
