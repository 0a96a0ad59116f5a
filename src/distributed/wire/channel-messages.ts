/** What writers of queues and topics say of themselves, and what ends these: maps of MessagePack. */
import { MULTIPROCESS, type Serializer, serializerOf } from '../../reduction/index.js';
import { decodeError, encodeError } from './errors.js';

const plain: Serializer = serializerOf('multiprocess/distributed', 'msgpackr');

/**
 * What a writer is. `open`: it puts, and says so three times a lease; `completed`: it puts no more;
 * `left`: it went without completing; `lost`: a reader missed it for the lease.
 */
export type WriterState = 'open' | 'completed' | 'left' | 'lost';
const STATES: readonly WriterState[] = ['open', 'completed', 'left', 'lost'];

export function writeWriter(state: WriterState): Uint8Array {
  return plain.encode({ state });
}

/** `undefined` for what is none. */
export function readWriter(bytes: Uint8Array): WriterState | undefined {
  const state = fieldsOf(bytes)['state'];
  return STATES.find((known) => known === state);
}

/** An error that ends a queue or topic: what can be said of it, and all of it for who may decode that. */
export function writeEnd(serializer: Serializer, error: unknown): Uint8Array {
  const fields = plain.decode(encodeError(plain, error)) as Record<string, unknown>;
  return plain.encode(serializer === MULTIPROCESS ? { ...fields, value: encodeError(MULTIPROCESS, error) } : fields);
}

export function readEnd(serializer: Serializer, bytes: Uint8Array): unknown {
  const value = fieldsOf(bytes)['value'];
  if (serializer !== MULTIPROCESS || !(value instanceof Uint8Array)) return decodeError(plain, bytes);
  try {
    return decodeError(MULTIPROCESS, value);
  } catch {
    // It names what is not here: what can be said of it is.
    return decodeError(plain, bytes);
  }
}

function fieldsOf(bytes: Uint8Array): Record<string, unknown> {
  try {
    return (plain.decode(bytes) ?? {}) as Record<string, unknown>;
  } catch {
    return {};
  }
}
