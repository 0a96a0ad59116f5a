/** A worker in another language takes items from one queue and answers into another. */
import { readFileSync } from 'node:fs';
import { DistributedQueue } from 'multiprocess/distributed';
import { describe, expect, test } from 'vitest';
import { hasNats, startNats } from '../support/nats.js';
import { hasPython, python } from '../support/python.js';

const WORKER = readFileSync(new URL('../fixtures/distributed/queue-worker.py', import.meta.url), 'utf8');

interface Task {
  readonly id: number;
  readonly text: string;
  readonly data: readonly number[] | Uint8Array;
}

interface Answer {
  readonly id: number;
  readonly result: number;
  readonly by: string;
  readonly text: string;
}

describe.skipIf(!hasNats || !hasPython)('a worker in Python', () => {
  test('takes and answers items of plain data, large ones too, and completes', async () => {
    const nats = await startNats();
    try {
      const options = { servers: nats.servers, serializer: 'msgpackr' } as const;
      await using tasks = await DistributedQueue.connect<Task>({ ...options, name: 'tasks' });
      await using answers = await DistributedQueue.connect<Answer>({ ...options, name: 'answers' });
      const sent: Task[] = Array.from({ length: 20 }, (_, id) => ({
        id,
        text: `№ ${id}`,
        data: [id, -2, 0.5, 70_000],
      }));
      sent.push({ id: 20, text: 'large', data: new Uint8Array(3_000_000) });
      const worker = python(WORKER, String(nats.port), 'tasks', 'answers', String(sent.length));
      const putting = (async () => {
        for (const task of sent) await tasks.put(task);
      })();
      const seen: Answer[] = [];
      for await (const answer of answers) seen.push(answer);
      await putting;
      await worker;
      expect(seen).toEqual(
        sent.map(({ id, text, data }) => ({
          id,
          text,
          by: 'python',
          result: data instanceof Uint8Array ? data.length : data.reduce((sum, each) => sum + each, 0),
        })),
      );
      await expect.poll(() => tasks.empty()).toBe(true);
      // Each was acknowledged: nothing is left at the broker.
      expect(await tasks.full()).toBe(false);
      await expect(tasks.get({ timeout: 50 })).rejects.toMatchObject({ code: 'MP_QUEUE_EMPTY' });
    } finally {
      await nats.close();
    }
  });
});
