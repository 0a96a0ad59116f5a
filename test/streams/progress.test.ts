/** Rate and expected end of streams and maps. */
import { Event, Pool, type Progress } from 'multiprocess';
import { afterEach, expect, it, vi } from 'vitest';
import { Rate } from '../../src/streams/execution/rate.js';
import { performance } from '../../src/util/timers.js';

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** A clock that is set by hand. */
let now = 0;
afterEach(() => void vi.restoreAllMocks());
function stopClock(): void {
  now = 1000;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
}

it('is the plain average at first', () => {
  stopClock();
  const rate = new Rate();
  expect(rate.measure(0)).toBe(0);
  now += 100;
  expect(rate.measure(50)).toBeCloseTo(500);
  now += 100;
  expect(rate.measure(100)).toBeCloseTo(500);
  // Asked again at once.
  expect(rate.measure(100)).toBeCloseTo(500);
});

it('follows changes, and forgets what is long ago', () => {
  stopClock();
  const rate = new Rate();
  let settled = 0;
  for (let i = 0; i < 100; i++) {
    now += 100;
    settled += 100;
    rate.measure(settled);
  }
  expect(rate.measure(settled)).toBeCloseTo(1000);
  for (let i = 0; i < 50; i++) {
    now += 100;
    settled += 10;
    rate.measure(settled);
  }
  const half = rate.measure(settled);
  expect(half).toBeGreaterThan(100);
  expect(half).toBeLessThan(600);
  for (let i = 0; i < 500; i++) {
    now += 100;
    settled += 10;
    rate.measure(settled);
  }
  expect(rate.measure(settled)).toBeCloseTo(100, 0);
});

it('a stream over a sized source tells its rate and its end', async () => {
  await using pool = new Pool({ processes: 2 });
  const stream = pool.imap(async (x: number) => new Promise<number>((done) => setTimeout(() => done(x), 5)), upTo(60), {
    chunkSize: 1,
  });
  const seen: Progress[] = [];
  stream.progress.subscribe((progress) => seen.push(progress));
  expect(await stream.toArray()).toEqual(upTo(60));
  const last = seen.at(-1)!;
  expect(last).toMatchObject({ delivered: 60, total: 60, eta: 0 });
  expect(last.rate).toBeGreaterThan(0);
  const under = seen.filter(({ pulled, running }) => pulled - running > 0 && pulled - running < 60);
  expect(under.length).toBeGreaterThan(0);
  for (const { rate, eta, pulled, running } of under) {
    expect(rate).toBeGreaterThan(0);
    expect(eta).toBeCloseTo((1000 * (60 - (pulled - running))) / rate);
  }
});

it('without a total there is a rate and no end', async () => {
  await using pool = new Pool({ processes: 1 });
  const stream = pool.imapUnordered((x: number) => x, upTo(10).values());
  const seen: Progress[] = [];
  stream.progress.subscribe((progress) => seen.push(progress));
  await stream.toArray();
  expect(seen.at(-1)!.rate).toBeGreaterThan(0);
  expect(seen.every((progress) => !('eta' in progress))).toBe(true);
});

it('a map has both, and none before something has a result', async () => {
  await using pool = new Pool({ processes: 1 });
  const go = new Event();
  const result = pool.mapAsync(() => go.wait(), upTo(3));
  const seen: { rate?: number; eta?: number }[] = [];
  const over = new Promise<void>((complete) =>
    result.progress.subscribe({ next: (progress) => seen.push(progress), complete }),
  );
  expect(seen[0]).toMatchObject({ rate: 0, running: expect.any(Number) });
  expect(seen[0]).not.toHaveProperty('eta');
  go.set();
  await result;
  await over;
  expect(seen.at(-1)).toMatchObject({ eta: 0 });
});
