/** map, starmap and their asynchronous forms. */
import { Pool } from 'multiprocess';
import { from, of, throwError } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Ledger } from '../support/ledger.js';

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const double = (x: number): number => x * 2;
let pool: Pool;
beforeAll(() => {
  pool = new Pool({ processes: 2, gracePeriod: 200 });
});
afterAll(() => pool.terminate());

it('reads any source: arrays, sets, generators, async generators, ReadableStreams, Observables', async () => {
  async function* slowly() {
    for (let i = 0; i < 5; i++) {
      await new Promise((done) => setTimeout(done, 2));
      yield i;
    }
  }
  const wanted = [0, 2, 4, 6, 8];
  expect(await pool.map(double, upTo(5))).toEqual(wanted);
  expect(await pool.map(double, new Set(upTo(5)))).toEqual(wanted);
  expect(await pool.map(double, upTo(5).values())).toEqual(wanted);
  expect(await pool.map(double, slowly())).toEqual(wanted);
  expect(await pool.map(double, ReadableStream.from(upTo(5)))).toEqual(wanted);
  expect(await pool.map(double, from(upTo(5)))).toEqual(wanted);
  expect(await pool.map(double, pool.imap(double, upTo(3)))).toEqual([0, 4, 8]);
});

it('keeps order for every chunk size, over 10,000 items', async () => {
  for (const chunkSize of ['auto', 1, 7, 1000, 100_000] as const) {
    expect(await pool.map(double, upTo(chunkSize === 1 ? 1000 : 10_000), { chunkSize })).toEqual(
      upTo(chunkSize === 1 ? 1000 : 10_000).map(double),
    );
  }
});

it('takes more results in a chunk than its worker has room for', async () => {
  const many = upTo(300_000);
  expect(await pool.map(double, many, { chunkSize: many.length })).toEqual(many.map(double));
});

it('sees in each item what earlier items of the same map did to its captures in that worker, and nothing of other maps', async () => {
  await using one = new Pool({ processes: 1 });
  let n = 0;
  const count = () => ++n;
  expect(await one.map(count, upTo(5), { chunkSize: 2 })).toEqual([1, 2, 3, 4, 5]);
  expect(await one.map(count, upTo(3), { chunkSize: 2 })).toEqual([1, 2, 3]);
  expect(n).toBe(0);
});

it('starmap spreads arguments, and refuses nothing else', async () => {
  expect(
    await pool.starmap(
      (a: number, b: string) => `${a}${b}`,
      [
        [1, 'a'],
        [2, 'b'],
      ],
    ),
  ).toEqual(['1a', '2b']);
  expect(
    await pool
      .starmapAsync(
        Math.max,
        [
          [1, 5, 3],
          [9, 2, 4],
        ],
        { chunkSize: 2 },
      )
      .get(),
  ).toEqual([5, 9]);
});

describe('an error', () => {
  it('of one item is raised after all others ran', async () => {
    using ledger = new Ledger();
    const task = ([path, i]: readonly [string, number]): number => {
      process.getBuiltinModule('node:fs').appendFileSync(path, `${i}\n`);
      if (i === 3) throw new RangeError('three');
      return i;
    };
    await expect(
      pool.map(
        task,
        upTo(20).map((i) => [ledger.path, i] as const),
        { chunkSize: 2 },
      ),
    ).rejects.toThrow(new RangeError('three'));
    expect(ledger.lines().length).toBe(20);
  });

  it('of the source is raised as it is, and the source is not touched again', async () => {
    const own = new Error('source');
    await expect(
      pool.map(
        double,
        throwError(() => own),
      ),
    ).rejects.toBe(own);
    let returned = 0;
    const source = {
      [Symbol.iterator]: () => ({
        next: () => {
          throw own;
        },
        return: () => {
          returned++;
          return { done: true, value: undefined };
        },
      }),
    } as unknown as Iterable<number>;
    await expect(pool.map(double, source)).rejects.toBe(own);
    expect(returned).toBe(0);
  });

  it('of what is no source at all is told at once', async () => {
    await expect(pool.map(double, 5 as never)).rejects.toThrow(/Pool\.map: the source is 5/);
    await expect(pool.map(double, Promise.resolve([1]) as never)).rejects.toThrow(/Await the promise/);
  });
});

it('reports its progress', async () => {
  const result = pool.mapAsync(double, upTo(200), { chunkSize: 10 });
  const seen: { pulled: number; delivered: number; total?: number }[] = [];
  const finished = new Promise<void>((done) =>
    result.progress.subscribe({ next: (p) => seen.push(p), complete: done }),
  );
  await result;
  await finished;
  expect(seen.at(-1)).toMatchObject({ pulled: 200, running: 0, delivered: 200, failed: 0, total: 200 });
  expect(seen.every((p, i) => i === 0 || p.delivered >= seen[i - 1]!.delivered)).toBe(true);
});

it('aborted under way rejects with the reason, returns the source and leaves nothing running', async () => {
  const controller = new AbortController();
  let returned = false;
  function* source() {
    try {
      for (;;) yield 5;
    } finally {
      returned = true;
    }
  }
  const map = pool.map((ms: number) => new Promise<number>((done) => setTimeout(() => done(ms), ms)), source(), {
    signal: controller.signal,
  });
  setTimeout(() => controller.abort('enough'), 50);
  await expect(map).rejects.toBe('enough');
  expect(returned).toBe(true);
  expect(await pool.map(double, of(1))).toEqual([2]);
});

describe('errors', () => {
  const odd = (x: number): number => {
    if (x % 3 === 0) throw new RangeError(`item ${x}`);
    return x;
  };
  const items = Array.from({ length: 100 }, (_, i) => i);
  const good = items.filter((x) => x % 3 !== 0);

  it.each([1, 7, 'auto'] as const)('skip and settle, with chunks of %s', async (chunkSize) => {
    await using pool = new Pool({ processes: 2 });
    expect(await pool.map(odd, items, { errors: 'skip', chunkSize })).toEqual(good);
    const settled = await pool.map(odd, items, { errors: 'settle', chunkSize });
    expect(settled.length).toBe(100);
    settled.forEach((outcome, i) => {
      if (i % 3 !== 0) expect(outcome).toEqual({ status: 'fulfilled', value: i });
      else expect(outcome).toMatchObject({ status: 'rejected', reason: { message: `item ${i}`, itemIndex: i } });
    });
    await expect(pool.map(odd, items, { errors: 'fail', chunkSize })).rejects.toMatchObject({
      name: 'RangeError',
      itemIndex: expect.any(Number),
    });
  });

  it('of starmap and of the asynchronous forms, with their callbacks', async () => {
    await using pool = new Pool({ processes: 2 });
    const pairs = items.map((x): [number] => [x]);
    expect(await pool.starmap(odd, pairs, { errors: 'skip' })).toEqual(good);
    const seen: unknown[] = [];
    const settled = pool.mapAsync(odd, [1, 3], {
      errors: 'settle',
      callback: (values) => seen.push(...values.map(({ status }) => status)),
    });
    expect((await settled).map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(seen).toEqual(['fulfilled', 'rejected']);
    const skipped = pool.starmapAsync(odd, [[1], [3]], { errors: 'skip' });
    expect(await skipped).toEqual([1]);
  });

  it('skip keeps values that are undefined', async () => {
    await using pool = new Pool({ processes: 1 });
    const nothing = (x: number): undefined => {
      if (x === 1) throw new Error('one');
    };
    expect(await pool.map(nothing, [0, 1, 2], { errors: 'skip' })).toEqual([undefined, undefined]);
  });

  it('are refused when they are none', async () => {
    await using pool = new Pool({ processes: 1 });
    await expect(pool.map(odd, items, { errors: 'ignore' as never })).rejects.toThrow(
      "Pool.map: `errors` must be 'fail', 'skip' or 'settle', not \"ignore\".",
    );
  });
});
