/** Outcomes as hosts send them, to values and errors of single items. */
import { type CallSite, fromWorker } from '../../pool/index.js';
import { Decoder, MULTIPROCESS, PendingValue, type Serializer } from '../../reduction/index.js';
import { type DriverRecord, decodeError, Outcome, readMixed } from '../wire/index.js';
import { noValue } from './messages.js';

export type ResultRecord = Extract<DriverRecord, { type: 'result' }>;

/** How one item ended. */
export interface ItemOutcome {
  /** Its place in its chunk. */
  readonly offset: number;
  readonly ok: boolean;
  /** Its value, or its error. */
  readonly result: unknown;
}

export class OutcomeDecoder {
  readonly #serializer: Serializer;
  readonly #decoder = new Decoder();

  constructor(serializer: Serializer) {
    this.#serializer = serializer;
  }

  /**
   * How the items at `offsets` ended. What cannot be read is their error.
   *
   * @param payload The bytes are nobody else's.
   * @param siteOf Where an item was called from.
   */
  async items(
    record: ResultRecord,
    offsets: readonly number[],
    payload: Uint8Array,
    siteOf: (offset: number) => CallSite | null,
  ): Promise<ItemOutcome[]> {
    try {
      if (record.outcome === Outcome.values) {
        const values = (await this.value(payload)) as unknown[];
        if (!Array.isArray(values) || values.length !== record.count) throw noValue();
        return offsets.map((offset) => ({ offset, ok: true, result: values[offset - record.offset] }));
      }
      if (record.outcome === Outcome.error) {
        const error = await this.#error(payload);
        fromWorker(error, siteOf(offsets[0] ?? 0));
        return offsets.map((offset) => ({ offset, ok: false, result: error }));
      }
      const items = readMixed(payload);
      const found: ItemOutcome[] = [];
      for (const offset of offsets) {
        const [ok, bytes] = items[offset - record.offset] ?? [false, undefined];
        if (bytes === undefined) found.push({ offset, ok: false, result: noValue() });
        else if (ok) found.push({ offset, ok, result: await this.value(bytes) });
        else found.push({ offset, ok, result: fromWorker(await this.#error(bytes), siteOf(offset)) });
      }
      return found;
    } catch (error) {
      return offsets.map((offset) => ({ offset, ok: false, result: error }));
    }
  }

  /** One value; without waiting when nothing has to be loaded. */
  value(bytes: Uint8Array): unknown {
    if (this.#serializer !== MULTIPROCESS) return this.#serializer.decode(bytes);
    // Large typed arrays may view the bytes.
    const decoded = this.#decoder.decode(bytes, 0, bytes.length, true);
    return decoded instanceof PendingValue ? decoded.ready : decoded;
  }

  async #error(bytes: Uint8Array): Promise<unknown> {
    return this.#serializer === MULTIPROCESS ? this.value(bytes) : decodeError(this.#serializer, bytes);
  }
}
