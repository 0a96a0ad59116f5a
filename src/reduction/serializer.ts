/**
 * How values become bytes between peers that need not run the same code: the one place where a
 * `serializer` option is understood.
 */

import { MessagePackReader } from '../codec/messagepack/reader.js';
import { MessagePackWriter } from '../codec/messagepack/writer.js';
import { ArgumentError } from '../errors/index.js';
import { describe } from '../util/options.js';
import { dumps, loads } from './dumps.js';

/** Values to bytes and back. Both are synchronous. */
export interface Serializer {
  /**
   * The bytes of a value; they must not change afterwards. What it throws, the sender gets, and
   * nothing is sent.
   */
  encode(value: unknown): Uint8Array;
  /**
   * The value of a message. The bytes are its own. What it throws, the receiver gets, and the
   * message is gone.
   */
  decode(bytes: Uint8Array): unknown;
}

/**
 * `'multiprocess'`: any value, functions too. **Decoding can run code of the sender**: for peers
 * that are trusted as one's own program is.
 *
 * `'msgpackr'`: plain data only, as MessagePack, which msgpackr and other languages read: null,
 * booleans, numbers, bigints of 64 bits, strings, Dates, Uint8Arrays, arrays and ordinary objects.
 * Any other value is refused with its path (SerializationError `MP_NOT_PLAIN`). Decoding runs no
 * code of the sender. Objects that occur twice arrive twice; a member that is `undefined` is left
 * out; a Buffer arrives as a Uint8Array; what another language sends as an integer of 64 bits
 * arrives as a bigint.
 *
 * `{ encode, decode }`: one's own.
 */
export type SerializerOption = 'multiprocess' | 'msgpackr' | Serializer;

/** The default. Where messages are sent by the codec's own ways, this object stands for them. */
export const MULTIPROCESS: Serializer = Object.freeze({ encode: dumps, decode: loads });

let writer: MessagePackWriter | undefined;
const MSGPACKR: Serializer = Object.freeze({
  encode(value: unknown): Uint8Array {
    // A getter may send in its turn, so the shared writer is taken away while it works.
    const mine = writer ?? new MessagePackWriter();
    writer = undefined;
    try {
      return mine.write(value);
    } finally {
      writer = mine;
    }
  },
  decode: (bytes: Uint8Array) => MessagePackReader.read(bytes),
});

/**
 * What a `serializer` option stands for.
 *
 * @param actor who was given it, for the message.
 * @throws ArgumentError `MP_INVALID_ARGUMENT`.
 */
export function serializerOf(actor: string, option: SerializerOption | undefined): Serializer {
  if (option === undefined || option === 'multiprocess') return MULTIPROCESS;
  if (option === 'msgpackr') return MSGPACKR;
  const { encode, decode } = (option ?? {}) as Partial<Serializer>;
  if (typeof encode === 'function' && typeof decode === 'function') return option;
  throw new ArgumentError(
    `${actor}: \`serializer\` must be 'multiprocess', 'msgpackr' or an object with the functions \`encode\` and \`decode\`, not ${describe(option)}.`,
  );
}

/** The option that a serializer was given as: a name where it has one, so that it can travel. */
export function optionOf(serializer: Serializer): SerializerOption {
  return serializer === MULTIPROCESS ? 'multiprocess' : serializer === MSGPACKR ? 'msgpackr' : serializer;
}

/**
 * The bytes of a value.
 * @throws ArgumentError when `encode` gives something else; what `encode` throws.
 */
export function encodeWith(actor: string, serializer: Serializer, value: unknown): Uint8Array {
  const bytes: unknown = serializer.encode(value);
  if (bytes instanceof Uint8Array) return bytes;
  throw new ArgumentError(
    `${actor}: \`encode\` of the serializer must return a Uint8Array at once, not ${describe(bytes)}.`,
  );
}
