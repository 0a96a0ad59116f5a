/** What a link or a shared buffer carries: an encoded message that can be written out. */
export interface Payload {
  /** Bytes it takes when laid out. */
  readonly total: number;
  /** Writes it at `offset` of `target`, which is `words` too: short ones are copied by them. */
  layout(target: Uint8Array, offset: number, words?: Int32Array): void;
}

/** A message without content. */
export const EMPTY_PAYLOAD: Payload = { total: 0, layout() {} };
