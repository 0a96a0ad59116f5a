import { ForkAwareLocal, ForkAwareThreadLock, registerAfterFork } from 'multiprocess/util';
import { describe, expect, it } from 'vitest';
import { runAfterFork } from '../../dist/util/after-fork.js';

describe('ForkAwareLocal', () => {
  it('holds properties, and is empty in a forked child', () => {
    const local = new ForkAwareLocal();
    local['x'] = 1;
    expect(local['x']).toBe(1);
    runAfterFork();
    expect(Object.keys(local)).toEqual([]);
  });
});

describe('registerAfterFork', () => {
  it('calls back in the order of registration, and goes on when one throws', () => {
    const calls: number[] = [];
    const object = {};
    const error = console.error;
    let printed = 0;
    console.error = () => printed++;
    try {
      registerAfterFork(object, () => calls.push(1));
      registerAfterFork(object, () => {
        throw new Error('on purpose');
      });
      registerAfterFork(object, (same) => calls.push(same === object ? 2 : 0));
      runAfterFork();
    } finally {
      console.error = error;
    }
    expect(calls).toEqual([1, 2]);
    expect(printed).toBe(1);
  });
});

describe('ForkAwareThreadLock', () => {
  it('excludes, and serves waiters in their order', async () => {
    const lock = new ForkAwareThreadLock();
    const order: number[] = [];
    let inside = 0;
    await Promise.all(
      [1, 2, 3].map((i) =>
        lock.runExclusive(async () => {
          expect(++inside).toBe(1);
          await new Promise(setImmediate);
          order.push(i);
          inside--;
        }),
      ),
    );
    expect(order).toEqual([1, 2, 3]);
    expect(lock.locked()).toBe(false);
  });

  it('gives up after its time or when aborted, without losing the lock for others', async () => {
    const lock = new ForkAwareThreadLock();
    await lock.acquire();
    expect(await lock.acquire({ timeout: 0 })).toBe(false);
    expect(await lock.acquire({ timeout: 5 })).toBe(false);
    const controller = new AbortController();
    const aborted = lock.acquire({ signal: controller.signal });
    const next = lock.acquire({ timeout: 60_000 });
    controller.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    lock.release();
    expect(await next).toBe(true);
    lock.release();
    expect(() => lock.release()).toThrow(expect.objectContaining({ code: 'MP_NOT_LOCKED' }));
  });

  it('runs nothing when it was not had in time, or the wait was aborted', async () => {
    const lock = new ForkAwareThreadLock();
    const never = () => {
      throw new Error('ran without the lock');
    };
    lock.tryAcquire();
    await expect(lock.runExclusive(never, { timeout: 5 })).rejects.toMatchObject({ code: 'MP_TIMEOUT' });
    await expect(lock.runExclusive(never, { signal: AbortSignal.abort('gone') })).rejects.toBe('gone');
    await expect(lock.runExclusive(never, { timout: 5 } as never)).rejects.toMatchObject({ code: 'MP_UNKNOWN_OPTION' });
    lock.release();
    expect(await lock.runExclusive(() => 7, { timeout: 60_000 })).toBe(7);
  });
});
