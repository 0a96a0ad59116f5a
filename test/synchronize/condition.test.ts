import { Condition, Lock, NotOwnerError, RLock, Semaphore } from 'multiprocess';
import { describe, expect, it } from 'vitest';
import { mortal } from '../support/mortal.js';
import { until } from '../support/until.js';

const turn = () => new Promise((done) => setImmediate(done));

describe('Condition', () => {
  it('refuses what is no lock, and what is no predicate', async () => {
    for (const lock of [5, {}, null, new Semaphore(1)])
      expect(() => new Condition(lock as never)).toThrow('`lock` must be a Lock or an RLock');
    const condition = new Condition();
    await condition.runExclusive(async () => {
      await expect(condition.waitFor(true as never)).rejects.toThrow('`predicate` must be a function, not true');
      expect(() => condition.waitForSync(true as never)).toThrow('`predicate` must be a function, not true');
    });
    for (const lock of [new Lock(), new RLock(), new Semaphore(1), condition])
      await expect(lock.runExclusive(5 as never)).rejects.toThrow('`fn` must be a function, not 5');
  });

  it('refuses wait and notify of who does not hold the lock', async () => {
    for (const condition of [new Condition(), new Condition(new Lock())]) {
      await expect(condition.wait()).rejects.toThrow(NotOwnerError);
      expect(() => condition.waitSync()).toThrow(NotOwnerError);
      expect(() => condition.notify()).toThrow(NotOwnerError);
      expect(() => condition.notifyAll()).toThrow(NotOwnerError);
    }
  });

  it('releases all levels of the lock for a wait, and takes them again', async () => {
    const condition = new Condition();
    await condition.acquire();
    await condition.acquire();
    const waiting = condition.wait();
    expect(condition.locked()).toBe(false);
    const notifier = condition.runExclusive(() => condition.notify());
    expect(await waiting).toBe(true);
    await notifier;
    expect(String(condition.lock)).toBe('<RLock(MainProcess, 2)>');
    condition.release();
    condition.release();
    expect(condition.locked()).toBe(false);
  });

  it('passes the notification of an aborted waiter on to the next', async () => {
    const condition = new Condition();
    const abort = new AbortController();
    const wait = (signal?: AbortSignal) => condition.runExclusive(() => condition.wait({ signal }));
    const first = wait(abort.signal).catch(() => 'aborted');
    const second = wait();
    await until(() => String(condition).endsWith(', 2)>'), 'two waiters');
    await condition.runExclusive(() => {
      condition.notify();
      abort.abort();
    });
    const results = await Promise.all([first, Promise.race([second, turn().then(() => second)])]);
    expect([
      ['aborted', true],
      [true, true],
    ]).toContainEqual(results);
  });

  it('notifies another waiter when one was killed, and never waits for it', async () => {
    const condition = new Condition();
    const waiter = await mortal('waitCondition', { condition });
    await until(() => String(condition).endsWith(', 1)>'), 'a waiter');
    await waiter.kill();
    const here = condition.runExclusive(() => condition.wait());
    await until(() => /, [12]\)>$/.test(String(condition)), 'a second waiter');
    await condition.runExclusive(() => condition.notify(1));
    expect(await here).toBe(true);
  });
});
