import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SerializationError } from '../../src/errors/index.js';
import { Decoder, dumps, loads, registerKind } from '../../src/reduction/index.js';
import { installFunctionFixture } from './function-fixture.js';
import { attempt, fingerprint, mutate, random, table, tags, tally } from './fuzz.js';
import { holey } from './same-graph.js';

beforeAll(installFunctionFixture);

const seed = Number(process.env['MP_SEED'] ?? Date.now() % 2 ** 31);
console.log(`damage.test.ts: MP_SEED=${seed}`);

const cyclic: unknown[] = [1];
cyclic.push(cyclic, { cyclic });
const buffer = new ArrayBuffer(24);
const samples: unknown[] = [
  { id: 1, name: 'record', list: [1, 2.5, 'x', null], nested: { a: new Date(5), b: /x/g } },
  Array.from({ length: 40 }, (_, i) => ({ id: i, text: `text ${i}` })),
  new Map<unknown, unknown>([['k', new Set([1, 2n, 2n ** 90n])]]),
  cyclic,
  [new Uint16Array(buffer), buffer, new DataView(buffer, 2, 4), Buffer.from('abc')],
  [
    new Error('e', { cause: new AggregateError([new RangeError('r')], 'all') }),
    Object(1n),
    holey([1], 9),
    Symbol.for('s'),
  ],
  Object.freeze({
    ['__proto__']: 1,
    f: Object.create(null),
    g: globalThis,
    u: new URL('http://a.example/'),
    n: new Intl.NumberFormat('en'),
  }),
  new Uint8Array(70_000).fill(1),
  Array.from({ length: 30 }, (_, i) => ({
    name: `näme ${i}`,
    at: new Date(i),
    map: new Map([[i, [new Uint8Array(4), /x/]]]),
    big: 2n ** 63n,
  })),
  [
    new Float64Array([1.5, 2]),
    new Set(['a string of some length', 'another one', 'and a third, so that they are gathered']),
    1.5,
    -1,
  ],
];
const messages = samples.map((sample) => dumps(sample));
const prototypes = fingerprint();

describe('loads of damaged bytes gives a value or MP_BAD_PAYLOAD', () => {
  // The watchdog: no round may take longer than this, and the whole suite not longer than its test timeout.
  afterAll(() => {
    expect(tally.slowest).toBeLessThan(5000);
    expect(fingerprint()).toBe(prototypes);
    expect(Object.keys({})).toEqual([]);
    console.log(`damage.test.ts: ${JSON.stringify(tally)}`);
  });

  // The long form: MP_ROUNDS=2000000.
  const rounds = Number(process.env['MP_ROUNDS'] ?? 30_000);

  it(`for ${rounds} messages with a few changes`, { timeout: 60_000 + rounds }, () => {
    const next = random(seed);
    for (let round = 0; round < rounds; round++) attempt(mutate(messages, next));
  });

  it(`for ${rounds / 2} node tables of every kind with any data and children`, { timeout: 60_000 + rounds }, () => {
    const next = random(seed + 2);
    for (let round = 0; round < rounds / 2; round++) attempt(table(next));
    expect(tags.length).toBeGreaterThan(30);
  });

  it('for every truncation and every single-byte change to extreme values', () => {
    for (const message of messages) {
      const reach = Math.min(message.length, 160);
      for (let at = 0; at < reach; at++) {
        attempt(message.slice(0, at));
        for (const value of [0, 0x7f, 0x80, 0xc1, 0xdd, 0xdf, 0xff]) {
          const bytes = message.slice();
          bytes[at] = value;
          attempt(bytes);
        }
      }
    }
  });

  it('for 20,000 random byte strings, half of them with a valid header', () => {
    const next = random(seed + 1);
    for (let round = 0; round < 20_000; round++) {
      const bytes = Uint8Array.from({ length: 1 + next(80) }, () => next(256));
      if (round % 2 === 0 && bytes.length > 9) {
        bytes.set([0xc1, 1, 0, 0, bytes.length, 0, 0, 0, 1 + next(4)]);
      }
      attempt(bytes);
    }
  });

  it('for headers that claim huge contents, without allocating them', () => {
    const before = process.memoryUsage();
    for (const head of [0xdd, 0xdf, 0xdb, 0xc6, 0xc9])
      attempt(Uint8Array.from([head, 0xff, 0xff, 0xff, 0xff, 0x74, 1, 0]));
    // A million bytes of arrays, each within the one before, that claim 65,535 elements each.
    const claims = new Uint8Array(999_999);
    for (let i = 0; i < claims.length; i += 3) claims.set([0xdc, 0xff, 0xff], i);
    attempt(claims);
    // 10,000 nested arrays of claimed length 65,535.
    const nested = new Uint8Array(30_000);
    for (let i = 0; i < nested.length; i += 3) nested.set([0xdc, 0xff, 0xff], i);
    attempt(nested);
    const table = (ops: number[]): void => attempt(Uint8Array.from([0xc1, 1, 0, 0, 8 + ops.length, 0, 0, 0, ...ops]));
    const huge = [0xff, 0xff, 0xff, 0xff, 0x0f];
    table([3, 0xa1, 0x42, 0x98, ...huge]);
    table([3, 0xa1, 0x42, 0x99, ...huge]);
    table([1, 0xa1, 0x61, 0xff, 2, 0, ...huge]);
    // Arguments and arrays that claim many elements, again and again.
    for (const create of [
      [1, 0xa1, 0x41, 0xcd, 0xff, 0xff],
      [1, 0xa1, 0x61, 0xcd, 0x03, 0xe8],
    ]) {
      const ops = Array.from({ length: 5000 }, () => create).flat();
      attempt(Uint8Array.from([0xc1, 1, 0, 0, (8 + ops.length) & 0xff, (8 + ops.length) >> 8, 0, 0, ...ops]));
    }
    // An array of length 2^32 - 1 made of holes.
    table([1, 0xa1, 0x61, 0xce, 0xff, 0xff, 0xff, 0xff, 2, 0, 2, 0, 0, 0, 0xc1, 0]);
    const after = process.memoryUsage();
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(50e6);
    expect(after.heapTotal - before.heapTotal).toBeLessThan(200e6);
  });

  it('for arrays nested a million deep', () => {
    attempt(new Uint8Array(1_000_000).fill(0x91));
    expect(loads(dumps('still working'))).toBe('still working');
  });
});

describe('damaged bytes are refused', () => {
  const code = (bytes: Uint8Array): string => {
    try {
      loads(bytes);
    } catch (error) {
      return (error as SerializationError).code;
    }
    return 'none';
  };

  it('when they are empty, cut short, or followed by others', () => {
    expect(code(new Uint8Array(0))).toBe('MP_BAD_PAYLOAD');
    for (const message of messages) {
      expect(code(message.slice(0, -1))).toBe('MP_BAD_PAYLOAD');
      expect(code(Uint8Array.from([...message, 0]))).toBe('MP_BAD_PAYLOAD');
    }
  });

  it('when their version or a node kind is unknown', () => {
    const message = dumps(cyclic);
    expect(() => loads(Uint8Array.from(message, (byte, i) => (i === 1 ? 9 : byte)))).toThrow(/version is 9/);
    expect(() => loads(Uint8Array.from([0xc1, 1, 0, 0, 13, 0, 0, 0, 1, 0xa2, 0x7a, 0x7a, 0xc0]))).toThrow(
      /"zz" is unknown/,
    );
  });

  it('when the span lies outside its source', () => {
    const bytes = dumps([1]);
    for (const [start, end] of [
      [0, bytes.length + 1],
      [-1, 1],
      [2, 1],
      [0, 0],
    ] as const) {
      expect(() => new Decoder().decode(bytes, start, end)).toThrow(SerializationError);
    }
  });

  it('and so is a node kind whose tag is taken', () => {
    expect(() => registerKind({ tag: 'a', shell: false, build: () => ({ value: 1 }) })).toThrow(/belongs to another/);
  });
});

it('loads names what it was given in place of bytes', () => {
  for (const value of ['text', null, undefined, 5, [1, 2], new ArrayBuffer(2)])
    expect(() => loads(value as never)).toThrow('`bytes` must be a Uint8Array');
});

it('the error about damaged bytes says only once that they are not intact', () => {
  expect(() => loads(Uint8Array.of(255, 255))).toThrow(/^(?!.*intact.*intact)/);
});
