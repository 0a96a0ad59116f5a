/** The lines of _TestQueue, _TestLock, _TestSemaphore, _TestCondition, _TestEvent and _TestBarrier through a manager's proxies. */

import { BrokenBarrierError, ClosedError, manager, NotOwnerError, Pool, type SyncManager } from 'multiprocess';
import { type ConditionProxy, textOf } from 'multiprocess/managers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { install, runNode } from '../support/installed-program.js';
import { nearly } from '../support/nearly.js';

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
let m: SyncManager;
let pool: Pool;
beforeAll(async () => {
  m = await manager();
  pool = new Pool({ processes: 6 });
});
afterAll(async () => {
  pool.close();
  await pool.join();
  await m.shutdown();
});

/** Milliseconds that `run` takes until it fails with `code`. */
async function failing(run: () => Promise<unknown>, code: string): Promise<number> {
  const start = performance.now();
  await expect(run()).rejects.toMatchObject({ code });
  return performance.now() - start;
}

describe('_TestQueue', () => {
  it('test_no_import_lock_contention: a queue is made, written and read while a module is loading', async () => {
    const folder = install({
      'loading.mjs': `import { manager } from 'multiprocess';
        const m = await manager();
        const queue = await m.Queue();
        await queue.put('foo');
        export const got = await queue.get({ timeout: 20_000 });
        await m.shutdown();`,
      'main.mjs': "import { got } from './loading.mjs'; console.log(got);",
    });
    expect(await runNode(['main.mjs'], folder)).toEqual({ stdout: 'foo\n', stderr: '', code: 0 });
  });

  it('test_put: puts in every form succeed while there is room, then fail at once or in time', async () => {
    const queue = await m.Queue<number>({ maxSize: 6 });
    await queue.put(1);
    await queue.put(2, { timeout: 1_000 });
    await queue.putNowait(3);
    await Promise.all([queue.put(4), queue.put(5), queue.put(6)]);
    expect([await queue.full(), await queue.empty(), await queue.qsize()]).toEqual([true, false, 6]);
    await failing(() => queue.putNowait(7), 'MP_QUEUE_FULL');
    await failing(() => queue.put(7, { timeout: 0 }), 'MP_QUEUE_FULL');
    expect(await failing(() => queue.put(7, { timeout: 100 }), 'MP_QUEUE_FULL')).toBeGreaterThanOrEqual(95);
    const taken = await pool.apply(async () => {
      const items: number[] = [];
      while (!(await queue.empty())) items.push(await queue.get());
      return items;
    });
    expect(taken).toEqual([1, 2, 3, 4, 5, 6]);
    expect([await queue.full(), await queue.empty()]).toEqual([false, true]);
  });

  it('test_get: items of another process come in order in every form, then getting fails at once or in time', async () => {
    const queue = await m.Queue<number>();
    await pool.apply(async () => {
      for (const item of [2, 3, 4, 5]) await queue.put(item);
    });
    expect([
      await queue.get(),
      await queue.get({ timeout: 1_000 }),
      await queue.getNowait(),
      await queue.get(),
    ]).toEqual([2, 3, 4, 5]);
    expect(await queue.empty()).toBe(true);
    await failing(() => queue.getNowait(), 'MP_QUEUE_EMPTY');
    await failing(() => queue.get({ timeout: 0 }), 'MP_QUEUE_EMPTY');
    expect(await failing(() => queue.get({ timeout: 100 }), 'MP_QUEUE_EMPTY')).toBeGreaterThanOrEqual(95);
  });

  it('test_fork: a queue that the parent has written is written by a child as well', async () => {
    const queue = await m.Queue<number>();
    for (const i of upTo(10)) await queue.put(i);
    await pool.apply(async () => {
      for (let i = 10; i < 20; i++) await queue.put(i);
    });
    for (const i of upTo(20)) expect(await queue.get()).toBe(i);
    await failing(() => queue.getNowait(), 'MP_QUEUE_EMPTY');
  });

  it('test_qsize: 0, 1, 2, 1, 0', async () => {
    const queue = await m.Queue<number>();
    const sizes = [await queue.qsize()];
    for (const step of [() => queue.put(1), () => queue.put(5), () => queue.get(), () => queue.get()]) {
      await step();
      sizes.push(await queue.qsize());
    }
    expect(sizes).toEqual([0, 1, 2, 1, 0]);
  });

  it('test_task_done: join ends when every item was marked done by the workers', async () => {
    const queue = await m.JoinableQueue<number | null>();
    const work = async () => {
      let count = 0;
      for (let item = await queue.get(); item !== null; item = await queue.get()) {
        count++;
        await queue.taskDone();
      }
      await queue.taskDone();
      return count;
    };
    const workers = upTo(4).map(() => pool.apply(work));
    for (const i of upTo(10)) await queue.put(i);
    expect(await queue.join({ timeout: 20_000 })).toBe(true);
    for (const _ of workers) await queue.put(null);
    expect((await Promise.all(workers)).reduce((a, b) => a + b)).toBe(10);
    expect(await queue.join()).toBe(true);
    await failing(() => queue.taskDone(), 'MP_TOO_MANY_DONE');
  });

  it('test_timeout: a get that runs out has waited', async () => {
    const queue = await m.Queue();
    expect(await failing(() => queue.get({ timeout: 200 }), 'MP_QUEUE_EMPTY')).toBeGreaterThanOrEqual(180);
  });

  it('test_queue_feeder_donot_stop_onexc: an item that cannot be sent takes no place and stops nothing', async () => {
    const queue = await m.Queue<unknown>({ maxSize: 1 });
    await expect(queue.put(Promise.resolve())).rejects.toMatchObject({ name: 'SerializationError' });
    expect(await queue.qsize()).toBe(0);
    await queue.putNowait(true);
    expect([await queue.get({ timeout: 20_000 }), await queue.empty()]).toEqual([true, true]);
  });

  it('test_closed_queue_put_get_exceptions: a queue that was shut down takes nothing, and gives what is left', async () => {
    const queue = await m.Queue<number>();
    await queue.put(1);
    const waiting = (await m.Queue()).get();
    await queue.shutdown();
    await expect(queue.put(2)).rejects.toBeInstanceOf(ClosedError);
    expect(await queue.get()).toBe(1);
    await failing(() => queue.get(), 'MP_QUEUE_SHUT_DOWN');
    void waiting.catch(() => {});
  });
});

describe('_TestLock', () => {
  it('test_repr_lock, test_repr_rlock: the text form names the owner', async () => {
    const lock = await m.Lock();
    expect(await textOf(lock)).toBe('<Lock(owner=None)>');
    await lock.acquire();
    expect(await textOf(lock)).toBe('<Lock(owner=MainProcess)>');
    expect(await pool.apply(async () => (await lock.owner) === process.pid)).toBe(false);
    await lock.release();
    const rlock = await m.RLock();
    await rlock.acquire();
    expect(await textOf(rlock)).toBe('<RLock(MainProcess, 1)>');
    await rlock.release();
    expect(await textOf(rlock)).toBe('<RLock(None, 0)>');
  });

  it('test_lock: a lock is acquired once, and released once', async () => {
    const lock = await m.Lock();
    expect(await lock.acquire()).toBe(true);
    expect(await lock.locked()).toBe(true);
    expect(await lock.tryAcquire()).toBe(false);
    expect(await lock.release()).toBeUndefined();
    expect(await lock.locked()).toBe(false);
    await expect(lock.release()).rejects.toThrow(NotOwnerError);
  });

  it.each([
    ['lock', 'Lock'],
    ['rlock', 'RLock'],
  ] as const)('test_%s_locked_2processes: locked() is true where it is held and elsewhere', async (_, type) => {
    const lock = await m[type]();
    const [held, done] = [await m.Event(), await m.Event()];
    const holder = pool.apply(async () => {
      await lock.acquire();
      await held.set();
      await done.wait();
      const seen = await lock.locked();
      await lock.release();
      return seen;
    });
    await held.wait();
    expect(await lock.locked()).toBe(true);
    expect(await lock.acquire({ timeout: 0 })).toBe(false);
    await done.set();
    expect(await holder).toBe(true);
    expect(await lock.locked()).toBe(false);
  });

  it('test_rlock: one owner acquires three times and releases three times', async () => {
    const lock = await m.RLock();
    for (const _ of upTo(3)) expect(await lock.acquire()).toBe(true);
    for (const _ of upTo(3)) {
      expect(await lock.locked()).toBe(true);
      await lock.release();
    }
    expect(await lock.locked()).toBe(false);
    await expect(lock.release()).rejects.toThrow(NotOwnerError);
  });

  it.each([
    ['lock', 'Lock'],
    ['rlock', 'RLock'],
  ] as const)('test_%s_context: it is locked inside of scoped use, and not after', async (_, type) => {
    const lock = await m[type]();
    {
      await using held = await lock.hold();
      expect([await lock.locked(), typeof held]).toEqual([true, 'object']);
    }
    expect(await lock.locked()).toBe(false);
    expect(await lock.runExclusive(() => lock.locked())).toBe(true);
    expect(await lock.locked()).toBe(false);
  });
});

describe('_TestSemaphore', () => {
  const sequence = async (semaphore: Awaited<ReturnType<SyncManager['Semaphore']>>) => {
    const values = [await semaphore.getValue()];
    for (const step of [() => semaphore.acquire(), () => semaphore.acquire()]) {
      expect(await step()).toBe(true);
      values.push(await semaphore.getValue());
    }
    expect(await semaphore.tryAcquire()).toBe(false);
    for (const _ of upTo(2)) {
      await semaphore.release();
      values.push(await semaphore.getValue());
    }
    expect(values).toEqual([2, 1, 0, 1, 2]);
  };

  it('test_semaphore: permits are counted, and may pass the initial value', async () => {
    const semaphore = await m.Semaphore(2);
    await sequence(semaphore);
    await semaphore.release(2);
    expect(await semaphore.getValue()).toBe(4);
  });

  it('test_bounded_semaphore: a release too many throws and leaves the value', async () => {
    const semaphore = await m.BoundedSemaphore(2);
    await sequence(semaphore);
    await expect(semaphore.release()).rejects.toThrow(NotOwnerError);
    expect([await semaphore.getValue(), await textOf(semaphore)]).toEqual([
      2,
      '<BoundedSemaphore(value=2, maxvalue=2)>',
    ]);
  });

  it('test_timeout: without a permit a try is false at once, and a timed wait after its time', async () => {
    const semaphore = await m.Semaphore(0);
    expect([await semaphore.tryAcquire(), await semaphore.acquire({ timeout: -1 })]).toEqual([false, false]);
    const start = performance.now();
    expect(await semaphore.acquire({ timeout: 120 })).toBe(false);
    expect(performance.now() - start).toBeGreaterThanOrEqual(nearly(120));
  });
});

describe('_TestCondition', () => {
  /** Starts `n` waiters, each of which says that it sleeps, waits, and says that it is awake. Resolves when all sleep. */
  const waiters = async (n: number, timeout?: number) => {
    const condition = await m.Condition();
    const [sleeping, woken] = [await m.Semaphore(0), await m.Semaphore(0)];
    const waiter = async () => {
      await condition.acquire();
      await sleeping.release();
      const result = await condition.wait(timeout === undefined ? undefined : { timeout });
      await woken.release();
      await condition.release();
      return result;
    };
    // Half of them in processes, half in this one.
    const results = Promise.all([
      pool.map(waiter, upTo(n - (n >> 1)), { chunkSize: 1 }),
      Promise.all(upTo(n >> 1).map(waiter)),
    ]).then((all) => all.flat());
    for (const _ of upTo(n)) await sleeping.acquire();
    return { condition, woken, results };
  };
  const notify = (condition: ConditionProxy, n: number) => condition.runExclusive(() => condition.notify(n));
  const clean = async (condition: ConditionProxy) =>
    expect(await textOf(condition)).toBe('<Condition(<RLock(None, 0)>, 0)>');

  it('test_notify: each notify wakes exactly one', async () => {
    const { condition, woken, results } = await waiters(2);
    for (const _ of upTo(2)) {
      expect(await woken.getValue()).toBe(0);
      await notify(condition, 1);
      await woken.acquire();
    }
    expect(await results).toEqual([true, true]);
    await clean(condition);
  });

  it('test_notify_all: waiters that time out leave nothing behind, and one notifyAll wakes all of six', async () => {
    const first = await waiters(6, 50);
    expect(await first.results).toEqual(upTo(6).map(() => false));
    await clean(first.condition);
    const second = await waiters(6);
    await second.condition.runExclusive(() => second.condition.notifyAll());
    expect(await second.results).toEqual(upTo(6).map(() => true));
    await clean(second.condition);
  });

  it('test_notify_n: of six waiters notify(2) wakes two, notify(4) the others, and notify(3) nobody', async () => {
    const { condition, woken, results } = await waiters(6);
    await notify(condition, 2);
    for (const _ of upTo(2)) await woken.acquire();
    expect([await condition.waiting, await woken.getValue()]).toEqual([4, 0]);
    await notify(condition, 4);
    expect(await results).toEqual(upTo(6).map(() => true));
    await notify(condition, 3);
    await clean(condition);
  });

  it('test_timeout: a timed wait without a notification is false after its time', async () => {
    const condition = await m.Condition(await m.Lock());
    await expect(condition.wait()).rejects.toThrow(NotOwnerError);
    await expect(condition.notify()).rejects.toThrow(NotOwnerError);
    await condition.acquire();
    const start = performance.now();
    expect(await condition.wait({ timeout: 100 })).toBe(false);
    expect(performance.now() - start).toBeGreaterThanOrEqual(nearly(100));
    expect(await condition.locked()).toBe(true);
    await condition.release();
  });

  it('test_waitfor: waitFor is true when the changes of another process make it so', async () => {
    const condition = await m.Condition();
    const steps = await m.Value('i', 0);
    const ready = await m.Event();
    const other = pool.apply(async () => {
      await condition.acquire();
      const result = await condition.waitFor(async () => {
        await ready.set();
        return (await steps.value) === 4;
      });
      await condition.release();
      return result;
    });
    await ready.wait();
    for (const _ of upTo(4)) {
      await condition.runExclusive(async () => {
        await steps.update((n) => n + 1);
        await condition.notifyAll();
      });
    }
    expect(await other).toBe(true);
  });

  it('test_waitfor_timeout: waitFor gives the false answer when the time is up, though it is notified', async () => {
    const condition = await m.Condition();
    const stop = await m.Event();
    const notifier = pool.apply(async () => {
      while (!(await stop.isSet())) await condition.runExclusive(() => condition.notify());
    });
    await condition.acquire();
    const start = performance.now();
    expect(await condition.waitFor(() => false, { timeout: 100 })).toBe(false);
    expect(performance.now() - start).toBeGreaterThanOrEqual(nearly(100));
    await condition.release();
    await stop.set();
    await notifier;
  });

  it.each(['Lock', 'RLock'] as const)(
    'test_wait_result: under a %s waits are false, or true, and an abort rejects with the lock held',
    async (type) => {
      const condition = await m.Condition(await m[type]());
      await condition.acquire();
      expect([await condition.wait({ timeout: 0 }), await condition.wait({ timeout: 20 })]).toEqual([false, false]);
      const notifier = pool.apply(async () => condition.runExclusive(() => condition.notify()));
      expect(await condition.wait()).toBe(true);
      await notifier;
      const abort = new AbortController();
      const waiting = condition.wait({ signal: abort.signal });
      setTimeout(() => abort.abort(new Error('interrupted')), 20);
      await expect(waiting).rejects.toThrow('interrupted');
      expect([await condition.locked(), await condition.waiting]).toEqual([true, 0]);
      await condition.release();
      expect(await condition.locked()).toBe(false);
    },
  );
});

describe('_TestEvent', () => {
  it('test_event, test_repr: waits are false while it is unset and true when it is set, also by another process', async () => {
    const event = await m.Event();
    expect([await event.isSet(), await event.wait({ timeout: 0 })]).toEqual([false, false]);
    const start = performance.now();
    expect(await event.wait({ timeout: 100 })).toBe(false);
    expect(performance.now() - start).toBeGreaterThanOrEqual(nearly(100));
    await event.set();
    expect([await event.isSet(), await event.wait(), await textOf(event)]).toEqual([true, true, '<Event set>']);
    await event.clear();
    expect(await event.isSet()).toBe(false);
    const setter = pool.apply(async () => event.set());
    expect(await event.wait()).toBe(true);
    await setter;
    expect(String(await textOf(event))).toBe('<Event set>');
  });
});

describe('_TestBarrier', () => {
  const N = 5;
  /** Five parties, one of them here. */
  const parties = async <R>(task: (party: number) => Promise<R>): Promise<R[]> => {
    const [theirs, ours] = await Promise.all([pool.map(task, upTo(N - 1), { chunkSize: 1 }), task(N - 1)]);
    return [...theirs, ours] as R[];
  };
  const outcome = (error: unknown) => (error as Error).name;
  const BROKEN = 'BrokenBarrierError';

  it.each([1, 10])(
    'test_barrier, test_barrier_10: nobody is past before all have come, in %i rounds',
    async (rounds) => {
      const barrier = await m.Barrier(N);
      const before = await m.Value('i', 0);
      const seen = await parties(async () => {
        const lockstep: boolean[] = [];
        for (let round = 0; round < rounds; round++) {
          await before.update((n) => n + 1);
          await barrier.wait();
          const value = await before.value;
          lockstep.push(value >= 5 * (round + 1) && value <= 5 * (round + 2));
          await barrier.wait();
        }
        return lockstep.every(Boolean);
      });
      expect(seen).toEqual(upTo(N).map(() => true));
      expect([await barrier.nWaiting, await barrier.broken, await barrier.parties]).toEqual([0, false, 5]);
    },
  );

  it('test_wait_return: each party gets an index of its own, one of them 0', async () => {
    const barrier = await m.Barrier(N);
    expect((await parties(() => barrier.wait())).sort()).toEqual(upTo(N));
  });

  it('test_action: the action runs once a round, before anybody passes', async () => {
    const ran = await m.Value('i', 0);
    const barrier = await m.Barrier(N, { action: () => ran.update((n) => n + 1) });
    const seen = await parties(async () => {
      await barrier.wait();
      const first = await ran.value;
      await barrier.wait();
      return [first >= 1, await ran.value];
    });
    expect(seen).toEqual(upTo(N).map(() => [true, 2]));
  });

  it('test_abort: an abort breaks it for all who wait', async () => {
    const barrier = await m.Barrier(N);
    const seen = await parties(async (party) => {
      if (party !== 2) return barrier.wait().then(() => 'passed', outcome);
      while ((await barrier.nWaiting) < 4);
      await barrier.abort();
      return 'aborted';
    });
    expect(seen.sort()).toEqual([BROKEN, BROKEN, BROKEN, BROKEN, 'aborted']);
    expect(await barrier.broken).toBe(true);
    await expect(barrier.wait()).rejects.toThrow(BrokenBarrierError);
  });

  it('test_reset: a reset breaks it for who waits, and all pass the next round', async () => {
    const barrier = await m.Barrier(N);
    const seen = await parties(async (party) => {
      const outcomes: unknown[] = [];
      if (party === 2) {
        while ((await barrier.nWaiting) < 4);
        await barrier.reset();
      } else outcomes.push(await barrier.wait().then(() => 'passed', outcome));
      await barrier.wait();
      return [...outcomes, await barrier.broken];
    });
    expect(seen.filter((one) => one.length === 1)).toEqual([[false]]);
    expect(seen.filter((one) => one.length === 2)).toEqual(upTo(4).map(() => [BROKEN, false]));
  });

  it('test_abort_and_reset: an aborted barrier can be reset and passed', async () => {
    const [barrier, other] = [await m.Barrier(N), await m.Barrier(N)];
    const seen = await parties(async (party) => {
      let first = 'aborted';
      if (party === 0) {
        while ((await barrier.nWaiting) < 4);
        await barrier.abort();
      } else first = await barrier.wait().then(() => 'passed', outcome);
      if ((await other.wait()) === 4) await barrier.reset();
      await other.wait();
      await barrier.wait();
      return first;
    });
    expect(seen.sort()).toEqual([BROKEN, BROKEN, BROKEN, BROKEN, 'aborted']);
    expect(await barrier.broken).toBe(false);
  });

  it.each([
    ['test_timeout: a party that is late for a timed wait breaks it for all', undefined, { timeout: 100 }],
    ['test_default_timeout: the time of the constructor holds where wait gives none', 100, undefined],
  ])('%s', async (_, timeout, options) => {
    const barrier = await m.Barrier(N, timeout === undefined ? {} : { timeout });
    const seen = await parties(async (party) => {
      if (party === 4) while (!(await barrier.broken)) await sleep(5);
      return barrier.wait(options).then(() => 'passed', outcome);
    });
    expect(seen).toEqual(upTo(N).map(() => BROKEN));
  });

  it('test_single_thread: a barrier of one is passed at once, again and again', async () => {
    const barrier = await m.Barrier(1);
    for (const _ of upTo(3)) expect(await barrier.wait()).toBe(0);
  });

  it('test_thousand: five processes pass 1000 rounds, and nobody is a round ahead', async () => {
    const barrier = await m.Barrier(N);
    const sent = await m.Value('i', 0);
    const seen = await pool.map(
      async () => {
        for (let round = 0; round < 1000; round++) {
          await barrier.wait();
          const value = await sent.update((n) => n + 1);
          if (value <= 5 * round - 5 || value > 5 * round + 10) return `round ${round}: ${value} were sent`;
        }
        return 'in step';
      },
      upTo(N),
      { chunkSize: 1 },
    );
    expect(seen).toEqual(upTo(N).map(() => 'in step'));
    expect(await sent.value).toBe(5000);
  }, 60_000);
});
