import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { Decoder, dumps, Encoder, loads } from '../../src/reduction/index.js';
import { installFunctionFixture } from './function-fixture.js';
import { difference, holey } from './same-graph.js';

beforeAll(installFunctionFixture);

function expectSame(value: unknown): void {
  expect(difference(value, loads(dumps(value)))).toBeUndefined();
}

const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary-ascii', maxLength: 90 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 12 }).map((units) => String.fromCharCode(...units)),
  fc.constantFrom('__proto__', 'constructor', 'toJSON', 'then', 'hasOwnProperty', 'length', ''),
);
const primitive = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.constantFrom(
    0,
    -0,
    Number.NaN,
    63,
    64,
    255,
    256,
    65535,
    65536,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    -32,
    -33,
    -128,
    -129,
    -(2 ** 31),
    2 ** 53,
  ),
  fc.bigInt(),
  fc.constantFrom(2n ** 63n, -(2n ** 63n), 2n ** 64n - 1n, 2n ** 64n, -(2n ** 63n) - 1n, 10n ** 40n),
  fc.boolean(),
  fc.constantFrom(null, undefined, Symbol.iterator, Symbol.for('registered')),
  text,
);
const atom = fc.oneof(
  primitive,
  fc.date({ noInvalidDate: false }),
  fc.constantFrom(/a\/[b]/giu, /(?:)/, /\n/s).map((pattern) => {
    const copy = new RegExp(pattern);
    copy.lastIndex = 2;
    return copy;
  }),
  fc.uint8Array(),
  fc.float64Array(),
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  primitive.filter((value) => value !== null && value !== undefined).map(Object),
);
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    atom,
    fc.array(tie('tree'), { maxLength: 20 }),
    fc.sparseArray(tie('tree'), { maxNumElements: 6 }),
    // Computed keys, so that `__proto__` is an own key.
    fc.array(fc.tuple(text, tie('tree'))).map((entries) => Object.fromEntries(entries)),
    fc
      .array(fc.tuple(text, tie('tree')))
      .map((entries) =>
        Object.assign(Object.create(null), Object.fromEntries(entries.filter(([key]) => key !== '__proto__'))),
      ),
    fc.array(fc.tuple(tie('tree'), tie('tree'))).map((entries) => new Map(entries)),
    fc.array(tie('tree')).map((members) => new Set(members)),
    fc.array(tie('tree'), { maxLength: 3 }).map((list) => Object.freeze(list)),
    fc.array(tie('tree'), { maxLength: 3 }).map((list) => Object.assign(list, { extra: 1, [Symbol.for('tag')]: 2 })),
  ),
}));

/** Containers that refer to each other at random: cycles and shared references of every shape. */
const graph = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.array(fc.nat({ max: 9 }), { maxLength: 4 })), {
    minLength: 1,
    maxLength: 10,
  })
  .map((plan) => {
    const nodes: object[] = plan.map(([sort]) => [[], {}, new Map(), new Set()][sort]!);
    plan.forEach(([, edges], i) => {
      const from = nodes[i]!;
      edges.forEach((to, n) => {
        const target = nodes[to % nodes.length]!;
        if (Array.isArray(from)) from.push(target);
        else if (from instanceof Map) from.set(n % 2 === 0 ? n : target, target);
        else if (from instanceof Set) from.add(target);
        else Object.assign(from, { [`k${n}`]: target });
      });
    });
    return nodes[0];
  });

describe('loads(dumps(x))', () => {
  it('is x for any tree of data', () => {
    fc.assert(fc.property(tree, expectSame), { numRuns: 2000 });
  });

  it('is x for any graph, with the same references shared', () => {
    fc.assert(fc.property(graph, expectSame), { numRuns: 2000 });
  });

  it('is x when a message lies between others in a ring that is overwritten afterwards', () => {
    const encoder = new Encoder();
    const decoder = new Decoder();
    fc.assert(
      fc.property(tree, fc.nat({ max: 40 }), fc.boolean(), (value, lines, shared) => {
        const offset = lines * 8;
        const message = encoder.encode(value);
        const ring = new Uint8Array(new (shared ? SharedArrayBuffer : ArrayBuffer)(offset + message.total + 50)).fill(
          0xdd,
        );
        const end = encoder.layout(ring, offset);
        expect(end).toBe(offset + message.total);
        const copy = decoder.decode(ring, offset, end);
        ring.fill(0xee);
        expect(difference(value, copy)).toBeUndefined();
      }),
      { numRuns: 1000 },
    );
  });
});

describe('the fast path', () => {
  const isPlain = (value: unknown): boolean => dumps(value)[0] !== 0xc1;

  it('carries ordinary data, dates, collections and small binary data without a node table', () => {
    const value = {
      list: [1, -5, 2.5, Number.NaN, -0, 'text', 'ümläut', null, undefined, true, 7n],
      map: new Map([['k', new Set([1, [2]])]]),
      at: [new Date(1_700_000_000_000), new Date(-1), new Date(8.64e15), new Date(Number.NaN), new Date(123456789)],
      pattern: /x/gi,
      bytes: [new Uint8Array([1, 2]), Buffer.from('pooled'), new Float64Array(3), new ArrayBuffer(4)],
      deep: { a: { b: { c: [{ d: {} }] } } },
    };
    expect(isPlain(value)).toBe(true);
    expectSame(value);
  });

  it('leaves everything it would lose to the node table', () => {
    const shared = { x: 1 };
    const leaf = new Date();
    for (const value of [
      [shared, shared],
      [{ in: leaf }, { in: leaf }],
      holey([1], 2),
      Object.assign([1], { extra: 1 }),
      Object.assign(
        Array.from({ length: 500 }, () => 0),
        { extra: 1 },
      ),
      Object.assign([1], { [Symbol.for('s')]: 1 }),
      { [Symbol.for('s')]: 1 },
      Object.freeze([1]),
      Object.seal({}),
      '\ud800',
      ['a\udc00b'.padEnd(100)],
      2n ** 64n,
      Math,
      JSON.parse('{"__proto__": 1}'),
      { constructor: Map },
      Object.assign(new Map(), { extra: 1 }),
      new Uint8Array(new ArrayBuffer(8), 4),
    ]) {
      expect(isPlain(value), String(Object.prototype.toString.call(value))).toBe(false);
      if (value !== Math && !(value as { constructor?: unknown })?.constructor?.toString().includes('function Map'))
        expectSame(value);
    }
  });

  it('keeps more record shapes apart than msgpackr has ids for', () => {
    expectSame(Array.from({ length: 300 }, (_, i) => ({ [`key${i % 150}`]: i, same: { [`inner${i}`]: 'x' } })));
  });

  it('writes numbers and strings as msgpack has them', async () => {
    const { unpack } = await import('msgpackr');
    for (const value of [
      [1, 200, 70_000, -40_000, -1, 2 ** 40, 1.5, 'é'.repeat(40)],
      'text',
      12,
      [true, null, ['a', [-200]]],
    ]) {
      expect(unpack(dumps(value))).toEqual(value);
    }
  });

  it('reads many records of a structure as it reads one, whatever the keys are called', () => {
    const keys = [
      'a',
      'constructor',
      'toString',
      '1',
      '0',
      'a b',
      "it's",
      '"',
      '\\',
      '\u2028',
      'ä',
      '',
      '{x}',
      '`',
      '});//',
    ];
    const record = (i: number): object => Object.fromEntries(keys.map((key, n) => [key, i * n]));
    const wide = (i: number): object => Object.fromEntries(Array.from({ length: 90 }, (_, n) => [`k${n}`, i + n]));
    for (let round = 0; round < 3; round++) {
      expectSame(Array.from({ length: 60 }, (_, i) => record(i)));
      expectSame(Array.from({ length: 60 }, (_, i) => wide(i)));
      expectSame(Array.from({ length: 60 }, (_, i) => ({ i, in: { i, in: { i } }, list: [{ i }] })));
      expectSame(Array.from({ length: 60 }, () => ({})));
    }
  });

  it('reads the next message right after a damaged one with the same structure', () => {
    const value = Array.from({ length: 50 }, (_, i) => ({ first: i, second: `text ${i}` }));
    const bytes = dumps(value);
    for (let cut = 1; cut < bytes.length; cut += 7) {
      expect(() => loads(bytes.subarray(0, bytes.length - cut))).toThrow(/no intact message/);
      expectSame(value);
    }
  });

  it('carries strings of every length, ASCII or not, alone and next to each other', () => {
    const units = ['a', 'é', '短', '\u{1f600}', '\ud800', '\udc00', '\0'];
    const filler = 'x'.repeat(70);
    for (const unit of units) {
      expectSame([filler, ...Array.from({ length: 140 }, (_, length) => unit.repeat(length))]);
      // Halves of a pair at the border of two strings stay two halves.
      expectSame([filler, `ab\ud83d`, `\ude00cd`, unit, unit + unit]);
    }
    expectSame(Array.from({ length: 2000 }, (_, i) => `${units[i % 7]!}${i}`));
    expectSame(Array.from({ length: 500 }, (_, i) => ({ [`key ${i % 70}`]: `value ${i}`, more: ['ab', 'cd'] })));
  });
});
