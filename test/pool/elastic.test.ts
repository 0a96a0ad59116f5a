/** How many workers a pool has: minProcesses, growth on demand, idleTimeout, resize, and their numbers. */
import { ArgumentError, ClosedError, Event, Pool, type PoolEvent } from 'multiprocess';
import { describe, expect, it } from 'vitest';
import { program } from '../support/programs.js';
import { seeded } from '../support/seeded.js';
import { threads, whoami } from '../support/start-method.js';
import { until } from '../support/until.js';

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const sleep = (ms: number): Promise<number> => new Promise((done) => setTimeout(() => done(ms), ms));
const numbers = (pool: Pool): number[] => pool.stats().workers.map(({ number }) => number);
/** Kills a worker that is ready. */
function killOne(pool: Pool, index: number): void {
  const ready = pool.stats().workers.filter(({ state, pid }) => state === 'ready' && pid !== null);
  if (ready.length > 0) process.kill(ready[index % ready.length]!.pid!, 'SIGKILL');
}
const double = (x: number): number => 2 * x;

describe('minProcesses', () => {
  it('is what a pool starts with; more come while work waits', async () => {
    await using pool = new Pool({ processes: 3, minProcesses: 1 });
    expect(numbers(pool)).toEqual([0]);
    expect(await pool.apply(double, [4])).toBe(8);
    expect(numbers(pool)).toEqual([0]);
    const go = new Event();
    const calls = upTo(4).map(() => pool.apply(() => go.wait()));
    expect(numbers(pool)).toEqual([0, 1, 2]);
    go.set();
    expect(await Promise.all(calls)).toEqual([true, true, true, true]);
  });

  it('of 0 starts nothing before there is work', async () => {
    await using pool = new Pool({ processes: 2, minProcesses: 0 });
    expect(numbers(pool)).toEqual([]);
    expect(await pool.map(double, upTo(20))).toEqual(upTo(20).map(double));
  });

  it('is where idleTimeout stops', async () => {
    await using pool = new Pool({ processes: 3, minProcesses: 1, idleTimeout: 50 });
    await pool.map(sleep, upTo(9).fill(20), { chunkSize: 1 });
    await until(() => pool.stats().workers.length === 1, 'the end of the idle workers');
    await sleep(150);
    expect(pool.stats().workers.length).toBe(1);
    expect(await pool.map(double, upTo(9))).toEqual(upTo(9).map(double));
  });

  it('keeps all where neither it nor idleTimeout is given, and replaces those that die', async () => {
    await using pool = new Pool({ processes: 2 });
    expect(numbers(pool)).toEqual([0, 1]);
    await expect(pool.apply(() => process.exit(3))).rejects.toMatchObject({ exitCode: 3 });
    await until(
      () => numbers(pool).length === 2 && pool.stats().workers.every(({ state }) => state === 'ready'),
      'the successor',
    );
    expect(numbers(pool).sort()).toEqual([0, 1]);
  });

  it('is refused when it makes no sense', () => {
    expect(() => new Pool({ processes: 1, minProcesses: 2 })).toThrow(
      /`minProcesses` must be at most `processes`, which is 1, not 2/,
    );
    for (const minProcesses of [-1, 0.5, Number.NaN, '1' as never])
      expect(() => new Pool({ minProcesses })).toThrow(ArgumentError);
  });
});

describe('resize', () => {
  it('starts workers, and resolves when they are ready', async () => {
    await using pool = new Pool({ processes: 1 });
    await pool.resize(3);
    expect(pool.stats()).toMatchObject({ processes: 3, workers: [{ number: 0 }, { number: 1 }, { number: 2 }] });
    expect(pool.stats().workers.map(({ state }) => state)).toEqual(['ready', 'ready', 'ready']);
    const seen = await pool.map(
      async (ms: number) => {
        await new Promise((done) => setTimeout(done, ms));
        return whoami();
      },
      upTo(9).fill(30),
      {
        chunkSize: 1,
      },
    );
    expect(new Set(seen).size).toBe(3);
    expect(String(pool)).toContain('3 workers');
  });

  it('lets those with the highest numbers go, after what they run; the rest goes elsewhere', async () => {
    const events: PoolEvent[] = [];
    await using pool = new Pool({ processes: 3 });
    pool.events.subscribe((event) => events.push(event));
    const running = new Event();
    const go = new Event();
    const held = upTo(3).map(() =>
      pool.apply(async () => {
        running.set();
        return go.wait();
      }),
    );
    const behind = pool.map(double, upTo(60), { chunkSize: 5 });
    await running.wait();
    const resized = pool.resize(1);
    expect(pool.stats().processes).toBe(1);
    go.set();
    await resized;
    expect(numbers(pool)).toEqual([0]);
    expect(await Promise.all(held)).toEqual([true, true, true]);
    expect(await behind).toEqual(upTo(60).map(double));
    expect(
      events
        .filter((event) => event.type === 'worker-exit')
        .map(({ number }) => number)
        .sort(),
    ).toEqual([1, 2]);
    expect(pool.stats().crashed).toBe(0);
  });

  it('has a worker that leaves hand the rest of its chunk on', async () => {
    await using pool = new Pool({ processes: 2 });
    const ran = await Promise.all([
      pool.map(
        async (x: number) => {
          await new Promise((done) => setTimeout(done, 5));
          return x;
        },
        upTo(200),
        { chunkSize: 100 },
      ),
      (async () => {
        await until(
          () => pool.stats().workers.every(({ state, items }) => state === 'ready' && items > 0),
          'work at both',
        );
        await pool.resize(1);
        return pool.stats().active;
      })(),
    ]);
    expect(ran[0]).toEqual(upTo(200));
    // The one that left did not run all of its 100 items before.
    expect(ran[1]).toBeGreaterThan(0);
  });

  it('can be taken back before it is done', async () => {
    await using pool = new Pool({ processes: 2 });
    const go = new Event();
    const calls = upTo(4).map(() => pool.apply(() => go.wait()));
    const smaller = pool.resize(1);
    const larger = pool.resize(3);
    go.set();
    await Promise.all([smaller, larger, ...calls]);
    await until(() => numbers(pool).length === 3, 'three workers');
    expect(numbers(pool).sort()).toEqual([0, 1, 2]);
  });

  it('keeps the event loop alive until it is done', async () => {
    const { code, stdout } = await program('resizes.js').ended;
    expect({ code, stdout }).toEqual({ code: 0, stdout: '4\n1\n' });
  });

  it('refuses what is no number of workers, and a pool that is closed', async () => {
    const pool = new Pool({ processes: 1 });
    for (const bad of [0, -1, 1.5, Number.NaN, '2' as never, undefined as never])
      await expect(pool.resize(bad)).rejects.toBeInstanceOf(ArgumentError);
    const waiting = pool.resize(3);
    const failed = expect(waiting).rejects.toMatchObject({ code: 'MP_POOL_TERMINATED' });
    await pool.terminate();
    await failed;
    await expect(pool.resize(2)).rejects.toBeInstanceOf(ClosedError);
  });
});

describe('in any order', () => {
  it('resizing, deaths and idle times lose nothing and run nothing twice', async () => {
    const { random } = seeded('elastic: ');
    await using pool = new Pool({ processes: 3, minProcesses: 1, idleTimeout: 30, retries: 20 });
    const settled = new Map<number, number>();
    let over = false;
    const trouble = (async () => {
      while (!over) {
        await sleep(10 + random(40));
        if (random(3) > 0) await pool.resize(1 + random(4));
        else if (!threads) killOne(pool, random(4));
      }
    })();
    for (let round = 0; round < 12; round++) {
      const items = upTo(60).map((i) => round * 1000 + i);
      const stream = pool.imapUnordered(
        async (x: number) => {
          await new Promise((done) => setTimeout(done, x % 4));
          return x;
        },
        items,
        { chunkSize: 1 + random(9) },
      );
      for await (const value of stream) settled.set(value, (settled.get(value) ?? 0) + 1);
      expect(items.every((item) => settled.get(item) === 1)).toBe(true);
      if (random(3) === 0) await sleep(60);
    }
    over = true;
    await trouble;
    expect(settled.size).toBe(720);
  }, 60_000);
});
