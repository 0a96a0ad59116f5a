/** Locks of a manager whose holders and waiters die, give up, or are tasks of one process. */
import { AsyncResource } from 'node:async_hooks';
import { BrokenBarrierError, manager, Process, type SyncManager } from 'multiprocess';
import { textOf } from 'multiprocess/managers';
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
    const [lock, queue, semaphore, event] = [
      await m.Lock(),
      await m.Queue<number>(1),
      await m.Semaphore(0),
      await m.Event(),
    ];
    await lock.acquire();
    const { signal, abort } = aborted();
    const waits = [
      lock.acquire({ signal }),
      queue.get({ signal }),
      semaphore.acquire({ signal }),
      event.wait({ signal }),
    ];
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

describe('an RwLock', () => {
  it('lets many readers in together, and one writer alone', async () => {
    const lock = await m.RwLock();
    const [a, b] = [await lock.read(), await lock.read()];
    expect(await textOf(lock)).toBe('<RwLock(writer=None, readers=2)>');
    expect(await lock.tryWrite()).toBeNull();
    await a[Symbol.asyncDispose]();
    await a[Symbol.asyncDispose]();
    expect(await lock.tryWrite()).toBeNull();
    await b[Symbol.asyncDispose]();
    const writer = (await lock.tryWrite())!;
    expect(await lock.owner).toBe(process.pid);
    expect([await lock.tryRead(), await lock.tryWrite()]).toEqual([null, null]);
    await expect(lock.read({ timeout: 5 })).rejects.toMatchObject({
      code: 'MP_TIMEOUT',
      message: expect.stringMatching(/^RwLock\.read: .* 5 ms.*tryRead\(\)/),
    });
    await expect(lock.write({ timeout: 5 })).rejects.toMatchObject({ code: 'MP_TIMEOUT' });
    await writer[Symbol.asyncDispose]();
    expect([await lock.owner, await lock.runRead(() => 1), await lock.runWrite(async () => 2)]).toEqual([null, 1, 2]);
    await expect(lock.runRead(() => Promise.reject(new Error('inside')))).rejects.toThrow('inside');
    expect(await textOf(lock)).toBe('<RwLock(writer=None, readers=0)>');
  });

  it('keeps readers back behind a writer, and lets them in together before the next', async () => {
    const lock = await m.RwLock();
    const order: string[] = [];
    const first = await lock.read();
    const enter = async (name: string, held: Promise<AsyncDisposable>) => {
      const hold = await held;
      order.push(name);
      return hold;
    };
    const writes = [enter('w1', lock.write()), enter('w2', lock.write())];
    const reads = [enter('r1', lock.read()), enter('r2', lock.read())];
    expect(await lock.tryRead()).toBeNull();
    expect(order).toEqual([]);
    await first[Symbol.asyncDispose]();
    await (await writes[0]!)[Symbol.asyncDispose]();
    const held = await Promise.all(reads);
    expect(order).toEqual(['w1', 'r1', 'r2']);
    for (const hold of held) await hold[Symbol.asyncDispose]();
    await (await writes[1]!)[Symbol.asyncDispose]();
    expect(order).toEqual(['w1', 'r1', 'r2', 'w2']);
  });

  it('is given up without a trace: readers behind a writer that left go on', async () => {
    const lock = await m.RwLock();
    const reader = await lock.read();
    const { signal, abort } = aborted();
    const writing = lock.write({ signal });
    expect(await lock.tryRead()).toBeNull();
    const reading = lock.read();
    abort();
    await expect(writing).rejects.toThrow('given up');
    for (const hold of [reader, await reading]) await hold[Symbol.asyncDispose]();
    await expect(lock.write({ signal })).rejects.toThrow('given up');
    for (let i = 0; i < 100; i++) {
      const one = aborted();
      const both = [lock.write({ signal: one.signal }), lock.read({ signal: one.signal })];
      if (i % 2 === 0) setImmediate(one.abort);
      else one.abort();
      for (const hold of await Promise.allSettled(both))
        if (hold.status === 'fulfilled') await hold.value[Symbol.asyncDispose]();
    }
    expect(await lock.tryWrite()).not.toBeNull();
  });

  it('gives back what killed ones held, and tells of a writer by ownerDied', async () => {
    const lock = await m.RwLock();
    await killed(async (reached) => {
      await lock.read();
      await reached.set();
    });
    await (await lock.write())[Symbol.asyncDispose]();
    expect(await lock.ownerDied).toBe(false);
    await killed(async (reached) => {
      await lock.write();
      await reached.set();
    });
    await (await lock.read())[Symbol.asyncDispose]();
    expect(await lock.ownerDied).toBe(true);
    expect(await textOf(lock)).toContain('owner died');
    await lock.recover();
    expect(await lock.ownerDied).toBe(false);
  });

  it('of a waiter that is killed goes to the others', async () => {
    const lock = await m.RwLock();
    const reader = await lock.read();
    await killed(async (reached) => {
      void lock.write();
      while ((await lock.tryRead()) !== null);
      await reached.set();
    });
    await (await lock.read())[Symbol.asyncDispose]();
    await reader[Symbol.asyncDispose]();
    await (await lock.write())[Symbol.asyncDispose]();
  });

  it('refuses what would wait for itself, and lets in who reads within reading', async () => {
    const lock = await m.RwLock();
    const deadlock = { code: 'MP_DEADLOCK', message: expect.stringMatching(/^RwLock\.\w+: the caller runs within/) };
    await lock.runWrite(async () => {
      await expect(lock.read()).rejects.toMatchObject(deadlock);
      await expect(lock.runWrite(() => 1)).rejects.toMatchObject(deadlock);
      await expect(lock.read({ timeout: 1 })).rejects.toMatchObject({ code: 'MP_TIMEOUT' });
    });
    let writing: Promise<number> | undefined;
    await lock.runRead(async () => {
      await expect(lock.write()).rejects.toMatchObject(deadlock);
      writing = Promise.resolve().then(() => outside());
      const others = () => fresh(() => lock.tryRead());
      for (let other = await others(); other !== null; other = await others()) await other[Symbol.asyncDispose]();
      expect(await lock.runRead(() => 3)).toBe(3);
    });
    expect(await writing).toBe(4);

    async function outside(): Promise<number> {
      return fresh(() => lock.runWrite(() => 4));
    }
  });

  it('is one lock in every process', async () => {
    const [lock, count] = [await m.RwLock(), await m.Value('i', 0)];
    const add = async () => {
      for (let i = 0; i < 20; i++) await lock.runWrite(async () => count.set((await count.get()) + 1));
    };
    const children = await Promise.all([1, 2].map(() => new Process(add).start()));
    await add();
    for (const child of children) await child.join();
    expect(await lock.runRead(() => count.get())).toBe(60);
  });
});

/** Calls in an async context of its own, outside of any lock. */
const root = new AsyncResource('test');
function fresh<R>(fn: () => R): R {
  return root.runInAsyncScope(fn);
}

it('options are looked at where its owner asks an RLock, and where a semaphore is held', async () => {
  const [lock, seats] = [await m.RLock(), await m.Semaphore(1)];
  const owned: ((options: any) => Promise<unknown>)[] = [
    (options) => lock.acquire(options),
    (options) => lock.hold(options),
    (options) => lock.runExclusive(() => {}, options),
  ];
  const free: typeof owned = [
    ...owned,
    (options) => seats.hold(options),
    (options) => seats.runExclusive(() => {}, options),
  ];
  const refuse = async (entries: typeof owned) => {
    for (const enter of entries) {
      await expect(enter({ timout: 5 })).rejects.toMatchObject({ code: 'MP_UNKNOWN_OPTION' });
      await expect(enter(5)).rejects.toMatchObject({ code: 'MP_INVALID_ARGUMENT' });
      await expect(enter({ signal: AbortSignal.abort('gone') })).rejects.toBe('gone');
    }
  };
  await refuse(free);
  await lock.runExclusive(() => refuse(owned));
  expect([await lock.locked(), await seats.getValue()]).toEqual([false, 1]);
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
