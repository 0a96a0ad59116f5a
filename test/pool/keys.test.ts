/** Items by key: the same worker, one after the other, in their order; balance; what a worker's end does. */
import { currentTask, Event, Pool } from 'multiprocess';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Ledger } from '../support/ledger.js';

interface Row {
  readonly key: string;
  readonly n: number;
}
const rows = (count: number, keys: number): Row[] =>
  Array.from({ length: count }, (_, n) => ({ key: `k${n % keys}`, n }));
const key = (row: Row): string => row.key;
/** Where and in which turn of its key an item ran. */
const turn = async ({ key: name, n }: Row): Promise<[string, number, number, string, boolean]> => {
  const slot = globalThis as { turns?: Map<string, number>; busy?: Set<string> };
  slot.turns ??= new Map();
  slot.busy ??= new Set();
  const alone = !slot.busy.has(name);
  slot.busy.add(name);
  const mine = (slot.turns.get(name) ?? 0) + 1;
  slot.turns.set(name, mine);
  await new Promise((done) => setTimeout(done, n % 2));
  slot.busy.delete(name);
  const { threadId } = process.getBuiltinModule('node:worker_threads');
  return [name, n, mine, `${process.pid}:${threadId}`, alone];
};

let pool: Pool;
let ledger: Ledger;
beforeAll(() => {
  pool = new Pool({ processes: 3 });
});
afterAll(() => pool.terminate());
beforeEach(() => {
  ledger = new Ledger();
  return () => ledger[Symbol.dispose]();
});

describe('equal keys', () => {
  it.each([1, 4])(
    'run at one worker, one after the other, in their order, with a concurrency of %i',
    async (concurrency) => {
      await using local = new Pool({ processes: 3, concurrency });
      for (const chunkSize of [1, 3, 'auto'] as const) {
        const base = new Map<string, number>();
        const seen = await local.imapUnordered(turn, rows(90, 7), { key, chunkSize, window: 40 }).toArray();
        const where = new Map<string, string>();
        for (const [name, , , worker, alone] of seen) {
          expect(alone).toBe(true);
          expect(where.get(name) ?? worker).toBe(worker);
          where.set(name, worker);
        }
        for (const name of where.keys()) {
          const mine = seen.filter(([other]) => other === name).sort((a, b) => a[2] - b[2]);
          expect(mine.map(([, n]) => n)).toEqual(mine.map(([, n]) => n).sort((a, b) => a - b));
          base.set(name, mine.length);
        }
        expect(new Set(where.values()).size).toBe(3);
      }
    },
  );

  it('keep their worker when they come one by one', async () => {
    async function* slowly(): AsyncGenerator<Row> {
      for (const row of rows(30, 3)) {
        await new Promise((done) => setTimeout(done, 3));
        yield row;
      }
    }
    const where = new Map<string, Set<string>>();
    for await (const [name, , , worker] of pool.imap(turn, slowly(), { key }))
      where.set(name, (where.get(name) ?? new Set()).add(worker));
    expect([...where.values()].map(({ size }) => size)).toEqual([1, 1, 1]);
  });

  it('keep the order of the stream’s results, and of maps and starmaps', async () => {
    expect((await pool.imap(turn, rows(60, 5), { key }).toArray()).map(([, n]) => n)).toEqual(
      Array.from({ length: 60 }, (_, i) => i),
    );
    expect((await pool.map(turn, rows(60, 5), { key })).map(([, n]) => n)).toEqual(
      Array.from({ length: 60 }, (_, i) => i),
    );
    expect(
      await pool.starmap(
        (a: number, b: number) => a + b,
        Array.from({ length: 20 }, (_, i) => [i, 1] as const),
        { key: ([a]) => a % 3 },
      ),
    ).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    expect(await pool.mapAsync((x: number) => x, [1, 2, 3], { key: (x) => x })).toEqual([1, 2, 3]);
  });

  it('of which one fails wait for its next run', async () => {
    const flaky = (path: string, name: string): string => {
      const { attempt } = currentTask()!;
      process.getBuiltinModule('node:fs').appendFileSync(path, `${name} ${attempt}\n`);
      if (name === 'a1' && attempt < 2) throw new Error('again');
      return name;
    };
    const names = ['a0', 'a1', 'b0', 'a2', 'a3', 'b1'];
    const items = names.map((name) => [ledger.path, name] as const);
    for (const chunkSize of [1, 6]) {
      expect(
        await pool.starmap(flaky, items, {
          key: ([, name]) => name[0]!,
          chunkSize,
          retries: { errors: 2, backoff: 20 },
        }),
      ).toEqual(names);
    }
    const runs = ledger.lines().filter((line) => line.startsWith('a'));
    const once = ['a0 0', 'a1 0', 'a1 1', 'a1 2', 'a2 0', 'a3 0'];
    expect(runs).toEqual([...once, ...once]);
  });
});

describe('when a worker ends', () => {
  it('its keys move to others, in their order, with what had not run', async () => {
    await using local = new Pool({ processes: 2, retries: 3 });
    const dies = (path: string, name: string, n: number): number => {
      process.getBuiltinModule('node:fs').appendFileSync(path, `${name} ${n}\n`);
      if (n % 10 === 7 && currentTask()!.attempt === 0) process.exit(5);
      return n;
    };
    const items = Array.from({ length: 60 }, (_, n) => [ledger.path, `k${n % 5}`, n] as const);
    expect(await local.starmap(dies, items, { key: ([, name]) => name, chunkSize: 4 })).toEqual(
      items.map(([, , n]) => n),
    );
    for (let k = 0; k < 5; k++) {
      const mine = ledger
        .lines()
        .filter((line) => line.startsWith(`k${k} `))
        .map((line) => Number(line.split(' ')[1]));
      expect(mine).toEqual([...mine].sort((a, b) => a - b));
      expect(new Set(mine).size).toBe(12);
    }
  });

  it('by its age, nothing is lost', async () => {
    await using local = new Pool({ processes: 2, maxTasksPerChild: 7 });
    expect((await local.imap(turn, rows(100, 6), { key, chunkSize: 3 }).toArray()).map(([, n]) => n)).toEqual(
      Array.from({ length: 100 }, (_, i) => i),
    );
    expect(local.stats().crashed).toBe(0);
  });

  it('the only one, others of the closed pool go on', async () => {
    const local = new Pool({ processes: 1, retries: 5 });
    const once = (n: number): number => {
      if (n === 3 && currentTask()!.attempt === 0) process.exit(5);
      return n;
    };
    const map = local.map(once, [0, 1, 2, 3, 4, 5], { key: () => 'one', chunkSize: 3 });
    local.close();
    await local.join();
    expect(await map).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe('a key', () => {
  it('that cannot be had fails its item', async () => {
    const settled = await pool.map((x: number) => x, [1, 2, 3, 4], {
      errors: 'settle',
      key: (x) => {
        if (x === 2) throw new RangeError('no key');
        return x === 3 ? (undefined as never) : x;
      },
    });
    expect(settled).toMatchObject([
      { value: 1 },
      { reason: { message: 'no key', itemIndex: 1 } },
      { reason: { message: 'Pool.map: `key` must give a string or a number, not undefined.', itemIndex: 2 } },
      { value: 4 },
    ]);
    expect(() => pool.imap((x: number) => x, [1], { key: 'id' as never })).toThrow(
      'Pool.imap: `key` must be a function',
    );
  });

  it('is that of the item as it was read', async () => {
    function* reused(): Generator<Row & { readonly at: Date }> {
      const row = { key: '', n: 0, at: new Date(0) };
      for (const { key: name, n } of rows(20, 4)) yield Object.assign(row, { key: name, n });
    }
    const seen = await pool.imap(turn, reused(), { key }).toArray();
    expect(seen.map(([name, n]) => `${name} ${n}`)).toEqual(rows(20, 4).map(({ key: name, n }) => `${name} ${n}`));
  });

  it('that is new goes to the worker with the least to do', async () => {
    const where = (): Promise<number> => new Promise((done) => setTimeout(() => done(currentTask()!.worker), 2));
    const workers = await pool
      .imap(
        where,
        Array.from({ length: 30 }, (_, i) => i),
        { key: (x) => x, chunkSize: 1, window: 30 },
      )
      .toArray();
    expect([0, 1, 2].map((worker) => workers.filter((other) => other === worker).length)).toEqual([10, 10, 10]);
  });

  it('does not hold up calls and streams without one', async () => {
    const slow = pool.map(
      (x: number) => new Promise((done) => setTimeout(() => done(x), 5)),
      Array.from({ length: 20 }, (_, i) => i),
      { key: () => 'hot' },
    );
    expect(await Promise.all([pool.apply((x: number) => x, [1]), pool.map((x: number) => x, [1, 2])])).toEqual([
      1,
      [1, 2],
    ]);
    expect((await slow).length).toBe(20);
  });

  it('is given up with its stream, and struck by queueTimeout', async () => {
    const stream = pool
      .imap(
        (x: number) => new Promise<number>((done) => setTimeout(() => done(x), 30)),
        Array.from({ length: 50 }, (_, i) => i),
        { key: () => 1, window: 50 },
      )
      [Symbol.asyncIterator]();
    expect((await stream.next()).value).toBe(0);
    await stream.return!();
    const go = new Event();
    const task = async (x: number): Promise<number> => {
      await go.wait();
      return x;
    };
    const options = { key: () => 1, chunkSize: 1, window: 4, queueTimeout: 2_000, errors: 'settle' } as const;
    const outcomes = pool.imapUnordered(task, [0, 1, 2, 3], options)[Symbol.asyncIterator]();
    const struck: unknown[] = [];
    for (let i = 0; i < 3; i++) {
      const { value } = await outcomes.next();
      expect(value).toMatchObject({ status: 'rejected', reason: { code: 'MP_QUEUE_TIMEOUT' } });
      struck.push((value as unknown as { reason: { itemIndex: number } }).reason.itemIndex);
    }
    expect(struck.sort()).toEqual([1, 2, 3]);
    go.set();
    expect((await outcomes.next()).value).toEqual({ status: 'fulfilled', value: 0 });
    expect(await outcomes.next()).toMatchObject({ done: true });
    expect(pool.stats().queued).toBe(0);
  });
});
