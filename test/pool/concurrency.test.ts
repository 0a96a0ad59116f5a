/** Several items at once in a worker: each has its own limits, signals, context and end. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { currentTask, Pool, SharedArray, TimeoutError, WorkerCrashError, workerState } from 'multiprocess';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Ledger } from '../support/ledger.js';
import { threads } from '../support/start-method.js';
import { until } from '../support/until.js';

/** Ends when `count` of its kind are there: they must run at once. */
const together = (path: string, count: number): Promise<number> => {
  const { appendFileSync, readFileSync } = process.getBuiltinModule('node:fs');
  appendFileSync(path, `${process.pid}\n`);
  return new Promise((done) => {
    const look = setInterval(() => {
      if (readFileSync(path, 'utf8').split('\n').length <= count) return;
      clearInterval(look);
      done(process.pid);
    }, 2);
  });
};
const sleep = (ms: number): Promise<number> => new Promise((done) => setTimeout(() => done(ms), ms));
const noted = (path: string, name: string): string => {
  process.getBuiltinModule('node:fs').appendFileSync(path, `${name}\n`);
  return name;
};
/** Ends when it is told to, with the reason it was told. */
const told = (path: string, name: string): Promise<never> =>
  new Promise((_, reject) => {
    const { signal } = currentTask()!;
    const { appendFileSync } = process.getBuiltinModule('node:fs');
    appendFileSync(path, `${name} begins\n`);
    const hold = setInterval(() => {}, 1000);
    signal.addEventListener('abort', () => {
      clearInterval(hold);
      appendFileSync(path, `${name} told ${(signal.reason as Error).message}\n`);
      reject(signal.reason);
    });
  });
const endless = (path: string): Promise<never> => {
  process.getBuiltinModule('node:fs').appendFileSync(path, 'endless\n');
  return new Promise(() => setInterval(() => {}, 1000));
};

let pool: Pool;
let ledger: Ledger;
beforeAll(() => {
  pool = new Pool({ processes: 1, concurrency: 4, gracePeriod: 300 });
});
afterAll(() => pool.terminate());
beforeEach(() => {
  ledger = new Ledger();
  return () => ledger[Symbol.dispose]();
});
const begun = (lines: number): Promise<void> => until(() => ledger.lines().length >= lines, `${lines} lines`);

describe('concurrency', () => {
  it('runs so many calls at once, and no more', async () => {
    expect(new Set(await Promise.all([0, 1, 2, 3].map(() => pool.apply(together, [ledger.path, 4])))).size).toBe(1);
    const gauge = async (): Promise<number> => {
      const slot = globalThis as { running?: number };
      slot.running = (slot.running ?? 0) + 1;
      const most = slot.running;
      await new Promise((done) => setTimeout(done, 3));
      slot.running--;
      return most;
    };
    const most = await Promise.all(Array.from({ length: 60 }, () => pool.apply(gauge)));
    expect(Math.max(...most)).toBe(4);
    expect(
      Math.max(
        ...(await pool.map(
          gauge,
          Array.from({ length: 60 }, (_, i) => i),
        )),
      ),
    ).toBe(4);
  });

  it('holds for the items of one chunk, of starmap, and of streams in order and out of it', async () => {
    expect(
      (
        await pool.starmap(
          together,
          Array.from({ length: 4 }, () => [ledger.path, 4] as const),
          { chunkSize: 4 },
        )
      ).length,
    ).toBe(4);
    const items = Array.from({ length: 100 }, (_, i) => (i * 37) % 10);
    expect(await pool.imap(sleep, items).toArray()).toEqual(items);
    expect((await pool.imapUnordered(sleep, items, { chunkSize: 3 }).toArray()).sort()).toEqual([...items].sort());
  });

  it('delivers what is ready first, out of order', async () => {
    expect(await pool.imapUnordered(sleep, [200, 60, 1], { chunkSize: 1 }).toArray()).toEqual([1, 60, 200]);
  });

  it('is the default window’s measure', async () => {
    let pulled = 0;
    function* source(): Generator<number> {
      for (let i = 0; i < 1000; i++) {
        pulled++;
        yield 20;
      }
    }
    const iterator = pool.imap(sleep, source(), { chunkSize: 1 })[Symbol.asyncIterator]();
    await iterator.next();
    expect(pulled).toBeGreaterThanOrEqual(4);
    expect(pulled).toBeLessThanOrEqual(2 * 4 + 1);
    await iterator.return!();
  });

  it('behaves with synchronous tasks', async () => {
    const items = Array.from({ length: 5000 }, (_, i) => i);
    expect(await pool.map((x: number) => x + 1, items)).toEqual(items.map((x) => x + 1));
    expect(
      await pool.map(
        (x: { readonly a: Date }) => x.a.getTime(),
        items.slice(0, 200).map((i) => ({ a: new Date(i) })),
      ),
    ).toEqual(items.slice(0, 200));
  });

  it('is refused when it is none', () => {
    for (const concurrency of [0, -1, 1.5, Number.POSITIVE_INFINITY, '2']) {
      expect(() => new Pool({ concurrency: concurrency as number })).toThrow(
        'Pool: `concurrency` must be an integer of at least 1',
      );
    }
  });
});

describe('each item', () => {
  it('has its own currentTask(), also after it has waited, and its own reports', async () => {
    const own = async (name: string): Promise<boolean> => {
      const task = currentTask<string>()!;
      for (let i = 0; i < 3; i++) {
        currentTask<string>()!.report(`${name}${i}`);
        await new Promise((done) => setTimeout(done, 2));
        if (currentTask() !== task) return false;
      }
      return task.worker === 0 && task.attempt === 0;
    };
    const results = ['a', 'b', 'c'].map((name) => {
      const result = pool.applyAsync<[string], boolean, string>(own, [name]);
      const reports: string[] = [];
      result.progress.subscribe(({ report }) => report !== undefined && reports.push(report));
      return { result, name, reports };
    });
    for (const { result, name, reports } of results) {
      expect(await result).toBe(true);
      expect(reports).toEqual([`${name}0`, `${name}1`, `${name}2`]);
    }
  });

  it('has its own async context', async () => {
    const stored = async (name: string): Promise<unknown> => {
      const { AsyncLocalStorage: Storage } = process.getBuiltinModule('node:async_hooks');
      const scope = globalThis as { storage?: AsyncLocalStorage<string> };
      scope.storage ??= new Storage();
      const before = scope.storage.getStore();
      scope.storage.enterWith(name);
      await new Promise((done) => setTimeout(done, 5));
      return [before, scope.storage.getStore()];
    };
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    expect(await Promise.all(names.map((name) => pool.apply(stored, [name])))).toEqual(
      names.map((name) => [undefined, name]),
    );
    expect(await pool.map(stored, names, { chunkSize: 6 })).toEqual(names.map((name) => [undefined, name]));
  });

  it('is cancelled alone', async () => {
    const other = pool.apply(sleep, [150]);
    const first = pool.applyAsync(told, [ledger.path, 'first']);
    const second = pool.applyAsync(told, [ledger.path, 'second']);
    await begun(2);
    first.cancel(new Error('one'));
    await expect(first).rejects.toThrow('one');
    await begun(3);
    second.cancel(new Error('two'));
    await expect(second).rejects.toThrow('two');
    await begun(4);
    expect(ledger.lines().slice(2)).toEqual(['first told one', 'second told two']);
    expect(await other).toBe(150);
    expect(pool.stats().crashed).toBe(0);
  });

  it('all of them can be cancelled at once, each with its reason', async () => {
    const calls = [1, 2, 3, 4].map((i) => pool.applyAsync(told, [ledger.path, `item${i}`]));
    await begun(4);
    for (const [i, call] of calls.entries()) call.cancel(new Error(`reason${i + 1}`));
    await begun(8);
    expect(ledger.lines().slice(4).sort()).toEqual([1, 2, 3, 4].map((i) => `item${i} told reason${i}`));
    expect(pool.stats().crashed).toBe(0);
  });

  it('has its own time, from its own start', async () => {
    const late = pool.apply(told, [ledger.path, 'late'], { timeout: 120 });
    late.catch(() => {});
    await begun(1);
    const inTime = pool.map(sleep, [60, 60, 60, 60, 60, 60], { timeout: 5000 });
    await expect(late).rejects.toBeInstanceOf(TimeoutError);
    expect(await inTime).toEqual([60, 60, 60, 60, 60, 60]);
    await using local = new Pool({ processes: 1, concurrency: 4, gracePeriod: 100 });
    const settled = await local.map(sleep, [1, 30_000, 2], {
      timeout: 1500,
      errors: 'settle',
      chunkSize: 3,
      retries: { crashes: 3 },
    });
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(settled[1]).toMatchObject({ reason: { code: 'MP_TIMEOUT', itemIndex: 1 } });
  });

  it('is not failed for one that blocks the thread before it begins', async () => {
    await using local = new Pool({ processes: 1, concurrency: 3, gracePeriod: 50 });
    const block = (x: number): number => {
      if (x === 0) for (;;);
      return x;
    };
    const settled = await local.map(block, [0, 1, 2, 3], { timeout: 200, errors: 'settle', chunkSize: 1 });
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled', 'fulfilled']);
    const calls = await Promise.allSettled([0, 1, 2, 3].map((x) => local.apply(block, [x], { timeout: 200 })));
    expect(calls.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled', 'fulfilled']);
    expect(local.stats().crashed).toBe(2);
  });

  it('waits for a slot no longer than its queueTimeout', async () => {
    const running = [0, 1, 2, 3].map(() => pool.apply(sleep, [400]));
    await until(() => pool.stats().workers[0]!.items === 4, 'four items');
    await expect(pool.apply(noted, [ledger.path, 'x'], { queueTimeout: 40 })).rejects.toMatchObject({
      code: 'MP_QUEUE_TIMEOUT',
    });
    await Promise.all(running);
    expect(ledger.lines()).toEqual([]);
  });

  it('of higher priority takes the next slot', async () => {
    const running = [0, 1, 2, 3].map((i) => pool.apply(sleep, [60 + i]));
    const low = Array.from({ length: 12 }, (_, i) => pool.apply(noted, [ledger.path, `low${i}`], { priority: -1 }));
    const high = pool.apply(noted, [ledger.path, 'high'], { priority: 5 });
    await Promise.all([...running, ...low, high]);
    expect(ledger.lines()[0]).toBe('high');
  });
});

describe('a worker that does not begin what it was handed', () => {
  it('because an item blocks it, loses that to an idle one', async () => {
    await using local = new Pool({ processes: 2, concurrency: 3 });
    await local.resize(2);
    const go = new SharedArray('i', 1);
    const blocked = local.apply(() => {
      while (Atomics.load(go.array, 0) === 0);
      return 'at last';
    });
    const others = Array.from({ length: 20 }, (_, i) => local.apply((x: number) => x, [i]));
    expect(await Promise.all(others)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    Atomics.store(go.array, 0, 1);
    expect(await blocked).toBe('at last');
  });

  it.skipIf(threads)('because it is stopped, loses that too', async () => {
    await using local = new Pool({ processes: 2, concurrency: 3 });
    await local.resize(2);
    for (const { pid } of local.stats().workers) {
      process.kill(pid!, 'SIGSTOP');
      try {
        for (const chunkSize of [1, 'auto'] as const)
          expect(await local.map((x: number) => x, [1, 2, 3, 4, 5, 6, 7, 8], { chunkSize })).toEqual([
            1, 2, 3, 4, 5, 6, 7, 8,
          ]);
      } finally {
        process.kill(pid!, 'SIGCONT');
      }
    }
  });
});

describe('a worker that dies', () => {
  it('takes what ran with it, and nothing else', async () => {
    await using local = new Pool({ processes: 1, concurrency: 3 });
    const wait = [1, 2].map(() => local.apply(told, [ledger.path, 'x']).catch((error) => error));
    await begun(2);
    const end = local.apply(() => process.exit(4)).catch((error) => error);
    // Waits there, and has not begun.
    const after = Array.from({ length: 20 }, (_, i) => local.apply((x: number) => x, [i]));
    for (const error of [...(await Promise.all(wait)), await end]) expect(error).toBeInstanceOf(WorkerCrashError);
    expect(await Promise.all(after)).toEqual(Array.from({ length: 20 }, (_, i) => i));
  });

  it('keeps the results that it had given, and each item says which it is', async () => {
    await using local = new Pool({ processes: 1, concurrency: 4 });
    const some = async (x: number): Promise<number> => {
      if (x === 5) {
        await new Promise((done) => setTimeout(done, 60));
        process.exit(4);
      }
      if (x > 5) await new Promise(() => setInterval(() => {}, 1000));
      return x;
    };
    const settled = await local.map(some, [0, 1, 2, 3, 4, 5, 6, 7, 8], {
      errors: 'settle',
      chunkSize: 9,
      timeout: 2000,
    });
    expect(settled.slice(0, 5)).toEqual([0, 1, 2, 3, 4].map((value) => ({ status: 'fulfilled', value })));
    for (const index of [5, 6, 7, 8])
      expect(settled[index]).toMatchObject({ status: 'rejected', reason: { itemIndex: index } });
  });

  it('has what may be retried run again', async () => {
    await using local = new Pool({ processes: 2, concurrency: 3 });
    const once = async (x: number): Promise<number> => {
      await new Promise((done) => setTimeout(done, x % 4));
      if (x % 5 === 0 && currentTask()!.attempt === 0) process.exit(4);
      return x;
    };
    const items = Array.from({ length: 40 }, (_, i) => i);
    expect(await local.map(once, items, { retries: 40 })).toEqual(items);
  });

  it('because one item did not stop is told to the others', async () => {
    await using local = new Pool({ processes: 1, concurrency: 2, gracePeriod: 60 });
    const stuck = local.apply(endless, [ledger.path], { timeout: 60 });
    const other = local.apply(sleep, [30_000]);
    await expect(stuck).rejects.toBeInstanceOf(TimeoutError);
    await expect(other).rejects.toThrow(
      / was killed by the pool, for an item of it had not ended 60 ms after it was told to stop, before /,
    );
    expect(await local.apply(sleep, [1])).toBe(1);
  });

  it('for a cancelled item fails what had begun beside it, repeats what may be, and runs what had not begun', async () => {
    await using local = new Pool({ processes: 1, concurrency: 3, gracePeriod: 60 });
    const stuck = local.applyAsync(endless, [ledger.path]);
    const beside = local.apply(endless, [ledger.path]);
    const again = local.apply(
      async (path: string) => {
        const { attempt } = currentTask()!;
        if (attempt === 0) process.getBuiltinModule('node:fs').appendFileSync(path, 'once\n');
        if (attempt === 0) await new Promise(() => setInterval(() => {}, 1000));
        return attempt;
      },
      [ledger.path],
      { retries: 1 },
    );
    await begun(3);
    const behind = Array.from({ length: 5 }, (_, i) => local.apply((x: number) => x, [i]));
    stuck.cancel(new Error('given up'));
    await expect(stuck).rejects.toThrow('given up');
    await expect(beside).rejects.toBeInstanceOf(WorkerCrashError);
    expect(await again).toBe(1);
    expect(await Promise.all(behind)).toEqual([0, 1, 2, 3, 4]);
    expect(local.stats()).toMatchObject({ crashed: 1, active: 0 });
  });
});

describe('the end', () => {
  it('of a pool waits for all of them, and terminate() ends all of them', async () => {
    const local = new Pool({ processes: 1, concurrency: 4 });
    const calls = [5, 60, 30, 20, 10, 5].map((ms) => local.apply(sleep, [ms]));
    local.close();
    await local.join();
    expect(await Promise.all(calls)).toEqual([5, 60, 30, 20, 10, 5]);
    const other = new Pool({ processes: 1, concurrency: 4 });
    const endlesss = [1, 2, 3, 4, 5, 6].map(() => other.apply(endless, [ledger.path]).catch((error) => error.code));
    await begun(4);
    await other.terminate();
    expect(new Set(await Promise.all(endlesss))).toEqual(new Set(['MP_POOL_TERMINATED']));
  });

  it('of a worker’s life comes when what it runs has ended', async () => {
    await using local = new Pool({
      processes: 1,
      concurrency: 3,
      maxTasksPerChild: 5,
      initializer: () => ({ ran: 0 }),
    });
    const count = async (ms: number): Promise<number> => {
      const state = workerState<{ ran: number }>();
      const mine = ++state.ran;
      await new Promise((done) => setTimeout(done, ms));
      return mine;
    };
    const ran = await local.map(
      count,
      Array.from({ length: 30 }, (_, i) => (i * 7) % 10),
    );
    expect(ran.length).toBe(30);
    expect(Math.max(...ran)).toBeLessThanOrEqual(5);
    expect(local.stats().crashed).toBe(0);
  });

  it('of a stream that is left stops what runs of it, and nothing else', async () => {
    const other = pool.apply(sleep, [100]);
    const stream = pool
      .imap(
        told as (path: string) => Promise<never>,
        Array.from({ length: 10 }, () => ledger.path),
        { chunkSize: 2 },
      )
      [Symbol.asyncIterator]();
    void stream.next();
    await begun(3);
    await stream.return!();
    expect(await other).toBe(100);
    expect(ledger.lines().filter((line) => line.includes('told')).length).toBeGreaterThan(0);
    expect(await pool.apply(sleep, [1])).toBe(1);
  });
});

it('one item at a time has no storage of tasks: currentTask() is as it was', async () => {
  await using local = new Pool({ processes: 1 });
  const kept = async (): Promise<boolean> => {
    const task = currentTask();
    await new Promise((done) => setTimeout(done, 1));
    return task === currentTask() && task!.worker === 0;
  };
  expect(await local.apply(kept)).toBe(true);
  expect(new AsyncLocalStorage().getStore()).toBeUndefined();
});
