/** The serializer 'msgpackr': plain data as MessagePack of any implementation. Its bytes are compared with msgpackr's own, both ways. */
import vm from 'node:vm';
import fc from 'fast-check';
import { Packr, Unpackr } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { SerializationError } from '../../src/errors/index.js';
import { serializerOf } from '../../src/reduction/index.js';
import { seeded } from '../support/seeded.js';

const { encode, decode } = serializerOf('test', 'msgpackr');
const theirs = {
  packr: new Packr({ useRecords: false, variableMapSize: true }),
  unpackr: new Unpackr({ useRecords: false }),
};
const through = (value: unknown) => decode(encode(value));

function refusalOf(value: unknown): { code: string; path: string | undefined; message: string } {
  try {
    encode(value);
  } catch (error) {
    expect(error).toBeInstanceOf(SerializationError);
    return error as SerializationError;
  }
  throw new Error('it was not refused');
}

describe('plain data', () => {
  it.each([
    [null],
    [true],
    [false],
    [0],
    [-0],
    [1],
    [63],
    [64],
    [127],
    [128],
    [255],
    [256],
    [65_535],
    [65_536],
    [2 ** 32 - 1],
    [2 ** 32],
    [2 ** 53],
    [-1],
    [-32],
    [-33],
    [-128],
    [-129],
    [-32_768],
    [-32_769],
    [-(2 ** 31)],
    [-(2 ** 31) - 1],
    [1.5],
    [Number.NaN],
    [Infinity],
    [-Infinity],
    [5n],
    [-5n],
    [2n ** 63n],
    [2n ** 64n - 1n],
    [-(2n ** 63n)],
    [''],
    ['x'],
    ['é𝄞'],
    ['x'.repeat(31)],
    ['x'.repeat(32)],
    ['x'.repeat(255)],
    ['é'.repeat(200)],
    ['x'.repeat(70_000)],
    [new Date(0)],
    [new Date(1)],
    [new Date(-1)],
    [new Date('2026-01-02T03:04:05.678Z')],
    [new Date(2 ** 34 * 1000)],
    [new Date(8.64e15)],
    [new Date(-8.64e15)],
    [[]],
    [{}],
    [[1, [2, [3]]]],
    [{ a: { b: [{ c: null }] } }],
    [Array.from({ length: 70_000 }, (_, i) => i)],
    [Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`k${i}`, i]))],
    [{ constructor: 1, toJSON: 2, hasOwnProperty: 3, toString: 4, '': 5, ключ: 6 }],
  ])('%o arrives as it was', (value) => {
    expect(through(value)).toStrictEqual(value);
  });

  it.each([[0], [1], [255], [256], [65_536]])('%i bytes arrive as a Uint8Array of their own', (length) => {
    const bytes = Buffer.alloc(length, 7);
    const got = through({ bytes, part: bytes.subarray(1) }) as { bytes: Uint8Array; part: Uint8Array };
    expect(Object.getPrototypeOf(got.bytes)).toBe(Uint8Array.prototype);
    expect([Buffer.compare(got.bytes, bytes), Buffer.compare(got.part, bytes.subarray(1))]).toEqual([0, 0]);
    expect(got.bytes.buffer.byteLength).toBe(length);
  });

  it('`undefined` members are left out, others stay; objects of another realm and without a prototype are ordinary', () => {
    expect(through({ a: undefined, b: 1 })).toStrictEqual({ b: 1 });
    expect(through([undefined])).toStrictEqual([undefined]);
    expect(through(undefined)).toBe(undefined);
    expect(through(vm.runInNewContext('({ a: [1] })'))).toStrictEqual({ a: [1] });
    expect(through(Object.assign(Object.create(null), { a: 1 }))).toStrictEqual({ a: 1 });
  });

  it('a member named __proto__ is a member', () => {
    const value = JSON.parse('{"__proto__": {"polluted": true}}');
    const got = through(value) as object;
    expect([Object.keys(got), Object.getPrototypeOf(got), (got as { polluted?: unknown }).polluted]).toEqual([
      ['__proto__'],
      Object.prototype,
      undefined,
    ]);
  });

  it('is read by msgpackr, and msgpackr is read', () => {
    const { seed } = seeded();
    const leaf = fc.oneof(
      fc.constant(null),
      fc.boolean(),
      fc.double(),
      fc.integer(),
      fc.maxSafeInteger(),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
      fc.string({ unit: 'grapheme' }),
      fc.date({ noInvalidDate: true }),
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 5 },
        leaf,
        fc.array(tie('tree')),
        fc.dictionary(
          fc.string().filter((key) => !['__proto__', 'constructor', 'toJSON', 'hasOwnProperty'].includes(key)),
          tie('tree'),
          { noNullPrototype: true },
        ),
      ),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        expect(through(value)).toStrictEqual(value);
        // msgpackr takes -0 for 0 and objects without a prototype for others.
        expect(theirs.unpackr.unpack(encode(value))).toEqual(value);
        expect(decode(theirs.packr.pack(value))).toEqual(theirs.unpackr.unpack(theirs.packr.pack(value)));
      }),
      { seed, numRuns: 500 },
    );
  });
});

describe('what it cannot carry', () => {
  class Point {
    x = 1;
  }
  const cycle: { jobs: unknown[] } = { jobs: [] };
  cycle.jobs.push({ again: cycle });
  const holed = [1];
  holed[2] = 3;
  it.each<[string, unknown, string | undefined, RegExp]>([
    ['a function', { jobs: [{ run: function go() {} }] }, '.run <- [0] <- .jobs', /function go.*'multiprocess'/],
    ['a symbol', [Symbol('s')], '[0]', /Symbol\(s\)/],
    ['a Map', { m: new Map() }, '.m', /fromEntries/],
    ['a Set', { m: new Set() }, '.m', /\[\.\.\.set\]/],
    ['a class instance', { p: new Point() }, '.p', /instance of Point/],
    ['an error', [new Error('x')], '[0]', /name and message/],
    ['a typed array', [new Float64Array(1)], '[0]', /Float64Array.*Uint8Array/],
    ['an ArrayBuffer', [new ArrayBuffer(1)], '[0]', /ArrayBuffer/],
    ['a Promise', Promise.resolve(), undefined, /Promise/],
    ['a RegExp', /x/, undefined, /RegExp/],
    ['a Proxy of a function', { 'a b': new Proxy(() => {}, {}) }, '["a b"]', /function/],
    ['a boxed number', [Object(1)], '[0]', /Number/],
    ['an invalid Date', { at: new Date(Number.NaN) }, '.at', /invalid Date/],
    ['a bigint of 65 bits', [2n ** 64n], '[0]', /64 bits/],
    ['half a surrogate pair', { t: 'a\ud800' }, '.t', /toWellFormed/],
    ['a key with half a surrogate pair', { 'a\ud800': 1 }, undefined, /toWellFormed/],
    ['a hole', [holed], '[0]', /holes/],
    ['an array with a property', [Object.assign([1], { x: 1 })], '[0]', /properties/],
    ['a symbol key', { [Symbol('k')]: 1 }, undefined, /symbol keys/],
    ['a cycle', cycle, undefined, /contains itself/],
  ])('%s is refused, with its path and a repair', (_, value, path, message) => {
    const refusal = refusalOf(value);
    expect(refusal.code).toBe('MP_NOT_PLAIN');
    if (path !== undefined) expect(refusal.path).toBe(path);
    expect(refusal.message).toMatch(message);
  });

  it('a cycle has a path that goes round once', () => {
    expect(refusalOf(cycle).path).toBe('.again <- [0] <- .jobs');
  });

  it('a value of any depth is refused, or read; never a stack overflow', () => {
    const nested = (depth: number) => {
      let value: unknown = 1;
      for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { v: value };
      return value;
    };
    expect(through(nested(500))).toEqual(nested(500));
    expect(refusalOf(nested(501)).message).toMatch(/at most 500 deep/);
    expect(refusalOf(nested(100_000)).message).toMatch(/at most 500 deep/);
    expect(() => decode(new Uint8Array(1_000_000).fill(0x91))).toThrow(/more than 500 deep/);
  });

  it('a getter that sends in its turn disturbs nothing', () => {
    const value = {
      a: 1,
      get b() {
        return Buffer.from(encode([1, 2])).length;
      },
      c: 'x',
    };
    expect(through(value)).toEqual({ a: 1, b: 3, c: 'x' });
  });
});

describe('what a peer sends', () => {
  const loop: unknown[] = [];
  loop.push(loop);
  const bytes = (...values: number[]) => Uint8Array.from(values);
  const code = (source: Uint8Array) => {
    try {
      return decode(source);
    } catch (error) {
      return (error as { code?: string }).code;
    }
  };

  it.each([
    ['a RegExp of msgpackr', bytes(0xd4, 0x78, 0, 0x92, 0xa1, 0x61, 0xa0)],
    ['an Error of msgpackr', new Packr({ moreTypes: true }).pack(new Error('x'))],
    ['a record of msgpackr', new Packr().pack({ a: 1 })],
    ['a reference of msgpackr', new Packr({ structuredClone: true }).pack(loop)],
    ['an unknown extension', bytes(0xc7, 1, 5, 0)],
    ['a byte without meaning', bytes(0xc1)],
    ['nothing', bytes()],
    ['bytes behind the end', bytes(1, 1)],
    ['an array of 4 billion elements', bytes(0xdd, 0xff, 0xff, 0xff, 0xff, 1)],
    ['bytes that do not come', bytes(0xc6, 0xff, 0xff, 0xff, 0xff, 1)],
    ['text that is not UTF-8', bytes(0xa2, 0xc3, 0x28)],
    ['a map with a list for a key', bytes(0x81, 0x90, 1)],
    ['a timestamp with too many nanoseconds', bytes(0xd7, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0)],
  ])('%s is refused', (_, source) => {
    expect(code(source)).toBe('MP_BAD_PAYLOAD');
  });

  it('any bytes give plain data or MP_BAD_PAYLOAD', () => {
    const { random } = seeded();
    const sample = encode({ a: [1, 'x', { b: new Date(0), c: 2n, d: Buffer.from('xyz') }], e: null });
    for (let i = 0; i < 20_000; i++) {
      const source = i % 2 === 0 ? Uint8Array.from({ length: random(40) }, () => random(256)) : sample.slice();
      if (i % 2 === 1) source[random(source.length)] = random(256);
      try {
        encode(decode(source));
      } catch (error) {
        expect((error as { code?: string }).code).toBe('MP_BAD_PAYLOAD');
      }
    }
  });

  it('of other languages: float32, wide integers, maps with numbers for keys', () => {
    expect(decode(bytes(0xca, 0x3f, 0x80, 0, 0))).toBe(1);
    expect(decode(bytes(0xcf, 0, 0, 1, 0, 0, 0, 0, 0))).toBe(2n ** 40n);
    expect(decode(bytes(0x82, 1, 0xa1, 0x61, 0xc3, 2))).toEqual({ 1: 'a', true: 2 });
  });
});
