import { Semaphore } from 'multiprocess';
import { describe, expect, it } from 'vitest';
import { mortal } from '../support/mortal.js';

const turn = () => new Promise((done) => setImmediate(done));

describe('Semaphore', () => {
  it('gets back the permits that a killed process held, and only those', async () => {
    const semaphore = new Semaphore(3);
    const holder = await mortal('holdPermits', { semaphore, permits: 2 });
    const taker = await mortal('takePermits', { semaphore });
    expect(semaphore.getValue()).toBe(0);
    const waiting = [semaphore.acquire(), semaphore.acquire(), semaphore.acquire({ timeout: 400 })];
    await taker.kill();
    await holder.kill();
    expect(await Promise.all(waiting)).toEqual([true, true, false]);
    expect(semaphore.getValue()).toBe(0);
  });

  it('gives several permits at once to several waiters', async () => {
    const semaphore = new Semaphore(0);
    const waiting = [semaphore.acquire(), semaphore.acquire(), semaphore.hold()];
    await turn();
    semaphore.release(3);
    await Promise.all(waiting);
    expect(semaphore.getValue()).toBe(0);
    expect(() => semaphore.release(0)).toThrow('at least 1');
    expect(() => new Semaphore(-1)).toThrow('at least 0');
  });

  it('loses no permit to a waiter that is aborted as it comes', async () => {
    const semaphore = new Semaphore(0);
    for (let i = 0; i < 50; i++) {
      const abort = new AbortController();
      const first = semaphore.acquire({ signal: abort.signal }).catch(() => false);
      const second = semaphore.acquire();
      if (i % 2 === 0) await turn();
      semaphore.release();
      abort.abort();
      const had = await first;
      if (had) semaphore.release();
      expect(await second).toBe(true);
      expect(semaphore.getValue()).toBe(0);
    }
  });
});
