/** The lines of Python's _TestPool, _TestPoolWorkerErrors and _TestPoolWorkerLifetime that apply to processes, each under its name. */
import { Barrier, ClosedError, Pool, SerializationError, TimeoutError, Value } from 'multiprocess';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeOf } from '../support/code-of.js';
import { Ledger } from '../support/ledger.js';
import { nearly } from '../support/nearly.js';
import { alive } from '../support/processes.js';
import { program } from '../support/programs.js';
import { threads } from '../support/start-method.js';
import { until } from '../support/until.js';

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const square = (x: number): number => x * x;
const multiply = (x: number, y: number): number => x * y;
const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

function* throwingAt(k: number, n = 20): Generator<number> {
  for (let i = 0; i < n; i++) {
    if (i === k) throw new SayWhenError('somebody said when');
    yield i;
  }
}
class SayWhenError extends Error {}

describe('_TestPool', () => {
  let pool: Pool;
  beforeAll(() => {
    pool = new Pool({ processes: 4 });
  });
  afterAll(() => pool.terminate());

  it('test_apply: apply gives the value of the function', async () => {
    expect(await pool.apply(square, [5])).toBe(25);
    expect(await pool.apply((options: { x: number }) => options.x * options.x, [{ x: 7 }])).toBe(49);
  });

  it('test_map: map gives the results in order, with default and given chunk size', async () => {
    expect(await pool.map(square, upTo(10))).toEqual(upTo(10).map(square));
    expect(await pool.map(square, upTo(100), { chunkSize: 20 })).toEqual(upTo(100).map(square));
  });

  it('test_starmap: starmap unpacks argument lists, in order, with default and given chunk size', async () => {
    const pairs = (n: number) => upTo(n).map((x) => [x, n - 1 - x] as [number, number]);
    expect(await pool.starmap(multiply, pairs(10))).toEqual(pairs(10).map(([x, y]) => x * y));
    expect(await pool.starmap(multiply, pairs(100), { chunkSize: 20 })).toEqual(pairs(100).map(([x, y]) => x * y));
  });

  it('test_starmap_async: the asynchronous form gives the same', async () => {
    const pairs = upTo(100).map((x) => [x, 99 - x] as [number, number]);
    expect(await pool.starmapAsync(multiply, pairs).get()).toEqual(pairs.map(([x, y]) => x * y));
  });

  it('test_map_async: the asynchronous form of map gives the same as map', async () => {
    expect(await pool.mapAsync(square, upTo(10)).get()).toEqual(upTo(10).map(square));
  });

  it('test_map_async_callbacks: only the matching callback runs, once, before wait() returns', async () => {
    const calls: unknown[] = [];
    const options = {
      callback: (values: unknown) => calls.push(['value', values]),
      errorCallback: (error: unknown) => calls.push(['error', error]),
    };
    await pool.mapAsync((x: number) => x, [1], options).wait();
    expect(calls).toEqual([['value', [1]]]);
    calls.length = 0;
    const failing = pool.mapAsync((x: string) => (x as unknown as { nothing: () => void }).nothing(), ['a'], options);
    await failing.wait();
    expect(calls).toHaveLength(1);
    expect(calls[0]).toEqual(['error', expect.any(TypeError)]);
  });

  it('test_map_unplicklable: an argument that cannot be serialised makes map raise that error, not hang', async () => {
    class A {
      [Symbol.for('multiprocess.reduce')](): never {
        throw new Error('cannot pickle');
      }
    }
    await expect(
      pool.map(
        () => 1,
        Array.from({ length: 10 }, () => new A()),
      ),
    ).rejects.toThrow('cannot pickle');
    expect(await pool.map(square, [3])).toEqual([9]);
  });

  it('test_map_chunksize: nothing with a chunk size given completes at once', async () => {
    expect(await pool.mapAsync(square, [], { chunkSize: 1 }).get()).toEqual([]);
  });

  it('test_map_handle_iterable_exception: an input that throws makes map raise its error, and the pool stays usable', async () => {
    for (const k of [0, 10, 19]) {
      await expect(pool.map(square, throwingAt(k))).rejects.toBeInstanceOf(SayWhenError);
      await expect(pool.map(square, throwingAt(k), { chunkSize: 1 })).rejects.toBeInstanceOf(SayWhenError);
    }
    class SpecialIterable {
      [Symbol.iterator](): Iterator<number> {
        return this as unknown as Iterator<number>;
      }
      next(): never {
        throw new SayWhenError();
      }
      get length(): number {
        return 1;
      }
    }
    await expect(pool.map(square, new SpecialIterable() as Iterable<number>)).rejects.toBeInstanceOf(SayWhenError);
    class BadLength extends SpecialIterable {
      override get length(): never {
        throw new SayWhenError('length');
      }
    }
    await expect(pool.map(square, new BadLength() as Iterable<number>)).rejects.toBeInstanceOf(SayWhenError);
    expect(await pool.map(square, [4])).toEqual([16]);
  });

  it('test_async: the result of applyAsync waits for and gives the value', async () => {
    const result = pool.applyAsync(
      (x: number) => new Promise<number>((done) => setTimeout(() => done(x * x), 100)),
      [7],
    );
    expect(result.ready()).toBe(false);
    expect(await result.get()).toBe(49);
  });

  it('test_async_timeout: get() with a timeout raises TimeoutError while the task runs', async () => {
    const result = pool.applyAsync(sleep, [60_000]);
    const before = performance.now();
    await expect(result.get({ timeout: 200 })).rejects.toBeInstanceOf(TimeoutError);
    expect(performance.now() - before).toBeGreaterThanOrEqual(nearly(200));
    result.cancel();
  });

  it('test_imap: imap yields in order, one by one, then ends', async () => {
    expect(await pool.imap(square, upTo(10)).toArray()).toEqual(upTo(10).map(square));
    const it1 = pool.imap(square, upTo(10))[Symbol.asyncIterator]();
    for (let i = 0; i < 10; i++) expect(await it1.next()).toEqual({ done: false, value: i * i });
    expect((await it1.next()).done).toBe(true);
    const it2 = pool.imap(square, upTo(1000), { chunkSize: 100 })[Symbol.asyncIterator]();
    for (let i = 0; i < 1000; i++) expect(await it2.next()).toEqual({ done: false, value: i * i });
    expect((await it2.next()).done).toBe(true);
  });

  it('test_imap_handle_iterable_exception: what came before is yielded, then the error of the input is raised', async () => {
    for (const chunkSize of [1, 2, 4]) {
      const iterator = pool.imap(square, throwingAt(10), { chunkSize })[Symbol.asyncIterator]();
      for (let i = 0; i < 10; i++) expect(await iterator.next()).toEqual({ done: false, value: i * i });
      await expect(iterator.next()).rejects.toBeInstanceOf(SayWhenError);
    }
    const first = pool.imap(square, throwingAt(0))[Symbol.asyncIterator]();
    await expect(first.next()).rejects.toBeInstanceOf(SayWhenError);
  });

  it('test_imap_unordered: the same values in any order, with and without chunks', async () => {
    for (const options of [{}, { chunkSize: 1 }, { chunkSize: 100 }]) {
      const values = await pool.imapUnordered(square, upTo(1000), options).toArray();
      expect(values.sort((a, b) => a - b)).toEqual(upTo(1000).map(square));
    }
  });

  it('test_imap_unordered_handle_iterable_exception: values come, none twice, and the error is raised at some point', async () => {
    for (const k of [0, 3, 10, 19]) {
      const seen = new Set<number>();
      const run = async () => {
        for await (const value of pool.imapUnordered(square, throwingAt(k))) {
          expect(seen.has(value)).toBe(false);
          seen.add(value);
        }
      };
      await expect(run()).rejects.toBeInstanceOf(SayWhenError);
      expect([...seen].every((value) => upTo(k).map(square).includes(value))).toBe(true);
    }
  });

  it('test_make_pool: sizes -1 and 0 raise; size 3 has three workers', async () => {
    for (const processes of [-1, 0])
      expect(() => new Pool({ processes })).toThrow(/`processes` must be an integer of at least 1/);
    await using three = new Pool({ processes: 3 });
    expect(three.stats().workers).toHaveLength(3);
    three.close();
    await three.join();
  });

  it('test_terminate: with thousands of tasks queued and some running, terminate() and join() return', async () => {
    const own = new Pool({ processes: 4 });
    const result = own.mapAsync(sleep, upTo(10_000).fill(100), { chunkSize: 1 });
    const queued = upTo(1000).map(() => own.applyAsync(sleep, [100]));
    await own.apply(square, [1], { priority: 1 });
    await own.terminate();
    await own.join();
    await expect(result.get()).rejects.toMatchObject({ code: 'MP_POOL_TERMINATED' });
    const settled = await Promise.allSettled(queued);
    expect(
      settled.filter((one) => one.status === 'rejected' && one.reason.code === 'MP_POOL_TERMINATED').length,
    ).toBeGreaterThan(900);
  });

  it('test_empty_iterable: everything over nothing gives nothing, and close and join then return', async () => {
    const own = new Pool({ processes: 1 });
    expect(await own.map(square, [])).toEqual([]);
    expect(await own.imap(square, []).toArray()).toEqual([]);
    expect(await own.imapUnordered(square, []).toArray()).toEqual([]);
    expect(await own.mapAsync(square, []).get()).toEqual([]);
    own.close();
    await own.join();
  });

  it('test_context: leaving the scope terminates the pool; afterwards submitting raises', async () => {
    let own: Pool;
    {
      await using scoped = new Pool({ processes: 2 });
      own = scoped;
      expect(await own.mapAsync(square, upTo(10)).get()).toEqual(upTo(10).map(square));
    }
    expect(() => own.mapAsync(square, [1])).toThrow(ClosedError);
    await expect(own.apply(square, [1])).rejects.toBeInstanceOf(ClosedError);
  });

  it('test_traceback: an error of a worker keeps its class and properties and shows the remote stack', async () => {
    const error: unknown = await pool
      .apply(function raisingFunction(): never {
        throw Object.assign(new RangeError('123'), { detail: [1, 2] });
      }, [])
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toMatchObject({ message: '123', detail: [1, 2] });
    expect((error as Error).stack).toContain('raisingFunction');
    const own: unknown = await pool.map(square, throwingAt(1)).catch((reason: unknown) => reason);
    expect(own).toBeInstanceOf(SayWhenError);
    expect((own as Error).cause).toBeUndefined();
    expect((own as Error).stack).toContain('throwingAt');
  });

  it('test_map_no_failfast: map raises only after all tasks ended, and close and join do not deadlock after large errors', async () => {
    using ledger = new Ledger();
    const own = new Pool({ processes: 2 });
    const task = async ([path, fails]: [string, boolean]): Promise<void> => {
      if (fails) throw new Error('x'.repeat(2 << 20));
      await new Promise((done) => setTimeout(done, 300));
      process.getBuiltinModule('node:fs').appendFileSync(path, 'done\n');
    };
    await expect(
      own.map(
        task,
        [
          [ledger.path, true],
          [ledger.path, false],
        ],
        { chunkSize: 1 },
      ),
    ).rejects.toThrow(/^x+$/);
    expect(ledger.lines()).toEqual(['done']);
    own.close();
    await own.join();
  });

  it('test_release_task_refs: arguments and results are not kept alive by the pool after the call', async () => {
    const run = program('release-references.js', [], { node: ['--expose-gc'] });
    expect(await run.ended).toMatchObject({ code: 0, stdout: 'arguments 0 results 0\n' });
  });

  it('test_enter: a pool that is no longer running refuses to be used again in any form', async () => {
    const own = new Pool({ processes: 1 });
    await own.terminate();
    expect(() => own.imap(square, [1])).toThrow(ClosedError);
    expect(() => own.imapUnordered(square, [1])).toThrow(ClosedError);
    await expect(own.map(square, [1])).rejects.toBeInstanceOf(ClosedError);
    await own[Symbol.asyncDispose]();
  });

  it('test_resource_warning: a running pool that is dropped without close or terminate warns', async () => {
    const run = program('dropped-pool.js', [], { node: ['--expose-gc'] });
    const { code, stdout, stderr } = await run.ended;
    expect(stderr).toContain('unclosed running pool');
    expect(stdout).toBe('warned\nworkers gone\n');
    expect(code).toBe(0);
  });
});

describe('_TestPoolWorkerErrors', () => {
  it('test_async_error_callback: a failing task calls the error callback with the error that get() raises', async () => {
    await using pool = new Pool({ processes: 2 });
    let seen: unknown;
    const result = pool.applyAsync(
      (): never => {
        throw new SyntaxError('bad');
      },
      [],
      { errorCallback: (error) => (seen = error) },
    );
    await expect(result.get()).rejects.toBeInstanceOf(SyntaxError);
    expect(seen).toBeInstanceOf(SyntaxError);
    expect(seen).toBe(await result.get().catch((error: unknown) => error));
  });

  it('_test_unpickleable_result: twenty results that cannot be serialised each give an error, and no worker is lost', async () => {
    await using pool = new Pool({ processes: 2 });
    await Promise.all([pool.apply(square, [1]), pool.apply(square, [2])]);
    for (let i = 0; i < 20; i++) {
      let seen: unknown;
      const result = pool.applyAsync(() => ({ held: new WeakMap() }), [], { errorCallback: (error) => (seen = error) });
      const error: unknown = await result.get().catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(SerializationError);
      expect((error as Error).message).toMatch(/WeakMap/);
      expect(seen).toBe(error);
    }
    expect(pool.stats()).toMatchObject({ started: 2, crashed: 0 });
  });
});

describe('_TestPoolWorkerLifetime', () => {
  it('test_pool_worker_lifetime: with 10 tasks for each child and 100 tasks, results are right and all workers have changed', async () => {
    await using pool = new Pool({ processes: 3, maxTasksPerChild: 10 });
    await until(() => pool.stats().workers.every((worker) => worker.ident !== null), 'workers with a number');
    const first = pool.stats().workers.map((worker) => worker.ident!);
    expect(first).toHaveLength(3);
    const results = upTo(100).map((i) => pool.applyAsync(square, [i]));
    expect(await Promise.all(results)).toEqual(upTo(100).map(square));
    await Promise.all(upTo(30).map((i) => pool.apply(square, [i])));
    expect(pool.stats().workers.map((worker) => worker.ident)).not.toEqual(
      expect.arrayContaining([expect.toBeOneOf(first)]),
    );
    if (!threads) expect(first.filter(alive)).toEqual([]);
  });

  it('test_pool_worker_lifetime_early_close: close() straight after submitting still runs all tasks, and join() returns', async () => {
    const pool = new Pool({ processes: 3, maxTasksPerChild: 1 });
    const results = upTo(6).map((i) =>
      pool.applyAsync((x: number) => new Promise<number>((done) => setTimeout(() => done(x * x), 100)), [i]),
    );
    pool.close();
    await pool.join();
    expect(results.every((result) => result.ready())).toBe(true);
    expect(await Promise.all(results)).toEqual(upTo(6).map(square));
  });

  it('test_pool_maxtasksperchild_invalid: 0, -1, 0.5 and "12" are refused', () => {
    for (const value of [0, -1, 0.5, '12']) {
      expect(() => new Pool({ processes: 3, maxTasksPerChild: value as number })).toThrow(
        /`maxTasksPerChild` must be an integer of at least 1/,
      );
    }
  });

  it('test_worker_finalization_via_atexit_handler_of_multiprocessing: a program that keeps an unclosed pool ends with code 0', async () => {
    expect(await program('unclosed-pool.js').ended).toEqual({ code: 0, signal: null, stdout: '[2,4,6]\n', stderr: '' });
  });
});

describe('TestInitializers', () => {
  it('test_pool_initializer: what is no function is refused; a function runs once in each worker, with its arguments', async () => {
    expect(codeOf(() => new Pool({ initializer: 1 as never }))).toBe('MP_INVALID_ARGUMENT');
    const runs = new Value('i', 0);
    {
      await using pool = new Pool({
        processes: 2,
        initializer: (by: number) => runs.update((n) => n + by),
        initArgs: [7],
      });
      // Each of the two is needed: the calls wait for each other.
      const barrier = new Barrier(2);
      await pool.map(() => barrier.wait(), [1, 2], { chunkSize: 1 });
      await pool.map(square, upTo(20));
    }
    expect(runs.value).toBe(14);
  });
});

describe('CPython 3.16, imap(buffersize)', () => {
  it('3.16 imap buffersize: no more than the window is drawn ahead of the results taken', async () => {
    await using pool = new Pool({ processes: 2 });
    let drawn = 0;
    function* counting(): Generator<number> {
      for (;;) yield drawn++;
    }
    let taken = 0;
    for await (const _ of pool.imap(square, counting(), { window: 6 })) {
      taken++;
      expect(drawn - taken).toBeLessThanOrEqual(6);
      if (taken === 200) break;
    }
  });

  it('3.16 imap buffersize infinite iterable: results come, and terminate() ends it', async () => {
    const pool = new Pool({ processes: 2 });
    let i = 0;
    const endless = {
      *[Symbol.iterator]() {
        for (;;) yield i++;
      },
    };
    const iterator = pool.imap(square, endless)[Symbol.asyncIterator]();
    expect((await iterator.next()).value).toBe(0);
    await pool.terminate();
    const drain = async () => {
      while (!(await iterator.next()).done);
    };
    await expect(drain()).rejects.toMatchObject({ code: 'MP_POOL_TERMINATED' });
  });

  it('3.16 imap buffersize close: close() and join() return after partial consumption', async () => {
    const pool = new Pool({ processes: 2 });
    const iterator = pool.imap(square, upTo(10_000))[Symbol.asyncIterator]();
    expect((await iterator.next()).value).toBe(0);
    pool.close();
    await pool.join();
    await iterator.return?.();
  });
});
