/** Code records: what a sender counts as known and what a receiver holds stay the same, whatever is sent in which order. */
import { describe, expect, it } from 'vitest';
import {
  CodeBook,
  CodeTable,
  codeBlock,
  Decoder,
  dumps,
  Encoder,
  KnownCodes,
  loads,
} from '../../src/reduction/index.js';

const decoder = new Decoder();

/** One end of a link: sends values as a pool does, and counts the bytes. */
class Wire {
  readonly #encoder: Encoder;
  readonly #known = new KnownCodes();
  readonly #table = new CodeTable();
  records = 0;

  constructor(book = new CodeBook()) {
    this.#encoder = new Encoder(book);
  }

  send<T>(value: T): { readonly value: T; readonly bytes: number } {
    const message = this.#encoder.encode(value);
    const missing = this.#known.missing(message.codes);
    if (missing !== null) {
      this.#known.sent(missing);
      this.records += missing.length;
      const block = codeBlock(missing);
      expect(block.length % 8).toBe(0);
      // As in a ring, at some place of larger memory.
      const memory = new Uint8Array(block.length + 24);
      memory.set(block, 16);
      expect(this.#table.learn(memory, 16, memory.length)).toBe(16 + block.length);
      memory.fill(255);
    }
    const bytes = new Uint8Array(message.total);
    this.#encoder.layout(bytes, 0);
    return { value: decoder.decode(bytes, 0, bytes.length, false, this.#table) as T, bytes: bytes.length };
  }
}

const scaled = (factor: number) => (x: number) => x * factor;

describe('Code records', () => {
  it('carry the code once and the captures each time', () => {
    const wire = new Wire();
    const sizes = [2, 3, 4].map((factor) => {
      const { value, bytes } = wire.send(scaled(factor));
      expect(value(10)).toBe(10 * factor);
      return bytes;
    });
    expect(wire.records).toBe(1);
    expect(Math.max(...sizes)).toBeLessThan(dumps(scaled(2)).length / 4);
  });

  it('are not used by dumps, whose bytes stand alone', () => {
    new Wire().send(scaled(1));
    expect(loads<(x: number) => number>(dumps(scaled(6)))(7)).toBe(42);
  });

  it('are numbered once for many receivers, each of which gets its own', () => {
    const book = new CodeBook();
    const [one, two] = [new Wire(book), new Wire(book)];
    for (const wire of [one, two, one, two]) expect(wire.send(scaled(3)).value(3)).toBe(9);
    expect([one.records, two.records]).toEqual([1, 1]);
  });

  it('are dropped by both sides alike', () => {
    const wire = new Wire();
    const texts = Array.from({ length: 400 }, (_, i) => new Function('x', `return x + ${i}`) as (x: number) => number);
    let state = 12_345;
    const random = (below: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    for (let round = 0; round < 120; round++) {
      const picked = Array.from({ length: 1 + random(round % 10 === 0 ? 100 : 8) }, () => random(texts.length));
      const { value } = wire.send(picked.map((i) => texts[i]!));
      expect(value.map((fn) => fn(1))).toEqual(picked.map((i) => i + 1));
    }
  });

  it('leave large code in its message', () => {
    const wire = new Wire();
    const large = new Function(`return ${JSON.stringify('x'.repeat(70_000))}.length`) as () => number;
    expect(wire.send(large).value()).toBe(70_000);
    expect(wire.records).toBe(0);
  });

  it('that never came are MP_BAD_PAYLOAD, as is a damaged block', () => {
    const encoder = new Encoder(new CodeBook());
    const message = encoder.encode(scaled(2));
    const bytes = new Uint8Array(message.total);
    encoder.layout(bytes, 0);
    expect(() => loads(bytes)).toThrow(expect.objectContaining({ code: 'MP_BAD_PAYLOAD' }));
    expect(() => decoder.decode(bytes, 0, bytes.length, false, new CodeTable())).toThrow(
      expect.objectContaining({ code: 'MP_BAD_PAYLOAD' }),
    );
    const block = codeBlock(message.codes);
    for (const end of [0, 4, 8, 16, block.length - 8]) {
      expect(() => new CodeTable().learn(block, 0, end)).toThrow(expect.objectContaining({ code: 'MP_BAD_PAYLOAD' }));
    }
    const claimed = block.slice();
    claimed[0] = 200;
    expect(() => new CodeTable().learn(claimed, 0, claimed.length)).toThrow(
      expect.objectContaining({ code: 'MP_BAD_PAYLOAD' }),
    );
  });
});
