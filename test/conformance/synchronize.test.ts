/** The lines of Python's _TestLock, _TestSemaphore, _TestCondition, _TestEvent and _TestBarrier, over processes, each under its name. */
import { once } from 'node:events';
import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';
import {
  Barrier,
  BoundedSemaphore,
  BrokenBarrierError,
  Condition,
  Event,
  Lock,
  NotOwnerError,
  Pool,
  RLock,
  Semaphore,
} from 'multiprocess';
import { dumps } from 'multiprocess/reduction';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nearly } from '../support/nearly.js';
import { withAddon } from '../support/needs.js';
import { threads } from '../support/start-method.js';
import { until } from '../support/until.js';

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
/** Who has a lock, as a worker sees it. */
const SOMEBODY = threads ? 'SomeOtherThread' : 'SomeOtherProcess';
/** The number by which it calls this thread: the kernel's, or that of the first of a family. */
const MYSELF = withAddon ? process.pid : 1;

let pool: Pool;
beforeAll(() => {
  pool = new Pool({ processes: 6 });
});
afterAll(async () => {
  // In good order: a worker that is killed leaves its references to shared memory behind.
  pool.close();
  await pool.join();
  pool = undefined as never;
});

/** What a lock's text form is in a worker thread of this process. */
async function inThread(object: object): Promise<string> {
  const code = `
    import { parentPort, workerData } from 'node:worker_threads';
    import { inspect } from 'node:util';
    import { loads } from ${JSON.stringify(import.meta.resolve('multiprocess/reduction'))};
    await import(${JSON.stringify(import.meta.resolve('multiprocess/synchronize'))});
    parentPort.postMessage(inspect(loads(workerData)));`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), { workerData: dumps(object) });
  const text = new Promise<string>((done, fail) => worker.once('message', done).once('error', fail));
  await once(worker, 'exit'); // by itself: what a terminated thread had attached would never be given back
  return text;
}

describe('_TestLock', () => {
  it('test_repr_lock: the text form of a lock names its owner', async () => {
    const lock = new Lock();
    expect(inspect(lock)).toBe('<Lock(owner=None)>');
    await lock.acquire();
    expect(inspect(lock)).toBe('<Lock(owner=MainProcess)>');
    expect(await inThread(lock)).toMatch(/^<Lock\(owner=SomeOtherThread \d+\)>$/);
    expect(await pool.apply(() => String(lock))).toBe(`<Lock(owner=${SOMEBODY} ${MYSELF})>`);
    lock.release();
    const acquire = () => {
      lock.tryAcquire();
      return String(lock);
    };
    expect(await pool.apply(acquire)).toMatch(/^<Lock\(owner=\w*PoolWorker-\d+(\|Thread-\d+)?\)>$/);
    expect(inspect(lock)).toMatch(new RegExp(`^<Lock\\(owner=${SOMEBODY} \\d+\\)>$`));
  });

  it('test_lock: a lock is acquired once, and released once', async () => {
    const lock = new Lock();
    expect(await lock.acquire()).toBe(true);
    expect(lock.locked()).toBe(true);
    expect(lock.tryAcquire()).toBe(false);
    expect(lock.release()).toBeUndefined();
    expect(lock.locked()).toBe(false);
    expect(() => lock.release()).toThrow(NotOwnerError);
  });

  it.each([
    ['lock', Lock],
    ['rlock', RLock],
  ])('test_%s_locked_2processes: locked() is true where it is held and elsewhere', async (_, Type) => {
    const lock = new Type();
    const [held, done] = [new Event(), new Event()];
    const holder = pool.apply(async () => {
      await lock.acquire();
      held.set();
      await done.wait();
      const seen = lock.locked();
      lock.release();
      return seen;
    });
    await held.wait();
    expect(lock.locked()).toBe(true);
    done.set();
    expect(await holder).toBe(true);
    expect(lock.locked()).toBe(false);
  });

  it('test_repr_rlock: the text form of a recursive lock gives owner and depth', async () => {
    const lock = new RLock();
    expect(inspect(lock)).toBe('<RLock(None, 0)>');
    for (let depth = 1; depth <= 3; depth++) {
      await lock.acquire();
      expect(inspect(lock)).toBe(`<RLock(MainProcess, ${depth})>`);
    }
    expect(await inThread(lock)).toMatch(/^<RLock\(SomeOtherThread \d+, nonzero\)>$/);
    expect(await pool.apply(() => String(lock))).toBe(`<RLock(${SOMEBODY} ${MYSELF}, nonzero)>`);
    for (let i = 0; i < 3; i++) lock.release();
    expect(inspect(lock)).toBe('<RLock(None, 0)>');
  });

  it('test_rlock: one owner acquires three times and releases three times', async () => {
    const lock = new RLock();
    for (let i = 0; i < 3; i++) expect(await lock.acquire()).toBe(true);
    for (let i = 0; i < 3; i++) {
      expect(lock.locked()).toBe(true);
      expect(lock.release()).toBeUndefined();
    }
    expect(lock.locked()).toBe(false);
    expect(() => lock.release()).toThrow(NotOwnerError);
  });

  it.each([
    ['lock', Lock],
    ['rlock', RLock],
  ])('test_%s_context: it is locked inside of scoped use, and not after', async (_, Type) => {
    const lock = new Type();
    const held = await lock.hold();
    expect(lock.locked()).toBe(true);
    held[Symbol.dispose]();
    expect(lock.locked()).toBe(false);
    expect(await lock.runExclusive(() => lock.locked())).toBe(true);
    expect(lock.locked()).toBe(false);
  });
});

describe('_TestSemaphore', () => {
  const sequence = async (semaphore: Semaphore) => {
    expect(semaphore.getValue()).toBe(2);
    expect(await semaphore.acquire()).toBe(true);
    expect(semaphore.getValue()).toBe(1);
    expect(semaphore.acquireSync()).toBe(true);
    expect(semaphore.getValue()).toBe(0);
    expect(semaphore.tryAcquire()).toBe(false);
    semaphore.release();
    expect(semaphore.getValue()).toBe(1);
    semaphore.release();
    expect(semaphore.getValue()).toBe(2);
  };

  it('test_semaphore: permits are counted, and may pass the initial value', async () => {
    const semaphore = new Semaphore(2);
    await sequence(semaphore);
    semaphore.release();
    semaphore.release();
    expect(semaphore.getValue()).toBe(4);
  });

  it('test_bounded_semaphore: a release too many throws and leaves the value', async () => {
    const semaphore = new BoundedSemaphore(2);
    await sequence(semaphore);
    expect(() => semaphore.release()).toThrow(NotOwnerError);
    expect(semaphore.getValue()).toBe(2);
    expect(await pool.apply(() => String(semaphore))).toBe('<BoundedSemaphore(value=2, maxvalue=2)>');
  });

  it('test_timeout: without a permit a try is false at once, and a timed wait after its time', async () => {
    const semaphore = new Semaphore(0);
    expect(semaphore.tryAcquire()).toBe(false);
    expect(await semaphore.acquire({ timeout: 0 })).toBe(false);
    expect(semaphore.acquireSync({ timeout: -1 })).toBe(false);
    for (const wait of [() => semaphore.acquire({ timeout: 120 }), () => semaphore.acquireSync({ timeout: 120 })]) {
      const start = performance.now();
      expect(await wait()).toBe(false);
      expect(performance.now() - start).toBeGreaterThanOrEqual(nearly(120));
    }
  });
});

describe('_TestCondition', () => {
  /** Starts `n` waiters, each of which says that it sleeps, waits, and says that it is awake. Resolves when all sleep. */
  const waiters = async (n: number, timeout?: number) => {
    const condition = new Condition();
    const [sleeping, woken] = [new Semaphore(0), new Semaphore(0)];
    const waiter = async () => {
      await condition.acquire();
      sleeping.release();
      const result = await condition.wait({ timeout });
      woken.release();
      condition.release();
      return result;
    };
    // Half of them in processes, half in this one.
    const results = Promise.all([
      pool.map(waiter, upTo(n - (n >> 1)), { chunkSize: 1 }),
      Promise.all(upTo(n >> 1).map(waiter)),
    ]).then((all) => all.flat());
    for (let i = 0; i < n; i++) await sleeping.acquire();
    return { condition, woken, results };
  };
  const notify = (condition: Condition, n: number) => condition.runExclusive(() => condition.notify(n));
  const clean = (condition: Condition) => expect(inspect(condition)).toBe('<Condition(<RLock(None, 0)>, 0)>');

  it('test_notify: each notify wakes exactly one', async () => {
    const { condition, woken, results } = await waiters(2);
    for (let i = 1; i <= 2; i++) {
      expect(woken.getValue()).toBe(0);
      await notify(condition, 1);
      await woken.acquire();
    }
    expect(await results).toEqual([true, true]);
    clean(condition);
  });

  it('test_notify_all: waiters that time out leave nothing behind, and one notifyAll wakes all of six', async () => {
    const first = await waiters(6, 50);
    expect(await first.results).toEqual(upTo(6).map(() => false));
    clean(first.condition);
    const second = await waiters(6);
    await second.condition.runExclusive(() => second.condition.notifyAll());
    expect(await second.results).toEqual(upTo(6).map(() => true));
    clean(second.condition);
  });

  it('test_notify_n: of six waiters notify(2) wakes two, notify(4) the others, and notify(3) nobody', async () => {
    const { condition, woken, results } = await waiters(6);
    await notify(condition, 2);
    for (let i = 0; i < 2; i++) await woken.acquire();
    expect(await condition.runExclusive(() => inspect(condition))).toMatch(/, 4\)>$/);
    expect(woken.getValue()).toBe(0);
    await notify(condition, 4);
    expect(await results).toEqual(upTo(6).map(() => true));
    await notify(condition, 3);
    clean(condition);
    await condition.acquire();
    expect(await condition.wait({ timeout: 10 })).toBe(false);
    condition.release();
  });

  it('test_timeout: a timed wait without a notification is false after its time', async () => {
    const condition = new Condition();
    await condition.acquire();
    const start = performance.now();
    expect(await condition.wait({ timeout: 100 })).toBe(false);
    expect(condition.waitSync({ timeout: 100 })).toBe(false);
    expect(performance.now() - start).toBeGreaterThanOrEqual(nearly(200));
    condition.release();
  });

  it('test_waitfor: waitFor is true when the changes of another process make it so', async () => {
    const condition = new Condition();
    const steps = new Semaphore(0);
    const [ready, go] = [new Event(), new Event()];
    const other = pool.apply(async () => {
      await condition.acquire();
      const result = await condition.waitFor(() => {
        ready.set();
        return steps.getValue() === 4;
      });
      condition.release();
      return result;
    });
    await ready.wait();
    const sync = pool.apply(() => {
      condition.acquireSync();
      go.set();
      const result = condition.waitForSync(() => steps.getValue() === 4);
      condition.release();
      return result;
    });
    await go.wait();
    for (let i = 0; i < 4; i++) {
      await condition.runExclusive(() => {
        steps.release();
        condition.notifyAll();
      });
    }
    expect(await other).toBe(true);
    expect(await sync).toBe(true);
  });

  it('test_waitfor_timeout: waitFor gives the false answer when the time is up, though it is notified', async () => {
    const condition = new Condition();
    const stop = new Event();
    const notifier = pool.apply(async () => {
      while (!stop.isSet()) {
        await condition.runExclusive(() => condition.notify());
        await new Promise((done) => setTimeout(done, 5));
      }
    });
    await condition.acquire();
    const start = performance.now();
    expect(await condition.waitFor(() => false, { timeout: 100 })).toBe(false);
    expect(performance.now() - start).toBeGreaterThanOrEqual(nearly(100));
    condition.release();
    stop.set();
    await notifier;
  });

  it('test_wait_result: waits are false without a notification, true with one, and an abort rejects', async () => {
    const condition = new Condition();
    await condition.acquire();
    expect(await condition.wait({ timeout: 0 })).toBe(false);
    expect(await condition.wait({ timeout: 20 })).toBe(false);
    const notifier = pool.apply(async () => condition.runExclusive(() => condition.notify()));
    expect(await condition.wait()).toBe(true);
    await notifier;
    const abort = new AbortController();
    setImmediate(() => abort.abort(new Error('interrupted')));
    await expect(condition.wait({ signal: abort.signal })).rejects.toThrow('interrupted');
    expect(inspect(condition)).toMatch(/, 0\)>$/);
    condition.release();
  });
});

describe('_TestEvent', () => {
  it('test_event: waits are false while it is unset and true when it is set, also by another process', async () => {
    const event = new Event();
    expect(event.isSet()).toBe(false);
    expect(await event.wait({ timeout: 0 })).toBe(false);
    const start = performance.now();
    expect(await event.wait({ timeout: 100 })).toBe(false);
    expect(event.waitSync({ timeout: 100 })).toBe(false);
    expect(performance.now() - start).toBeGreaterThanOrEqual(nearly(200));
    event.set();
    expect(event.isSet()).toBe(true);
    expect(await event.wait()).toBe(true);
    expect(event.waitSync({ timeout: 0 })).toBe(true);
    event.clear();
    expect(event.isSet()).toBe(false);
    const setter = pool.apply(() => event.set());
    expect(await event.wait()).toBe(true);
    await setter;
  });

  it('test_repr: the text form says whether it is set', () => {
    const event = new Event();
    expect(inspect(event)).toBe('<Event unset>');
    event.set();
    expect(inspect(event)).toBe('<Event set>');
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

  it.each([1, 10])(
    'test_barrier, test_barrier_10: nobody is past before all have come, in %i rounds',
    async (rounds) => {
      const barrier = new Barrier(N);
      const [before, after] = [new Semaphore(0), new Semaphore(0)];
      const seen = await parties(async () => {
        const lockstep: boolean[] = [];
        for (let round = 0; round < rounds; round++) {
          before.release();
          await barrier.wait();
          // All N have come to this round, and nobody can be in the one after the next.
          lockstep.push(before.getValue() >= 5 * (round + 1) && before.getValue() <= 5 * (round + 2));
          after.release();
          await barrier.wait();
          lockstep.push(after.getValue() >= 5 * (round + 1));
        }
        return lockstep.every(Boolean);
      });
      expect(seen).toEqual(upTo(N).map(() => true));
      expect(barrier.nWaiting).toBe(0);
      expect(barrier.broken).toBe(false);
    },
  );

  it('test_wait_return: each party gets an index of its own, one of them 0', async () => {
    const barrier = new Barrier(N);
    expect((await parties(() => barrier.wait())).sort()).toEqual(upTo(N));
  });

  it('test_action: the action runs once a round, before anybody passes', async () => {
    const ran = new Semaphore(0);
    const barrier = new Barrier(N, { action: () => ran.release() });
    const seen = await parties(async () => {
      await barrier.wait();
      const first = ran.getValue();
      await barrier.wait();
      return [first >= 1, ran.getValue()];
    });
    expect(seen).toEqual(upTo(N).map(() => [true, 2]));
  });

  it('test_abort: an abort breaks it for all who wait', async () => {
    const barrier = new Barrier(N);
    const seen = await parties(async (party) => {
      if (party === 2) {
        while (barrier.nWaiting < 4) await new Promise((done) => setImmediate(done));
        barrier.abort();
        return 'aborted';
      }
      return barrier.wait().then(() => 'passed', outcome);
    });
    expect(seen.sort()).toEqual([
      'BrokenBarrierError',
      'BrokenBarrierError',
      'BrokenBarrierError',
      'BrokenBarrierError',
      'aborted',
    ]);
    expect(barrier.broken).toBe(true);
    await expect(barrier.wait()).rejects.toThrow(BrokenBarrierError);
  });

  it('test_reset: a reset breaks it for who waits, and all pass the next round', async () => {
    const barrier = new Barrier(N);
    const seen = await parties(async (party) => {
      const outcomes: unknown[] = [];
      if (party === 2) {
        while (barrier.nWaiting < 4) await new Promise((done) => setImmediate(done));
        barrier.reset();
      } else outcomes.push(await barrier.wait().then(() => 'passed', outcome));
      await barrier.wait();
      return [...outcomes, barrier.broken];
    });
    expect(seen.filter((one) => one.length === 1)).toEqual([[false]]);
    expect(seen.filter((one) => one.length === 2)).toEqual(upTo(4).map(() => ['BrokenBarrierError', false]));
  });

  it('test_abort_and_reset: an aborted barrier can be reset and passed', async () => {
    const [barrier, other] = [new Barrier(N), new Barrier(N)];
    const seen = await parties(async (party) => {
      let first = 'aborted';
      if (party === 0) {
        while (barrier.nWaiting < 4) await new Promise((done) => setImmediate(done));
        barrier.abort();
      } else first = await barrier.wait().then(() => 'passed', outcome);
      if ((await other.wait()) === 4) barrier.reset();
      await other.wait();
      await barrier.wait();
      return first;
    });
    expect(seen.sort()).toEqual([
      'BrokenBarrierError',
      'BrokenBarrierError',
      'BrokenBarrierError',
      'BrokenBarrierError',
      'aborted',
    ]);
    expect(barrier.broken).toBe(false);
  });

  it.each([
    ['test_timeout: a party that is late for a timed wait breaks it for all', undefined, { timeout: 100 }],
    ['test_default_timeout: the time of the constructor holds where wait gives none', 100, undefined],
  ])('%s', async (_, timeout, options) => {
    const barrier = new Barrier(N, { timeout });
    const seen = await parties(async (party) => {
      if (party === 4) while (!barrier.broken) await new Promise((done) => setTimeout(done, 5));
      return barrier.wait(options).then(() => 'passed', outcome);
    });
    expect(seen).toEqual(upTo(N).map(() => 'BrokenBarrierError'));
  });

  it('test_single_thread: a barrier of one is passed at once, again and again', async () => {
    const barrier = new Barrier(1);
    for (let i = 0; i < 3; i++) expect(await barrier.wait()).toBe(0);
    expect(barrier.waitSync()).toBe(0);
  });

  it('test_thousand: five processes pass 1000 rounds, and nobody is a round ahead', async () => {
    const barrier = new Barrier(N);
    const sent = new Semaphore(0);
    const seen = await pool.map(
      (party: number) => {
        for (let round = 0; round < 1000; round++) {
          party % 2 === 0 ? barrier.waitSync() : barrier.waitSync({ timeout: 60_000 });
          const value = sent.getValue();
          if (value < 5 * round - 5 || value > 5 * round + 5) return `round ${round}: ${value} were sent`;
          sent.release();
        }
        return 'in step';
      },
      upTo(N),
      { chunkSize: 1 },
    );
    expect(seen).toEqual(upTo(N).map(() => 'in step'));
    expect(sent.getValue()).toBe(5000);
    await until(() => barrier.nWaiting === 0, 'nobody waits');
  });
});

describe('SemLockTests', () => {
  it('test_semlock_subclass: a semaphore can be subclassed, and works as one here and in a worker', async () => {
    class Gate extends Semaphore {
      isOpen(): boolean {
        return this.getValue() > 0;
      }
    }
    const gate = new Gate(1);
    expect([gate.isOpen(), gate.tryAcquire(), gate.isOpen()]).toEqual([true, true, false]);
    await pool.apply(() => gate.release());
    expect(gate.isOpen()).toBe(true);
    gate.close();
  });
});
