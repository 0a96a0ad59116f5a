/**
 * How a shared value lies in its memory.
 *
 *    0  i32  whether its maker keeps it: 1, then 0
 *    4  i32  the agent that made it
 *    8  f64  bytes of the message's body
 *   16  f64  number of buffers
 *   24  f64  offset of the first buffer, its length, of the second, …
 *       …    the body, at a multiple of 8
 *       …    the buffers, each at a multiple of a page, so that it can be mapped by itself
 *
 * Order. All of it is written before a handle of it exists, and only the first word ever changes.
 */
import type { Message } from '../codec/codec.js';

/** Index of the word that says whether the maker keeps it. */
export const KEPT = 0;
/** Index of the word with the maker. */
export const MAKER = 1;

const BODY_LENGTH = 1;
const COUNT = 2;
const TABLE = 3;
const PAGE = 4096;

/** A part of the memory, in bytes from its start. */
export interface Extent {
  readonly offset: number;
  readonly length: number;
}

/** Where the parts of a value are. */
export interface Layout {
  readonly body: Extent;
  readonly buffers: readonly Extent[];
  /** Bytes of the whole. */
  readonly size: number;
}

/** Places a message. */
export function layoutOf({ length, buffers }: Message): Layout {
  const body = { offset: bodyOffset(buffers.length), length };
  let end = body.offset + length;
  const placed = buffers.map(({ byteLength }) => {
    const offset = up(end, PAGE);
    end = offset + byteLength;
    return { offset, length: byteLength };
  });
  return { body, buffers: placed, size: end };
}

/** Writes a message and where it is. */
export function write(memory: ArrayBufferLike, { body, buffers }: Layout, message: Message, maker: number): void {
  const bytes = new Uint8Array(memory);
  const doubles = doublesOf(memory);
  doubles[BODY_LENGTH] = body.length;
  doubles[COUNT] = buffers.length;
  bytes.set(message.bytes.subarray(0, body.length), body.offset);
  for (const [i, { offset, length }] of buffers.entries()) {
    doubles[TABLE + 2 * i] = offset;
    doubles[TABLE + 2 * i + 1] = length;
    bytes.set(message.buffers[i]!, offset);
  }
  new Int32Array(memory, 0, 2).set([1, maker]);
}

/** Where the parts of a written value are. */
export function readLayout(memory: ArrayBufferLike): Layout {
  const doubles = doublesOf(memory);
  const count = doubles[COUNT]!;
  const buffers = Array.from({ length: count }, (_, i) => ({
    offset: doubles[TABLE + 2 * i]!,
    length: doubles[TABLE + 2 * i + 1]!,
  }));
  return { body: { offset: bodyOffset(count), length: doubles[BODY_LENGTH]! }, buffers, size: memory.byteLength };
}

function doublesOf(memory: ArrayBufferLike): Float64Array {
  return new Float64Array(memory, 0, Math.floor(memory.byteLength / 8));
}

const bodyOffset = (buffers: number): number => (TABLE + 2 * buffers) * 8;

const up = (at: number, unit: number): number => Math.ceil(at / unit) * unit;
