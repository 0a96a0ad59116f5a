/** What happens to an item that found a queue full, when others take and join meanwhile. */
import { JoinableQueue } from 'multiprocess';
import { expect, it } from 'vitest';
import { putOnFull } from '../../src/queues/queue/full-queue.js';
import { Queue } from '../../src/queues/queue.js';

it.each(['drop-oldest', 'latest'] as const)(
  'is there once when consumers have emptied the queue before room was made for it (%s)',
  (policy) => {
    const queue = new Queue<number>({ maxSize: 2 });
    const { core } = queue as unknown as { core: Parameters<typeof putOnFull>[0] };
    const tryPut = (): boolean => {
      queue.putNowait(7);
      return true;
    };
    const never = (): never => {
      throw new Error('nothing is to be dropped, and nothing to wait');
    };
    putOnFull(core, { policy, onDrop: never }, 7, { tryPut, putLater: never, dropped: never });
    expect([queue.qsize(), queue.getNowait()]).toEqual([1, 7]);
    queue.close();
  },
);

it.each([
  ['drop-oldest', 2],
  ['latest', 1],
  ['drop-newest', 2],
] as const)('is no task any more when it was dropped (%s)', async (policy, left) => {
  const queue = new JoinableQueue<number>({ maxSize: 2, overflow: { policy } });
  for (let i = 0; i < 5; i++) queue.next(i);
  const joined = queue.join();
  expect(queue.qsize()).toBe(left);
  while (!queue.empty()) {
    await queue.get();
    queue.taskDone();
  }
  expect(await joined).toBe(true);
  expect(() => queue.taskDone()).toThrow(expect.objectContaining({ code: 'MP_TOO_MANY_DONE' }));
  queue.close();
});

it('wakes who joins when the last task is one that is dropped', async () => {
  const queue = new JoinableQueue<number>({ maxSize: 1, overflow: { policy: 'drop-oldest' } });
  queue.next(0);
  const joined = queue.join();
  queue.next(1);
  await queue.get();
  queue.taskDone();
  expect(await joined).toBe(true);
  queue.close();
});
