/** The lines of Python's _TestQueue, TestSimpleQueue and TestStartMethod.test_nested_startmethod, over processes, each under its name. */
import { ClosedError, JoinableQueue, Pool, Queue, SerializationError, SimpleQueue } from 'multiprocess';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeOf } from '../support/code-of.js';
import { startFixture } from '../support/fixture-process.js';
import { itNeeds } from '../support/needs.js';
import { pass } from '../support/pass.js';

let pool: Pool;
beforeAll(() => {
  pool = new Pool({ processes: 4 });
});
afterAll(async () => {
  pool.close();
  await pool.join();
  pool = undefined as never;
});

/** Milliseconds that `run` takes until it fails with `code`. */
async function failing(run: () => unknown, code: string): Promise<number> {
  const start = performance.now();
  await expect(Promise.resolve().then(run)).rejects.toMatchObject({ code });
  return performance.now() - start;
}

describe('_TestQueue', () => {
  it('test_put: puts in every form succeed while there is room, then fail at once or in time', async () => {
    using queue = closing(new Queue<number>({ maxSize: 6 }));
    await queue.put(1);
    await queue.put(2, { timeout: 1_000 });
    queue.putSync(3);
    queue.putSync(4, { timeout: 1_000 });
    queue.putNowait(5);
    queue.next(6);
    expect([queue.full(), queue.empty(), queue.qsize()]).toEqual([true, false, 6]);
    expect(codeOf(() => queue.putNowait(7))).toBe('MP_QUEUE_FULL');
    expect(codeOf(() => queue.next(7))).toBe('MP_QUEUE_FULL');
    await failing(() => queue.put(7, { timeout: 0 }), 'MP_QUEUE_FULL');
    expect(await failing(() => queue.put(7, { timeout: 100 }), 'MP_QUEUE_FULL')).toBeGreaterThanOrEqual(95);
    expect(await failing(() => queue.putSync(7, { timeout: 100 }), 'MP_QUEUE_FULL')).toBeGreaterThanOrEqual(95);
    const taken = await pool.apply(async () => {
      const items: number[] = [];
      while (!queue.empty()) items.push(await queue.get());
      return items;
    });
    expect(taken).toEqual([1, 2, 3, 4, 5, 6]);
    expect([queue.full(), queue.empty()]).toEqual([false, true]);
  });

  it('test_get: items of another process come in order in every form, then getting fails at once or in time', async () => {
    using queue = closing(new Queue<number>());
    await pool.apply(async () => {
      for (const item of [2, 3, 4, 5]) await queue.put(item);
    });
    expect([queue.empty(), queue.full()]).toEqual([false, false]);
    expect([
      await queue.get(),
      await queue.get({ timeout: 1_000 }),
      queue.getSync({ timeout: 1_000 }),
      queue.getNowait(),
    ]).toEqual([2, 3, 4, 5]);
    expect(queue.empty()).toBe(true);
    expect(codeOf(() => queue.getNowait())).toBe('MP_QUEUE_EMPTY');
    await failing(() => queue.get({ timeout: 0 }), 'MP_QUEUE_EMPTY');
    expect(await failing(() => queue.get({ timeout: 100 }), 'MP_QUEUE_EMPTY')).toBeGreaterThanOrEqual(95);
    expect(await failing(() => queue.getSync({ timeout: 100 }), 'MP_QUEUE_EMPTY')).toBeGreaterThanOrEqual(95);
  });

  it('test_fork: a queue that the parent has written is written by a child as well', async () => {
    using queue = closing(new Queue<number>());
    for (let i = 0; i < 10; i++) await queue.put(i);
    await pool.apply(async () => {
      for (let i = 10; i < 20; i++) await queue.put(i);
    });
    for (let i = 0; i < 20; i++) expect(await queue.get()).toBe(i);
    expect(codeOf(() => queue.getNowait())).toBe('MP_QUEUE_EMPTY');
  });

  it('test_qsize: 0, 1, 2, 1, 0', async () => {
    using queue = closing(new Queue<number>());
    const sizes = [queue.qsize()];
    for (const step of [() => queue.put(1), () => queue.put(5), () => queue.get(), () => queue.get()]) {
      await step();
      sizes.push(queue.qsize());
    }
    expect(sizes).toEqual([0, 1, 2, 1, 0]);
  });

  it('test_task_done: join ends when every item was marked done by the workers', async () => {
    using queue = closing(new JoinableQueue<number | null>());
    const work = async () => {
      let count = 0;
      for (let item = await queue.get(); item !== null; item = await queue.get()) {
        count++;
        queue.taskDone();
      }
      queue.taskDone();
      return count;
    };
    const workers = [1, 2, 3, 4].map(() => pool.apply(work));
    for (let i = 0; i < 10; i++) await queue.put(i);
    expect(await queue.join({ timeout: 20_000 })).toBe(true);
    for (const _ of workers) await queue.put(null);
    expect((await Promise.all(workers)).reduce((a, b) => a + b)).toBe(10);
    expect(queue.joinSync({ timeout: 20_000 })).toBe(true);
    expect(codeOf(() => queue.taskDone())).toBe('MP_TOO_MANY_DONE');
  });

  it('test_no_import_lock_contention: a queue is made, written and read while a module is loading', async () => {
    expect(await startFixture('queues/at-load.mjs').line()).toBe('foo');
  });

  it('test_timeout: a get that runs out has waited', async () => {
    using queue = closing(new Queue());
    expect(await failing(() => queue.get({ timeout: 200 }), 'MP_QUEUE_EMPTY')).toBeGreaterThanOrEqual(180);
  });

  it('test_queue_feeder_donot_stop_onexc: an item that cannot be encoded takes no place and stops nothing', async () => {
    using queue = closing(new Queue<unknown>({ maxSize: 1 }));
    await expect(queue.put(Promise.resolve())).rejects.toThrow(SerializationError);
    expect(queue.qsize()).toBe(0);
    queue.putNowait(true);
    expect([await queue.get({ timeout: 20_000 }), queue.empty()]).toEqual([true, true]);
  });

  it('test_queue_feeder_on_queue_feeder_error: the hook is told of the error and the item', async () => {
    const told: unknown[] = [];
    class Careful extends Queue<unknown> {
      protected override onQueueFeederError(error: unknown, item: unknown): void {
        told.push((error as SerializationError).code, item);
      }
    }
    using queue = closing(new Careful({ maxSize: 1 }));
    const bad = Promise.resolve();
    await expect(queue.put(bad)).rejects.toThrow(SerializationError);
    expect(() => queue.next(bad)).toThrow(SerializationError);
    expect(told).toEqual(['MP_PROMISE', bad, 'MP_PROMISE', bad]);
    await queue.put(true);
    expect(await queue.get({ timeout: 20_000 })).toBe(true);
  });

  it('test_closed_queue_empty_exceptions: empty is true on a closed queue that was never used, and throws on a used one', async () => {
    const [fresh, used, unused] = [new Queue(), new Queue(), new JoinableQueue()];
    fresh.close();
    await fresh.joinThread();
    expect(fresh.empty()).toBe(true);
    await used.put('foo');
    used.close();
    await used.joinThread();
    expect(() => used.empty()).toThrow(/is closed/);
    unused.close();
    expect(await unused.join()).toBe(true);
    unused.close();
  });

  it('test_closed_queue_put_get_exceptions: put and get on a closed queue say that it is closed', async () => {
    for (const queue of [new Queue(), new JoinableQueue()]) {
      queue.close();
      await expect(queue.put('foo')).rejects.toThrow(/is closed/);
      await expect(queue.get()).rejects.toThrow(ClosedError);
      expect(() => queue.putNowait(1)).toThrow(/is closed/);
      expect(() => queue.getSync()).toThrow(/is closed/);
    }
  });
});

describe('TestStartMethod', () => {
  // Its child is a program of its own.
  itNeeds('processes')(
    'test_nested_startmethod: a child hands a queue that it was given on to its own child',
    async () => {
      using queue = closing(new Queue<number>());
      const child = startFixture('queues/nested.mjs', { args: [pass(queue)] });
      expect([await queue.get({ timeout: 20_000 }), await queue.get({ timeout: 20_000 })].sort()).toEqual([1, 2]);
      expect(await child.ended).toBe(0);
    },
  );
});

describe('TestSimpleQueue', () => {
  it('test_empty_exceptions: empty() on a closed queue throws, used or not', async () => {
    const [fresh, used] = [new SimpleQueue(), new SimpleQueue()];
    fresh.close();
    expect(() => fresh.empty()).toThrow(/is closed/);
    await used.put('foo');
    used.close();
    expect(() => used.empty()).toThrow(/is closed/);
  });

  it('put with a signal that has aborted puts nothing', async () => {
    using queue = new SimpleQueue();
    await expect(queue.put(1, { signal: AbortSignal.abort('gone') })).rejects.toBe('gone');
    expect(queue.empty()).toBe(true);
  });

  it('test_empty: right before, between and after items, in parent and child', async () => {
    using queue = new SimpleQueue<boolean>();
    const seen = await pool.apply(async () => {
      await queue.put(queue.empty());
      await queue.put(queue.empty());
      return queue.empty();
    });
    expect(seen).toBe(false);
    expect([queue.empty(), await queue.get(), queue.empty(), queue.getSync(), queue.empty()]).toEqual([
      false,
      true,
      false,
      false,
      true,
    ]);
  });

  it('test_close: closing twice is harmless', () => {
    const queue = new SimpleQueue();
    queue.close();
    queue.close();
  });

  it('test_closed: close ends both putting and getting', async () => {
    const queue = new SimpleQueue();
    queue.close();
    await expect(queue.put(1)).rejects.toThrow(ClosedError);
    await expect(queue.get()).rejects.toThrow(ClosedError);
  });
});

/** Closes the queue at the end of a `using` block. */
function closing<Q extends { close(): void }>(queue: Q): Q & Disposable {
  return Object.assign(queue, { [Symbol.dispose]: () => queue.close() });
}
