import { Pool, WorkerCrashError } from 'multiprocess';
import { remote } from 'multiprocess/operators';
import { range } from 'rxjs';
import { afterAll, beforeAll, expect, it } from 'vitest';

let pool: Pool;
beforeAll(() => {
  pool = new Pool({ processes: 1, gracePeriod: 5_000 });
});
afterAll(async () => {
  pool.close();
  await pool.join();
});

it('streams what a generator in a worker gives, each execution anew', async () => {
  const numbers = remote(
    pool,
    async function* (from: number, to: number) {
      for (let i = from; i < to; i++) yield i;
    },
    [5, 105],
  );
  const expected = Array.from({ length: 100 }, (_, i) => i + 5);
  expect(await numbers.toArray()).toEqual(expected);
  expect(await numbers.toArray()).toEqual(expected);
});

it('streams what the default export of a module gives', async () => {
  const target = new URL('../fixtures/tasks/numbers.js', import.meta.url);
  expect(await remote<number>(pool, target, [2, 5]).toArray()).toEqual([2, 3, 4]);
  expect(() => remote(pool, 'numbers' as never, [])).toThrow('`target` must be a function or a module URL');
  expect(() => remote(pool, target, 5 as never)).toThrow('`args` must be an array');
});

it('streams an Observable', async () => {
  expect(await remote(pool, (count: number) => range(count), [4]).toArray()).toEqual([0, 1, 2, 3]);
});

it('lets the producer run no further ahead than there are credits, and returns it when the stream is left', async () => {
  const endless = remote(
    pool,
    async function* () {
      try {
        for (let i = 0; ; i++) {
          (globalThis as { produced?: number }).produced = i + 1;
          yield i;
        }
      } finally {
        (globalThis as { returned?: boolean }).returned = true;
      }
    },
    [],
    { credits: 8 },
  );
  const seen: number[] = [];
  for await (const item of endless) {
    seen.push(item);
    if (seen.length === 20) break;
  }
  expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => i));
  const { produced, returned } = await pool.apply(() => {
    const { produced, returned } = globalThis as { produced?: number; returned?: boolean };
    return { produced, returned };
  });
  expect(returned).toBe(true);
  expect(produced).toBeLessThan(40);
});

it('hands on an error of the source after the items before it', async () => {
  const failing = remote(
    pool,
    function* () {
      yield 1;
      throw new RangeError('dry');
    },
    [],
  );
  const seen: number[] = [];
  await expect(failing.forEachAsync((item) => void seen.push(item))).rejects.toThrow(RangeError);
  expect(seen).toEqual([1]);
});

it('ends with WorkerCrashError when the worker dies', async () => {
  const dying = remote(
    pool,
    async function* () {
      yield 1;
      if (process.getBuiltinModule('node:worker_threads').isMainThread) process.kill(process.pid, 'SIGKILL');
      process.exit(9);
      yield 2;
    },
    [],
  );
  await expect(dying.toArray()).rejects.toThrow(WorkerCrashError);
});

it('refuses what is no pool', () => {
  for (const other of [{}, null, 5, Pool])
    expect(() => remote(other as never, () => [1], [])).toThrow(/^remote: `pool` must be a Pool, not /);
});

it('refuses what is no function', () => {
  expect(() => remote(pool, 5 as never, [])).toThrow('`target`');
});
