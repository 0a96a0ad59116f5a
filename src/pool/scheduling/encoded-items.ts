/**
 * Messages that were encoded before a worker had room for them: what is passed counts as it is at
 * the call, and what a source gives as it is when it is read, however long it waits and however
 * often it is run again.
 *
 *   apply(fn, [row])      a worker has room -> straight into its ring; taken back or lost -> copied out of the ring (Link.recall)
 *                         none has          -> EncodedMessage
 *   imap(fn, generator)   each item is taken as soon as it is read, for the generator may use the object again for the next: a record or an
 *                         array of plain data -> a copy (plain-copy.ts); anything else -> EncodedMessage
 *   imap(fn, array)       all items of a chunk are read at once, so a chunk is as one argument of apply
 *   primitives            cannot change: they are encoded when they are sent
 */
import type { Freight, Payload } from '../../memory/index.js';
import { type CodeRecord, Encoder, type Message } from '../../reduction/index.js';
import { codeBook } from '../wire/function-registry.js';
import { PART_HEADER } from '../worker/packed-items.js';

export const NO_CODES: readonly CodeRecord[] = [];

/** A message of its own bytes. */
export class EncodedMessage implements Payload {
  /**
   * @param codes The code records that it names.
   * @param freight What it refers to; who keeps it holds that.
   * @param source What it was made of, where somebody may ask for that.
   */
  constructor(
    readonly bytes: Uint8Array,
    readonly codes: readonly CodeRecord[],
    readonly freight: Freight | null = null,
    readonly source?: unknown,
  ) {}

  get total(): number {
    return this.bytes.length;
  }

  layout(target: Uint8Array, offset: number): void {
    target.set(this.bytes, offset);
  }
}

/** Whether an item is a message of its own. */
export const isKept = (item: unknown): item is EncodedMessage => item instanceof EncodedMessage;

/** An item that cannot be sent. */
export class RefusedItem {
  constructor(
    readonly error: unknown,
    readonly item: unknown,
  ) {}
}

const encoder = new Encoder(codeBook);

/**
 * Encodes a value now. With `remember` the message knows what it was made of.
 * @throws SerializationError.
 */
export function encodeNow(value: unknown, remember = false): EncodedMessage {
  return copied(encoder.encode(value), remember ? value : undefined);
}

/** As {@link encodeNow}, of an array of which the worker takes the elements only. */
export function encodeListNow(items: readonly unknown[]): EncodedMessage {
  return copied(encoder.encodeList(items), undefined);
}

function copied({ total, codes, freight }: Message, value: unknown): EncodedMessage {
  // Of Node's pool: small messages share a slab.
  const bytes = Buffer.allocUnsafe(total);
  encoder.layout(bytes, 0);
  encoder.forget();
  return new EncodedMessage(bytes, codes, freight, value);
}

/** Whether a value can change, or name something that can. */
export function isPrimitive(value: unknown): boolean {
  return value === null || (typeof value !== 'object' && typeof value !== 'function');
}

/** Items that may not be kept together: one message names at most so many code records. */
const MAX_CODES_PER_RECORD = 64;

/** How many of the first `items` may go in one chunk. */
export function countThatFits(items: readonly unknown[]): number {
  let codes: Set<number> | null = null;
  for (let i = 0; i < items.length; i++) {
    const item = items[i];
    if (item instanceof RefusedItem) return Math.max(1, i);
    if (!(item instanceof EncodedMessage) || item.codes.length === 0) continue;
    codes ??= new Set();
    for (const { id } of item.codes) codes.add(id);
    if (codes.size > MAX_CODES_PER_RECORD) return Math.max(1, i);
  }
  return items.length;
}

/**
 * Items that are messages of their own, as one record:
 *
 *   u32 number of items, then for each u32 its length; then the messages, each at a multiple of 8
 */
export class EncodedItems implements Payload {
  readonly total: number;
  readonly codes: readonly CodeRecord[];
  readonly #items: readonly EncodedMessage[];

  constructor(items: readonly unknown[]) {
    const codes = new Map<number, CodeRecord>();
    let total = align(4 + 4 * items.length);
    this.#items = items.map((item) => {
      const kept = item instanceof EncodedMessage ? item : encodeNow(item);
      for (const code of kept.codes) codes.set(code.id, code);
      total = align(total) + kept.total;
      return kept;
    });
    this.total = total;
    this.codes = codes.size === 0 ? NO_CODES : [...codes.values()];
  }

  layout(target: Uint8Array, offset: number): void {
    const view = new DataView(target.buffer, target.byteOffset + offset);
    view.setUint32(0, this.#items.length, true);
    let at = align(4 + 4 * this.#items.length);
    this.#items.forEach((item, i) => {
      view.setUint32(4 + 4 * i, item.total, true);
      item.layout(target, offset + at);
      at = align(at + item.total);
    });
  }
}

const align = (at: number): number => (at + 7) & ~7;

/** Some items of a message that holds more: u32 the first, u32 how many, then the message. */
export class MessagePart implements Payload {
  constructor(
    readonly whole: EncodedMessage,
    readonly first: number,
    readonly count: number,
  ) {}

  get total(): number {
    return PART_HEADER + this.whole.total;
  }

  layout(target: Uint8Array, offset: number): void {
    const view = new DataView(target.buffer, target.byteOffset + offset);
    view.setUint32(0, this.first, true);
    view.setUint32(4, this.count, true);
    this.whole.layout(target, offset + PART_HEADER);
  }
}
