/** What `stats()` measures: times, counts, memory, the slowest items. */
import { Event, Pool } from 'multiprocess';
import { describe, expect, it } from 'vitest';
import { nearly } from '../support/nearly.js';
import { threads } from '../support/start-method.js';
import { until } from '../support/until.js';

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const sleep = (ms: number): Promise<number> => new Promise((done) => setTimeout(() => done(ms), ms));
/** Keeps a worker busy for so many milliseconds. */
const spin = (ms: number): number => {
  const end = performance.now() + ms;
  while (performance.now() < end);
  return ms;
};

describe.each([1, 3])('with %d items at once', (concurrency) => {
  it('counts what is done, fails, waits and runs', async () => {
    await using pool = new Pool({ processes: 1, concurrency });
    expect(pool.stats()).toMatchObject({ done: 0, failed: 0, running: 0, queued: 0, utilisation: 0, slowest: [] });
    expect(pool.stats().runTime).toEqual({ count: 0, mean: 0, p50: 0, p90: 0, p99: 0, max: 0 });
    const odd = (x: number): number => {
      if (x % 2 === 1) throw new Error('odd');
      return x;
    };
    await pool.imap(odd, upTo(20), { errors: 'settle' }).toArray();
    await pool.apply(odd, [0]);
    expect(pool.stats()).toMatchObject({ done: 11, failed: 10, workers: [{ done: 11, failed: 10 }] });
    const go = new Event();
    const calls = upTo(8).map(() => pool.apply(() => go.wait()));
    await until(() => pool.stats().running === concurrency, 'as many as may run');
    const { queued, workers } = pool.stats();
    expect(queued + workers[0]!.items).toBe(8);
    go.set();
    await Promise.all(calls);
    expect(pool.stats()).toMatchObject({ done: 19, failed: 10, running: 0, queued: 0 });
    expect(pool.stats().runTime.count).toBe(29);
    expect(pool.stats().waitTime.count).toBe(29);
  });

  it('measures how long items run and wait, and names the slowest', async () => {
    await using pool = new Pool({ processes: 1, concurrency });
    await pool.map(async (x: number) => sleepFor(x === 13 ? 150 : 2), upTo(40));
    async function sleepFor(ms: number): Promise<void> {
      await new Promise((done) => setTimeout(done, ms));
    }
    const { runTime, waitTime, slowest, utilisation } = pool.stats();
    expect(runTime.count).toBe(40);
    expect(runTime.max).toBeGreaterThanOrEqual(nearly(150));
    expect(runTime.p50).toBeGreaterThanOrEqual(nearly(2));
    expect(runTime.p99).toBeGreaterThanOrEqual(runTime.p90);
    expect(waitTime.count).toBe(40);
    expect(waitTime.max).toBeGreaterThan(0);
    expect(utilisation).toBeGreaterThan(0);
    expect(utilisation).toBeLessThanOrEqual(1);
    // On a busy machine another may have taken longer.
    const thirteenth = slowest.find(({ index }) => index === 13);
    expect(thirteenth).toMatchObject({ count: 1, preview: '13' });
    expect(thirteenth!.ms).toBeGreaterThanOrEqual(nearly(150));
    expect(slowest.length).toBe(10);
    expect(slowest.map(({ ms }) => ms)).toEqual(slowest.map(({ ms }) => ms).sort((a, b) => b - a));
  });
});

it('finds one slow item among many that take nothing', async () => {
  await using pool = new Pool({ processes: 1 });
  const work = (x: number): number => {
    if (x === 7777) for (const end = performance.now() + 300; performance.now() < end; );
    return x;
  };
  await pool.map(work, upTo(20_000));
  const [first] = pool.stats().slowest;
  expect(first!.ms).toBeGreaterThanOrEqual(299);
  // They were timed together with others.
  expect(first!.index).toBeLessThanOrEqual(7777);
  expect(first!.index! + first!.count).toBeGreaterThan(7777);
  expect(pool.stats().runTime.count).toBe(20_000);
  expect(pool.stats().runTime.p50).toBeLessThan(1);
});

it('shows what a call was made with', async () => {
  await using pool = new Pool({ processes: 1 });
  await pool.apply((ms: number, _options: unknown) => spinFor(ms), [80, { deep: [1, 2] }]);
  function spinFor(ms: number): void {
    for (const end = performance.now() + ms; performance.now() < end; );
  }
  expect(pool.stats().slowest[0]).toMatchObject({ index: null, count: 1, preview: '[80, { deep: [1, 2] }]' });
});

it('tells of each worker when it was ready, what it worked and what it takes', async () => {
  await using pool = new Pool({ processes: 2, initializer: sleep, initArgs: [40] });
  await pool.map(spin, upTo(8).fill(20), { chunkSize: 1 });
  await pool.map((x: number) => 'x'.repeat(x), upTo(40).fill(1 << 16), { chunkSize: 4 });
  const { workers } = pool.stats();
  expect(workers.length).toBe(2);
  expect(workers.reduce((sum, { workTime }) => sum + workTime, 0)).toBeGreaterThanOrEqual(159);
  for (const { startTime, waitTime, workTime, encodeTime, memory } of workers) {
    expect(startTime).toBeGreaterThanOrEqual(nearly(40));
    for (const time of [waitTime, workTime, encodeTime]) expect(time).toBeGreaterThanOrEqual(0);
    expect(memory).toBeGreaterThan(threads ? 1e6 : 1e7);
  }
  expect(workers.some(({ encodeTime }) => encodeTime > 0)).toBe(true);
});

it('counts an item that runs still', async () => {
  await using pool = new Pool({ processes: 1 });
  const go = new Event();
  const call = pool.apply(() => go.wait());
  await until(() => pool.stats().workers[0]!.workTime > 30, 'time that is worked');
  expect(pool.stats().running).toBe(1);
  go.set();
  await call;
});

it('keeps what workers measured that have ended, and that died', async () => {
  const pool = new Pool({ processes: 2, maxTasksPerChild: 5 });
  await pool.map((x: number) => x, upTo(40), { chunkSize: 1 });
  await expect(pool.apply(() => process.exit(1))).rejects.toMatchObject({ exitCode: 1 });
  pool.close();
  await pool.join();
  const { workers, done, failed, runTime, waitTime, running } = pool.stats();
  expect({ workers, done, failed, running }).toEqual({ workers: [], done: 40, failed: 1, running: 0 });
  expect(runTime.count).toBe(40);
  expect(waitTime.count).toBe(41);
});
