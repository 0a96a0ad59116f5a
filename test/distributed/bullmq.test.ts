/** BullMQ beside a local pool: a lock is renewed while its job computes. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Queue, QueueEvents, Worker } from 'bullmq';
import { Pool } from 'multiprocess';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { hasRedis, type Redis, startRedis } from '../support/redis.js';

const MODULE = new URL('../fixtures/distributed/tasks.js', import.meta.url);
const tasks = createRequire(import.meta.url)(
  fileURLToPath(MODULE),
) as typeof import('../fixtures/distributed/tasks.js');

const LOCK_MS = 1_000;

describe.skipIf(!hasRedis)('a BullMQ worker whose jobs run in a pool', () => {
  let redis: Redis;
  let pool: Pool;
  beforeAll(async () => {
    redis = await startRedis();
    pool = new Pool({ processes: 2 });
  });
  afterAll(async () => {
    await pool?.terminate();
    await redis?.close();
  });

  const connection = () => ({ host: '127.0.0.1', port: redis.port, maxRetriesPerRequest: null });

  test('keeps the lock of a job that blocks for longer than it, and runs it once', async () => {
    const queue = new Queue<{ ms: number }>('blocks', { connection: connection() });
    const events = new QueueEvents('blocks', { connection: connection() });
    let runs = 0;
    const stalled: string[] = [];
    // Two workers: a lock that one does not renew, the other finds.
    const options = { connection: connection(), lockDuration: LOCK_MS, stalledInterval: LOCK_MS / 2, concurrency: 2 };
    const workers = [1, 2].map(
      () =>
        new Worker<{ ms: number }, number>(
          'blocks',
          (job, _token, signal) => {
            runs++;
            return pool.apply<[number], number>(tasks.block, [job.data.ms], { signal });
          },
          options,
        ),
    );
    onTestFinished(async () => {
      await Promise.all(workers.map((worker) => worker.close(true)));
      await Promise.all([queue.close(), events.close()]);
    });
    for (const worker of workers) worker.on('stalled', (id) => stalled.push(id));
    await Promise.all([events.waitUntilReady(), ...workers.map((worker) => worker.waitUntilReady())]);
    const jobs = await Promise.all([3, 4].map((factor) => queue.add('block', { ms: factor * LOCK_MS })));
    expect(await Promise.all(jobs.map((job) => job.waitUntilFinished(events)))).toEqual([3 * LOCK_MS, 4 * LOCK_MS]);
    expect(runs).toBe(2);
    expect(stalled).toEqual([]);
    const counts = await queue.getJobCounts('completed', 'failed', 'active', 'waiting');
    expect(counts).toEqual({ completed: 2, failed: 0, active: 0, waiting: 0 });
  });

  test('fails a job whose task kills its worker, and goes on', async () => {
    const queue = new Queue<{ x: number }>('kills', { connection: connection() });
    const events = new QueueEvents('kills', { connection: connection() });
    const worker = new Worker<{ x: number }, number>(
      'kills',
      (job, _token, signal) => pool.apply<[number], number>(tasks.killAt5, [job.data.x], { signal }),
      { connection: connection() },
    );
    onTestFinished(async () => {
      await worker.close(true);
      await Promise.all([queue.close(), events.close()]);
    });
    await Promise.all([events.waitUntilReady(), worker.waitUntilReady()]);
    const [bad, good] = await Promise.all([queue.add('kill', { x: 5 }), queue.add('kill', { x: 6 })]);
    await expect(bad.waitUntilFinished(events)).rejects.toThrow(/worker/i);
    expect(await good.waitUntilFinished(events)).toBe(6);
  });
});
