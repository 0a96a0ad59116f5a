/** Workers that die while they run something: exactly the running item is blamed, everything else arrives, once. */
import { Pool, WorkerCrashError } from 'multiprocess';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { slots } from '../support/concurrency.js';
import { Ledger } from '../support/ledger.js';
import { alive } from '../support/processes.js';
import { program } from '../support/programs.js';
import { threads, whoami } from '../support/start-method.js';
import { until } from '../support/until.js';

const attempts = new URL('../fixtures/tasks/attempts.js', import.meta.url);
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const pid = whoami;
type Deadly = { ledger: string; i: number; dies: number };
/** Leaves a trace, then kills its process if its number is up. */
const deadly = ({ ledger, i, dies }: Deadly): number => {
  process.getBuiltinModule('node:fs').appendFileSync(ledger, `${i}\n`);
  if (i === dies && process.getBuiltinModule('node:worker_threads').isMainThread) process.kill(process.pid, 'SIGKILL');
  // Nobody can be killed from outside among threads.
  if (i === dies) process.exit(1);
  return i * 2;
};

let pool: Pool;
let ledger: Ledger;
beforeAll(() => {
  pool = new Pool({ processes: 2, gracePeriod: 200 });
});
afterAll(() => pool.terminate());
beforeEach(() => {
  ledger = new Ledger();
  return () => ledger[Symbol.dispose]();
});

describe('a worker that dies in a call', () => {
  const deaths: [string, () => unknown, { exitCode: number | null; signal: string | null }][] = [
    ['by SIGKILL', () => process.kill(process.pid, 'SIGKILL'), { exitCode: null, signal: 'SIGKILL' }],
    [
      'by SIGTERM',
      () => {
        process.kill(process.pid, 'SIGTERM');
        return new Promise(() => setInterval(() => {}, 1000));
      },
      { exitCode: null, signal: 'SIGTERM' },
    ],
    ['by process.exit(0)', () => process.exit(0), { exitCode: 0, signal: null }],
    ['by process.exit(42)', () => process.exit(42), { exitCode: 42, signal: null }],
    ['by process.abort()', () => process.abort(), { exitCode: null, signal: 'SIGABRT' }],
  ];
  for (const [how, fn, expected] of deaths.filter(([, , { exitCode }]) => !threads || exitCode !== null)) {
    it(`${how} fails it with its pid, exit code and signal`, async () => {
      const error: unknown = await pool.apply(fn as () => unknown).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(WorkerCrashError);
      expect(error).toMatchObject({ code: 'MP_WORKER_CRASH', pid: expect.any(Number), ...expected });
      expect((error as Error).message).toContain(String((error as WorkerCrashError).pid));
    });
  }

  it('by an uncaught exception or an unhandled rejection fails it, and the trace is on stderr', async () => {
    const { stdout, stderr, code } = await program('uncaught.js').ended;
    expect(stdout).toBe('exception MP_WORKER_CRASH 1\nrejection MP_WORKER_CRASH 1\n');
    expect(stderr).toContain('thrown from a timer');
    expect(stderr).toContain('rejected for nobody');
    expect(code).toBe(0);
  });

  it('because memory ran out fails it, and the pool goes on', async () => {
    // One scavenge must not move more than the 16 MiB Node has in hand for a thread: beyond them the whole process ends.
    const env = { NODE_OPTIONS: '--max-old-space-size=64 --max-semi-space-size=1' };
    const { stdout, code } = await program('out-of-memory.js', [], { env }).ended;
    expect(stdout).toBe('MP_WORKER_CRASH\nalive 2\n');
    expect(code).toBe(0);
  });

  it('is replaced, and every other call arrives exactly once', async () => {
    const calls = upTo(60).map((i) => pool.apply(deadly, [{ ledger: ledger.path, i, dies: i % 20 === 10 ? i : -1 }]));
    const outcomes = await Promise.allSettled(calls);
    for (const [i, outcome] of outcomes.entries()) {
      if (i % 20 === 10) expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(WorkerCrashError) });
      else expect(outcome).toEqual({ status: 'fulfilled', value: i * 2 });
    }
    expect(
      ledger
        .lines()
        .map(Number)
        .sort((a, b) => a - b),
    ).toEqual(upTo(60));
    await until(
      () => pool.stats().workers.filter((worker) => worker.state === 'ready').length === 2,
      'two ready workers',
    );
  });
});

describe('a worker that dies in a chunk', () => {
  for (const [place, dies] of [
    ['first', 0],
    ['middle', 4],
    ['last', 9],
  ] as const) {
    it(`at its ${place} item: that item alone fails and everything else runs once`, async () => {
      const items = upTo(30).map((i) => ({ ledger: ledger.path, i, dies: dies + 10 }));
      const outcomes = await pool.imap(deadly, items, { chunkSize: 10, window: 60, errors: 'settle' }).toArray();
      expect(outcomes.map((outcome) => outcome.status === 'fulfilled')).toEqual(upTo(30).map((i) => i !== dies + 10));
      expect(outcomes[dies + 10]).toMatchObject({
        reason: { code: 'MP_WORKER_CRASH', signal: threads ? null : 'SIGKILL' },
      });
      expect(
        ledger
          .lines()
          .map(Number)
          .sort((a, b) => a - b),
      ).toEqual(upTo(30));
    });
  }

  it('makes map fail after all others ran, and imap deliver what came before', async () => {
    const items = upTo(20).map((i) => ({ ledger: ledger.path, i, dies: 7 }));
    await expect(pool.map(deadly, items, { chunkSize: 5 })).rejects.toBeInstanceOf(WorkerCrashError);
    expect(
      ledger
        .lines()
        .map(Number)
        .sort((a, b) => a - b),
    ).toEqual(upTo(20));
    const seen: number[] = [];
    const read = async () => {
      for await (const value of pool.imap(deadly, items, { chunkSize: 5, window: 40 })) seen.push(value);
    };
    await expect(read()).rejects.toBeInstanceOf(WorkerCrashError);
    expect(seen).toEqual(upTo(7).map((i) => i * 2));
  });

  it('skips it with errors: skip, in order', async () => {
    const items = upTo(20).map((i) => ({ ledger: ledger.path, i, dies: 7 }));
    const values = await pool.imap(deadly, items, { chunkSize: 4, errors: 'skip' }).toArray();
    expect(values).toEqual(
      upTo(20)
        .filter((i) => i !== 7)
        .map((i) => i * 2),
    );
  });
});

describe('retries', () => {
  it('run the blamed item again, with its attempt number, until they are used up', async () => {
    expect(await pool.apply<unknown[], number>(attempts, [2, ledger.path], { retries: 2 })).toBe(2);
    expect(ledger.lines()).toEqual(['attempt 0', 'attempt 1', 'attempt 2']);
    await expect(pool.apply(attempts, [3, ledger.path], { retries: 1 })).rejects.toBeInstanceOf(WorkerCrashError);
    expect(ledger.lines().slice(3)).toEqual(['attempt 0', 'attempt 1']);
  });

  it('hold for single items of chunks', async () => {
    expect(await pool.map(attempts, [0, 1, 0, 2, 0], { retries: 2, chunkSize: 5 })).toEqual([0, 1, 0, 2, 0]);
    const outcomes = await pool
      .imap<number, number>(attempts, [0, 2, 0], { retries: 1, chunkSize: 3, window: 12, errors: 'settle' })
      .toArray();
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('do not apply to errors and time limits', async () => {
    const failing = (path: string): never => {
      process.getBuiltinModule('node:fs').appendFileSync(path, 'ran\n');
      throw new Error('own');
    };
    await expect(pool.apply(failing, [ledger.path], { retries: 5 })).rejects.toThrow('own');
    const hanging = (path: string): Promise<never> => {
      process.getBuiltinModule('node:fs').appendFileSync(path, 'ran\n');
      return new Promise(() => setInterval(() => {}, 1000));
    };
    await expect(pool.apply(hanging, [ledger.path], { retries: 5, timeout: 100 })).rejects.toMatchObject({
      code: 'MP_TIMEOUT',
    });
    await pool.map(pid as unknown as (x: number) => number, upTo(8), { chunkSize: 1 });
    expect(ledger.lines()).toEqual(['ran', 'ran']);
  });
});

describe('a worker that dies while nothing of it runs', () => {
  it.skipIf(threads)('is replaced when it was idle, and nothing is blamed', async () => {
    await pool.map((x: number) => x, upTo(10));
    await until(() => pool.stats().workers.every((worker) => worker.state === 'ready'), 'ready workers');
    const before = pool.stats().workers.map((worker) => worker.pid!);
    for (const one of before) process.kill(one, 'SIGKILL');
    expect(await Promise.all(upTo(20).map((i) => pool.apply((x: number) => x, [i])))).toEqual(upTo(20));
    expect(before.filter(alive)).toEqual([]);
    await until(() => pool.stats().workers.filter((worker) => worker.state === 'ready').length === 2, 'a full pool');
  });

  it.skipIf(threads)('while items wait at it loses none of them', async () => {
    await using one = new Pool({ processes: 1, gracePeriod: 100 });
    const victim = await one.apply(pid);
    const hanging = (path: string): Promise<never> => {
      process.getBuiltinModule('node:fs').appendFileSync(path, '100\n');
      return new Promise(() => setInterval(() => {}, 1000));
    };
    const running = Array.from({ length: slots }, () => one.apply(hanging, [ledger.path]));
    const behind = upTo(10).map((i) => one.apply(deadly, [{ ledger: ledger.path, i, dies: -1 }]));
    for (const each of running) each.catch(() => {});
    await until(() => ledger.lines().length === slots, 'the start of all that may run');
    process.kill(victim, 'SIGKILL');
    for (const each of await Promise.allSettled(running))
      expect(each).toMatchObject({ status: 'rejected', reason: { code: 'MP_WORKER_CRASH', pid: victim } });
    expect(await Promise.allSettled(behind)).toEqual(upTo(10).map((i) => ({ status: 'fulfilled', value: i * 2 })));
    expect(
      ledger
        .lines()
        .map(Number)
        .sort((a, b) => a - b),
    ).toEqual([...upTo(10), ...running.map(() => 100)]);
  });

  it.skipIf(threads)('while a huge result is on its way fails that item only', async () => {
    await using one = new Pool({ processes: 1 });
    const huge = (path: string): Uint8Array => {
      // Dies from outside the loop while the result, larger than the ring, follows in parts.
      const { appendFileSync } = process.getBuiltinModule('node:fs');
      const { spawn } = process.getBuiltinModule('node:child_process');
      appendFileSync(path, 'ran\n');
      spawn('kill', ['-9', String(process.pid)], { stdio: 'ignore' });
      return new Uint8Array(512 << 20);
    };
    const outcome = one.apply(huge, [ledger.path]);
    const behind = one.apply((x: number) => x, [5]);
    await expect(outcome).rejects.toBeInstanceOf(WorkerCrashError);
    expect(await behind).toBe(5);
    expect(ledger.lines()).toEqual(['ran']);
  });
});

describe('what else may happen at a death', () => {
  it('terminating the pool in the event of it settles everything', async () => {
    const own = new Pool({ processes: 1 });
    own.events.subscribe((event) => {
      if (event.type === 'worker-crash') void own.terminate();
    });
    const outcomes = await Promise.allSettled([
      own.apply(() => process.exit(3)),
      own.apply(pid),
      own.apply(pid),
      own.map(pid as never, [1, 2, 3]),
    ]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['rejected', 'rejected', 'rejected', 'rejected']);
    await own.terminate();
  });

  it('a chunk whose stream was left does not come back', async () => {
    const stream = pool.imapUnordered(
      deadly,
      upTo(6).map((i) => ({ ledger: ledger.path, i, dies: 3 })),
      { chunkSize: 6, window: 24 },
    );
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    await iterator.return?.();
    await stream.closed;
    const ran = ledger.lines().length;
    await pool.map((x: number) => x, upTo(4), { chunkSize: 1 });
    expect(ledger.lines().length).toBe(ran);
  });
});
