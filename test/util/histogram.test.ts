/** Histograms of times, and previews of values. */
import { expect, it } from 'vitest';
import { HistogramWords } from '../../src/util/histogram.js';
import { burstTime, monotonicOrigin } from '../../src/util/monotonic.js';
import { preview } from '../../src/util/preview.js';
import { performance } from '../../src/util/timers.js';
import { seeded } from '../support/seeded.js';

it('is empty at first', () => {
  expect(new HistogramWords().summary()).toEqual({ count: 0, mean: 0, p50: 0, p90: 0, p99: 0, max: 0 });
});

it.each([0.01, 0.3, 1, 7.5, 8, 100, 999, 12_345, 1e6, 3.6e9, 2 ** 33, 1e12])(
  'tells a time of %d µs within 7 %%',
  (micros) => {
    const histogram = new HistogramWords();
    histogram.record(micros, 3);
    const { count, mean, p50, p99, max } = histogram.summary();
    expect(count).toBe(3);
    for (const exact of [mean, max]) expect(exact).toBeCloseTo(micros / 1000, 9);
    for (const near of [p50, p99])
      expect(Math.abs(near * 1000 - micros)).toBeLessThanOrEqual(Math.max(0.07 * micros, 1 / 16));
  },
);

it('has quantiles like those of the sorted times', () => {
  const { random } = seeded('histogram: ');
  for (let round = 0; round < 20; round++) {
    const histogram = new HistogramWords();
    const scale = 2 ** random(30);
    const times = Array.from({ length: 1 + random(2000) }, () => (scale * (1 + random(1000))) / 100);
    for (const time of times) histogram.record(time, 1);
    times.sort((a, b) => a - b);
    const summary = histogram.summary();
    for (const [part, value] of [
      [0.5, summary.p50],
      [0.9, summary.p90],
      [0.99, summary.p99],
    ] as const) {
      const exact = times[Math.ceil(part * times.length) - 1]!;
      expect(Math.abs(value * 1000 - exact)).toBeLessThanOrEqual(Math.max(0.07 * exact, 1 / 16));
    }
    expect(summary.mean).toBeCloseTo(times.reduce((a, b) => a + b, 0) / times.length / 1000, 6);
  }
});

it('is the sum of those that were added', () => {
  const [a, b] = [new HistogramWords(), new HistogramWords()];
  a.record(10, 90);
  b.record(5000, 10);
  a.add(b);
  expect(a.summary()).toMatchObject({ count: 100, max: 5 });
  expect(a.summary().p50).toBeCloseTo(0.01, 2);
  expect(a.summary().p99).toBeCloseTo(5, 0);
});

it('a time that is below nothing counts as none', () => {
  const histogram = new HistogramWords();
  histogram.record(-5, 1);
  expect(histogram.summary()).toMatchObject({ count: 1, mean: 0, max: 0 });
});

it('a burst has one time, which other processes agree on', async () => {
  const first = burstTime();
  expect(burstTime()).toBe(first);
  expect(Math.abs(first - Number(process.hrtime.bigint()) / 1e6)).toBeLessThan(1000);
  expect(first).toBeLessThanOrEqual(performance.now() + monotonicOrigin());
  await new Promise((done) => setTimeout(done, 5));
  expect(burstTime()).toBeGreaterThan(first);
});

it.each([
  [17, '17'],
  ['text', '"text"'],
  ['x'.repeat(1000), `"${'x'.repeat(40)}…"`],
  [null, 'null'],
  [3n, '3n'],
  [[1, 'a', [2, [3]]], '[1, "a", [2, [3]]]'],
  [Array.from({ length: 1000 }, (_, i) => i), '[0, 1, 2, 3, 4, … 1000]'],
  [{ a: 1, b: { c: { d: [1] } } }, '{ a: 1, b: { c: { d: Array(1) } } }'],
  [new Map([[1, 2]]), 'Map(1)'],
  [new Uint8Array(1 << 20), 'Uint8Array(1048576 bytes)'],
  [new RangeError('no'), 'RangeError: no'],
  [
    new (class Point {
      x = 1;
    })(),
    'Point { x: 1 }',
  ],
  [function named() {}, '[function named]'],
])('shows %o', (value, text) => {
  expect(preview(value)).toBe(text);
});

it('calls nothing of the value, and survives what does not want to be looked at', () => {
  const getter = {
    get secret(): never {
      throw new Error('asked');
    },
  };
  expect(preview(getter)).toBe('{ secret: … }');
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  expect(preview(proxy)).toBe('…');
  expect(preview(Object.create(null))).toBe('{}');
  expect(preview(Array.from({ length: 9 }, () => 'y'.repeat(39))).length).toBe(80);
});
