/** `dumps`, `loads`, `dump`: values to bytes that can be kept, as Python's pickle module. */

import type { Writable } from 'node:stream';
import { types } from 'node:util';
import { LARGE_CAPTURE, warnAboutCaptures } from '../closures/explain/large-capture.js';
import { atCaller } from '../codec/caller.js';
import { Decoder, PendingValue } from '../codec/codec.js';
import { borrowEncoder, returnEncoder } from '../codec/idle-encoder.js';
import { messageBytes } from '../codec/sink.js';
import { ArgumentError, ClosedError } from '../errors/index.js';
import { describe } from '../util/options.js';
import { setImmediate } from '../util/timers.js';

const decoder = new Decoder();

/**
 * Encodes a value into bytes of its own.
 *
 * @param value Anything but what is bound to this process: functions, classes and their instances,
 * cycles, shared
 *   references, Map, Set, typed arrays, errors. A plain object travels as its enumerable properties, getters read.
 * @returns The whole message: self-contained, to be read by `loads` of the same version.
 * @throws SerializationError with `path` and a code: `MP_PROMISE`, `MP_WEAK`, `MP_NATIVE_OBJECT`,
 * `MP_SYMBOL`,
 *   `MP_PRIVATE_FIELDS`, `MP_PLATFORM_SUBCLASS` (a typed array whose prototype has no class), `MP_SHARED_ARRAY_BUFFER`, `MP_DETACHED`, `MP_CYCLE`, `MP_REDUCER`,
 *   `MP_SUBSCRIBERS` (a Subject somebody subscribed to), `MP_OTHER_COPY` (an object of another version of this package), `MP_TOO_LARGE`, and those of functions.
 * @example
 * import { dumps, loads } from 'multiprocess/reduction';
 *
 * const list: unknown[] = [1, new Map([['a', -0]])];
 * list.push(list);
 * const copy = loads(dumps(list)) as unknown[];
 * console.log(copy[2] === copy); // true
 */
export function dumps(value: unknown): Uint8Array {
  // A reducer may call dumps in its turn, so the shared encoder is taken away while it works.
  const encoder = borrowEncoder();
  try {
    const { total } = encoder.encode(value);
    const bytes = messageBytes(total);
    encoder.layout(bytes, 0);
    if (total > LARGE_CAPTURE && typeof value === 'function') warnAboutCaptures(value, total);
    return bytes;
  } finally {
    returnEncoder(encoder);
  }
}

/**
 * Decodes what `dumps` made. The bytes are code: load only what comes from a trusted sender.
 *
 * @param bytes A whole message. The value does not alias it.
 * @returns A new value.
 * @throws SerializationError `MP_BAD_PAYLOAD` for damaged bytes, `MP_ASYNC_MODULE` when a function
 * in it needs a module
 *   with a top-level await (use `loadsAsync`), `MP_MODULE_FAILED` when a module does not load, `MP_REBUILD` when a reducer's function throws.
 * @example
 * import { dumps, loads } from 'multiprocess/reduction';
 *
 * const factor = 3;
 * const bytes = dumps((n: number) => n * factor);
 * console.log(loads<(n: number) => number>(bytes)(2)); // 6
 */
export function loads<T = unknown>(bytes: Uint8Array): T {
  checkBytes('loads', bytes);
  try {
    return decoder.decodeSync(bytes, 0, bytes.length) as T;
  } catch (error) {
    throw atCaller(error, loads);
  }
}

/**
 * Decodes what `dumps` made, and loads the modules it needs by import, in parallel.
 *
 * @param bytes A whole message. The value does not alias it.
 * @throws SerializationError (as rejection) `MP_BAD_PAYLOAD`, `MP_MODULE_FAILED`, `MP_REBUILD`.
 * @example
 * import { dumps, loadsAsync } from 'multiprocess/reduction';
 *
 * console.log(await loadsAsync(dumps(new Map([['a', 1]])))); // Map(1) { 'a' => 1 }
 */
export async function loadsAsync<T = unknown>(bytes: Uint8Array): Promise<T> {
  checkBytes('loadsAsync', bytes);
  const value = decoder.decode(bytes, 0, bytes.length);
  return (value instanceof PendingValue ? await value.ready : value) as T;
}

/** @throws ArgumentError. */
function checkBytes(actor: string, bytes: unknown): void {
  if (!types.isUint8Array(bytes))
    throw new ArgumentError(`${actor}: \`bytes\` must be a Uint8Array, as dumps gives it, not ${describe(bytes)}.`);
}

/**
 * Writes `dumps(value)` to a stream and waits until the stream took it. The stream stays open.
 *
 * Semantics: the value is encoded at the call, so later changes do not arrive; what cannot be
 * encoded leaves nothing in the stream. Calls that are not awaited write in their order. A stream
 * carries one message: several need a frame, as a Connection has it. Cancellation:
 * `stream.destroy()` rejects what waits. Python: `reduction.dump(obj, file)`, without `protocol`.
 *
 * @throws (as rejection) SerializationError as `dumps`; ArgumentError `MP_INVALID_ARGUMENT` for
 * what is no writable stream; ClosedError
 *   when it is closed first; its own error when it fails.
 * @example
 * import { createReadStream, createWriteStream } from 'node:fs';
 * import { buffer } from 'node:stream/consumers';
 * import { dump, loads } from 'multiprocess/reduction';
 *
 * const file = createWriteStream('checkpoint');
 * await dump({ step: 3 }, file);
 * file.end();
 * console.log(loads(await buffer(createReadStream('checkpoint')))); // { step: 3 }
 */
export async function dump(value: unknown, stream: Writable): Promise<void> {
  if (
    typeof (stream as Partial<Writable> | null | undefined)?.write !== 'function' ||
    typeof stream.once !== 'function'
  ) {
    throw new ArgumentError(
      `dump: \`stream\` must be a writable stream, not ${describe(stream)}; for bytes in memory use dumps.`,
    );
  }
  const bytes = dumps(value);
  await new Promise<void>((resolve, reject) => {
    const waiting = waitingFor(stream);
    waiting.add(reject);
    stream.write(bytes, (error) => {
      waiting.delete(reject);
      if (error) reject(error);
      else resolve();
    });
  });
}

const waitingByStream = new WeakMap<Writable, Set<(error: Error) => void>>();

/**
 * Who waits for a stream: one that is destroyed may call no one back, so they are told when it
 * closes.
 */
function waitingFor(stream: Writable): Set<(error: Error) => void> {
  const known = waitingByStream.get(stream);
  if (known !== undefined) return known;
  const waiting = new Set<(error: Error) => void>();
  waitingByStream.set(stream, waiting);
  // The stream's own callbacks come first: their error says more.
  stream.once('close', () =>
    setImmediate(() => {
      const error =
        stream.errored ??
        new ClosedError('dump: the stream was closed before it took the message; keep it open until dump resolves.');
      for (const reject of waiting) reject(error);
      waiting.clear();
    }),
  );
  return waiting;
}
