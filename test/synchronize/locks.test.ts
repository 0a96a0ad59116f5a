import { AsyncLocalStorage } from 'node:async_hooks';
import { ArgumentError, ClosedError, Event, Lock, NotOwnerError, Pool, RLock, TimeoutError } from 'multiprocess';
import { dumps, loads } from 'multiprocess/reduction';
import { describe, expect, it } from 'vitest';
import { mortal } from '../support/mortal.js';
import { nearly } from '../support/nearly.js';

const turn = () => new Promise((done) => setImmediate(done));

describe.each([Lock, RLock])('%o', (Type) => {
  it('gives the lock to waiters of a process in the order they came', async () => {
    const lock = new Type();
    const order: number[] = [];
    const free = new Event();
    const holder = lock.runExclusive(() => free.wait());
    const tasks = [0, 1, 2, 3].map((i) => lock.runExclusive(() => order.push(i)));
    await turn();
    expect(order).toEqual([]);
    free.set();
    await Promise.all([holder, ...tasks]);
    expect(order).toEqual([0, 1, 2, 3]);
  });

  it('is exclusive between processes and tasks, in all forms of acquiring', async () => {
    const lock = new Type();
    const pool = new Pool({ processes: 3 });
    const task = async (form: number) => {
      for (let i = 0; i < 300; i++) {
        if (form === 0) await lock.acquire();
        else if (form === 1) lock.acquireSync();
        else while (!lock.tryAcquire()) await new Promise((done) => setImmediate(done));
        if (lock.ownerDied) return 'died';
        lock.release();
      }
      return 'done';
    };
    const here = Promise.all([0, 0, 2].map(task));
    expect(await pool.map(task, [0, 1, 2], { chunkSize: 1 })).toEqual(['done', 'done', 'done']);
    expect(await here).toEqual(['done', 'done', 'done']);
    expect(lock.locked()).toBe(false);
    pool.close();
    await pool.join();
  });

  it('answers false when the time runs out, and rejects with the reason of an abort, leaving nothing behind', async () => {
    const lock = new Type();
    const free = new Event();
    const holder = lock.runExclusive(() => free.wait());
    const start = performance.now();
    expect(await lock.acquire({ timeout: 30 })).toBe(false);
    expect(performance.now() - start).toBeGreaterThanOrEqual(nearly(30));
    const abort = new AbortController();
    const aborted = lock.acquire({ signal: abort.signal });
    const next = lock.acquire();
    abort.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    await expect(lock.hold({ timeout: 1 })).rejects.toThrow(TimeoutError);
    free.set();
    await holder;
    expect(await next).toBe(true);
    lock.release();
    await expect(lock.acquire({ signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before');
    expect(lock.tryAcquire()).toBe(true);
  });

  it('refuses options that cannot be meant', async () => {
    const lock = new Type();
    await expect(lock.acquire({ timout: 1 } as never)).rejects.toThrow('did you mean `timeout`');
    await expect(lock.acquire({ timeout: Number.NaN })).rejects.toThrow(ArgumentError);
    expect(() => lock.acquireSync({ signal: 1 as never })).toThrow(ArgumentError);
  });

  it('throws when it is used after it was closed', async () => {
    const lock = new Type();
    lock.close();
    lock.close();
    expect(() => lock.tryAcquire()).toThrow(ClosedError);
    await expect(lock.acquire()).rejects.toThrow(ClosedError);
    expect(() => lock.release()).toThrow(); // not its own any more, or closed
  });

  it('is open when it arrives again after it was closed', () => {
    const lock = new Type();
    const bytes = dumps(lock);
    lock.close();
    const again = loads(bytes) as InstanceType<typeof Type>;
    expect(again).not.toBe(lock);
    expect(again.tryAcquire()).toBe(true);
    expect(loads(bytes)).toBe(again);
    again.close();
  });

  it('arrives in another process as itself, and once', async () => {
    const lock = new Type();
    const pool = new Pool({ processes: 1 });
    expect(await pool.apply((a: unknown, b: unknown) => a === b && a === lock, [lock, lock])).toBe(true);
    expect(await pool.apply(() => lock, [])).toBe(lock);
    pool.close();
    await pool.join();
  });

  it.each(['acquire', 'acquireSync', 'tryAcquire'] as const)(
    'goes to %s when its holder was killed, with ownerDied until recover()',
    async (form) => {
      const lock = new Type();
      const holder = await mortal('holdLock', { lock });
      expect(lock.tryAcquire()).toBe(false);
      const waiting = form === 'acquire' ? lock.acquire() : null;
      await turn();
      expect(lock.ownerDied).toBe(false);
      const killed = performance.now();
      await holder.kill();
      if (form === 'acquireSync') expect(lock.acquireSync()).toBe(true);
      else if (form === 'tryAcquire') while (!lock.tryAcquire()) await turn();
      else expect(await waiting).toBe(true);
      console.info(`${Type.name}.${form}: had ${(performance.now() - killed).toFixed(0)} ms after the kill`);
      expect(lock.ownerDied).toBe(true);
      lock.release();
      await lock.runExclusive(() => expect(lock.ownerDied).toBe(true));
      lock.recover();
      expect(lock.ownerDied).toBe(false);
    },
  );

  it.each(['waitLock', 'waitLockSync'])('does without a waiter that was killed (%s)', async (action) => {
    const lock = new Type();
    const held = await lock.hold();
    const waiter = await mortal(action, { lock });
    await waiter.kill();
    const next = lock.acquire();
    held[Symbol.dispose]();
    expect(await next).toBe(true);
    expect(lock.ownerDied).toBe(false);
  });
});

describe('Lock', () => {
  it('may be released by another process', async () => {
    const lock = new Lock();
    const pool = new Pool({ processes: 1 });
    lock.acquireSync();
    await pool.apply(() => lock.release());
    expect(lock.locked()).toBe(false);
    pool.close();
    await pool.join();
  });
});

describe('RLock', () => {
  it('excludes two tasks of one process, whatever they await while they hold it', async () => {
    const lock = new RLock();
    let inside = 0;
    const task = async (sync: boolean) => {
      for (let i = 0; i < 20; i++) {
        await lock.acquire();
        expect(++inside).toBe(1);
        await turn();
        const again = async () => {
          await null;
          expect(sync ? lock.tryAcquire() : await lock.acquire()).toBe(true);
          lock.release();
        };
        await again();
        expect(--inside).toBe(0);
        lock.release();
        await turn();
      }
    };
    await Promise.all([task(false), task(true), task(false)]);
  });

  it('is not owned by who started the owner, neither before nor after its first await', async () => {
    const [lock, free] = [new RLock(), new Event()];
    const task = (async () => {
      await lock.acquire();
      await free.wait();
      lock.release();
    })();
    expect(lock.tryAcquire()).toBe(false);
    await turn();
    expect(lock.locked()).toBe(true);
    expect(lock.tryAcquire()).toBe(false);
    expect(() => lock.release()).toThrow('another async task of this thread holds it');
    await turn();
    expect(await lock.acquire({ timeout: 1 })).toBe(false);
    free.set();
    await task;
    expect(lock.tryAcquire()).toBe(true);
    lock.release();
  });

  it('belongs to what runExclusive runs, and to what that calls', async () => {
    const lock = new RLock();
    const seen = await lock.runExclusive(async () => {
      await turn();
      return lock.runExclusive(async () => [lock.owned, String(lock)]);
    });
    expect(seen).toEqual([true, '<RLock(MainProcess, 2)>']);
    expect(lock.owned).toBe(false);
    expect(lock.locked()).toBe(false);
  });

  it('leaves the AsyncLocalStorage of others alone', async () => {
    const storage = new AsyncLocalStorage<string>();
    const lock = new RLock();
    await storage.run('mine', async () => {
      await lock.acquire();
      expect(storage.getStore()).toBe('mine');
      await turn();
      expect(storage.getStore()).toBe('mine');
      lock.release();
    });
  });

  it('looks at the options of its owner too, who need not wait', async () => {
    const lock = new RLock();
    const entries: ((options: any) => Promise<unknown>)[] = [
      (options) => lock.acquire(options),
      (options) => lock.hold(options),
      (options) => lock.runExclusive(() => {}, options),
      async (options) => lock.acquireSync(options),
    ];
    await lock.runExclusive(async () => {
      for (const enter of entries) {
        await expect(enter({ timout: 5 })).rejects.toMatchObject({ code: 'MP_UNKNOWN_OPTION' });
        await expect(enter(5)).rejects.toMatchObject({ code: 'MP_INVALID_ARGUMENT' });
        await expect(enter({ signal: AbortSignal.abort('gone') })).rejects.toBe('gone');
      }
      expect(String(lock)).toBe('<RLock(MainProcess, 1)>');
      expect(await lock.acquire({ timeout: 0 })).toBe(true);
      lock.release();
    });
    expect(lock.locked()).toBe(false);
  });

  it('belongs to the thread when nobody awaits the acquire in time', async () => {
    const lock = new RLock();
    const acquired = lock.acquire();
    await turn();
    await turn();
    expect(await acquired).toBe(true);
    expect(lock.owned).toBe(true);
    lock.release();
  });

  it('cannot be released by another process', async () => {
    const lock = new RLock();
    const pool = new Pool({ processes: 1 });
    await lock.acquire();
    await expect(pool.apply(() => lock.release())).rejects.toThrow(NotOwnerError);
    lock.release();
    pool.close();
    await pool.join();
  });

  it('says so when a blocking acquire could only wait for a task of the same thread', async () => {
    const lock = new RLock();
    const task = lock.runExclusive(turn);
    expect(() => lock.acquireSync()).toThrow('could never release it');
    expect(lock.acquireSync({ timeout: 1 })).toBe(false);
    await task;
  });
});
