/** Waits that nobody is left to end, end with an error. */
import { JoinableQueue, Process, Queue, SimpleQueue } from 'multiprocess';
import { describe, expect, it } from 'vitest';

/** Fills the queue it was sent, awaiting or blocking, and tells how that ended. */
async function fill(
  queue: Queue<unknown> | SimpleQueue<unknown>,
  told: SimpleQueue<string>,
  sync: boolean,
): Promise<void> {
  const item = new Uint8Array(100_000);
  try {
    for (;;) {
      if (sync) queue.putSync(item);
      else await queue.put(item);
    }
  } catch (error) {
    await told.put(`${(error as Error).name} ${(error as { code: string }).code}`);
  }
}

async function child(target: (...args: any[]) => unknown, ...args: unknown[]): Promise<Process<any>> {
  return await new Process(target as any, { args: args as any }).start();
}

const NO_READERS = 'QueueFullError MP_QUEUE_NO_READERS';

describe('a put into a full queue that', () => {
  it.each([
    ['Queue, awaited', () => new Queue<unknown>({ maxSize: 2 }), false],
    ['Queue, blocking', () => new Queue<unknown>({ maxSize: 2 }), true],
    ['SimpleQueue, awaited', () => new SimpleQueue<unknown>(), false],
    ['SimpleQueue, blocking', () => new SimpleQueue<unknown>(), true],
  ] as const)('every reader has closed ends: %s', async (_, make, sync) => {
    const queue = make();
    const told = new SimpleQueue<string>();
    const putting = await child(fill, queue, told, sync);
    queue.close();
    expect(await told.get()).toBe(NO_READERS);
    await putting.join();
    told.close();
  });

  it('several writers wait for ends for all of them', async () => {
    const queue = new Queue<unknown>({ maxSize: 2 });
    const told = new SimpleQueue<string>();
    const writers = await Promise.all([child(fill, queue, told, true), child(fill, queue, told, false)]);
    queue.close();
    expect([await told.get(), await told.get()]).toEqual([NO_READERS, NO_READERS]);
    for (const one of writers) await one.join();
    told.close();
  });

  it('a reader that was killed had ends', async () => {
    const queue = new Queue<unknown>({ maxSize: 2 });
    const told = new SimpleQueue<string>();
    const reader = await child(async (q: Queue<unknown>) => {
      await q.get();
      await new Promise(() => setInterval(() => {}, 1_000));
    }, queue);
    const writer = await child(fill, queue, told, false);
    queue.close();
    setTimeout(() => reader.kill(), 3_000);
    expect(await told.get()).toBe(NO_READERS);
    await Promise.all([reader.join(), writer.join()]);
    told.close();
  });

  it('a slow reader has waits for it, and so does one that its reader has not reached yet', async () => {
    const queue = new Queue<number>({ maxSize: 1 });
    const told = new SimpleQueue<string>();
    const writer = await child(
      async (q: Queue<number>, t: SimpleQueue<string>) => {
        await q.put(1);
        await q.put(2).then(
          () => t.put('put'),
          (error: { code: string }) => t.put(error.code),
        );
      },
      queue,
      told,
    );
    // The reader is there, and does nothing for longer than it takes to be given up.
    const reader = await child(async (q: Queue<number>) => {
      await new Promise((resolve) => setTimeout(resolve, 4_000));
      await q.get();
      await q.get();
    }, queue);
    queue.close();
    expect(await told.get()).toBe('put');
    await Promise.all([reader.join(), writer.join()]);
    told.close();
  });

  it('its own maker fills waits: it may start readers', async () => {
    const queue = new Queue<number>({ maxSize: 1 });
    const early = await child((q: Queue<number>) => q.close(), queue);
    await early.join();
    await queue.put(1);
    const waits = queue.put(2);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const reader = await child(async (q: Queue<number>) => {
      await q.get();
      await q.get();
    }, queue);
    await waits;
    await reader.join();
    queue.close();
  });
});

describe('a join of', () => {
  it.each(['join', 'joinSync'] as const)('a queue whose consumers all died ends: %s', async (how) => {
    const queue = new JoinableQueue<number>();
    for (let i = 0; i < 3; i++) await queue.put(i);
    const consumer = await child(async (q: JoinableQueue<number>) => {
      await q.get();
      q.taskDone();
      if (process.getBuiltinModule('node:worker_threads').isMainThread) process.kill(process.pid, 'SIGKILL');
      process.exit(9);
    }, queue);
    await consumer.join();
    const error = await Promise.resolve()
      .then(() => queue[how]())
      .then(
        () => null,
        (failure: { code: string; message: string }) => failure,
      );
    expect(error?.code).toBe('MP_CONSUMERS_LOST');
    expect(error?.message).toContain('2 items are not done');
    // Consumers that are started then do the rest.
    const next = await child(async (q: JoinableQueue<number>) => {
      for (let i = 0; i < 2; i++) {
        await q.get();
        q.taskDone();
      }
    }, queue);
    expect(await queue.join()).toBe(true);
    await next.join();
    queue.close();
  });

  it('a queue that nobody was sent yet waits', async () => {
    const queue = new JoinableQueue<number>();
    await queue.put(1);
    expect(await queue.join({ timeout: 2_500 })).toBe(false);
    queue.close();
  });
});
