/** When a pool gives up: soon if its workers never come to anything, not because of a storm. */
import { Pool, WorkerCrashError } from 'multiprocess';
import { expect, it } from 'vitest';
import { Ledger } from '../support/ledger.js';
import { threads } from '../support/start-method.js';
import { until } from '../support/until.js';

it('a pool whose workers never become ready gives up after three, by name', async () => {
  await using pool = new Pool({ processes: 1, initializer: () => process.exit(3) });
  const error: unknown = await pool.apply(() => 1).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(WorkerCrashError);
  expect(error).toMatchObject({
    code: 'MP_WORKER_CRASH',
    exitCode: 3,
    message: expect.stringContaining('3 workers in a row ended before they were ready'),
  });
  expect(pool.stats()).toMatchObject({ started: 3, workers: [] });
});

it.skipIf(threads)(
  'a pool outlives a storm that kills its workers before they are ready, once they had been',
  async () => {
    await using pool = new Pool({ processes: 2, retries: Number.POSITIVE_INFINITY });
    expect(await pool.map((x: number) => x, [1, 2, 3])).toEqual([1, 2, 3]);
    let killed = 0;
    // Each worker as soon as it is started: none becomes ready.
    const storm = pool.events.subscribe((event) => {
      if (event.type === 'worker-start' && event.pid !== null) {
        process.kill(event.pid, 'SIGKILL');
        killed++;
      }
    });
    for (const { pid } of pool.stats().workers) process.kill(pid!, 'SIGKILL');
    await until(() => killed >= 8, 'eight workers killed while they start');
    storm.unsubscribe();
    expect(await pool.apply(() => 2)).toBe(2);
  },
);

it('a pool whose workers cannot become ready any more gives up, by name', async () => {
  using ledger = new Ledger();
  const path = `${ledger.path}.broken`;
  const initializer = (file: string): void => {
    if (process.getBuiltinModule('node:fs').existsSync(file)) process.exit(4);
  };
  await using pool = new Pool({ processes: 1, initializer, initArgs: [path] });
  expect(await pool.apply(() => 1)).toBe(1);
  process.getBuiltinModule('node:fs').writeFileSync(path, '');
  await expect(pool.apply(() => process.exit(0))).rejects.toBeInstanceOf(WorkerCrashError);
  await expect(pool.apply(() => 1)).rejects.toMatchObject({
    exitCode: 4,
    message: expect.stringContaining('in a row ended before they were ready'),
  });
  expect(pool.stats().started).toBeLessThan(40);
  process.getBuiltinModule('node:fs').rmSync(path);
});

it('a pool whose workers die by themselves, and never ran anything, gives up', async () => {
  const initializer = () => void setTimeout(() => process.exit(6), 5);
  await using pool = new Pool({ processes: 1, initializer });
  await until(() => pool.stats().started >= 10 && pool.stats().workers.length === 0, 'the end of the pool');
  await expect(pool.apply(() => 1)).rejects.toMatchObject({
    message: expect.stringContaining('without having run anything'),
  });
  expect(pool.stats().started).toBe(10);
});

it('an item that kills each of its workers is given up, also with retries without end', async () => {
  await using pool = new Pool({ processes: 2, retries: Number.POSITIVE_INFINITY });
  expect(await pool.map((x: number) => x, [1, 2, 3])).toEqual([1, 2, 3]);
  const { started } = pool.stats();
  const error: unknown = await pool.apply(() => process.exit(7)).catch((reason: unknown) => reason);
  expect(error).toMatchObject({
    code: 'MP_WORKER_CRASH',
    exitCode: 7,
    message: expect.stringContaining('before the task had a result'),
  });
  expect(pool.stats().started - started).toBeGreaterThanOrEqual(9);
  const settled = await pool.map((x: number) => (x === 1 ? process.exit(8) : x), [0, 1, 2, 3], {
    chunkSize: 1,
    errors: 'settle',
  });
  expect(
    settled.map((each) => (each.status === 'fulfilled' ? each.value : (each.reason as WorkerCrashError).exitCode)),
  ).toEqual([0, 8, 2, 3]);
  expect(await pool.apply((x: number) => x + 1, [1])).toBe(2);
});
