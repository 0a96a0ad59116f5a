/** The lines of Python's _TestPool through a manager's proxies, each under its name. */
import v8 from 'node:v8';
import vm from 'node:vm';
import { ClosedError, currentTask, manager, SerializationError, type SyncManager, TimeoutError } from 'multiprocess';
import type { PoolProxy } from 'multiprocess/managers';
import { Subject } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/until.js';

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const square = (x: number): number => x * x;
const multiply = (x: number, y: number): number => x * y;
v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc') as () => void;
const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

class SayWhenError extends Error {}
function* throwingAt(k: number, n = 20): Generator<number> {
  for (let i = 0; i < n; i++) {
    if (i === k) throw new SayWhenError('somebody said when');
    yield i;
  }
}

describe('_TestPool', () => {
  let m: SyncManager;
  let pool: PoolProxy;
  beforeAll(async () => {
    m = await manager();
    pool = await m.Pool(3);
  });
  afterAll(() => m.shutdown());

  it('test_apply: apply gives the value of the function', async () => {
    expect(await pool.apply(square, [5])).toBe(25);
    expect(await pool.apply((options: { x: number }) => options.x * options.x, [{ x: 7 }])).toBe(49);
  });

  it('test_map, test_map_chunksize: map gives the results in order, with default and given chunk size', async () => {
    expect(await pool.map(square, upTo(10))).toEqual(upTo(10).map(square));
    expect(await pool.map(square, upTo(100), { chunkSize: 20 })).toEqual(upTo(100).map(square));
    expect(await pool.map(square, [], { chunkSize: 1 })).toEqual([]);
    expect(await pool.map(square, new Set([3, 4]))).toEqual([9, 16]);
  });

  it('test_starmap, test_starmap_async: starmap unpacks argument lists, in order', async () => {
    const pairs = upTo(100).map((x) => [x, 99 - x] as [number, number]);
    expect(await pool.starmap(multiply, pairs, { chunkSize: 20 })).toEqual(pairs.map(([x, y]) => x * y));
    expect(await pool.starmapAsync(multiply, pairs).get()).toEqual(pairs.map(([x, y]) => x * y));
  });

  it('map, starmap and streams settle, retry and keep keys in order, as those of a Pool', async () => {
    const flaky = (x: number): number => {
      if (x === 2) throw new RangeError('not 2');
      return x * x;
    };
    const settled = [
      { status: 'fulfilled', value: 1 },
      { status: 'rejected', reason: expect.objectContaining({ message: 'not 2', itemIndex: 1 }) },
    ];
    const settle = { errors: 'settle' } as const;
    const outcomes: PromiseSettledResult<number>[] = await pool.map(flaky, [1, 2], settle);
    expect(outcomes).toEqual(settled);
    expect(await pool.starmap((x: number) => flaky(x), [[1], [2]], settle)).toEqual(settled);
    expect(await pool.mapAsync(flaky, [1, 2], settle).get()).toEqual(settled);
    expect(await pool.starmapAsync((x: number) => flaky(x), new Set([[1], [2]] as [number][]), settle).get()).toEqual(
      settled,
    );
    expect(await pool.imap(flaky, [1, 2], settle).toArray()).toEqual(settled);
    expect(await pool.map(flaky, [1, 2, 3], { errors: 'skip' })).toEqual([1, 9]);
    const retried = { retries: { errors: 2, when: (error: unknown) => error instanceof RangeError, backoff: () => 1 } };
    const third = (x: number): number => {
      const { attempt } = currentTask()!;
      if (attempt < 2) throw new RangeError(`attempt ${attempt}`);
      return x + attempt;
    };
    expect(await pool.map(third, [1, 2], retried)).toEqual([3, 4]);
    const where = await pool.map((x: number) => [x % 2, process.pid] as const, upTo(12), { key: (x) => x % 2 });
    for (const key of [0, 1]) expect(new Set(where.filter(([k]) => k === key).map(([, pid]) => pid)).size).toBe(1);
  });

  it('test_map_async, test_map_async_callbacks: only the matching callback runs, once, before wait() returns', async () => {
    const calls: unknown[] = [];
    const options = {
      callback: (values: unknown) => calls.push(['value', values]),
      errorCallback: (error: unknown) => calls.push(['error', (error as Error).name]),
    };
    const good = pool.mapAsync(square, [1, 2], options);
    expect([await good.wait(), good.successful(), calls]).toEqual([true, true, [['value', [1, 4]]]]);
    const fail = (): never => {
      throw new RangeError('no');
    };
    const bad = pool.mapAsync(fail, [1], options);
    expect([await bad.wait(), bad.successful(), calls[1]]).toEqual([true, false, ['error', 'RangeError']]);
  });

  it('test_map_unplicklable: an argument that cannot be sent makes map fail', async () => {
    await expect(pool.map(square, [Symbol('x') as never])).rejects.toThrow(SerializationError);
    expect(await pool.apply(square, [2])).toBe(4);
  });

  it('test_map_handle_iterable_exception: a source that throws makes map fail with its error, and the pool goes on', async () => {
    await expect(pool.map(square, throwingAt(0))).rejects.toThrow('somebody said when');
    await expect(pool.map(square, throwingAt(10))).rejects.toThrow('somebody said when');
    expect(await pool.map(square, throwingAt(99, 3))).toEqual([0, 1, 4]);
  });

  it('test_async, test_async_timeout: a result is waited for, or not any more', async () => {
    expect(await pool.applyAsync(square, [7]).get()).toBe(49);
    const late = pool.applyAsync(sleep, [60_000]);
    await expect(late.get({ timeout: 50 })).rejects.toThrow(TimeoutError);
    late.cancel(new Error('enough'));
    await expect(late.get()).rejects.toThrow('enough');
  });

  it('test_imap: results come in order, of arrays, of endless generators and of observables', async () => {
    expect(await pool.imap(square, upTo(10)).toArray()).toEqual(upTo(10).map(square));
    expect(await pool.imap(square, throwingAt(9_999, 1_000), { chunkSize: 100 }).toArray()).toEqual(
      upTo(1_000).map(square),
    );
    let drawn = 0;
    const endless = function* () {
      for (;;) yield drawn++;
    };
    const seen: number[] = [];
    for await (const value of pool.imap(square, endless())) {
      seen.push(value);
      if (seen.length === 100) break;
    }
    expect(seen).toEqual(upTo(100).map(square));
    const before = drawn;
    await sleep(100);
    expect(drawn).toBe(before); // the source was left
    const subject = new Subject<number>();
    const results = pool.imap(square, subject).toArray();
    await sleep(300); // subscribed, in this process
    subject.next(3);
    subject.next(4);
    subject.complete();
    expect(await results).toEqual([9, 16]);
  });

  it('test_imap_handle_iterable_exception: what came before the error of the source is delivered, then the error', async () => {
    const seen: number[] = [];
    const read = async () => {
      for await (const value of pool.imap(square, throwingAt(5))) seen.push(value);
    };
    await expect(read()).rejects.toThrow('somebody said when');
    expect(seen).toEqual(upTo(5).map(square));
  });

  it('test_imap_unordered: the same values in any order', async () => {
    const values = await pool.imapUnordered(square, throwingAt(9_999, 200)).toArray();
    expect(values.sort((a, b) => a - b)).toEqual(upTo(200).map(square));
  });

  it('test_imap_unordered_handle_iterable_exception: values come, none twice, and the error of the source at some point', async () => {
    const seen: number[] = [];
    const read = async () => {
      for await (const value of pool.imapUnordered(square, throwingAt(5))) seen.push(value);
    };
    await expect(read()).rejects.toThrow('somebody said when');
    expect(new Set(seen).size).toBe(seen.length);
    expect(upTo(5).map(square)).toEqual(expect.arrayContaining(seen));
  });

  it('test_release_task_refs: arguments and results are not kept alive by the proxy after the call', async () => {
    const refs = await (async () => {
      const objects = upTo(10).map((n) => ({ n }));
      const results = await pool.map((object: { n: number }) => object, objects);
      expect(results).toEqual(objects);
      return [...objects, ...results].map((object) => new WeakRef(object));
    })();
    await until(() => {
      collect();
      return refs.every((ref) => ref.deref() === undefined);
    }, 'all are collected');
  });

  it('test_make_pool: sizes -1 and 0 are refused, size 3 has three workers', async () => {
    for (const size of [-1, 0]) await expect(m.Pool(size)).rejects.toMatchObject({ name: 'RemoteError' });
    expect((await pool.stats()).workers).toHaveLength(3);
  });

  it('test_empty_iterable: nothing gives nothing', async () => {
    const other = await m.Pool(1);
    expect([
      await other.map(square, []),
      await other.imap(square, []).toArray(),
      await other.mapAsync(square, []).get(),
    ]).toEqual([[], [], []]);
    await other.close();
    await other.join();
  });

  it('test_terminate: terminate() with much queued returns, and so does join()', async () => {
    const other = await m.Pool(3);
    const results = other.mapAsync(
      sleep,
      upTo(2_000).map(() => 100),
      { chunkSize: 1 },
    );
    await other.terminate();
    await other.join();
    await expect(results.get()).rejects.toThrow(ClosedError);
  });

  it('test_context, test_enter: leaving the scope terminates the pool, and submitting then fails', async () => {
    let kept: PoolProxy;
    {
      await using other = await m.Pool(1);
      kept = other;
      expect(await other.apply(square, [3])).toBe(9);
    }
    await expect(kept.apply(square, [3])).rejects.toThrow(ClosedError);
  });

  it('test_traceback: an error of a worker keeps its class, and carries the stack of where it was thrown', async () => {
    const fail = () => {
      throw new RangeError('some of 123');
    };
    const error = await pool.apply(fail).catch((reason: unknown) => reason as Error);
    expect(error).toBeInstanceOf(RangeError);
    expect((error as Error).message).toBe('some of 123');
    expect((error as Error).stack).toContain('managers-pool.test.ts');
  });

  it('test_map_no_failfast: map fails when all tasks have ended, and the pool can be closed and joined', async () => {
    const other = await m.Pool(2);
    const ran = await m.list<number>();
    const fail = async (x: number) => {
      if (x !== 1) throw new Error(`failed ${x}`);
      await new Promise((done) => setTimeout(done, 100));
      await ran.append(x);
    };
    await expect(other.map(fail, [0, 1, 2], { chunkSize: 1 })).rejects.toThrow(/failed/);
    expect(await ran.copy()).toEqual([1]);
    await other.close();
    await other.join();
  });
});
