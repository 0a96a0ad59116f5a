import { describe, expect, it } from 'vitest';
import { EvenSample } from '../../examples/source-census/even-sample.js';

async function* numbers(count: number): AsyncGenerator<number> {
  for (let i = 0; i < count; i++) yield i;
}

async function sampled(count: number, capacity: number): Promise<readonly number[]> {
  const sample = new EvenSample<number>(capacity);
  let passed = 0;
  for await (const item of sample.from(numbers(count))) expect(item).toBe(passed++);
  expect(passed).toBe(count);
  return sample.items;
}

describe('EvenSample', () => {
  it('keeps all of a short stream', async () => {
    expect(await sampled(0, 8)).toEqual([]);
    expect(await sampled(7, 8)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it('keeps evenly spaced items of a long one, at least half its capacity', async () => {
    expect(await sampled(8, 8)).toEqual([0, 2, 4, 6]);
    expect(await sampled(100, 8)).toEqual([0, 16, 32, 48, 64, 80, 96]);
    for (const count of [300, 1_000, 3_569]) {
      const kept = await sampled(count, 300);
      expect(kept.length).toBeGreaterThanOrEqual(150);
      expect(kept.length).toBeLessThan(300);
      expect(new Set(kept.slice(1).map((item, i) => item - kept[i]!)).size).toBe(1);
    }
  });

  it('ends the source when it is ended', async () => {
    let ended = false;
    async function* source() {
      try {
        for (;;) yield 1;
      } finally {
        ended = true;
      }
    }
    for await (const _ of new EvenSample<number>(4).from(source())) break;
    expect(ended).toBe(true);
  });
});
