/** Giving tasks up: signals, time limits, and that nobody else is harmed. */
import { Pool, QueueFullError, TimeoutError } from 'multiprocess';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { block, turn } from '../support/block.js';
import { slots } from '../support/concurrency.js';
import { Ledger } from '../support/ledger.js';
import { nearly } from '../support/nearly.js';
import { alive } from '../support/processes.js';
import { whoami } from '../support/start-method.js';
import { until } from '../support/until.js';

const cooperative = new URL('../fixtures/tasks/cooperative.js', import.meta.url);
const endless = (): Promise<never> => new Promise(() => setInterval(() => {}, 1000));
const sleep = (ms: number): Promise<number> => new Promise((done) => setTimeout(() => done(ms), ms));
const spin = (ms: number): number => {
  for (const end = Date.now() + ms; Date.now() < end; );
  return ms;
};
const pid = whoami;
/** Writes its name, then never ends and hears no signal. */
const stubborn = (path: string, name: string): Promise<never> => {
  process.getBuiltinModule('node:fs').appendFileSync(path, `${name} ${whoami()}\n`);
  return new Promise(() => setInterval(() => {}, 1000));
};
const reason = new Error('given up');

let pool: Pool;
let ledger: Ledger;
async function fresh(): Promise<void> {
  pool = new Pool({ processes: 1, gracePeriod: 250 });
  await pool.apply(pid);
}
beforeAll(fresh);
afterAll(() => pool.terminate());
beforeEach(async ({ onTestFailed }) => {
  // A failure must not spoil the tests behind it.
  onTestFailed(async () => {
    await pool.terminate();
    await fresh();
  });
  ledger = new Ledger();
  // Where a worker runs several items, one that is about to be killed takes those of the next test with it.
  await idle();
  return () => ledger[Symbol.dispose]();
});

/** Nothing runs in the pool, not even what was cancelled and did not stop. */
const idle = (): Promise<void> => until(() => pool.stats().running === 0, 'the end of all items');

/** The pool's one worker is free and answers. */
async function settled(): Promise<number> {
  await idle();
  return await pool.apply(pid);
}

describe('a signal', () => {
  it('that was aborted before the call refuses it, and nothing runs', async () => {
    const signal = AbortSignal.abort(reason);
    await expect(pool.apply(stubborn, [ledger.path, 'x'], { signal })).rejects.toBe(reason);
    await expect(pool.map((path: string) => path, [ledger.path], { signal })).rejects.toBe(reason);
    await expect(pool.imap((path: string) => path, [ledger.path], { signal }).toArray()).rejects.toBe(reason);
    await settled();
    expect(ledger.lines()).toEqual([]);
  });

  it('takes back a call that waits in the queue', async () => {
    const running = Array.from({ length: 3 * slots }, (_, i) => pool.apply(sleep, [i < slots ? 150 : 1]));
    const controller = new AbortController();
    const queued = pool.apply(stubborn, [ledger.path, 'queued'], { signal: controller.signal });
    controller.abort(reason);
    await expect(queued).rejects.toBe(reason);
    await Promise.all(running);
    await settled();
    expect(ledger.lines()).toEqual([]);
  });

  it('takes back a call that was sent and has not begun', async () => {
    const worker = await settled();
    const running = Array.from({ length: slots }, () => pool.apply(sleep, [150]));
    const controller = new AbortController();
    const sent = pool.apply(stubborn, [ledger.path, 'sent'], { signal: controller.signal });
    await turn();
    expect(pool.stats()).toMatchObject({ queued: 0, active: slots + 1 });
    controller.abort(reason);
    await expect(sent).rejects.toBe(reason);
    expect(pool.stats().active).toBe(slots);
    await Promise.all(running);
    expect(await settled()).toBe(worker);
    expect(ledger.lines()).toEqual([]);
  });

  it('reaches a running task through currentTask().signal, and its worker lives on', async () => {
    const worker = await settled();
    const controller = new AbortController();
    const task = pool.apply<unknown[], string>(cooperative, [ledger.path, 'a'], { signal: controller.signal });
    await until(() => ledger.lines().length === 1, 'the start of the task');
    controller.abort(reason);
    await expect(task).rejects.toBe(reason);
    expect(await settled()).toBe(worker);
    expect(ledger.lines()).toEqual([`a started ${worker}`, 'a stopped']);
  });

  it('kills the worker of a task that does not react within gracePeriod, and only that one', async () => {
    await using two = new Pool({ processes: 2, gracePeriod: 100, concurrency: 1 });
    const other = two.applyAsync(
      (ms: number) => new Promise<number>((done) => setTimeout(() => done(whoami()), ms)),
      [900],
    );
    const controller = new AbortController();
    const task = two.apply(stubborn, [ledger.path, 'a'], { signal: controller.signal });
    await until(() => ledger.lines().length === 1, 'the start of the task');
    const victim = Number(ledger.lines()[0]!.split(' ')[1]);
    const before = performance.now();
    controller.abort(reason);
    await expect(task).rejects.toBe(reason);
    await until(() => !alive(victim), 'the end of the stubborn worker');
    expect(performance.now() - before).toBeGreaterThanOrEqual(nearly(100));
    const survivor = await other;
    expect(survivor).not.toBe(victim);
    expect(alive(survivor)).toBe(true);
    expect(await two.apply(pid)).toBeTypeOf('number');
  });

  it('shared by many calls and used once leaves the others, and no listeners behind', async () => {
    const warnings: Error[] = [];
    const watch = (warning: Error) => warnings.push(warning);
    process.on('warning', watch);
    const controller = new AbortController();
    const calls = Array.from({ length: 200 }, (_, i) =>
      pool.apply((x: number) => x, [i], { signal: controller.signal }),
    );
    expect(await Promise.all(calls)).toHaveLength(200);
    controller.abort(reason);
    expect(await pool.apply((x: number) => x, [1])).toBe(1);
    process.off('warning', watch);
    expect(warnings).toEqual([]);
  });

  it('that comes while results are unread stops the task that runs, not the one before it', async () => {
    const controller = new AbortController();
    const quick = pool.apply(sleep, [1]);
    const task = pool.apply<unknown[], string>(cooperative, [ledger.path, 'late'], { signal: controller.signal });
    task.catch(() => {});
    await turn();
    block(300);
    controller.abort(reason);
    await expect(task).rejects.toBe(reason);
    expect(await quick).toBe(1);
    await settled();
    // It may have been taken back before it began; if it ran it heard the signal.
    if (ledger.lines().length > 0) expect(ledger.lines().at(-1)).toBe('late stopped');
  });

  it('kills a stubborn task that began while the result of the one before it was unread', async () => {
    const controller = new AbortController();
    const quick = pool.apply(sleep, [1]);
    const task = pool.apply(stubborn, [ledger.path, 'late'], { signal: controller.signal });
    task.catch(() => {});
    await turn();
    block(300);
    controller.abort(reason);
    await expect(task).rejects.toBe(reason);
    expect(await quick).toBe(1);
    await settled();
  });

  it('kills a stubborn item that began while the result of the chunk item before it was unread', async () => {
    await settled();
    const controller = new AbortController();
    const task = (x: number): Promise<number> =>
      new Promise((done) => setTimeout(() => (x === 0 ? done(x) : setInterval(() => {}, 1000)), 100));
    const stream = pool.imap(task, [0, 1], { chunkSize: 2, window: 8, signal: controller.signal });
    const all = stream.toArray();
    all.catch(() => {});
    await turn();
    block(400);
    controller.abort(reason);
    await expect(all).rejects.toBe(reason);
    await stream.closed;
    await settled();
  });

  it('stops a task that began while the unread result before it ended a stopped chunk', async () => {
    await settled();
    const first = new AbortController();
    const second = new AbortController();
    const chunk = pool.map((ms: number) => new Promise<number>((done) => setTimeout(() => done(ms), ms)), [100, 1, 1], {
      chunkSize: 3,
      signal: first.signal,
    });
    chunk.catch(() => {});
    await turn();
    const call = pool.apply(stubborn, [ledger.path, 'behind'], { signal: second.signal });
    call.catch(() => {});
    await turn();
    first.abort(reason);
    block(400);
    second.abort(reason);
    await expect(chunk).rejects.toBe(reason);
    await expect(call).rejects.toBe(reason);
    await settled();
  });

  // A worker that runs several gives records back when it has decoded them: see test/pool/concurrency.test.ts.
  it.skipIf(slots > 1)('takes back the right record after its place in the ring was used again', async () => {
    // The worker has finished the first calls, unread; behind it waits on a long one while the ring goes once round.
    const echo = (i: number, bytes: Uint8Array, ms: number): number => {
      for (const end = Date.now() + ms; Date.now() < end; );
      return i + bytes.reduce((sum, byte) => sum + byte, 0);
    };
    const bytes = new Uint8Array(2000);
    await Promise.all(Array.from({ length: 3000 }, (_, i) => pool.apply(echo, [i, new Uint8Array(0), 0])));
    for (let round = 0; round < 6; round++) {
      const controllers = Array.from({ length: 8 }, () => new AbortController());
      const calls = controllers.map(({ signal }, i) => pool.apply(echo, [i, bytes, 0], { signal }));
      calls.push(pool.apply(echo, [8, bytes, 150]));
      await new Promise<void>((done) => process.nextTick(done));
      block(60);
      for (let i = 9; i < 300; i++) calls.push(pool.apply(echo, [i, bytes.subarray(round), 0]));
      for (const controller of controllers) controller.abort(reason);
      const outcomes = await Promise.allSettled(calls);
      for (const [i, outcome] of outcomes.entries()) {
        if (outcome.status === 'fulfilled') expect(outcome.value).toBe(i);
        else expect([outcome.reason, i < 8]).toEqual([reason, true]);
      }
    }
  });
});

describe('cancel()', () => {
  it('rejects at once with its reason, or with an AbortError', async () => {
    const one = pool.applyAsync(endless);
    one.cancel(reason);
    await expect(one.get()).rejects.toBe(reason);
    const other = pool.mapAsync(sleep, [60_000]);
    other.cancel();
    await expect(other.get()).rejects.toMatchObject({ name: 'AbortError' });
    await settled();
  });

  it('does nothing to a result that is ready', async () => {
    const result = pool.applyAsync(pid);
    const value = await result;
    result.cancel(reason);
    expect(await result.get()).toBe(value);
    expect(result.successful()).toBe(true);
  });

  it('of a map stops what runs and drops what waits, and other work of the same pool arrives', async () => {
    const map = pool.mapAsync(
      sleep,
      Array.from({ length: 500 }, () => 20),
      { chunkSize: 1 },
    );
    const other = pool.mapAsync((x: number) => x + 1, [1, 2, 3]);
    await turn();
    map.cancel(reason);
    await expect(map.get()).rejects.toBe(reason);
    expect(await other).toEqual([2, 3, 4]);
  });

  it('of a huge argument that still follows in parts keeps it from running', async () => {
    await settled();
    const blocker = pool.apply(spin, [200]);
    const huge = pool.applyAsync(
      (path: string, bytes: Uint8Array) => {
        process.getBuiltinModule('node:fs').appendFileSync(path, `ran ${bytes.length}\n`);
        return new Promise<never>(() => setInterval(() => {}, 1000));
      },
      [ledger.path, new Uint8Array(4 << 20)],
    );
    await turn();
    huge.cancel(reason);
    await expect(huge.get()).rejects.toBe(reason);
    await blocker;
    await settled();
    expect(ledger.lines()).toEqual([]);
  });
});

describe('timeout', () => {
  it('is named as it was given, 0 too', async () => {
    const words = /(longer than its timeout|begin it within its timeout) of 0 ms/;
    await expect(pool.apply(sleep, [60_000], { timeout: 0 })).rejects.toThrow(words);
    await expect(pool.map(sleep, [60_000], { timeout: 0 })).rejects.toThrow(words);
  });

  it('counts from the start of the item, not from the call', async () => {
    const before = performance.now();
    const calls = Array.from({ length: 4 * slots }, () => pool.apply(sleep, [150], { timeout: 400 }));
    expect(new Set(await Promise.all(calls))).toEqual(new Set([150]));
    expect(performance.now() - before).toBeGreaterThanOrEqual(nearly(600));
  });

  it('rejects with TimeoutError, tells the task, and spares a worker that obeys', async () => {
    const worker = await settled();
    await expect(pool.apply(cooperative, [ledger.path], { timeout: 100 })).rejects.toBeInstanceOf(TimeoutError);
    expect(await settled()).toBe(worker);
    expect(ledger.lines().at(-1)).toBe('task stopped');
  });

  it('kills a worker that spins, and the calls behind it run elsewhere', async () => {
    const worker = await settled();
    const late = pool.apply(spin, [60_000], { timeout: 100 });
    const behind = [pool.apply(pid), pool.apply(pid), pool.apply(pid)];
    await expect(late).rejects.toMatchObject({ name: 'TimeoutError', code: 'MP_TIMEOUT' });
    for (const other of await Promise.all(behind)) expect(other).not.toBe(worker);
  });

  it('holds for each item of a chunk by itself', async () => {
    expect(await pool.map(sleep, [400, 400, 400, 400], { chunkSize: 4, timeout: 1_500 })).toEqual([400, 400, 400, 400]);
    const outcomes = await pool
      .imap(sleep, [1, 60_000, 2], { chunkSize: 3, window: 8, timeout: 1_000, errors: 'settle' })
      .toArray();
    expect(outcomes).toEqual([
      { status: 'fulfilled', value: 1 },
      { status: 'rejected', reason: expect.any(TimeoutError) },
      { status: 'fulfilled', value: 2 },
    ]);
  });

  it('does not strike an item that was done in time while this process was busy', async () => {
    await settled();
    const quick = pool.apply(sleep, [30], { timeout: 150 });
    const chunk = pool.map(sleep, [30, 30, 30], { timeout: 150, chunkSize: 3 });
    await until(() => pool.stats().active === 2 && pool.stats().queued === 0, 'both sent');
    for (let i = 0; i < 4; i++) {
      block(200);
      await turn();
    }
    expect(await quick).toBe(30);
    expect(await chunk).toEqual([30, 30, 30]);
  });

  it('longer than a timer can hold is no limit at all', async () => {
    expect(await pool.apply(sleep, [50], { timeout: 2 ** 31, queueTimeout: 2 ** 40 })).toBe(50);
    expect(await pool.map(sleep, [50], { timeout: 2 ** 33, queueTimeout: 2 ** 31 })).toEqual([50]);
    const result = pool.applyAsync(sleep, [50]);
    expect(await result.wait({ timeout: 2 ** 31 })).toBe(true);
    expect(await pool.applyAsync(sleep, [50]).get({ timeout: 2 ** 32 })).toBe(50);
  });
});

describe('gracePeriod', () => {
  it('longer than a timer can hold never kills', async () => {
    await using patient = new Pool({ processes: 1, gracePeriod: 2 ** 31, idleTimeout: 2 ** 31 });
    const worker = await patient.apply(pid);
    const task = patient.applyAsync(
      (path: string, ms: number) => {
        process.getBuiltinModule('node:fs').appendFileSync(path, 'started\n');
        return new Promise((done) => setTimeout(done, ms));
      },
      [ledger.path, 300],
    );
    await until(() => ledger.lines().length === 1, 'the start of the task');
    task.cancel(reason);
    await expect(task.get()).rejects.toBe(reason);
    expect(await patient.apply(pid)).toBe(worker);
  });
});

describe('queueTimeout', () => {
  it('rejects what no worker has begun in time, and that is not run', async () => {
    const running = Array.from({ length: slots }, () => pool.apply(sleep, [400]));
    const write = (path: string) => process.getBuiltinModule('node:fs').appendFileSync(path, 'ran\n');
    const sent = pool.apply(write, [ledger.path], { queueTimeout: 50 });
    const queued = pool.apply(write, [ledger.path], { queueTimeout: 50 });
    const map = pool.map(write, [ledger.path, ledger.path], { queueTimeout: 50, chunkSize: 1 });
    for (const late of [sent, queued, map]) {
      await expect(late).rejects.toBeInstanceOf(TimeoutError);
      await expect(late).rejects.toMatchObject({ code: 'MP_QUEUE_TIMEOUT' });
    }
    expect(new Set(await Promise.all(running))).toEqual(new Set([400]));
    await settled();
    expect(ledger.lines()).toEqual([]);
  });

  it('does not count the time an item runs', async () => {
    expect(await pool.apply(sleep, [300], { queueTimeout: 100 })).toBe(300);
    expect(await pool.map(sleep, [300], { queueTimeout: 100 })).toEqual([300]);
  });

  it('does not strike what began in time while this process was busy', async () => {
    await settled();
    const first = pool.apply(sleep, [60]);
    const call = pool.apply(sleep, [400], { queueTimeout: 200 });
    await turn();
    block(400);
    expect(await call).toBe(400);
    expect(await first).toBe(60);
    const map = pool.map(sleep, [60, 400], { queueTimeout: 200, chunkSize: 2 });
    await turn();
    block(400);
    expect(await map).toEqual([60, 400]);
  });
});

describe('priority', () => {
  it('decides who goes first among those that wait', async () => {
    const blocker = pool.apply(sleep, [100]);
    const order: string[] = [];
    const note = (name: string) => () => order.push(name);
    const calls = [
      pool.apply(pid, [], { priority: -1 }).then(note('low')),
      pool.apply(pid).then(note('normal 1')),
      pool.apply(pid, [], { priority: 5 }).then(note('high')),
      pool.apply(pid).then(note('normal 2')),
      pool.apply(pid, [], { priority: 5 }).then(note('high 2')),
    ];
    await Promise.all([blocker, ...calls]);
    expect(order).toEqual(['high', 'high 2', 'normal 1', 'normal 2', 'low']);
  });

  it('goes before what was handed to the worker already and not begun', async () => {
    await pool.map(pid, Array(200).fill(0)); // items seem short: the worker is given many
    const blocker = pool.apply(sleep, [100]);
    const order: number[] = [];
    const low = Array.from({ length: 20 }, (_, i) => pool.apply((x: number) => x, [i]).then((x) => order.push(x)));
    const high = pool.apply((x: number) => x, [-1], { priority: 1 }).then((x) => order.push(x));
    await Promise.all([blocker, high, ...low]);
    expect(order).toEqual([-1, ...low.keys()]);
  });

  it('may be another one for each call without costs that grow', { timeout: 120_000 }, async () => {
    const started = pool.stats().started;
    const calls = Array.from({ length: 20_000 }, (_, i) => pool.apply((x: number) => x, [i], { priority: -i }));
    expect((await Promise.all(calls)).every((value, i) => value === i)).toBe(true);
    expect(pool.stats()).toMatchObject({ started, active: 0 });
  });
});

describe('fairness', () => {
  it('an endless imap does not starve calls and maps', async () => {
    let running = true;
    function* endlessSource(): Generator<number> {
      for (let i = 0; running; i++) yield i;
    }
    const stream = pool.imapUnordered((x: number) => x, endlessSource()).forEachAsync(() => {});
    for (let i = 0; i < 20; i++) {
      expect(await pool.apply((x: number) => x * 2, [i])).toBe(i * 2);
      expect(await pool.map((x: number) => x + 1, [i, i + 1])).toEqual([i + 1, i + 2]);
    }
    running = false;
    await stream;
  });

  it('two endless streams both go on', async () => {
    function* numbers(): Generator<number> {
      for (let i = 0; ; i++) yield i;
    }
    const one = pool.imap(spin, numbersOf(2), { chunkSize: 1 })[Symbol.asyncIterator]();
    const other = pool.imap((x: number) => x, numbers(), { chunkSize: 1 })[Symbol.asyncIterator]();
    for (let i = 0; i < 30; i++) {
      expect((await one.next()).done).toBe(false);
      expect((await other.next()).value).toBe(i);
    }
    await one.return?.();
    await other.return?.();

    function* numbersOf(ms: number): Generator<number> {
      for (;;) yield ms;
    }
  });

  it('a call behind an endless one goes to the idle worker', async () => {
    await using two = new Pool({ processes: 2, gracePeriod: 100 });
    await Promise.all([two.apply(sleep, [50]), two.apply(sleep, [50])]);
    const long = two.applyAsync(endless);
    const short = two.apply(sleep, [50]);
    const third = two.apply(sleep, [1]);
    const fourth = two.apply(sleep, [1]);
    expect(await Promise.all([short, third, fourth])).toEqual([50, 1, 1]);
    long.cancel();
  });

  it('a call with a huge argument behind an endless one goes to the idle worker', async () => {
    await using two = new Pool({ processes: 2, gracePeriod: 100 });
    await Promise.all([two.apply(sleep, [50]), two.apply(sleep, [50])]);
    const long = two.applyAsync(endless);
    const short = two.apply(sleep, [50]);
    const size = (bytes: Uint8Array): number => bytes.length;
    const third = two.apply(size, [new Uint8Array(1 << 20)]);
    const fourth = two.apply(size, [new Uint8Array(1 << 20)]);
    expect(await Promise.all([short, third, fourth])).toEqual([50, 1 << 20, 1 << 20]);
    long.cancel();
  });
});

describe('maxQueue', () => {
  it('refuses one call more than may wait, whatever its priority, and takes calls again when there is room', async () => {
    await using small = new Pool({ processes: 1, maxQueue: 3, gracePeriod: 100 });
    await small.apply(pid);
    const held = Array.from({ length: slots }, () => small.apply(sleep, [200]));
    const waiting = [small.apply(pid), small.apply(pid, [], { priority: 1 }), small.apply(pid, [], { priority: 2 })];
    const refused = small.apply(pid);
    await expect(refused).rejects.toBeInstanceOf(QueueFullError);
    await expect(refused).rejects.toThrow(/maxQueue is 3/);
    await expect(small.apply(pid, [], { priority: 9 })).rejects.toBeInstanceOf(QueueFullError);
    await Promise.all([...held, ...waiting]);
    expect(await small.apply(pid)).toBeTypeOf('number');
  });

  it('does not count calls that were cancelled', async () => {
    await using small = new Pool({ processes: 1, maxQueue: 2, gracePeriod: 100 });
    await small.apply(pid);
    const held = [small.apply(sleep, [300]), small.apply(sleep, [1])];
    for (let i = 0; i < 10; i++) {
      const call = small.applyAsync(pid);
      call.cancel(reason);
      await expect(call.get()).rejects.toBe(reason);
    }
    expect(await small.apply(pid)).toBeTypeOf('number');
    await Promise.all(held);
  });
});
