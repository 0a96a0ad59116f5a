/** Values that go to other hosts. */
import { SerializationError } from '../../errors/index.js';
import { borrowEncoder, encodeWith, kindsIn, MULTIPROCESS, returnEncoder, type Serializer, SHAREABLE } from '../../reduction/index.js';

/** Node kinds that only processes of one host can take. */
const HOST_BOUND_KINDS = [SHAREABLE, 'net.Socket', 'net.Server'];

/** A value as bytes. */
export interface Encoded {
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
 * @throws SerializationError; `MP_HOST_BOUND` for what is shared within this host only.
 */
export function encodeValue(actor: string, serializer: Serializer, value: unknown): Encoded {
  if (serializer !== MULTIPROCESS) return { bytes: encodeWith(actor, serializer, value), stateless: false, constant: false };
  const encoder = borrowEncoder();
  try {
    const { total, stateless, constant, freight } = encoder.encode(value);
    const bytes = new Uint8Array(total);
    encoder.layout(bytes, 0);
    if (freight !== null || isHostBound(bytes)) throw hostBound(actor);
    return { bytes, stateless, constant };
  } finally {
    returnEncoder(encoder);
  }
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
