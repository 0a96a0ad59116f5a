import { describe, expect, it } from 'vitest';
import { TokenReader } from '../../src/codec/graph/token-reader.js';
import { MessagePackReader } from '../../src/codec/messagepack/reader.js';
import { PlainReader } from '../../src/codec/plain/plain-reader.js';
import { writeBigInt, writeNumber } from '../../src/codec/plain/primitives.js';
import { readScalar, scalarWidth } from '../../src/codec/plain/scalars.js';
import { Sink } from '../../src/codec/sink.js';
import { SerializationError } from '../../src/errors/index.js';
import { random } from './fuzz.js';

const seed = Number(process.env['MP_SEED'] ?? Date.now() % 2 ** 31);
console.log(`scalars.test.ts: MP_SEED=${seed}`);

const plain = new PlainReader();
/** Elements of an array that plain-reader.ts reads in a loop of its own. */
const RUN = 20;
/** First bytes that MessagePack has and the formats of this library do not. */
const FLOAT32 = 0xca;

/** Each reads the one value in the bytes. */
const readers: Record<string, (bytes: Uint8Array) => unknown> = {
  plain: (bytes) => plain.read(bytes, 0, bytes.length),
  'plain, in a run': (bytes) => {
    const array = Uint8Array.from([0xdc, 0, RUN, ...Array.from({ length: RUN }, () => [...bytes]).flat()]);
    const values = plain.read(array, 0, array.length) as unknown[];
    expect(values).toEqual(new Array(RUN).fill(values[0]));
    return values[0];
  },
  token: (bytes) => {
    const reader = new TokenReader(bytes, 0, 0, bytes.length, bytes.length, false, false);
    const value = reader.token();
    if (!reader.complete) throw new SerializationError('it does not end where it should', { code: 'MP_BAD_PAYLOAD' });
    return value;
  },
  messagepack: (bytes) => MessagePackReader.read(bytes),
};

const scalars = Array.from({ length: 256 }, (_, first) => first).filter((first) => scalarWidth(first) >= 0);

function refused(read: () => unknown): string {
  try {
    return String(read());
  } catch (error) {
    return (error as SerializationError).code;
  }
}

describe('all readers take a scalar for the same value', () => {
  it('whatever its bytes are, for each first byte', () => {
    expect(scalars).toEqual([0xc0, 0xc2, 0xc3, 0xcb, 0xcc, 0xcd, 0xce, 0xcf, 0xd0, 0xd1, 0xd2, 0xd3]);
    const next = random(seed);
    for (const first of scalars) {
      for (let round = 0; round < 200; round++) {
        // Extremes in the first rounds.
        const fill = [0, 0xff, 0x7f, 0x80][round];
        const bytes = Uint8Array.from({ length: 1 + scalarWidth(first) }, (_, i) =>
          i === 0 ? first : (fill ?? next(256)),
        );
        const value = readScalar(new DataView(bytes.buffer), first, 1);
        for (const [name, read] of Object.entries(readers)) {
          expect(read(bytes), `${name}: ${Buffer.from(bytes).toString('hex')}`).toBe(value);
        }
      }
    }
  });

  it('as it was written', () => {
    const next = random(seed + 1);
    const sink = new Sink();
    const numbers = [
      0,
      -0,
      63,
      64,
      127,
      128,
      255,
      256,
      65_535,
      65_536,
      2 ** 32 - 1,
      2 ** 32,
      1.5,
      NaN,
      Infinity,
      -Infinity,
    ];
    const signed = [-1, -32, -33, -128, -129, -32_768, -32_769, -(2 ** 31), -(2 ** 31) - 1];
    const bigs = [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 63n, 2n ** 64n - 1n];
    const drawn = Array.from({ length: 500 }, () => (next(2 ** 32) - 2 ** 31) / 2 ** next(31));
    for (const value of [...numbers, ...signed, ...bigs, ...drawn, ...drawn.map(Math.trunc)]) {
      sink.reset();
      if (typeof value === 'bigint') writeBigInt(sink, value);
      else writeNumber(sink, value);
      const bytes = sink.bytes.slice(0, sink.at);
      for (const [name, read] of Object.entries(readers)) expect(read(bytes), `${name}: ${value}`).toBe(value);
    }
  });

  it('and refuse it alike when it is cut off', () => {
    for (const first of scalars) {
      for (let length = 1; length <= scalarWidth(first); length++) {
        const bytes = Uint8Array.from({ length }, (_, i) => (i === 0 ? first : 1));
        for (const name of ['plain', 'token', 'messagepack']) {
          expect(
            refused(() => readers[name]!(bytes)),
            `${name}: ${Buffer.from(bytes).toString('hex')}`,
          ).toBe('MP_BAD_PAYLOAD');
        }
      }
    }
  });

  it('and none takes another byte from 0xc0 to 0xdf for a number, a boolean or null', () => {
    for (let first = 0xc0; first < 0xe0; first++) {
      if (scalars.includes(first)) continue;
      for (let length = 1; length < 12; length++) {
        const bytes = Uint8Array.from({ length }, (_, i) => (i === 0 ? first : 0));
        for (const [name, read] of Object.entries(readers)) {
          let value: unknown;
          try {
            value = read(bytes);
          } catch {
            continue;
          }
          const isScalar = value === null || ['number', 'bigint', 'boolean'].includes(typeof value);
          const isFloat32 = name === 'messagepack' && first === FLOAT32;
          expect(isScalar, `${name}: ${Buffer.from(bytes).toString('hex')}`).toBe(isFloat32 && length === 5);
        }
      }
    }
  });
});
