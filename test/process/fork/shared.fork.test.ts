/**
 * What a copy of a program does with queues, locks, connections and pools that it has captured:
 * nothing of it is sent.
 */
import {
  Barrier,
  Condition,
  Event,
  getContext,
  Lock,
  Pool,
  pipe,
  Queue,
  RLock,
  Semaphore,
  SharedArray,
  Topic,
  Value,
} from 'multiprocess';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../../support/until.js';

const context = getContext('fork');
const running = new Set<InstanceType<typeof context.Process>>();
const run = async (target: () => unknown) => {
  const child = new context.Process(target);
  await child.start();
  running.add(child);
  return child;
};
afterEach(async () => {
  for (const child of running) await child[Symbol.asyncDispose]();
  running.clear();
});

describe('queues', () => {
  it('what a copy puts arrives, also where its parent waited for it before the fork', async () => {
    await using queue = new Queue<unknown>();
    const first = queue.get();
    const child = await run(async () => {
      await queue.put({ a: 1 });
      await queue.put('x');
    });
    expect(await first).toEqual({ a: 1 });
    expect(await queue.get()).toBe('x');
    expect(await child.exited).toBe(0);
  });

  it('a copy takes items and puts others', async () => {
    await using questions = new Queue<number | null>();
    await using answers = new Queue<number>();
    const child = await run(async () => {
      for (let n = await questions.get(); n !== null; n = await questions.get()) await answers.put(n * 2);
    });
    for (const n of [0, 1, 2, 3, null]) await questions.put(n);
    const got: number[] = [];
    while (got.length < 4) got.push(await answers.get());
    expect(got).toEqual([0, 2, 4, 6]);
    expect(await child.exited).toBe(0);
  });

  it('what waits for room in the parent is put by the parent only, and what a copy puts is put before it ends', async () => {
    await using queue = new Queue<unknown>({ maxSize: 1 });
    const puts = [1, 2, 3].map((n) => queue.put(n));
    const child = await run(() => {
      for (const text of ['a', 'b']) void queue.put(text);
    });
    const got: unknown[] = [];
    while (got.length < 5) got.push(await queue.get());
    await Promise.all(puts);
    expect(got.filter((one) => typeof one === 'number')).toEqual([1, 2, 3]);
    expect(got.filter((one) => typeof one === 'string')).toEqual(['a', 'b']);
    expect(await child.exited).toBe(0);
    expect(queue.empty()).toBe(true);
  });

  it('copies are writers of their own: a stream ends when all have completed', async () => {
    await using queue = new Queue<number>({ writers: 3 });
    const children = [];
    for (const n of [0, 1, 2]) {
      children.push(
        await run(async () => {
          await queue.put(n);
          queue.complete();
        }),
      );
    }
    const got: number[] = [];
    for await (const n of queue) got.push(n);
    expect(got.sort()).toEqual([0, 1, 2]);
    for (const child of children) expect(await child.exited).toBe(0);
  });

  it('a stream that its parent reads does not go on in a copy', async () => {
    await using queue = new Queue<number>();
    const got: number[] = [];
    const reading = (async () => {
      for await (const n of queue) got.push(n);
    })();
    const child = await run(async () => {
      for (let n = 0; n < 100; n++) await queue.put(n);
      queue.complete();
    });
    await reading;
    expect(got).toHaveLength(100);
    expect(await child.exited).toBe(0);
  });

  it('what a copy publishes arrives', async () => {
    const topic = new Topic<number>();
    const got: number[] = [];
    const subscription = topic.subscribe((n) => void got.push(n));
    const child = await run(async () => {
      for (const n of [1, 2]) await topic.publish(n);
    });
    expect(await child.exited).toBe(0);
    await until(() => got.length === 2, 'both have arrived');
    expect(got).toEqual([1, 2]);
    subscription.unsubscribe();
    topic.close();
  });
});

describe('locks', () => {
  it('a lock that the parent holds is not held by a copy', async () => {
    const lock = new Lock();
    const seen = new Value('i', 0);
    await lock.acquire();
    const child = await run(async () => {
      seen.value = lock.tryAcquire() ? 1 : 2;
      await lock.acquire();
      seen.value += 10;
      lock.release();
    });
    await until(() => seen.value > 0, 'the child has tried');
    expect(seen.value).toBe(2);
    lock.release();
    expect(await child.exited).toBe(0);
    expect(seen.value).toBe(12);
  });

  it('copies and their parent exclude each other', async () => {
    const lock = new Lock();
    const count = new Value('i', 0, { lock: false });
    const work = async () => {
      for (let i = 0; i < 200; i++) {
        await lock.runExclusive(async () => {
          const before = count.value;
          await null;
          count.value = before + 1;
        });
      }
    };
    const children = [await run(work), await run(work)];
    await work();
    for (const child of children) expect(await child.exited).toBe(0);
    expect(count.value).toBe(600);
  });

  it('recursive locks, semaphores, conditions, events and barriers work in a copy of a parent that waits for them', async () => {
    const [recursive, semaphore, condition, event, barrier] = [
      new RLock(),
      new Semaphore(0),
      new Condition(),
      new Event(),
      new Barrier(2),
    ];
    const flag = new Value('i', 0);
    const waiting = [semaphore.acquire(), event.wait()];
    const child = await run(async () => {
      await recursive.acquire();
      await recursive.acquire();
      recursive.release();
      recursive.release();
      semaphore.release();
      await condition.acquire();
      flag.value = 1;
      condition.notifyAll();
      condition.release();
      event.set();
      await barrier.wait();
    });
    expect(await Promise.all(waiting)).toEqual([true, true]);
    await condition.acquire();
    await condition.waitFor(() => flag.value === 1);
    condition.release();
    await barrier.wait();
    expect(await child.exited).toBe(0);
  });

  it('shared arrays are shared between a copy and its parent', async () => {
    const shared = new SharedArray('i', [1, 2, 3]);
    expect(await (await run(() => shared.array.set([9]))).exited).toBe(0);
    expect([...shared.array]).toEqual([9, 2, 3]);
  });
});

describe('connections', () => {
  it('a copy has the same end of a connection', async () => {
    const [here, there] = pipe<number>();
    const answer = here.recv();
    const child = await run(async () => {
      await there.send((await there.recv()) * 2);
    });
    await here.send(21);
    expect(await answer).toBe(42);
    expect(await child.exited).toBe(0);
    for (const end of [here, there]) end.close();
  });

  it('what its parent has seen but not received is there for a copy, and each message is received once', async () => {
    const [here, there] = pipe<number>();
    await using got = new Queue<number>();
    const most = 60;
    for (let n = 0; n < most; n++) await here.send(n);
    const take = async (count: number) => {
      for (let i = 0; i < count; i++) await got.put(await there.recv());
    };
    await take(3); // which looks at many
    for (let round = 0; round < 3; round++) {
      const child = await run(() => take(10));
      expect(await child.exited).toBe(0);
      await take(9);
    }
    const all: number[] = [];
    while (all.length < most) all.push(await got.get());
    expect(all).toEqual(Array.from({ length: most }, (_, n) => n));
    for (const end of [here, there]) end.close();
  });
});

describe('pools', () => {
  it('workers are copies of this process, and functions see what it had at the fork', async () => {
    const factor = 3;
    const before = { pid: process.pid };
    (globalThis as { forkedState?: object }).forkedState = before;
    await using pool = new context.Pool({ processes: 2 });
    expect(await pool.map((n: number) => n * factor, [1, 2, 3])).toEqual([3, 6, 9]);
    const [seen, pid] = await pool.apply(() => [
      (globalThis as { forkedState?: { pid: number } }).forkedState?.pid,
      process.pid,
    ]);
    expect(seen).toBe(process.pid);
    expect(pid).not.toBe(process.pid);
    delete (globalThis as { forkedState?: object }).forkedState;
  });

  it('workers that are started in one turn are forked once each', async () => {
    await using pool = new context.Pool({ processes: 4 });
    const { readFileSync } = process.getBuiltinModule('node:fs');
    await pool.map(() => 0, [1, 2, 3, 4]);
    const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ');
    expect(children).toHaveLength(4);
    for (const pid of children) expect(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')).toBe('');
  });

  it("a copy cannot use its parent's pool, and neither its use nor its end harms it", async () => {
    await using pool = new context.Pool({ processes: 1 });
    const code = new Value('i', 0);
    const child = await run(async () => {
      await pool
        .apply(() => 1)
        .catch((error: { code: string }) => {
          code.value = error.code === 'MP_NOT_PARENT' ? 1 : 2;
        });
      await pool.terminate();
      const own = new Pool({ processes: 1, context: 'fork' });
      process.exitCode = await own.apply(() => 7);
      await own.terminate();
    });
    expect(await child.exited).toBe(7);
    expect(code.value).toBe(1);
    expect(await pool.apply(() => 2)).toBe(2);
  });
});
