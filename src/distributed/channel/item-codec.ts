/**
 * Items to bytes and back. The bytes of an item are those of its value; a header names the
 * serializer, and an item of another language needs none.
 */
import { Decoder, MULTIPROCESS, optionOf, PendingValue, type Serializer, serializerOf } from '../../reduction/index.js';
import type { Broker, Msg } from '../broker/index.js';
import { type ChannelNames, encodeValue, fetchBlob, SERIALIZER_HEADER } from '../wire/index.js';
import { otherSerializer, partsMissing } from './messages.js';

const DEFAULT = 'msgpackr';
const PLAIN = serializerOf('multiprocess/distributed', DEFAULT);

export class ItemCodec {
  /** What an item that is written here says of its bytes. */
  readonly headers: Readonly<Record<string, string>>;
  readonly #broker: Broker;
  readonly #names: ChannelNames;
  readonly #serializer: Serializer;
  readonly #title: string;
  readonly #decoder = new Decoder();

  constructor(broker: Broker, names: ChannelNames, serializer: Serializer) {
    this.#broker = broker;
    this.#names = names;
    this.#serializer = serializer;
    const option = optionOf(serializer);
    this.#title = typeof option === 'string' ? option : 'custom';
    this.headers = { [SERIALIZER_HEADER]: this.#title };
  }

  /** @throws SerializationError, also `MP_HOST_BOUND`, `MP_NOT_PLAIN`. */
  encode(actor: string, value: unknown): Uint8Array {
    return encodeValue(actor, this.#serializer, value).bytes;
  }

  /**
   * The value of an item, or a promise of it where parts or modules have to be loaded.
   * @throws SerializationError `MP_SERIALIZER`, `MP_PARTS_MISSING`; what decoding throws.
   */
  decode(message: Msg): unknown {
    const title = message.headers?.get(SERIALIZER_HEADER) || DEFAULT;
    // Plain data may always be read: nothing in it can run code.
    if (title !== this.#title && !(title === DEFAULT && this.#serializer === MULTIPROCESS))
      throw otherSerializer(this.#names, title, this.#title);
    const blob = this.#names.blobOf(message.subject);
    return blob === undefined ? this.#value(title, message.data, false) : this.#fetch(title, blob);
  }

  async #fetch(title: string, blob: string): Promise<unknown> {
    for (;;) {
      await this.#broker.available();
      const bytes = await fetchBlob(this.#broker, this.#names, blob);
      if (bytes !== undefined) return this.#value(title, bytes, true);
      // A broker that went meanwhile is asked again; parts that it does not have are gone.
      if (this.#broker.up || this.#broker.closed) throw partsMissing(this.#names);
    }
  }

  /** @param owned Whether the bytes are nobody else's. */
  #value(title: string, bytes: Uint8Array, owned: boolean): unknown {
    if (title === DEFAULT) return PLAIN.decode(bytes);
    if (title !== 'multiprocess') return this.#serializer.decode(owned ? bytes : bytes.slice());
    const value = this.#decoder.decode(bytes, 0, bytes.length, owned);
    return value instanceof PendingValue ? value.ready : value;
  }
}
