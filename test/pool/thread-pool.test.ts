/** What is particular to pools of threads; the other suites of the pool run over them as well, see vitest.config.ts. */
import { SHARE_ENV } from 'node:worker_threads';
import { Lock, Pool, ThreadPool, Value, WorkerCrashError } from 'multiprocess';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../support/code-of.js';
import { itNeeds, withAddon } from '../support/needs.js';
import { program } from '../support/programs.js';
import { whoami } from '../support/start-method.js';

describe('ThreadPool', () => {
  it('runs tasks in threads of this process, and is a Pool', async () => {
    await using pool = new ThreadPool({ processes: 2 });
    expect(pool).toBeInstanceOf(Pool);
    const [pid, thread] = await pool.apply(
      () => [process.pid, process.getBuiltinModule('node:worker_threads').threadId] as const,
    );
    expect(pid).toBe(process.pid);
    expect(pool.stats().workers.map(({ ident }) => ident)).toContain(thread);
    expect(pool.stats().workers.map(({ name }) => name)).toEqual([
      expect.stringMatching(/^ThreadPoolWorker-\d+$/),
      expect.stringMatching(/^ThreadPoolWorker-\d+$/),
    ]);
  });

  it('is what `context: "thread"` makes', async () => {
    await using pool = new Pool({ processes: 1, context: 'thread' });
    expect(await pool.apply(() => process.pid)).toBe(process.pid);
  });

  it('has threads that are made by piscina', async () => {
    await using pool = new ThreadPool({ processes: 1 });
    const loaded = await pool.apply(() =>
      Object.keys(process.getBuiltinModule('node:module').createRequire('/').cache),
    );
    expect(loaded.some((file) => /piscina\/dist\/worker\.js$/.test(file))).toBe(true);
  });

  it('shares locks and values with its threads', async () => {
    await using pool = new ThreadPool({ processes: 2 });
    const [lock, count] = [new Lock(), new Value('i32', 0)];
    const add = async (): Promise<void> => {
      for (let i = 0; i < 25; i++) await lock.runExclusive(() => count.value++);
    };
    await Promise.all([1, 2, 3, 4].map(() => pool.apply(add)));
    expect(count.value).toBe(100);
  });

  it('survives a thread that exceeds its memory limit', async () => {
    await using pool = new ThreadPool({
      processes: 1,
      resourceLimits: { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 3 },
    });
    const greedy = (): never => {
      const kept: unknown[] = [];
      // Small objects: on Node 26 a thread that fills its memory with arrays hangs in the garbage collector, with and without a pool.
      for (let i = 0; ; i++) kept.push({ i, text: `${i}` });
    };
    const error: unknown = await pool.apply(greedy).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(WorkerCrashError);
    expect(error).toMatchObject({ exitCode: 1, pid: process.pid });
    expect(await pool.apply(() => 2)).toBe(2);
    expect(pool.stats().crashed).toBe(1);
  });

  it('gives its threads a copy of the environment, the one given, or this process’s own', async () => {
    const set = (): void => {
      process.env['MULTIPROCESS_TEST'] = 'set by a thread';
    };
    const get = (): string | undefined => process.env['MULTIPROCESS_TEST'];
    await using copied = new ThreadPool({ processes: 1 });
    await copied.apply(set);
    expect(get()).toBeUndefined();
    await using given = new ThreadPool({ processes: 1, env: { MULTIPROCESS_TEST: 'given' } });
    expect(await given.apply(get)).toBe('given');
    await using shared = new ThreadPool({ processes: 1, env: SHARE_ENV });
    await shared.apply(set);
    expect(get()).toBe('set by a thread');
    delete process.env['MULTIPROCESS_TEST'];
  });

  it('starts another thread for one that fell over while it was busy elsewhere, also many at once', async () => {
    await using pool = new ThreadPool({ processes: 3 });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 30 }, (_, i) =>
        pool.apply(
          (n: number) => {
            if (n % 5 === 0) process.exit(7);
            return n;
          },
          [i],
        ),
      ),
    );
    for (const [i, outcome] of outcomes.entries()) {
      if (i % 5 === 0) expect(outcome).toMatchObject({ status: 'rejected', reason: { exitCode: 7 } });
      else expect(outcome).toEqual({ status: 'fulfilled', value: i });
    }
    expect(await Promise.all([1, 2, 3].map(() => pool.apply(whoami)))).toHaveLength(3);
  });

  it('that is terminated while its threads start leaves none', async () => {
    const before = await threadCount();
    for (let i = 0; i < 5; i++) {
      const pool = new ThreadPool({ processes: 3 });
      const call = pool.apply(() => 1);
      call.catch(() => {});
      await pool.terminate();
      await expect(call).rejects.toMatchObject({ code: 'MP_POOL_TERMINATED' });
      expect(pool.stats().workers).toEqual([]);
    }
    expect(await threadCount()).toBeLessThanOrEqual(before);
  });

  it('does not keep a program alive that has nothing left to do', async () => {
    expect(await program('unclosed-thread-pool.js').ended).toEqual({
      code: 0,
      signal: null,
      stdout: '[2,4,6]\n',
      stderr: '',
    });
  });

  it('refuses options that mean nothing to it', () => {
    expect(codeOf(() => new ThreadPool({ context: 'spawn' } as never))).toBe('MP_UNKNOWN_OPTION');
    expect(codeOf(() => new ThreadPool({ resourceLimits: { maxOldSpace: 1 } as never }))).toBe('MP_UNKNOWN_OPTION');
    expect(codeOf(() => new ThreadPool({ resourceLimits: { stackSizeMb: -1 } }))).toBe('MP_INVALID_ARGUMENT');
    // Without the addon the start method is refused first.
    const refused = withAddon ? 'MP_INVALID_ARGUMENT' : 'MP_NO_ADDON';
    expect(codeOf(() => new Pool({ context: 'spawn', resourceLimits: { stackSizeMb: 4 } }))).toBe(refused);
    expect(codeOf(() => new Pool({ context: 'spawn', env: SHARE_ENV }))).toBe(refused);
    expect(codeOf(() => new Pool({ execArgv: '--flag' as never }))).toBe('MP_INVALID_ARGUMENT');
  });
});

describe('Pool', () => {
  itNeeds('processes')('gives its processes the environment and the Node options it was given', async () => {
    const env = { ...process.env, MULTIPROCESS_TEST: 'given' };
    await using pool = new Pool({ processes: 1, context: 'spawn', env, execArgv: ['--stack-trace-limit=33'] });
    expect(await pool.apply(() => [process.env['MULTIPROCESS_TEST'], Error.stackTraceLimit])).toEqual(['given', 33]);
  });
});

async function threadCount(): Promise<number> {
  const { readdirSync } = await import('node:fs');
  return readdirSync('/proc/self/task').length;
}
