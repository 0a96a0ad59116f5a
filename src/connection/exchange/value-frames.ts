/**
 * Values in frames: one encoder and one decoder for all connections of the thread that have no
 * serializer of their own.
 */
import type { Freight } from '../../memory/index.js';
import {
  borrowEncoder,
  Decoder,
  encodeWith,
  MULTIPROCESS,
  PendingValue,
  returnEncoder,
  type Serializer,
} from '../../reduction/index.js';
import { CHALLENGE_PREFIX } from '../handshake/challenge.js';
import { keyWanted } from '../messages.js';
import { bytesOf } from '../transport/buffers.js';
import { HEADER_BYTES, writeHeader, writeLength } from './framing.js';
import { type Outbox, SMALL_MESSAGE_BYTES } from './outbox.js';

const decoder = new Decoder();

/** A message: `bytes[start, stop)`, and whether the memory is its own. */
interface Message {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly stop: number;
  readonly owned: boolean;
}

/**
 * Sends a value.
 * @throws SerializationError, or what the serializer throws, at once, before anything is sent.
 */
export function sendValue(outbox: Outbox, value: unknown, serializer: Serializer): Promise<void> {
  if (serializer !== MULTIPROCESS) return sendPayload(outbox, encodeWith('Connection.send', serializer, value));
  const encoder = borrowEncoder();
  try {
    const { total, buffers, freight } = encoder.encode(value);
    if (total <= SMALL_MESSAGE_BYTES && buffers.length === 0 && freight === null) {
      return outbox.small(HEADER_BYTES + total, (target, at) => {
        writeLength(target, at, total);
        encoder.layout(target, at + HEADER_BYTES);
      });
    }
    // Buffers are laid out on multiples of 8, so the header ends on one.
    const frame = new Uint8Array(16 + total);
    encoder.layout(frame, 16);
    const whole = frame.subarray(16 - writeHeader(frame, total));
    return freight === null ? outbox.large(whole) : outbox.loaded(freight, whole);
  } finally {
    returnEncoder(encoder);
  }
}

/** Sends bytes as a message. */
export function sendPayload(outbox: Outbox, payload: Uint8Array): Promise<void> {
  const { length } = payload;
  if (length <= SMALL_MESSAGE_BYTES) {
    return outbox.small(HEADER_BYTES + length, (target, at) => {
      writeLength(target, at, length);
      target.set(payload, at + HEADER_BYTES);
    });
  }
  const header = new Uint8Array(16);
  return outbox.large(header.subarray(16 - writeHeader(header, length)), payload);
}

/**
 * As {@link sendPayload}, for bytes that refer to shared objects: they are kept until the message
 * was read.
 */
export function sendLoaded(outbox: Outbox, payload: Uint8Array, freight: Freight): Promise<void> {
  const frame = new Uint8Array(16 + payload.length);
  frame.set(payload, 16);
  return outbox.loaded(freight, frame.subarray(16 - writeHeader(frame, payload.length)));
}

/**
 * Returns the value of a message, or a promise of it when modules must be loaded first.
 * @throws SerializationError, or what the serializer throws.
 */
export function decode(message: Message, serializer: Serializer): unknown {
  try {
    if (serializer !== MULTIPROCESS) return serializer.decode(bytesOf(message));
    const { bytes, start, stop, owned } = message;
    const value = decoder.decode(bytes, start, stop, owned);
    return value instanceof PendingValue ? value.ready : value;
  } catch (error) {
    throw isChallenge(message) ? keyWanted(error) : error;
  }
}

/**
 * As {@link decode}, but loads modules before it returns.
 * @throws SerializationError, or what the serializer throws.
 */
export function decodeSync(message: Message, serializer: Serializer): unknown {
  try {
    if (serializer !== MULTIPROCESS) return serializer.decode(bytesOf(message));
    const { bytes, start, stop, owned } = message;
    return decoder.decodeSync(bytes, start, stop, owned);
  } catch (error) {
    throw isChallenge(message) ? keyWanted(error) : error;
  }
}

/** Returns whether what cannot be decoded is the first message of a listener with a key. */
function isChallenge({ bytes, start, stop }: Message): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, Math.min(stop - start, CHALLENGE_PREFIX.length)).equals(
    CHALLENGE_PREFIX,
  );
}
