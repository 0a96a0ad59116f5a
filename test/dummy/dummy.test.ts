/** The names of the root over threads. What the classes do is tested where they live, over threads too. */
import * as root from 'multiprocess';
import * as dummy from 'multiprocess/dummy';
import { describe, expect, it } from 'vitest';

describe('multiprocess/dummy', () => {
  it('has the root’s names, and its classes where nothing depends on the start method', () => {
    for (const [name, value] of Object.entries(dummy)) {
      if (name === 'Array' || name === 'freezeSupport') continue;
      expect(root).toHaveProperty(name);
      if (!['Process', 'Pool', 'manager', 'Manager'].includes(name))
        expect(value).toBe((root as Record<string, unknown>)[name]);
    }
    expect(new dummy.Process()).toBeInstanceOf(root.Process);
  });

  it('_TestProcess.test_process over threads: alive and listed while it runs, joined with 0', async () => {
    const [gate, seen] = [new dummy.Event(), new dummy.Value('i32', 0)];
    const child = new dummy.Process(
      async (go: root.Event, value: root.Value<'i32'>, x: number) => {
        await go.wait();
        value.value = x;
      },
      { args: [gate, seen, 7] },
    );
    expect(child.isAlive()).toBe(false);
    expect(child.name).toMatch(/^ThreadProcess-\d+$/);
    await child.start();
    expect(child.isAlive()).toBe(true);
    expect(child.pid).toBe(process.pid);
    expect(child.ident).not.toBe(process.pid);
    expect(dummy.activeChildren()).toContain(child);
    gate.set();
    expect(await child.join()).toBe(true);
    expect(child.exitCode).toBe(0);
    expect(seen.value).toBe(7);
    expect(dummy.activeChildren()).not.toContain(child);
  });

  it('_TestLock, _TestSemaphore, _TestBarrier over threads: they hold among the threads', async () => {
    const lock = new dummy.Lock();
    const semaphore = new dummy.Semaphore(2);
    const barrier = new dummy.Barrier(3);
    const inside = new dummy.SharedArray('i32', 2);
    const party = async (
      l: root.Lock,
      s: root.Semaphore,
      b: root.Barrier,
      counts: root.SharedArray<'i32'>,
    ): Promise<void> => {
      await b.wait();
      for (let i = 0; i < 20; i++) {
        await s.acquire();
        await l.runExclusive(() => {
          counts.array[0]! += 1;
        });
        s.release();
      }
      await b.wait();
      counts.getLock();
    };
    const children = [1, 2, 3].map(() => new dummy.Process(party, { args: [lock, semaphore, barrier, inside] }));
    await Promise.all(children.map((child) => child.start()));
    await Promise.all(children.map((child) => child.join()));
    expect(children.map((child) => child.exitCode)).toEqual([0, 0, 0]);
    expect(inside.array[0]).toBe(60);
    expect(semaphore.getValue()).toBe(2);
  });

  it('_TestPool over threads: its Pool runs in threads of this process', async () => {
    await using pool = new dummy.Pool({ processes: 2 });
    expect(await pool.map(() => process.pid, [1, 2])).toEqual([process.pid, process.pid]);
    await expect(
      pool.apply((): never => {
        throw new RangeError('as it is');
      }),
    ).rejects.toBeInstanceOf(RangeError);
  });
});
