/** What a task is told, and what is told of it: reasons, reports, the last words of a worker, the index of an item. */
import { setTimeout as pause } from 'node:timers/promises';
import { currentTask, Pool, TimeoutError, WorkerCrashError } from 'multiprocess';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Ledger } from '../support/ledger.js';
import { threads } from '../support/start-method.js';
import { until } from '../support/until.js';

let pool: Pool;
beforeAll(() => {
  pool = new Pool({ processes: 2, gracePeriod: 10_000 });
});
afterAll(() => pool.terminate());

const failure = (promise: PromiseLike<unknown>): Promise<Error & Record<string, unknown>> =>
  Promise.resolve(promise).then(
    () => new Error('it did not fail') as never,
    (reason) => reason,
  );

/** Writes down why it was told to stop. */
const noteReason = async (path: string, tag?: unknown): Promise<void> => {
  const { signal } = currentTask()!;
  process.getBuiltinModule('node:fs').appendFileSync(path, 'begun\n');
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve());
  });
  const { reason } = signal;
  const own = reason instanceof TimeoutError;
  process
    .getBuiltinModule('node:fs')
    .appendFileSync(path, `${reason?.name} ${own} ${reason?.code} ${reason?.message ?? reason} ${tag ?? ''}\n`);
};
async function reasonOf(run: (path: string) => PromiseLike<unknown>, act?: () => void): Promise<string> {
  using ledger = new Ledger();
  const running = Promise.resolve(run(ledger.path)).catch(() => {});
  await until(() => ledger.lines().length > 0, 'the start');
  act?.();
  await running;
  await until(() => ledger.lines().length > 1, 'the reason');
  return ledger.lines()[1]!;
}

describe('the reason of a task’s signal', () => {
  it('is a TimeoutError when its time ran out', async () => {
    expect(await reasonOf((path) => pool.apply(noteReason as never, [path] as never, { timeout: 50 }))).toMatch(
      /^TimeoutError true MP_TIMEOUT The task ran longer/,
    );
  });

  it('is the caller’s: of its signal, of cancel(), an error, a text, an object', async () => {
    for (const [reason, expected] of [
      [new RangeError('enough'), /^RangeError false undefined enough/],
      ['no more', /^undefined false undefined no more/],
      [undefined, /^AbortError false 20 /],
    ] as const) {
      const control = new AbortController();
      expect(
        await reasonOf(
          (path) => pool.apply(noteReason as never, [path] as never, { signal: control.signal }),
          () => control.abort(reason),
        ),
      ).toMatch(expected);
      let cancel = (): void => {};
      const run = (path: string) => {
        const result = pool.applyAsync(noteReason as never, [path] as never);
        cancel = () => result.cancel(reason);
        return result;
      };
      expect(await reasonOf(run, () => cancel())).toMatch(expected);
    }
  });

  it('is cut short when it is too large, and named when it cannot be sent', async () => {
    const result = (reason: unknown) => {
      const control = new AbortController();
      return reasonOf(
        (path) => pool.apply(noteReason as never, [path] as never, { signal: control.signal }),
        () => control.abort(reason),
      );
    };
    expect(await result(new RangeError('x'.repeat(5000)))).toMatch(/^RangeError false undefined x{300} /);
    expect(await result(Object.assign(new RangeError('odd'), { map: new WeakMap() }))).toMatch(
      /^RangeError false undefined odd/,
    );
    expect(await result(new WeakMap())).toMatch(/^AbortError/);
  });

  it('is told to items of streams', async () => {
    const timed = (path: string) => pool.imap(noteReason as never, [path] as never[], { timeout: 50 }).toArray();
    expect(await reasonOf(timed)).toMatch(/^TimeoutError true MP_TIMEOUT Item 0 ran longer/);
    const control = new AbortController();
    const aborted = (path: string) => pool.map(noteReason as never, [path] as never[], { signal: control.signal });
    expect(await reasonOf(aborted, () => control.abort(new RangeError('all of it')))).toMatch(
      /^RangeError false undefined all of it/,
    );
  });
});

describe('an error of a map or stream says whose it is', () => {
  const odd = (x: number): number => {
    if (x % 2 === 1) throw new RangeError(`odd ${x}`);
    return x;
  };
  it('of map, starmap, imap, imapUnordered and settled results', async () => {
    expect(await failure(pool.map(odd, [0, 2, 4, 5]))).toMatchObject({ message: 'odd 5', itemIndex: 3 });
    expect(await failure(pool.starmap(odd, [[0], [2], [7]]))).toMatchObject({ itemIndex: 2 });
    expect(await failure(pool.imap(odd, [0, 2, 9], { chunkSize: 3 }).toArray())).toMatchObject({ itemIndex: 2 });
    expect(await failure(pool.imapUnordered(odd, [0, 3]).toArray())).toMatchObject({ itemIndex: 1 });
    const outcomes = (await pool
      .imap(odd, [0, 1, 2, 3], { errors: 'settle' })
      .toArray()) as PromiseSettledResult<number>[];
    expect(outcomes.map((one) => (one.status === 'rejected' ? one.reason.itemIndex : null))).toEqual([
      null,
      1,
      null,
      3,
    ]);
  });

  it('without being seen by what compares or prints errors', async () => {
    const error = await failure(pool.map(odd, [1]));
    expect(Object.keys(error)).toEqual([]);
    expect(Object.getOwnPropertyDescriptor(error, 'itemIndex')).toMatchObject({ value: 0, enumerable: false });
  });

  it('also when it cannot be sent, ran too long or its worker died; a value that is no error stays', async () => {
    expect(await failure(pool.map((x: unknown) => x, [1, new WeakMap(), 3]))).toMatchObject({ itemIndex: 1 });
    const slow = (x: number) => new Promise((done) => setTimeout(done, x, x));
    await using hasty = new Pool({ processes: 1, gracePeriod: 50 });
    expect(await failure(hasty.map(slow, [1, 60_000], { timeout: 300 }))).toMatchObject({
      itemIndex: 1,
      code: 'MP_TIMEOUT',
    });
    const dies = (x: number): number => (x === 6 ? process.exit(3) : x);
    const crash = await failure(hasty.map(dies, [5, 6, 7], { chunkSize: 3 }));
    expect(crash).toBeInstanceOf(WorkerCrashError);
    expect(crash).toMatchObject({ itemIndex: 1, message: expect.stringContaining('before item 1 had a result') });
    const text = (): never => {
      throw 'text';
    };
    expect(await failure(pool.map(text, [1]))).toBe('text');
  });
});

describe('a WorkerCrashError', () => {
  it('has the error that nobody caught as its cause', async () => {
    const throws = () => {
      setTimeout(() => {
        throw Object.assign(new RangeError('boom'), { code: 'E_BOOM' });
      });
      return new Promise(() => {});
    };
    const error = await failure(pool.apply(throws));
    expect(error).toBeInstanceOf(WorkerCrashError);
    expect(error['cause']).toBeInstanceOf(RangeError);
    expect(error['cause']).toMatchObject({
      message: 'boom',
      code: 'E_BOOM',
      stack: expect.stringContaining('told.test.ts'),
    });
    expect(error['stderr']).toContain('RangeError: boom');
    const rejects = () => {
      void Promise.reject(new TypeError('for nobody'));
      return new Promise(() => {});
    };
    expect(await failure(pool.apply(rejects))).toMatchObject({ cause: { name: 'TypeError', message: 'for nobody' } });
  });

  it('has none where the worker was told to end', async () => {
    const error = await failure(pool.apply(() => process.exit(4)));
    expect(error).toMatchObject({ exitCode: 4, stderr: '' });
    expect(error['cause']).toBeUndefined();
    expect(error.message).not.toContain('stderr');
  });

  it('has the end of stderr', async () => {
    const writes = (lines: number) => {
      for (let i = 0; i < lines; i++) console.error(`line ${i}`);
      process.exit(5);
    };
    expect(await failure(pool.apply(writes, [3]))).toMatchObject({
      stderr: 'line 0\nline 1\nline 2\n',
      message: expect.stringContaining('what it wrote to stderr says why'),
    });
    const { stderr } = await failure(pool.apply(writes, [1000]));
    expect(stderr).toMatch(/line 999\n$/);
    expect((stderr as string).length).toBeLessThanOrEqual(2040);
  });

  it.skipIf(threads)('has it whatever ends the worker', async () => {
    const dies = () => {
      process.stderr.write('last words ✓');
      process.kill(process.pid, 'SIGKILL');
    };
    expect(await failure(pool.apply(dies))).toMatchObject({ signal: 'SIGKILL', stderr: 'last words ✓' });
  });

  it('of an initializer that fails unseen has its cause', async () => {
    const initializer = () => {
      process.nextTick(() => {
        throw new RangeError('early');
      });
      return new Promise(() => {});
    };
    await using local = new Pool({ processes: 1, initializer });
    expect(await failure(local.apply(() => 1))).toMatchObject({
      code: 'MP_WORKER_CRASH',
      cause: { name: 'RangeError', message: 'early' },
    });
  });
});

describe('reports', () => {
  it('keep the newest when there is no room, and say how many were dropped', async () => {
    using ledger = new Ledger();
    const floods = (count: number, path: string): string => {
      const task = currentTask()!;
      for (let i = 1; i <= count; i++) task.report({ done: i, text: 'x'.repeat(100_000) });
      process.getBuiltinModule('node:fs').appendFileSync(path, 'over\n');
      return 'over';
    };
    const result = pool.applyAsync(floods, [200, ledger.path]);
    const seen: { done: number }[] = [];
    let dropped = 0;
    result.progress.subscribe((progress) => {
      if (progress.report !== undefined) seen.push(progress.report as { done: number });
      dropped = progress.dropped ?? dropped;
    });
    await pause(0);
    // Nobody takes a report meanwhile.
    for (const end = Date.now() + 10_000; ledger.lines().length === 0 && Date.now() < end; );
    expect(await result).toBe('over');
    expect(seen.at(-1)!.done).toBe(200);
    expect(dropped).toBeGreaterThan(0);
    expect(seen.length + dropped).toBe(200);
  });

  it('are as they were when they were made', async () => {
    const reuses = async (): Promise<void> => {
      const row = { done: 0, text: 'x'.repeat(100_000) };
      for (let i = 1; i <= 200; i++) {
        row.done = i;
        currentTask()!.report(row);
      }
      row.done = -1;
    };
    const result = pool.applyAsync(reuses as never);
    const seen: number[] = [];
    result.progress.subscribe(({ report }) => report !== undefined && seen.push((report as { done: number }).done));
    await result;
    expect(seen.at(-1)).toBe(200);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });

  it('are made by the function alone, too', async () => {
    const result = pool.applyAsync(() => {
      const { report } = currentTask()!;
      report('half');
    });
    const seen: unknown[] = [];
    result.progress.subscribe((progress) => 'report' in progress && seen.push(progress.report));
    await result;
    expect(seen).toEqual(['half']);
  });

  it('that are few are all there', async () => {
    const result = pool.applyAsync(async () => {
      const task = currentTask()!;
      for (let i = 0; i < 100; i++) task.report(i);
      await new Promise((done) => setTimeout(done, 1));
    });
    const seen: unknown[] = [];
    result.progress.subscribe(({ report, dropped }) => {
      if (report !== undefined) seen.push(report);
      expect(dropped).toBeUndefined();
    });
    await result;
    await pause(0);
    expect(seen).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });
});
