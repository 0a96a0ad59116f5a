import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Lock, Pool, RLock, Value } from 'multiprocess';
import { dumps } from 'multiprocess/reduction';
import { expect, it } from 'vitest';

const THREAD = new URL('../fixtures/synchronize/thread.mjs', import.meta.url);
const ROUNDS = 500;

it.each([
  ['Lock', Lock],
  ['RLock', RLock],
] as const)('a %s excludes worker threads, processes and this thread from each other', async (_, Type) => {
  const lock = new Type();
  const value = new Value('i', 0);
  const threads = [1, 2].map(() => new Worker(THREAD, { workerData: dumps([lock, value, ROUNDS]) }));
  const ended = threads.map((thread) => once(thread, 'exit'));
  const pool = new Pool({ processes: 1 });
  const child = pool.apply(
    async (rounds: number) => {
      for (let i = 0; i < rounds; i++) {
        await lock.runExclusive(() => {
          (value.getObj() as { value: number }).value += 1;
        });
      }
    },
    [ROUNDS],
  );
  for (let i = 0; i < ROUNDS; i++) {
    await lock.runExclusive(() => {
      (value.getObj() as { value: number }).value += 1;
    });
  }
  await child;
  for (const [code] of await Promise.all(ended)) expect(code).toBe(0);
  expect(value.value).toBe(4 * ROUNDS);
  expect(lock.locked()).toBe(false);
  await pool.terminate();
});
