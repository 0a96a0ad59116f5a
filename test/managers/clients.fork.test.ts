/**
 * Managers and programs that are forked: a fork has the proxies of its parent, over a connection of
 * its own.
 */
import { Process } from 'multiprocess';
import { BaseManager, currentCall } from 'multiprocess/managers';
import { expect, test } from 'vitest';

class Counter {
  n = 0;
  pids: number[] = [];
  add(by = 1): number {
    this.n += by;
    this.pids.push(currentCall()!.client.pid);
    return this.n;
  }
}
class Jobs extends BaseManager.with({ Counter }) {}

test('a server that was started by fork serves, and ends', async () => {
  await using jobs = new Jobs({ context: 'fork' });
  await jobs.start();
  const counter = await jobs.Counter();
  expect(await counter.add(2)).toBe(2);
  await jobs.shutdown();
  expect(jobs.process!.exitCode).toBe(0);
});

test('a fork uses the proxies of its parent, which goes on with them', async () => {
  await using jobs = new Jobs();
  await jobs.start();
  const counter = await jobs.Counter();
  await counter.add(1);
  const child = await new Process(
    async () => {
      await counter.add(10);
      await counter.add(10);
    },
    { context: 'fork' },
  ).start();
  await child.join();
  expect(child.exitCode).toBe(0);
  expect(await counter.add(1)).toBe(22);
  expect(await counter.pids).toEqual([process.pid, child.pid, child.pid, process.pid]);
  await expect.poll(async () => (await jobs.debugInfo())[0]!.references, { timeout: 10_000 }).toBe(1);
});

test('a fork of a server beside its manager does not keep the connections of clients', async () => {
  await using jobs = new Jobs({ context: 'fork' });
  await jobs.start();
  const child = await new Process(() => new Promise<void>((resolve) => setTimeout(resolve, 30_000)), {
    context: 'fork',
  }).start();
  const counter = await jobs.Counter();
  jobs.process!.kill();
  await expect(counter.add(1)).rejects.toMatchObject({ code: 'MP_MANAGER_LOST' });
  child.kill();
  await child.join();
});
