/** What workers do first and last: workerState, workerExit, and terminate with grace. */
import { currentTask, Event, Pool, type PoolEvent, type PoolOptions, task, Value, workerState } from 'multiprocess';
import { describe, expect, it } from 'vitest';
import { Ledger } from '../support/ledger.js';
import { threads, whoami } from '../support/start-method.js';
import { until } from '../support/until.js';

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
interface Counter {
  count: number;
}
const counter = (): Counter => ({ count: 0 });
const counted = (x: number): number => {
  workerState<Counter>().count++;
  return x;
};
const count = (): number => workerState<Counter>().count;

/** A pool, and what happens in it. */
function watched(options: PoolOptions<[]>): { pool: Pool; events: PoolEvent[] } {
  const pool = new Pool(options);
  const events: PoolEvent[] = [];
  pool.events.subscribe((event) => events.push(event));
  return { pool, events };
}

describe('workerState', () => {
  it('is what the initializer returned, or what its promise gave, in each worker its own', async () => {
    await using pool = new Pool({
      processes: 2,
      initializer: async (start: number) => ({ count: start }),
      initArgs: [10],
    });
    const counts = await pool.map(() => [whoami(), ++workerState<Counter>().count] as const, upTo(20), {
      chunkSize: 1,
    });
    // The last count of each worker: where one has begun the second map late, nothing is missed.
    const last = new Map<number, number>();
    for (const [worker, n] of counts) last.set(worker, Math.max(n, last.get(worker) ?? 10));
    expect([...last.values()].reduce((sum, n) => sum + n - 10, 0)).toBe(20);
  });

  it('may be anything: it never leaves its worker', async () => {
    await using pool = new Pool({ processes: 1, initializer: () => new WeakMap<object, number>() });
    expect(await pool.apply(() => workerState() instanceof WeakMap)).toBe(true);
    await using undefinedOne = new Pool({ processes: 1, initializer: () => undefined });
    expect(await undefinedOne.apply(() => workerState() === undefined)).toBe(true);
  });

  it('is refused outside of workers, without an initializer, and before that is done', async () => {
    const refused = { code: 'MP_NO_WORKER_STATE' };
    expect(() => workerState()).toThrow(expect.objectContaining(refused));
    await using pool = new Pool({ processes: 1 });
    await expect(pool.apply(() => workerState())).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining('no `initializer`'),
    });
    await using early = new Pool({
      processes: 1,
      initializer: () => {
        try {
          workerState();
        } catch (error) {
          return (error as Error).message;
        }
        return 'nothing was thrown';
      },
    });
    expect(await early.apply(() => workerState<string>())).toContain('not settled yet');
  });
});

describe('workerExit', () => {
  it('runs in each worker of a pool that is closed; its results are there after join', async () => {
    const pool = new Pool({ processes: 2, initializer: counter, workerExit: count });
    await pool.map(counted, upTo(50), { chunkSize: 1 });
    expect(pool.workerResults).toEqual([]);
    pool.close();
    await pool.join();
    expect(pool.workerResults.length).toBe(2);
    expect((pool.workerResults as number[]).reduce((a, b) => a + b)).toBe(50);
  });

  it('may be asynchronous, have captures, and be a task()', async () => {
    const sum = new Value('i32', 0);
    const suffix = '!';
    const leave = async () => {
      await sum.update((n) => n + 1);
      return `bye${suffix}`;
    };
    const pool = new Pool({ processes: 2, workerExit: leave });
    await pool.apply(() => 1);
    pool.close();
    await pool.join();
    expect(pool.workerResults).toEqual(['bye!', 'bye!']);
    expect(sum.value).toBe(2);
    const other = new Pool({ processes: 1, workerExit: task({ suffix }, (captures) => captures.suffix) });
    other.close();
    await other.join();
    expect(other.workerResults).toEqual(['!']);
  });

  it('runs in workers that are recycled, shrunk and idle too', async () => {
    const recycled = new Pool({ processes: 1, maxTasksPerChild: 5, initializer: counter, workerExit: count });
    await recycled.map(counted, upTo(20), { chunkSize: 1 });
    recycled.close();
    await recycled.join();
    expect((recycled.workerResults as number[]).filter((n) => n > 0)).toEqual([5, 5, 5, 5]);

    const shrunk = new Pool({ processes: 3, workerExit: () => 'gone' });
    await shrunk.resize(1);
    expect(shrunk.workerResults).toEqual(['gone', 'gone']);
    await shrunk.terminate();

    const idle = new Pool({ processes: 2, idleTimeout: 20, workerExit: () => 'idle' });
    await idle.apply(() => 1);
    await until(() => idle.workerResults.length === 2, 'the results of idle workers');
    await idle.terminate();
  });

  it('does not run when the pool is terminated, or a worker dies', async () => {
    using ledger = new Ledger();
    const { path } = ledger;
    const leave = () => process.getBuiltinModule('node:fs').appendFileSync(path, 'left\n');
    const pool = new Pool({ processes: 1, workerExit: leave });
    await expect(pool.apply(() => process.exit(4))).rejects.toMatchObject({ exitCode: 4 });
    await pool.apply(() => 1);
    await pool.terminate();
    expect(pool.workerResults).toEqual([]);
    expect(ledger.lines()).toEqual([]);
  });

  it('that fails is an event, and hangs nobody', async () => {
    const { pool, events } = watched({
      processes: 1,
      workerExit: () => {
        throw new RangeError('cannot leave');
      },
    });
    await pool.apply(() => 1);
    pool.close();
    await pool.join();
    expect(pool.workerResults).toEqual([]);
    const failures = events.filter(({ type }) => type === 'worker-exit-failed');
    expect(failures).toEqual([
      expect.objectContaining({
        number: 0,
        error: expect.objectContaining({ name: 'RangeError', message: 'cannot leave' }),
      }),
    ]);
    expect(events.at(-1)!.type).toBe('worker-exit');
    expect(pool.stats().crashed).toBe(0);
  });

  it('that returns what cannot be sent has failed', async () => {
    const { pool, events } = watched({ processes: 1, workerExit: () => new WeakRef({}) });
    pool.close();
    await pool.join();
    expect(events.filter(({ type }) => type === 'worker-exit-failed')).toMatchObject([{ error: { code: 'MP_WEAK' } }]);
  });

  it('that does not end is given up after exitTimeout', async () => {
    const { pool, events } = watched({
      processes: 1,
      gracePeriod: 50,
      exitTimeout: 50,
      workerExit: () => new Promise(() => setInterval(() => {}, 1000)),
    });
    await pool.apply(() => 1);
    pool.close();
    await pool.join();
    const [failed] = events.filter(({ type }) => type === 'worker-exit-failed');
    expect(failed).toMatchObject({
      error: {
        code: 'MP_WORKER_CRASH',
        message: expect.stringMatching(/for its `workerExit` had not settled after the exitTimeout of 50 ms\.$/),
      },
    });
  });

  it('that ends its worker is told of', async () => {
    const { pool, events } = watched({ processes: 1, workerExit: () => process.exit(7) });
    await pool.apply(() => 1);
    pool.close();
    await pool.join();
    expect(events.filter(({ type }) => type === 'worker-exit-failed')).toMatchObject([{ error: { exitCode: 7 } }]);
  });

  it('may take longer than gracePeriod', async () => {
    const pool = new Pool({
      processes: 1,
      gracePeriod: 500,
      workerExit: () => new Promise((done) => setTimeout(() => done('slow'), 1_500)),
    });
    await pool.apply(() => 1);
    pool.close();
    await pool.join();
    expect(pool.workerResults).toEqual(['slow']);
  });

  it('is not run where the initializer failed', async () => {
    using ledger = new Ledger();
    const { path } = ledger;
    const pool = new Pool({
      processes: 1,
      initializer: () => {
        throw new Error('no');
      },
      workerExit: () => process.getBuiltinModule('node:fs').appendFileSync(path, 'left\n'),
    });
    await expect(pool.apply(() => 1)).rejects.toThrow('no');
    await pool.join();
    expect(ledger.lines()).toEqual([]);
  });

  it('must be a function that can be sent', () => {
    expect(() => new Pool({ workerExit: 3 as never })).toThrow(/`workerExit` must be a function or a module URL/);
    expect(() => new Pool({ exitTimeout: -1 })).toThrow(/`exitTimeout`/);
    const reference = new WeakRef({});
    expect(() => new Pool({ workerExit: () => reference })).toThrow(expect.objectContaining({ code: 'MP_WEAK' }));
  });
});

describe('terminate with grace', () => {
  const untilAborted = async (path: string, name: string, started: Event): Promise<void> => {
    const { signal } = currentTask()!;
    started.set();
    await new Promise((done) => signal.addEventListener('abort', done));
    process.getBuiltinModule('node:fs').appendFileSync(path, `${name} ${(signal.reason as { code?: string }).code}\n`);
  };

  it('fires the signals of what runs, and waits for that', async () => {
    using ledger = new Ledger();
    const started = new Event();
    const pool = new Pool({ processes: 1 });
    const call = pool.apply(untilAborted, [ledger.path, 'a', started]);
    const queued = pool.map(upTo as never, upTo(10));
    const failed = Promise.all(
      [call, queued].map((work) => expect(work).rejects.toMatchObject({ code: 'MP_POOL_TERMINATED' })),
    );
    await started.wait();
    await pool.terminate({ grace: 30_000 });
    await failed;
    expect(ledger.lines()).toEqual(['a MP_POOL_TERMINATED']);
    expect(pool.stats().workers).toEqual([]);
  });

  it('kills what does not end by then', async () => {
    const started = new Event();
    const pool = new Pool({ processes: 1, gracePeriod: 30_000 });
    const call = pool.apply(async () => {
      started.set();
      await new Promise(() => setInterval(() => {}, 1000));
    });
    call.catch(() => {});
    await started.wait();
    await pool.terminate({ grace: 50 });
    expect(pool.stats().workers).toEqual([]);
  });

  it('without work ends at once, and a second call without grace does not wait', async () => {
    const idle = new Pool({ processes: 2 });
    await idle.apply(() => 1);
    await idle.terminate({ grace: Number.POSITIVE_INFINITY });
    const started = new Event();
    const pool = new Pool({ processes: 1 });
    pool
      .apply(async () => {
        started.set();
        await new Promise(() => setInterval(() => {}, 1000));
      })
      .catch(() => {});
    await started.wait();
    const slow = pool.terminate({ grace: 1e9 });
    await pool.terminate();
    await slow;
    expect(pool.stats().workers).toEqual([]);
  });

  it('refuses what is no time', async () => {
    await using pool = new Pool({ processes: 1 });
    await expect(pool.terminate({ grace: -1 })).rejects.toThrow(/`grace`/);
    await expect(pool.terminate({ grase: 1 } as never)).rejects.toThrow('did you mean `grace`');
    expect(await pool.apply(() => 1)).toBe(1);
  });
});

it('a thread of this suite is a thread', async () => {
  await using pool = new Pool({ processes: 1 });
  expect((await pool.apply(() => process.pid)) === process.pid).toBe(threads);
});
