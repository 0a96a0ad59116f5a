/**
 * What a manager's server and its clients say to each other: frames in the messages of one
 * connection.
 *
 *   0 kind u8 | 1 flags u8 | 2 member u16 | 4 id u32 | 8 object u32 | 12 extra u32 | 16 payload
 *
 * Numbers are little-endian. The payload is one value, encoded by the connection's serializer;
 * frames that carry none end at byte 16. A frame's head is read without decoding, so that a payload
 * that cannot be decoded is an answer to its call, not the end of the connection.
 *
 *   client -> server
 *     hello     object: process; extra: version; member: serializer; payload: name
 *     create    id: call; payload: typeid, arguments
 *     call      id: call; object; member; payload: arguments
 *     named     as call; payload: name, arguments
 *     claim     object; id, extra: grant and its session, or 0
 *     release   object; extra: so many references
 *     hold      id: grant; object: a proxy is on its way
 *     unhold    id: grant: it is no more
 *     cancel    id: call
 *     pull      id: reading; object: stream; extra: credits
 *     stop      id: reading
 *     drop      object: stream
 *     answer    id: call of the server; payload: value or error
 *     ask       id: call; member: what; object; extra
 *
 *   server -> client
 *     welcome   object: session; payload: server, types
 *     refusal   in place of it; extra: version; member: serializer
 *     result    id: call; payload: the value
 *     failure   id: call; payload: the error
 *     proxy     id: call; object; extra: shape; payload: the shape, the first time
 *     stream    id: call; object: stream
 *     items     id: reading; payload: array
 *     end       id: reading; payload, if flagged: the error
 *     callback  id: call of the server; object: function; payload: arguments
 *     forget    object: function; extra: so many references
 */

import {
  Connection,
  type Exchange,
  HEADER_BYTES,
  SMALL_MESSAGE_BYTES,
  sendLoaded,
  sendPayload,
  writeLength,
} from '../../connection/index.js';
import type { Freight } from '../../memory/index.js';
import {
  borrowEncoder,
  Decoder,
  encodeWith,
  MULTIPROCESS,
  optionOf,
  PendingValue,
  returnEncoder,
  type Serializer,
} from '../../reduction/index.js';

/** Version of the protocol. */
export const VERSION = 1;
/** Bytes before the payload. */
export const HEAD_BYTES = 16;

/** What a frame is. */
export const Kind = {
  hello: 1,
  create: 2,
  call: 3,
  named: 4,
  claim: 5,
  release: 6,
  hold: 7,
  cancel: 8,
  pull: 9,
  stop: 10,
  answer: 11,
  ask: 12,
  drop: 13,
  unhold: 14,
  welcome: 32,
  refusal: 31,
  result: 33,
  failure: 34,
  proxy: 35,
  stream: 36,
  items: 37,
  end: 38,
  callback: 39,
  forget: 40,
} as const;

/** Bits of a frame's flags. */
export const Flag = {
  /** The payload is an error. */
  error: 1,
  /** Arguments that are functions or proxies were replaced, see marks.ts. */
  marks: 2,
  /** The last argument had a signal, which `cancel` aborts. */
  signal: 4,
} as const;

/** What `ask` is about. */
export const Ask = { value: 1, text: 2, count: 3, info: 4, shutdown: 5, property: 6 } as const;

const SERIALIZERS = ['multiprocess', 'msgpackr', 'one of its own'];

/** Returns the number of a serializer, and what it is called in messages. */
export function serializerNumber(serializer: Serializer): number {
  const option = optionOf(serializer);
  return typeof option === 'string' ? SERIALIZERS.indexOf(option) : 2;
}

export function serializerTitle(number: number): string {
  return SERIALIZERS[number] ?? 'an unknown one';
}

/** One frame, as it was received. */
export interface Frame {
  readonly kind: number;
  readonly flags: number;
  readonly member: number;
  readonly id: number;
  readonly object: number;
  readonly extra: number;
  readonly bytes: Uint8Array;
}

const decoder = new Decoder();

/** One end of a connection, by frames. */
export class Wire {
  readonly connection: Connection;
  readonly #exchange: Exchange;
  /** `null`: this library's codec, by its own ways. */
  readonly #serializer: Serializer | null;

  /** @param serializer of payloads; the connection's own is not used. */
  constructor(connection: Connection, serializer: Serializer) {
    this.connection = connection;
    this.#exchange = Connection.exchange(connection);
    this.#exchange.inbox.claim();
    this.#serializer = serializer === MULTIPROCESS ? null : serializer;
  }

  /** Whether payloads carry plain data only: proxies and functions go beside them. */
  get plain(): boolean {
    return this.#serializer !== null;
  }

  /** Bytes that wait for a peer that does not read. */
  get waiting(): number {
    return this.#exchange.outbox.waiting;
  }

  /**
   * Resolves when the kernel has taken what was sent so far.
   * @throws (as rejection) ConnectionError.
   */
  drained(): Promise<void> {
    return this.#exchange.outbox.drained();
  }

  /** Whether waiting for a frame keeps the event loop alive. */
  hold(on: boolean): void {
    this.#exchange.transport.hold(on);
  }

  /** Sends a frame without a payload. */
  post(kind: number, id: number, object = 0, extra = 0, member = 0, flags = 0): void {
    this.#exchange.outbox.post(HEADER_BYTES + HEAD_BYTES, (target, at) => {
      writeLength(target, at, HEAD_BYTES);
      writeHead(target, at + HEADER_BYTES, kind, flags, member, id, object, extra);
    });
  }

  /**
   * Sends a frame with a payload, none for `undefined`.
   * @throws SerializationError, and nothing was sent.
   */
  send(value: unknown, kind: number, id: number, object = 0, extra = 0, member = 0, flags = 0): void {
    if (value === undefined) {
      this.post(kind, id, object, extra, member, flags);
      return;
    }
    if (this.#serializer !== null) {
      const payload = encodeWith('manager', this.#serializer, value);
      this.#frame(payload.length, kind, id, object, extra, member, flags, (target, at) => target.set(payload, at));
      return;
    }
    const encoder = borrowEncoder();
    try {
      const { total, buffers, freight } = encoder.encode(value);
      const layout = (target: Uint8Array, at: number) => void encoder.layout(target, at);
      const apart = buffers.length > 0 || freight !== null;
      this.#frame(
        apart ? Math.max(total, SMALL_MESSAGE_BYTES) : total,
        kind,
        id,
        object,
        extra,
        member,
        flags,
        layout,
        total,
        freight,
      );
    } finally {
      returnEncoder(encoder);
    }
  }

  /** What peers of a kind are sent alike: the serializer, by which an encoded payload is known. */
  get kindred(): object {
    return this.#serializer ?? Wire;
  }

  /**
   * Returns a payload by itself, to be sent to several peers of a kind. @throws SerializationError.
   */
  encoded(value: unknown): Uint8Array {
    if (this.#serializer !== null) return encodeWith('manager', this.#serializer, value);
    const encoder = borrowEncoder();
    try {
      const bytes = new Uint8Array(encoder.encode(value).total);
      encoder.layout(bytes, 0);
      return bytes;
    } finally {
      returnEncoder(encoder);
    }
  }

  /** Sends a frame with a payload that is encoded. */
  sendEncoded(payload: Uint8Array, kind: number, id: number): void {
    this.#frame(payload.length, kind, id, 0, 0, 0, 0, (target, at) => target.set(payload, at));
  }

  /** Returns the next frame. @throws (as rejection) ConnectionError. */
  receive(): Promise<Uint8Array> {
    return this.#exchange.receive('manager', true, Number.POSITIVE_INFINITY, undefined) as Promise<Uint8Array>;
  }

  /** As {@link receive}, without looking at once: nothing is expected yet. */
  receiveLater(): Promise<Uint8Array> {
    return this.#exchange.receiveLater('manager', Number.POSITIVE_INFINITY) as Promise<Uint8Array>;
  }

  /** Returns a frame that came together with the last one. */
  receiveSeen(): Uint8Array | undefined {
    return this.#exchange.receiveSeen(Number.POSITIVE_INFINITY);
  }

  /**
   * Returns the payload of a frame: the value, or a promise of it when modules must be loaded
   * first.
   * @throws SerializationError.
   */
  payload({ bytes }: Frame): unknown {
    if (bytes.length === HEAD_BYTES) return undefined;
    if (this.#serializer !== null) return this.#serializer.decode(bytes.slice(HEAD_BYTES));
    const value = decoder.decode(bytes, HEAD_BYTES, bytes.length, true);
    return value instanceof PendingValue ? value.ready : value;
  }

  close(): void {
    this.connection.close();
  }

  #frame(
    size: number,
    kind: number,
    id: number,
    object: number,
    extra: number,
    member: number,
    flags: number,
    layout: (target: Uint8Array, at: number) => void,
    total = size,
    freight: Freight | null = null,
  ): void {
    const length = HEAD_BYTES + total;
    if (size + HEAD_BYTES < SMALL_MESSAGE_BYTES) {
      this.#exchange.outbox.post(HEADER_BYTES + length, (target, at) => {
        writeLength(target, at, length);
        writeHead(target, at + HEADER_BYTES, kind, flags, member, id, object, extra);
        layout(target, at + HEADER_BYTES + HEAD_BYTES);
      });
      return;
    }
    const frame = new Uint8Array(length);
    writeHead(frame, 0, kind, flags, member, id, object, extra);
    layout(frame, HEAD_BYTES);
    const { outbox } = this.#exchange;
    const sent = freight === null ? sendPayload(outbox, frame) : sendLoaded(outbox, frame, freight);
    sent.catch(() => {}); // who receives is told
  }
}

/** A frame's head. @returns `null` for what is shorter than one. */
export function readFrame(bytes: Uint8Array): Frame | null {
  if (bytes.length < HEAD_BYTES) return null;
  return {
    kind: bytes[0]!,
    flags: bytes[1]!,
    member: bytes[2]! | (bytes[3]! << 8),
    id: readWord(bytes, 4),
    object: readWord(bytes, 8),
    extra: readWord(bytes, 12),
    bytes,
  };
}

function readWord(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

function writeWord(target: Uint8Array, at: number, word: number): void {
  target[at] = word;
  target[at + 1] = word >>> 8;
  target[at + 2] = word >>> 16;
  target[at + 3] = word >>> 24;
}

function writeHead(
  target: Uint8Array,
  at: number,
  kind: number,
  flags: number,
  member: number,
  id: number,
  object: number,
  extra: number,
): void {
  target[at] = kind;
  target[at + 1] = flags;
  target[at + 2] = member;
  target[at + 3] = member >>> 8;
  writeWord(target, at + 4, id);
  writeWord(target, at + 8, object);
  writeWord(target, at + 12, extra);
}
