/** Initializers that work, fail, end the process, or are cut short. */
import { Pool, SerializationError, TimeoutError, WorkerCrashError } from 'multiprocess';
import { beforeEach, describe, expect, it } from 'vitest';
import { forkserver } from '../../dist/process/forkserver/index.js';
import { Ledger } from '../support/ledger.js';
import { itNeeds } from '../support/needs.js';
import { threads } from '../support/start-method.js';
import { until } from '../support/until.js';

let ledger: Ledger;
beforeEach(() => {
  ledger = new Ledger();
  return () => ledger[Symbol.dispose]();
});
const append = (path: string, text: string): void =>
  process.getBuiltinModule('node:fs').appendFileSync(path, `${text}\n`);

it('runs once in each worker before its first task, with its arguments', async () => {
  const initializer = async (path: string, name: string) => {
    await new Promise((done) => setTimeout(done, 20));
    process.getBuiltinModule('node:fs').appendFileSync(path, `${name}\n`);
    (globalThis as { prepared?: string }).prepared = name;
  };
  await using pool = new Pool({ processes: 2, initializer, initArgs: [ledger.path, 'ready'] });
  const seen = await pool.map(() => (globalThis as { prepared?: string }).prepared, [1, 2, 3, 4, 5, 6], {
    chunkSize: 1,
  });
  expect(new Set(seen)).toEqual(new Set(['ready']));
  await until(() => pool.stats().workers.every((worker) => worker.state === 'ready'), 'both ready');
  expect(ledger.lines()).toEqual(['ready', 'ready']);
});

it('that throws fails the pool with its error, for calls before and after, and starts nothing more', async () => {
  const initializer = (path: string): never => {
    process.getBuiltinModule('node:fs').appendFileSync(path, 'ran\n');
    throw new RangeError('no licence');
  };
  const pool = new Pool({ processes: 2, initializer, initArgs: [ledger.path] });
  const early = [
    pool.apply(append, [ledger.path, 'task']),
    pool.map((x: number) => x, [1, 2]),
    pool.imap((x: number) => x, [1]).toArray(),
  ];
  for (const one of await Promise.allSettled(early))
    expect(one).toMatchObject({ status: 'rejected', reason: { name: 'RangeError', message: 'no licence' } });
  await expect(pool.apply(() => 1)).rejects.toThrow('no licence');
  expect(() => pool.imap((x: number) => x, [1])).toThrow('no licence');
  await pool.join();
  expect(new Set(ledger.lines())).toEqual(new Set(['ran']));
  expect(ledger.lines().length).toBeLessThanOrEqual(2);
  expect(pool.stats()).toMatchObject({ started: 2, workers: [] });
  await pool.terminate();
});

it('whose error has a class of its own fails the pool with an Error, not with something half read', async () => {
  const pool = new Pool({
    processes: 1,
    initializer: new URL('../fixtures/tasks/failing-initializer.js', import.meta.url),
  });
  const error: unknown = await pool.apply(() => 1).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({ message: 'not today' });
  await pool.terminate();
});

it('that ends the process fails the pool after a few workers, not never', async () => {
  const initializer = (path: string): void => {
    process.getBuiltinModule('node:fs').appendFileSync(path, 'ran\n');
    process.exit(7);
  };
  const pool = new Pool({ processes: 1, initializer, initArgs: [ledger.path] });
  const error: unknown = await pool.apply(() => 1).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(WorkerCrashError);
  expect(error).toMatchObject({ exitCode: 7, signal: null });
  await pool.join();
  expect(ledger.lines().length).toBeLessThanOrEqual(3);
});

it.skipIf(threads)('whose worker is killed meanwhile runs again in the next worker', async () => {
  const initializer = (path: string) => {
    const { appendFileSync, readFileSync } = process.getBuiltinModule('node:fs');
    appendFileSync(path, `${process.pid}\n`);
    if (readFileSync(path, 'utf8').trim().split('\n').length === 1)
      return new Promise(() => setInterval(() => {}, 1000));
    return undefined;
  };
  await using pool = new Pool({ processes: 1, initializer, initArgs: [ledger.path] });
  const call = pool.apply((x: number) => x, [3]);
  await until(() => ledger.lines().length === 1, 'the first initializer');
  process.kill(Number(ledger.lines()[0]), 'SIGKILL');
  expect(await call).toBe(3);
  expect(ledger.lines()).toHaveLength(2);
});

it('that cannot be sent throws in the constructor, and no process is left', async () => {
  const initArgs: any = [new WeakMap()];
  expect(() => new Pool({ processes: 2, initializer: append, initArgs })).toThrow(SerializationError);
});

it('that cannot be loaded fails the pool with an error that names it', async () => {
  const pool = new Pool({ processes: 1, initializer: new URL('file:///nowhere/at-all.js') });
  await expect(pool.apply(() => 1)).rejects.toThrow(/at-all\.js/);
  await pool.terminate();
});

describe('that does not settle', () => {
  it('fails the pool after initTimeout, by name, and terminate() ends', async () => {
    const pool = new Pool({
      processes: 2,
      initializer: () => new Promise(() => setInterval(() => {}, 1000)),
      // A thread or process of a busy machine is there long before.
      initTimeout: 3000,
      gracePeriod: 200,
    });
    const early = pool.apply(() => 1);
    const error: unknown = await early.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ code: 'MP_INIT_TIMEOUT', message: expect.stringContaining('initTimeout') });
    await expect(pool.map((x: number) => x, [1])).rejects.toMatchObject({ code: 'MP_INIT_TIMEOUT' });
    await pool.join();
    await pool.terminate();
    expect(pool.stats()).toMatchObject({ started: 2, workers: [] });
  });

  it('but loops is ended as well', async () => {
    const pool = new Pool({
      processes: 1,
      initializer: () => {
        for (;;);
      },
      // A thread or process of a busy machine is there long before.
      initTimeout: 3000,
      gracePeriod: 200,
    });
    await expect(pool.apply(() => 1)).rejects.toMatchObject({ code: 'MP_INIT_TIMEOUT' });
    await pool.terminate();
  });

  it('does not keep terminate() from ending while it has no limit', async () => {
    const pool = new Pool({
      processes: 1,
      initializer: () => new Promise(() => setInterval(() => {}, 1000)),
      initTimeout: Number.POSITIVE_INFINITY,
    });
    const lost = pool.apply(() => 1);
    lost.catch(() => {});
    await pool.terminate();
    await expect(lost).rejects.toMatchObject({ code: 'MP_POOL_TERMINATED' });
  });

  it('is not one that is only slow', async () => {
    await using pool = new Pool({
      processes: 1,
      initializer: () => new Promise((done) => setTimeout(done, 200)),
      initTimeout: 20_000,
    });
    expect(await pool.apply(() => 1)).toBe(1);
  });

  itNeeds('forks')('is told from a worker that is not ready in time, also where it had no process yet', async () => {
    await using pool = new Pool({ processes: 1, context: 'forkserver', initTimeout: 1 });
    const message = expect.stringContaining('not ready within the initTimeout of 1 ms');
    await expect(pool.apply(() => 1)).rejects.toMatchObject({ code: 'MP_WORKER_CRASH', message });
    await forkserver.stop();
  });

  it('has a limit in milliseconds', () => {
    for (const never of [-1, 0])
      expect(() => new Pool({ initTimeout: never })).toThrow('must be a number of at least 1');
    expect(() => new Pool({ exitTimeout: 0 })).toThrow('must be a number of at least 1');
    expect(() => new Pool({ initTimeout: '5' as never })).toThrow('initTimeout');
    expect(() => new Pool({ inittimeout: 5 } as never)).toThrow('initTimeout');
  });
});
