import { Barrier, BrokenBarrierError, Condition, Event, Lock, NotOwnerError, Queue, RLock, Semaphore, SimpleQueue } from 'multiprocess';
import { describe, expect, it } from 'vitest';
import { mortal } from '../support/mortal.js';
import { until } from '../support/until.js';

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

describe('an awaited wait', () => {
  it('lets the event loop turn, also when every wait is answered at once', async () => {
    const [question, answer] = [new Semaphore(0), new Semaphore(0)];
    const other = await mortal('answer', { question, answer });
    const turned = [false, false];
    setTimeout(() => (turned[0] = true), 1);
    setImmediate(() => (turned[1] = true));
    while (turned.includes(false)) {
      question.release();
      expect(await answer.acquire()).toBe(true);
    }
    await other.kill();
  });
});

describe('Event', () => {
  it('ends the waits that had begun when it is set and cleared at once', async () => {
    const event = new Event();
    const waiting = [event.wait(), event.wait({ timeout: 5_000 })];
    event.set();
    event.clear();
    expect(await Promise.all(waiting)).toEqual([true, true]);
    expect(await event.wait({ timeout: 0 })).toBe(false);
  });

  it('shows its state and its changes as an Observable, until nobody listens', async () => {
    const event = new Event();
    const seen: boolean[] = [];
    const subscription = event.asObservable().subscribe((set) => seen.push(set));
    expect(seen).toEqual([false]);
    event.set();
    await until(() => seen.length === 2, 'the set');
    event.clear();
    await until(() => seen.length === 3, 'the clear');
    event.set();
    event.clear();
    await until(() => seen.length === 5, 'a pulse');
    expect(seen).toEqual([false, true, false, true, false]);
    subscription.unsubscribe();
    event.set();
    await turn();
    expect(seen.length).toBe(5);
  });

  it('is set without regard to a waiter that was killed', async () => {
    const event = new Event();
    const waiter = await mortal('waitEvent', { event });
    await waiter.kill();
    event.set();
    expect(await event.wait()).toBe(true);
  });
});

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

describe('Barrier', () => {
  it('breaks when a party that waits is killed', async () => {
    const barrier = new Barrier(3);
    const party = await mortal('waitBarrier', { barrier });
    await until(() => barrier.nWaiting === 1, 'a party');
    const here = barrier.wait();
    const caught = expect(here).rejects.toThrow(BrokenBarrierError);
    await party.kill();
    await caught;
    expect(barrier.broken).toBe(true);
    barrier.reset();
    expect(await Promise.all([barrier.wait(), barrier.wait(), barrier.wait()])).toEqual([0, 1, 2]);
  });

  it('rejects an aborted wait with the reason, and breaks for the others', async () => {
    const barrier = new Barrier(3);
    const abort = new AbortController();
    const aborted = barrier.wait({ signal: abort.signal });
    const other = barrier.wait();
    const caught = [expect(aborted).rejects.toThrow('enough'), expect(other).rejects.toThrow(BrokenBarrierError)];
    abort.abort(new Error('enough'));
    await Promise.all(caught);
  });

  it('breaks when its action fails, with that error for the party that ran it', async () => {
    const barrier = new Barrier(2, {
      action: () => {
        throw new Error('no action');
      },
    });
    const first = barrier.wait();
    const caught = expect(first).rejects.toThrow(BrokenBarrierError);
    await expect(barrier.wait()).rejects.toThrow('no action');
    await caught;
    expect(String(barrier)).toBe('<Barrier broken>');
  });
});

describe('Closing what somebody of this thread waits for', () => {
  it('ends the wait with a ClosedError, and leaves no trace for others', async () => {
    const lock = new Lock();
    lock.tryAcquire();
    const barrier = new Barrier(3);
    const condition = new Condition(new Lock());
    const idle = async () => {
      await condition.acquire();
      return condition.wait();
    };
    const waits: [{ close(): void }, Promise<unknown>][] = [
      [lock, lock.acquire()],
      ...[new Event()].map((event) => [event, event.wait()] as [Event, Promise<unknown>]),
      ...[new Semaphore(0)].map((semaphore) => [semaphore, semaphore.acquire()] as [Semaphore, Promise<unknown>]),
      [barrier, barrier.wait()],
      [condition, idle()],
      ...[new Queue(), new SimpleQueue()].map((queue) => [queue, queue.get()] as [SimpleQueue<unknown>, Promise<unknown>]),
    ];
    const ends = Promise.allSettled(waits.map(([, wait]) => wait));
    for (let i = 0; i < 3; i++) await turn();
    for (const [object] of waits) object.close();
    for (const end of await ends) expect(end).toMatchObject({ status: 'rejected', reason: { code: 'MP_CLOSED' } });
    // Longer than a beat: nobody looks at memory that is gone.
    await new Promise((done) => setTimeout(done, 150));
  });

  it('breaks a barrier for the others, and passes a notification on', async () => {
    const barrier = new Barrier(2);
    const condition = new Condition();
    const closer = await mortal('closeWaiting', { barrier, condition });
    const other = (async () => {
      await condition.acquire();
      try {
        return await condition.wait({ timeout: 20_000 });
      } finally {
        condition.release();
      }
    })();
    for (let i = 0; i < 3; i++) await turn();
    expect(barrier.broken).toBe(true);
    await condition.runExclusive(() => condition.notify());
    expect(await other).toBe(true);
    await closer.kill();
  });
});
