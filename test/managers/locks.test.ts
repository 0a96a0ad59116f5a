/** Locks of a manager whose holders and waiters die, give up, or are tasks of one process. */
import { BrokenBarrierError, manager, Process, type SyncManager } from 'multiprocess';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let m: SyncManager;
beforeAll(async () => {
  m = await manager();
});
afterAll(() => m.shutdown());

/**
 * Runs `task` in a child, which is killed once the task has said, by the event, that it is time.
 */
async function killed(task: (reached: { set(): Promise<void> }) => Promise<unknown>): Promise<void> {
  const reached = await m.Event();
  const child = await new Process(async () => {
    await task(reached);
    await new Promise(() => setInterval(() => {}, 1_000));
  }).start();
  await reached.wait();
  child.kill();
  await child.join();
}

const aborted = (): { signal: AbortSignal; abort: () => void } => {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort(new Error('given up')) };
};

describe('a holder that is killed', () => {
  it.each(['Lock', 'RLock'] as const)('leaves a %s to the next, which is told by ownerDied', async (type) => {
    const lock = await m[type]();
    await killed(async (reached) => {
      await lock.acquire();
      await reached.set();
    });
    expect(await lock.acquire()).toBe(true);
    expect(await lock.ownerDied).toBe(true);
    await lock.recover();
    expect(await lock.ownerDied).toBe(false);
    await lock.release();
  });

  it('leaves a condition to the next, which is told by ownerDied', async () => {
    const condition = await m.Condition();
    await killed(async (reached) => {
      await condition.acquire();
      await reached.set();
    });
    await condition.acquire();
    expect(await condition.ownerDied).toBe(true);
    await condition.release();
  });

  it('gives back permits that it held, but not those that it acquired', async () => {
    const semaphore = await m.Semaphore(3);
    await killed(async (reached) => {
      await semaphore.acquire();
      await semaphore.hold();
      await semaphore.hold();
      await reached.set();
    });
    while ((await semaphore.getValue()) < 2);
    expect(await semaphore.getValue()).toBe(2);
  });
});

describe('a waiter that is killed', () => {
  it('takes no item from a queue, and no lock', async () => {
    const [queue, lock] = [await m.Queue<number>(), await m.Lock()];
    await lock.acquire();
    await killed(async (reached) => {
      void queue.get();
      void lock.acquire();
      await queue.qsize(); // both calls have begun
      await reached.set();
    });
    while ((await clients(m)) > 1);
    await queue.put(5);
    await lock.release();
    expect([await queue.get({ timeout: 1_000 }), await lock.tryAcquire()]).toEqual([5, true]);
  });

  it('breaks the round of a barrier', async () => {
    const barrier = await m.Barrier(3);
    const other = barrier.wait().catch((error: unknown) => error);
    await killed(async (reached) => {
      void barrier.wait();
      while ((await barrier.nWaiting) < 2);
      await reached.set();
    });
    expect(await other).toBeInstanceOf(BrokenBarrierError);
    expect(await barrier.broken).toBe(true);
  });

  it('is forgotten by a condition: a notification goes to another', async () => {
    const condition = await m.Condition();
    await killed(async (reached) => {
      await condition.acquire();
      void condition.wait();
      while ((await condition.waiting) < 1);
      await reached.set();
    });
    while ((await condition.waiting) > 0);
    const woken = condition.runExclusive(() => condition.wait());
    while ((await condition.waiting) < 1);
    await condition.runExclusive(() => condition.notify());
    expect(await woken).toBe(true);
  });
});

/** How many clients hold something in the server: by the references of a probe. */
async function clients(of: SyncManager): Promise<number> {
  const info = await of.debugInfo();
  return Math.max(...info.filter(({ typeid }) => typeid === 'Lock').map(({ references }) => references));
}

describe('a wait that is given up', () => {
  it('rejects with its reason, and leaves nothing behind', async () => {
    const [lock, queue, semaphore, event] = [await m.Lock(), await m.Queue<number>(1), await m.Semaphore(0), await m.Event()];
    await lock.acquire();
    const { signal, abort } = aborted();
    const waits = [lock.acquire({ signal }), queue.get({ signal }), semaphore.acquire({ signal }), event.wait({ signal })];
    await lock.locked();
    abort();
    for (const wait of waits) await expect(wait).rejects.toThrow('given up');
    await lock.release();
    await semaphore.release();
    await queue.put(1);
    expect([await lock.locked(), await semaphore.getValue(), await queue.qsize()]).toEqual([false, 1, 1]);
    const full = aborted();
    const put = queue.put(2, { signal: full.signal });
    await queue.full();
    full.abort();
    await expect(put).rejects.toThrow('given up');
    expect([await queue.get(), await queue.empty()]).toEqual([1, true]);
  });

  it('never loses what it was served in the same moment', async () => {
    const queue = await m.Queue<number>();
    let taken = 0;
    for (let i = 0; i < 200; i++) {
      const { signal, abort } = aborted();
      const got = queue.get({ signal }).then(
        () => taken++,
        () => {},
      );
      const put = queue.put(i);
      if (i % 2 === 0) setImmediate(abort);
      else abort();
      await Promise.all([got, put]);
    }
    expect(taken + (await queue.qsize())).toBe(200);
  });

  it('ends for a condition with the lock acquired again', async () => {
    const condition = await m.Condition(await m.RLock());
    await condition.acquire();
    await condition.acquire();
    const { signal, abort } = aborted();
    const waiting = condition.wait({ signal });
    while ((await condition.waiting) < 1);
    abort();
    await expect(waiting).rejects.toThrow('given up');
    await condition.notify(); // it holds it
    await condition.release();
    expect(await condition.locked()).toBe(true);
    await condition.release();
    expect(await condition.locked()).toBe(false);
  });
});

describe('tasks of one process', () => {
  it('exclude each other by an RLock, and each may enter again', async () => {
    const lock = await m.RLock();
    const order: string[] = [];
    const task = (name: string) =>
      lock.runExclusive(async () => {
        order.push(`${name} in`);
        await lock.runExclusive(async () => void (await lock.locked()));
        order.push(`${name} out`);
      });
    await Promise.all([task('a'), task('b'), task('c')]);
    expect(order).toEqual(['a in', 'a out', 'b in', 'b out', 'c in', 'c out']);
    await lock.acquire();
    const other = (async () => {
      await Promise.resolve();
      return lock.owned;
    })();
    expect([lock.owned, await other]).toEqual([true, true]); // what an owner starts is the owner
    await lock.release();
    await expect(lock.release()).rejects.toMatchObject({ code: 'MP_NOT_OWNER' });
  });

  it('own a condition by what they acquired through it, also the first time it is used', async () => {
    const condition = await m.Condition();
    const dict = await m.dict<string, typeof condition>({ condition });
    const child = await new Process(async () => {
      const again = (await dict.get('condition'))!; // a proxy that this process has never seen
      await using held = await again.hold();
      await again.notifyAll();
      void held;
    }).start();
    await child.join();
    expect(child.exitCode).toBe(0);
    await condition.acquire();
    await condition.notify();
    await condition.release();
  });
});

it('an action of a barrier that fails breaks it', async () => {
  const action = () => {
    throw new RangeError('not so');
  };
  const barrier = await m.Barrier(1, { action });
  await expect(barrier.wait()).rejects.toThrow(RangeError);
  expect(await barrier.broken).toBe(true);
  await expect(barrier.wait()).rejects.toThrow(BrokenBarrierError);
});
