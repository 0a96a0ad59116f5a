import { Barrier, Condition, Event, Lock, Queue, Semaphore, SimpleQueue } from 'multiprocess';
import { describe, expect, it } from 'vitest';
import { mortal } from '../support/mortal.js';

const turn = () => new Promise((done) => setImmediate(done));

describe('closing what this thread waits for', () => {
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
      ...[new Queue(), new SimpleQueue()].map(
        (queue) => [queue, queue.get()] as [SimpleQueue<unknown>, Promise<unknown>],
      ),
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
