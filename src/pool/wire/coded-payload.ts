import type { Payload } from '../../memory/ring/payload.js';
import type { Freight } from '../../memory/shareable/freight.js';
import { CodeBook, type CodeRecord, codeBlock, Encoder, KnownCodes } from '../../reduction/receiving.js';
import { Flag } from './protocol.js';

/**
 * What a worker sends: a value, and in front of it the code records that it names and the parent
 * does not have. The parent reads every record that was sent, so the two need no record of their
 * own.
 */
export class CodedPayload implements Payload {
  total = 0;
  /** What the value refers to: kept until the parent has read it. */
  freight: Freight | null = null;
  readonly #encoder = new Encoder(new CodeBook());
  readonly #known = new KnownCodes();
  #block: Uint8Array | null = null;
  #missing: readonly CodeRecord[] = [];

  /**
   * Encodes a value and returns the flags of its record.
   * @throws SerializationError for what cannot be sent.
   */
  encode(value: unknown): number {
    const { total, codes, freight } = this.#encoder.encode(value);
    this.freight = freight;
    this.#block = null;
    const missing = codes.length === 0 ? null : this.#known.missing(codes);
    if (missing !== null) {
      this.#missing = missing;
      this.#block = codeBlock(missing);
    }
    this.total = total + (this.#block?.length ?? 0);
    return this.#block === null ? 0 : Flag.Codes;
  }

  layout(target: Uint8Array, offset: number, words?: Int32Array): void {
    const block = this.#block;
    if (block !== null) target.set(block, offset);
    this.#encoder.layout(target, offset + (block?.length ?? 0), words);
  }

  /** What was encoded last was sent. */
  sent(): void {
    this.#encoder.forget();
    if (this.#block !== null) this.#known.sent(this.#missing);
  }
}
