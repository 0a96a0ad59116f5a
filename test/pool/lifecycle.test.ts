/** The life of pools, workers and the programs that have them. */
import { ClosedError, Event, Pool, type PoolEvent, ProcessError, TimeoutError, Value } from 'multiprocess';
import { describe, expect, it } from 'vitest';
import { alive } from '../support/processes.js';
import { program } from '../support/programs.js';
import { forked, threads, whoami } from '../support/start-method.js';
import { until } from '../support/until.js';

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const sleep = (ms: number): Promise<number> => new Promise((done) => setTimeout(() => done(ms), ms));
const pid = whoami;

describe('close and join', () => {
  it('close refuses new work with "Pool not running" and lets accepted work finish', async () => {
    const pool = new Pool({ processes: 1 });
    const results = [pool.apply(sleep, [100]), pool.map(sleep, [1, 2, 3])];
    const stream = pool.imap(sleep, [1]);
    pool.close();
    pool.close();
    const refusals = [
      pool.apply(pid),
      pool.map(pid as never, [1]),
      pool.starmap(pid as never, [[]]),
      pool.applyAsync(pid).get(),
    ];
    for (const refused of refusals) {
      await expect(refused).rejects.toBeInstanceOf(ClosedError);
      await expect(refused).rejects.toThrow(/Pool not running/);
      await expect(refused).rejects.toMatchObject({ code: 'MP_POOL_CLOSED' });
    }
    const calls = [
      () => pool.mapAsync(pid as never, [1]),
      () => pool.starmapAsync(pid as never, [[]]),
      () => pool.imap(pid as never, [1]),
      () => pool.imapUnordered(pid as never, [1]),
    ];
    for (const call of calls) expect(call).toThrow(/Pool not running/);
    await expect(stream.toArray()).rejects.toThrow(/Pool not running/);
    expect(await Promise.all(results)).toEqual([100, [1, 2, 3]]);
    await pool.join();
    expect(pool.stats()).toMatchObject({ workers: [], active: 0, queued: 0 });
    await pool.join();
  });

  it('terminate refuses new work by the name of the call', async () => {
    const pool = new Pool({ processes: 1 });
    const lost = expect(pool.apply(sleep, [30_000])).rejects.toThrow('terminated before this had a result');
    await pool.terminate();
    await lost;
    const refusal = (name: string) => ({
      code: 'MP_POOL_TERMINATED',
      message: expect.stringMatching(`^Pool.${name}: Pool not running: it was terminated`),
    });
    await expect(pool.apply(pid)).rejects.toMatchObject(refusal('apply'));
    await expect(pool.map(pid as never, [1])).rejects.toMatchObject(refusal('map'));
    await expect(pool.resize(2)).rejects.toMatchObject(refusal('resize'));
  });

  it('join of a running pool throws', async () => {
    await using pool = new Pool({ processes: 1 });
    await expect(pool.join()).rejects.toBeInstanceOf(ProcessError);
    await expect(pool.join()).rejects.toMatchObject({
      code: 'MP_POOL_RUNNING',
      message: expect.stringContaining('close()'),
    });
  });

  it('a signal or a timeout ends join, and leaves the work alone', async () => {
    const pool = new Pool({ processes: 1 });
    const [started, go] = [new Event(), new Event()];
    const result = pool.apply(async () => {
      started.set();
      return go.wait();
    });
    await started.wait();
    pool.close();
    const abort = new AbortController();
    const joined = expect(pool.join({ signal: abort.signal })).rejects.toThrow('enough');
    abort.abort(new Error('enough'));
    await joined;
    await expect(pool.join({ timeout: 1 })).rejects.toBeInstanceOf(TimeoutError);
    await expect(pool.join({ timout: 1 } as never)).rejects.toThrow('did you mean `timeout`');
    go.set();
    await pool.join({ timeout: 60_000, signal: new AbortController().signal });
    expect(await result).toBe(true);
  });

  it('a stream that was left half read does not hold join up, and can be read on afterwards', async () => {
    const pool = new Pool({ processes: 2 });
    const iterator = pool.imap((x: number) => x * 2, upTo(100), { window: 8 })[Symbol.asyncIterator]();
    expect((await iterator.next()).value).toBe(0);
    pool.close();
    await pool.join();
    expect(pool.stats().workers).toEqual([]);
    const rest: number[] = [];
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) rest.push(next.value);
    expect(rest).toEqual(
      upTo(100)
        .slice(1)
        .map((x) => x * 2),
    );
    await until(() => pool.stats().workers.length === 0, 'the end of the workers');
  });
});

// A fork has no process id before it runs.
describe.skipIf(forked)('a worker that is stopped (SIGSTOP) while it starts', () => {
  /** A thread cannot be stopped by itself; it is starting all the same. */
  const stop = (pids: number[]): void => {
    if (!threads) for (const pid of pids) process.kill(pid, 'SIGSTOP');
  };
  const pidsOf = (pool: Pool): number[] => pool.stats().workers.map(({ pid }) => pid!);

  it('is not waited for by join where nothing is left to do', async () => {
    const pool = new Pool({ processes: 2, gracePeriod: 50 });
    const events: string[] = [];
    pool.events.subscribe(({ type }) => events.push(type));
    const pids = pidsOf(pool);
    stop(pids);
    pool.close();
    await pool.join();
    expect(pool.stats()).toMatchObject({ workers: [], crashed: 0 });
    expect(events.filter((type) => type !== 'worker-start')).toEqual(['worker-exit', 'worker-exit']);
    if (!threads) expect(pids.filter(alive)).toEqual([]);
  });

  it('nor by resize, where others do the work', async () => {
    await using pool = new Pool({ processes: 1, gracePeriod: 50 });
    expect(await pool.apply((x: number) => x, [1])).toBe(1);
    const grown = pool.resize(3);
    const [first] = pool.stats().workers;
    stop(pidsOf(pool).slice(1));
    await Promise.all([pool.resize(1), grown]);
    expect(pool.stats().workers.map(({ name }) => name)).toEqual([first!.name]);
    expect(await pool.apply((x: number) => x, [2])).toBe(2);
  });

  it('but runs its initializer and its workerExit when it goes on', async () => {
    const ran = new Value('i', 0);
    const pool = new Pool({
      processes: 2,
      initializer: () => void ran.updateSync((n) => n + 1),
      workerExit: () => 'bye',
    });
    const pids = pidsOf(pool);
    stop(pids);
    pool.close();
    const joined = pool.join();
    if (!threads) for (const pid of pids) process.kill(pid, 'SIGCONT');
    await joined;
    expect([ran.value, pool.workerResults]).toEqual([2, ['bye', 'bye']]);
  });
});

describe('terminate', () => {
  it('settles everything, whatever stage it is at, and ends the workers', async () => {
    const pool = new Pool({ processes: 2 });
    const workers = threads ? [] : pool.stats().workers.map((worker) => worker.pid!);
    const stream = pool.imap(sleep, upTo(100).fill(1000));
    const pending = [
      ...upTo(10).map(() => pool.apply(sleep, [60_000])),
      pool.map(sleep, upTo(50).fill(60_000)),
      stream.toArray(),
      pool.imapUnordered(sleep, upTo(50).fill(60_000)).forEachAsync(() => {}),
      pool.applyAsync(sleep, [60_000]).get(),
    ];
    const outcomes = Promise.allSettled(pending);
    await pool.terminate();
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'MP_POOL_TERMINATED' } });
    }
    await stream.closed;
    expect(workers.filter(alive)).toEqual([]);
    expect(pool.stats()).toMatchObject({ workers: [], queued: 0, active: 0 });
    await Promise.all([pool.terminate(), pool.join(), pool[Symbol.asyncDispose]()]);
    await expect(pool.apply(pid)).rejects.toBeInstanceOf(ClosedError);
  });

  it('ends workers that ignore SIGTERM, also while their tasks go on giving results', async () => {
    const pool = new Pool({ processes: 1, gracePeriod: 150 });
    const deaf = (): number => {
      process.on('SIGTERM', () => {});
      return whoami();
    };
    const worker = await pool.apply(deaf);
    const busy = pool.mapAsync(sleep, upTo(200).fill(20), { chunkSize: 100 });
    await until(() => pool.stats().workers[0]!.items > 0, 'work at the worker');
    await pool.terminate();
    await expect(busy.get()).rejects.toMatchObject({ code: 'MP_POOL_TERMINATED' });
    expect(alive(worker)).toBe(false);
    const idle = new Pool({ processes: 1, gracePeriod: 100 });
    const other = await idle.apply(deaf);
    await idle.terminate();
    expect(alive(other)).toBe(false);
  });

  it('of a closed pool that is being joined ends the join', async () => {
    const pool = new Pool({ processes: 1 });
    const call = pool.apply(sleep, [60_000]);
    call.catch(() => {});
    pool.close();
    const joined = pool.join();
    await pool.terminate();
    await joined;
    await expect(call).rejects.toMatchObject({ code: 'MP_POOL_TERMINATED' });
  });
});

describe('maxTasksPerChild', () => {
  it('runs chunks that are larger than the life of a worker', async () => {
    await using pool = new Pool({ processes: 2, maxTasksPerChild: 3 });
    expect(await pool.map((x: number) => x + 1, [1, 2, 3, 4, 5], { chunkSize: 7 })).toEqual([2, 3, 4, 5, 6]);
    expect(await pool.imap((x: number) => x + 1, [1, 2, 3, 4], { chunkSize: 4, window: 40 }).toArray()).toEqual([
      2, 3, 4, 5,
    ]);
  });

  it('bounds the items of every worker, calls and chunks alike', async () => {
    await using pool = new Pool({ processes: 2, maxTasksPerChild: 10 });
    const count = () => {
      const scope = globalThis as { ran?: number };
      scope.ran = (scope.ran ?? 0) + 1;
      return [whoami(), scope.ran] as const;
    };
    const ran = await pool.map(count as (x: number) => readonly [number, number], upTo(60), { chunkSize: 7 });
    ran.push(...(await Promise.all(upTo(25).map(() => pool.apply(count)))));
    expect(Math.max(...ran.map(([, n]) => n))).toBeLessThanOrEqual(10);
    expect(new Set(ran.map(([worker]) => worker)).size).toBeGreaterThanOrEqual(9);
    expect(pool.stats().crashed).toBe(0);
  });

  it('lets every worker run one item only when it is 1', async () => {
    await using pool = new Pool({ processes: 2, maxTasksPerChild: 1 });
    const pids = await pool.map(pid as unknown as (x: number) => number, upTo(6));
    expect(new Set(pids).size).toBe(6);
  });
});

describe('idleTimeout', () => {
  it('lets idle workers go and starts new ones for new work', async () => {
    await using pool = new Pool({ processes: 2, idleTimeout: 100 });
    const first = await pool.apply(pid);
    await until(() => pool.stats().workers.length === 0, 'the end of the idle workers');
    expect(alive(first)).toBe(false);
    expect(pool.stats().crashed).toBe(0);
    expect(await pool.apply(pid)).not.toBe(first);
    expect(await pool.map((x: number) => x, upTo(10))).toEqual(upTo(10));
  });

  it('takes work that comes while the last worker is on its way out', async () => {
    await using pool = new Pool({ processes: 1, idleTimeout: 20 });
    for (let i = 0; i < 3; i++) {
      await pool.apply(pid);
      // A thread may be gone between two looks.
      await until(() => pool.stats().workers[0]?.state !== 'ready', 'a worker on its way out');
      expect(await pool.apply((x: number) => x, [i])).toBe(i);
    }
  });
});

describe('stats and events', () => {
  it('tell the size, the workers, what waits and what is under way', async () => {
    await using pool = new Pool({ processes: 1, concurrency: 1 });
    expect(pool.stats()).toMatchObject({ processes: 1, queued: 0, active: 0, started: 1, crashed: 0 });
    expect(pool.stats().workers).toMatchObject([
      {
        name: expect.stringMatching(
          threads ? /^ThreadPoolWorker-\d+$/ : forked ? /^ForkServerPoolWorker-\d+$/ : /^SpawnPoolWorker-\d+$/,
        ),
        number: 0,
        pid: forked ? null : expect.any(Number),
        ident: forked ? null : expect.any(Number),
        state: 'starting',
        items: 0,
      },
    ]);
    const calls = upTo(5).map(() => pool.apply(sleep, [10]));
    expect(pool.stats()).toMatchObject({ active: 5, queued: 3, workers: [{ items: 2 }] });
    await Promise.all(calls);
    expect(pool.stats()).toMatchObject({ active: 0, queued: 0, workers: [{ state: 'ready', items: 0 }] });
  });

  it('are of the workers in the order of their numbers, also when one was replaced', async () => {
    await using pool = new Pool({ processes: 3 });
    await pool.resize(3);
    await expect(pool.apply(() => process.exit(9))).rejects.toMatchObject({ exitCode: 9 });
    await until(() => pool.stats().workers.length === 3, 'the successor');
    expect(pool.stats().workers.map(({ number }) => number)).toEqual([0, 1, 2]);
    expect(pool.stats()).toMatchObject({ started: 4, crashed: 1 });
  });

  it('follow each worker from its start to its end', async () => {
    const pool = new Pool({ processes: 1, maxTasksPerChild: 2 });
    const events: PoolEvent[] = [];
    pool.events.subscribe((event) => events.push(event));
    await pool.apply(pid);
    await expect(pool.apply(() => process.exit(9))).rejects.toMatchObject({ exitCode: 9 });
    await pool.apply(pid);
    pool.close();
    await pool.join();
    expect(events.map((event) => event.type)).toEqual([
      'worker-start',
      'worker-ready',
      'worker-crash',
      'worker-start',
      'worker-ready',
      'worker-exit',
    ]);
    const crash = events[2]!;
    expect(crash).toMatchObject({ lostTasks: 1, error: { exitCode: 9 }, pid: (events[1] as { pid: number }).pid });
  });

  it('begin with the first workers for whoever subscribes right after the pool was made', async () => {
    await using pool = new Pool({ processes: 2, minProcesses: 1 });
    const numbers: number[] = [];
    pool.events.subscribe((event) => event.type === 'worker-start' && numbers.push(event.number));
    // One more is started in the same turn: it comes after the first.
    const calls = Promise.all([pool.apply(pid), pool.apply(pid)]);
    expect(numbers).toEqual([]);
    await calls;
    expect(numbers).toEqual([0, 1]);
  });
});

describe('a program', () => {
  it('with an idle pool that nobody closed ends with code 0', async () => {
    expect(await program('unclosed-pool.js').ended).toMatchObject({ code: 0, stdout: '[2,4,6]\n', stderr: '' });
  });

  it('with outstanding work stays alive until that is done', async () => {
    expect(await program('outstanding.js').ended).toEqual({
      code: 0,
      signal: null,
      stdout: 'apply 1\nmap 2,4\nstream 9\n',
      stderr: '',
    });
  });

  it('that awaits join and terminate gets there', async () => {
    expect(await program('joins.js').ended).toEqual({
      code: 0,
      signal: null,
      stdout: 'joined\nterminated\njoined idle\n',
      stderr: '',
    });
  });

  it('loses nothing its workers write to stdout and stderr', async () => {
    const { code, stdout, stderr } = await program('prints.js').ended;
    expect(code).toBe(0);
    // Counted in characters: when the pipe is full a write may be cut, and another worker's land in between.
    const wanted = Array.from({ length: 200 }, (_, i) => 10 * `out ${i} ${'x'.repeat(500)}\n`.length).reduce(
      (a, b) => a + b,
    );
    expect(stdout.length).toBe(wanted + 'end\n'.length);
    expect(stdout.endsWith('\nend\n')).toBe(true);
    expect(stderr.split('\n').filter((line) => line === 'err').length).toBe(200);
  });

  it('that is killed takes its workers along, idle and busy ones', async () => {
    const run = program('busy-and-idle.js');
    const [, list] = await run.line(/workers (.*)\n/);
    const workers = list!.split(' ').map(Number);
    expect(workers.filter(alive)).toEqual(workers);
    run.child.kill('SIGKILL');
    expect(await run.ended).toMatchObject({ signal: 'SIGKILL' });
    await until(() => workers.filter(alive).length === 0, 'the end of all workers');
  });

  it('that gets Ctrl-C ends, and so do its workers', async () => {
    const run = program('busy-and-idle.js');
    const [, list] = await run.line(/workers (.*)\n/);
    process.kill(-run.child.pid!, 'SIGINT');
    expect(await run.ended).toMatchObject({ signal: 'SIGINT', stderr: '' });
    await until(() => list!.split(' ').map(Number).filter(alive).length === 0, 'the end of all workers');
  });

  it('that handles Ctrl-C itself keeps its workers and can end in order', async () => {
    const run = program('handles-interrupt.js');
    await run.line(/running\n/);
    process.kill(-run.child.pid!, 'SIGINT');
    expect(await run.ended).toEqual({
      code: 0,
      signal: null,
      stdout: 'running\ninterrupted\nresult 400\nclosed\n',
      stderr: '',
    });
  });

  it('that starts a pool while its module loads in a worker is told how to guard it', async () => {
    const { code, stdout } = await program('unguarded.js').ended;
    expect(stdout).toContain('MP_BOOTSTRAPPING');
    expect(code).toBe(0);
  });
});
