/**
 * What an Encoder hands out, and how a message lies in memory.
 *
 * A plain message is its msgpack bytes. A node-table message starts with {@link MARK}, which
 * msgpack never uses:
 *
 *   0 mark 0xC1 | 1 version | 2 flags | 3 zero | 4 length of the body u32 (little endian) | 8 ops …
 *
 * Behind the body come the out-of-band buffers, each at a multiple of 8 from the start of the
 * message.
 */

import type { Freight } from '../memory/shareable/freight.js';

/** First byte of a node-table message. */
export const MARK = 0xc1;
/** Version of the node-table format. */
export const VERSION = 1;
/** Bytes before the ops. */
export const HEADER = 8;
/** Flag: some node needs a module, so modules are collected before anything is built. */
export const NEEDS_MODULES = 1;

/** The data of a function or class, which many messages have in common: see graph/code-book.ts. */
export interface CodeRecord {
  /** What names it in messages. */
  readonly id: number;
  /** The data, encoded. */
  readonly bytes: Uint8Array;
}

/** One encoded value. Reused: valid until the next `encode` of the same Encoder. */
export interface Message {
  /** Scratch; the body is `bytes[0, length)`. */
  readonly bytes: Uint8Array;
  /** Bytes of the body. */
  readonly length: number;
  /**
   * Out-of-band parts: binary data of 64 KiB and more, not copied. An empty constant in the common
   * case.
   */
  readonly buffers: readonly Uint8Array[];
  /** The code records it names: the receiver must have them. Empty without a CodeBook. */
  readonly codes: readonly CodeRecord[];
  /** Bytes the whole message takes when laid out: the body, then each buffer at a multiple of 8. */
  readonly total: number;
  /**
   * Whether nothing in the value can change (its functions are stateless, it has no mutable
   * object): one decoded copy may serve many tasks.
   */
  readonly stateless: boolean;
  /**
   * Whether encoding the same value again would give the same bytes, so that they may be cached.
   */
  readonly constant: boolean;
  /**
   * What it refers to and the sender must keep while it is under way: hold it until nobody can read
   * the message (memory/shareable/freight.ts).
   */
  readonly freight: Freight | null;
}

/** The least multiple of 8 that is not below `offset`. */
export function align(offset: number): number {
  return Math.ceil(offset / 8) * 8;
}
