/**
 * Damages messages and watches what `loads` makes of them: a value or MP_BAD_PAYLOAD, in time, with no trace left on
 * the builtin prototypes and no more memory than the input explains.
 */
import v8 from 'node:v8';
import { builtinKinds } from '../../src/codec/kinds/index.js';
import { SerializationError } from '../../src/errors/index.js';
import { loads } from '../../src/reduction/index.js';

/** Bytes of memory that one byte of input may cost; every input may cost the allowance besides, for the engine's own caches. */
const MEMORY_PER_BYTE = 600;
const ALLOWANCE = 6e6;

export type Next = (below: number) => number;

/** A small generator with a seed (xorshift32), so that a failure can be repeated. */
export function random(seed: number): Next {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

export interface Tally {
  rounds: number;
  values: number;
  slowest: number;
  /** Most bytes that a single round took beyond {@link MEMORY_PER_BYTE} a byte. */
  largest: number;
}

export const tally: Tally = { rounds: 0, values: 0, slowest: 0, largest: Number.NEGATIVE_INFINITY };

const used = (): number => {
  const { used_heap_size, external_memory } = v8.getHeapStatistics();
  return used_heap_size + external_memory;
};

/** Loads bytes that may be damaged. @throws what is neither a value nor MP_BAD_PAYLOAD, with the bytes. */
export function attempt(bytes: Uint8Array): void {
  const before = used();
  const start = performance.now();
  try {
    loads(bytes);
    tally.values++;
  } catch (error) {
    if (!(error instanceof SerializationError) || error.code !== 'MP_BAD_PAYLOAD') {
      throw new Error(`bytes ${Buffer.from(bytes).toString('hex').slice(0, 4000)}`, { cause: error });
    }
  }
  tally.rounds++;
  tally.slowest = Math.max(tally.slowest, performance.now() - start);
  const beyond = used() - before - bytes.length * MEMORY_PER_BYTE;
  tally.largest = Math.max(tally.largest, beyond);
  if (beyond > ALLOWANCE)
    throw new Error(`${beyond} bytes too many for ${Buffer.from(bytes).toString('hex').slice(0, 4000)}`);
}

const prototypes = [
  Object,
  Array,
  Function,
  String,
  Number,
  Map,
  Set,
  Date,
  RegExp,
  Error,
  ArrayBuffer,
  Uint8Array,
  Promise,
  Symbol,
].flatMap(({ name, prototype }): [string, object][] => [[name, prototype as object]]);

/** What stands on the builtin prototypes: compare before and after. */
export function fingerprint(): string {
  return prototypes
    .map(([name, prototype]) => {
      const descriptors = Reflect.ownKeys(prototype).map((key) => {
        const { value, get, set, ...attributes } = Object.getOwnPropertyDescriptor(prototype, key)!;
        return [String(key), identity(value), identity(get), identity(set), ...Object.values(attributes)].join();
      });
      return `${name}:${Object.isFrozen(prototype)}:${identity(Object.getPrototypeOf(prototype))}:${descriptors.join(';')}`;
    })
    .join('\n');
}

const identities = new Map<unknown, number>();

function identity(value: unknown): string {
  if (typeof value !== 'object' && typeof value !== 'function') return String(value);
  if (!identities.has(value)) identities.set(value, identities.size);
  return `#${identities.get(value)}`;
}

const EXTREME = [
  0, 1, 0x3f, 0x40, 0x7f, 0x80, 0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc4, 0xd4, 0xd5, 0xd6, 0xd7, 0xdc, 0xdd, 0xdf, 0xff,
];
const WORDS = [0, 1, 8, 63, 64, 255, 256, 65_535, 65_536, 2 ** 24, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];

type Mutation = (bytes: Uint8Array<ArrayBuffer>, next: Next, others: readonly Uint8Array[]) => Uint8Array<ArrayBuffer>;

/** Mostly in the first part, where the structure is. */
const place = (bytes: Uint8Array, next: Next): number =>
  next(next(4) === 0 ? bytes.length : Math.min(bytes.length, 200));
const join = (...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array<ArrayBuffer> =>
  new Uint8Array(Buffer.concat(parts.map((part) => Uint8Array.from(part))));

const mutations: readonly Mutation[] = [
  (bytes, next) => {
    bytes[place(bytes, next)] = next(256);
    return bytes;
  },
  (bytes, next) => {
    bytes[place(bytes, next)] = EXTREME[next(EXTREME.length)]!;
    return bytes;
  },
  (bytes, next) => {
    bytes[place(bytes, next)]! ^= 1 << next(8);
    return bytes;
  },
  // A length or count, little or big endian.
  (bytes, next) => {
    const at = place(bytes, next);
    if (at + 4 <= bytes.length)
      new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, WORDS[next(WORDS.length)]!, next(2) === 0);
    return bytes;
  },
  (bytes, next) => bytes.slice(0, place(bytes, next)),
  (bytes, next) => {
    const at = place(bytes, next);
    return join(bytes.subarray(0, at), bytes.subarray(at + 1 + next(8)));
  },
  (bytes, next) => {
    const at = place(bytes, next);
    return join(bytes.subarray(0, at), bytes.subarray(at, at + 1 + next(24)), bytes.subarray(at));
  },
  (bytes, next) => {
    const at = place(bytes, next);
    return join(
      bytes.subarray(0, at),
      Array.from({ length: 1 + next(6) }, () => next(256)),
      bytes.subarray(at),
    );
  },
  // The end of one message behind the beginning of another.
  (bytes, next, others) => {
    const other = others[next(others.length)]!;
    return join(bytes.subarray(0, place(bytes, next)), other.subarray(place(other, next)));
  },
  // Another kind's tag in place of a string of the same length.
  (bytes, next) => {
    const tag = tags[next(tags.length)]!;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const from = tags[next(tags.length)]!;
    const at = text.indexOf(Buffer.from([0xa0 | from.length, ...Buffer.from(from)]));
    if (at < 0) return bytes;
    return join(bytes.subarray(0, at), token(tag), bytes.subarray(at + 1 + from.length));
  },
];

/** Every builtin kind's name on the wire. */
export const tags: readonly string[] = builtinKinds.map(({ tag }) => tag);

/** A damaged copy of one of the messages. */
export function mutate(messages: readonly Uint8Array[], next: Next): Uint8Array {
  let bytes = new Uint8Array(messages[next(messages.length)]!);
  for (let i = next(3); i >= 0 && bytes.length > 0; i--)
    bytes = mutations[next(mutations.length)]!(bytes, next, messages);
  // A body length that fits again lets the reader get further.
  if (bytes[0] === 0xc1 && bytes.length >= 8 && next(2) === 0)
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(4, bytes.length, true);
  return bytes;
}

function token(text: string): number[] {
  return [0xa0 | text.length, ...Buffer.from(text)];
}

/** A node table that is well-formed as such: ops of every kind with data and children of every sort. */
export function table(next: Next): Uint8Array {
  const ops: number[] = [];
  const nodes: { readonly shell: boolean }[] = [];
  for (let i = 1 + next(6); i > 0; i--) {
    const kind = builtinKinds[next(builtinKinds.length)]!;
    ops.push(kind.shell ? 1 : 3, ...token(kind.tag), ...data(next));
    if (!kind.shell) ops.push(...children(next, nodes.length));
    nodes.push(kind);
    if (kind.shell && next(2) === 0) ops.push(2, nodes.length - 1, ...children(next, nodes.length));
    if (next(8) === 0) ops.push(4, next(nodes.length), next(6), next(nodes.length));
  }
  for (let i = 0; i < nodes.length; i++)
    if (nodes[i]!.shell && next(2) === 0) ops.push(2, i, ...children(next, nodes.length));
  ops.push(0, 0xc1, next(nodes.length));
  const length = 8 + ops.length;
  return Uint8Array.from([0xc1, 1, 0, 0, length & 0xff, length >> 8, 0, 0, ...ops]);
}

function children(next: Next, nodes: number): number[] {
  const count = next(7);
  const tokens = [count];
  for (let i = 0; i < count; i++)
    tokens.push(...(nodes > 0 && next(2) === 0 ? [0xc1, next(nodes)] : next(12) === 0 ? [0x90] : data(next)));
  return tokens;
}

const NAMES = [
  '__proto__',
  'constructor',
  'prototype',
  'length',
  'name',
  'message',
  'stack',
  'toString',
  'valueOf',
  'x',
  '0',
  '/a',
  'g/a',
  'TypeError',
];

function data(next: Next): number[] {
  switch (next(14)) {
    case 0:
      return [0xc0];
    case 1:
      return [0xd4, 0, 0];
    case 2:
      return [0xc2 + next(2)];
    case 3:
      return [0xce, ...word(next)];
    case 4:
      return [0xd2, ...word(next)];
    case 5:
      return [0xcb, ...Buffer.from(Float64Array.of(WORDS[next(WORDS.length)]! * (next(2) - 0.5)).buffer).reverse()];
    case 6:
      return token(NAMES[next(NAMES.length)]!);
    case 7:
      return [0x98, 8, ...Array.from({ length: 8 }, () => next(256))];
    case 8:
      return [0x98, next(5), 1, 2, 3, 4];
    case 9:
      return [0x97, 3, 0x92, next(64), next(64)];
    case 10: {
      const text = token(NAMES[next(NAMES.length)]!);
      return [0x97, text.length + 2, 0x92, next(64), ...text];
    }
    case 11:
      return [0x96, ...token('iterator')];
    case 12:
      return [0x94, next(2), 2, 1, 0];
    default:
      return [next(64)];
  }
}

function word(next: Next): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(WORDS[next(WORDS.length)]!);
  return bytes;
}
