/** Values that go to other hosts. */
import { SerializationError } from '../../errors/index.js';
import {
  borrowEncoder,
  encodeWith,
  kindsIn,
  MULTIPROCESS,
  returnEncoder,
  type Serializer,
  SHAREABLE,
} from '../../reduction/index.js';
import { uninitializedBytes } from '../../util/uninitialized.js';

/** Most bytes of one payload: all of it is held in memory in several places. */
export const MAX_PAYLOAD_BYTES = 256 * 1024 * 1024;

/** Node kinds that only processes of one host can take. */
const HOST_BOUND_KINDS = [SHAREABLE, 'net.Socket', 'net.Server'];

/** From here on zeroing memory first costs more than making it otherwise. */
const LARGE_BYTES = 64 * 1024;

/** A value as bytes. */
export interface Encoded {
  /** Behind as many free ones as were asked for. */
  readonly bytes: Uint8Array;
  /** One rebuilt copy may serve any number of tasks. */
  readonly stateless: boolean;
  /** The same value gives the same bytes each time. */
  readonly constant: boolean;
}

/**
 * The bytes of a value, which live as long as somebody keeps them.
 *
 * @param actor Who speaks in messages.
 * @param room Bytes that are left free before it, a multiple of 8: a header needs no copy then.
 * @throws SerializationError; `MP_HOST_BOUND` for what is shared within this host only.
 */
export function encodeValue(actor: string, serializer: Serializer, value: unknown, room = 0): Encoded {
  if (serializer !== MULTIPROCESS) {
    const plain = encodeWith(actor, serializer, value);
    if (room === 0) return { bytes: plain, stateless: false, constant: false };
    const bytes = new Uint8Array(room + plain.length);
    bytes.set(plain, room);
    return { bytes, stateless: false, constant: false };
  }
  const encoder = borrowEncoder();
  try {
    const { total, stateless, constant, freight } = encoder.encode(value);
    const bytes = memoryFor(room + total, room);
    encoder.layout(bytes, room);
    if (freight !== null || isHostBound(bytes.subarray(room))) throw hostBound(actor);
    return { bytes, stateless, constant };
  } finally {
    returnEncoder(encoder);
  }
}

/** Nothing of what the memory had before leaves this process: the encoder fills all behind `room`. */
function memoryFor(length: number, room: number): Uint8Array {
  if (length < LARGE_BYTES) return new Uint8Array(length);
  const bytes = uninitializedBytes(length);
  bytes.fill(0, 0, room);
  return bytes;
}

function isHostBound(bytes: Uint8Array): boolean {
  const kinds = kindsIn(bytes);
  return kinds.size > 0 && HOST_BOUND_KINDS.some((kind) => kinds.has(kind));
}

function hostBound(actor: string): SerializationError {
  const repair = 'pass its contents, or use a DistributedQueue, a DistributedTopic or a database that all hosts reach';
  return new SerializationError(
    `${actor}: it refers to a shared object of this host (a queue, a lock, shared memory, a connection), which other hosts cannot reach; ${repair}.`,
    { code: 'MP_HOST_BOUND', repair },
  );
}
