/** A pool of many hosts: calls, maps and streams are those of Pool. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  ArgumentError,
  AuthenticationError,
  ClosedError,
  ConnectionError,
  Lock,
  RemoteError,
  SerializationError,
  SharedMemory,
  TimeoutError,
  WorkerCrashError,
} from 'multiprocess';
import { Agent, type DeadLetter, DistributedPool, type DistributedPoolEvent } from 'multiprocess/distributed';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startAgent } from '../support/agents.js';
import { hasNats, type Nats, startNats } from '../support/nats.js';
import { nearly } from '../support/nearly.js';
import { until } from '../support/until.js';

const MODULE = new URL('../fixtures/distributed/tasks.js', import.meta.url);
/** Loaded by Node, not by vitest: its exports are those of a file. */
const tasks = createRequire(import.meta.url)(
  fileURLToPath(MODULE),
) as typeof import('../fixtures/distributed/tasks.js');

describe.skipIf(!hasNats)('a distributed pool', () => {
  let nats: Nats;
  let agent: Agent;
  let pool: DistributedPool;

  beforeAll(async () => {
    nats = await startNats();
    agent = await Agent.start({ servers: nats.servers, name: 'all', processes: 2, allowFunctions: true });
    pool = await DistributedPool.connect({ servers: nats.servers, name: 'all' });
  });

  afterAll(async () => {
    await pool?.terminate();
    await agent?.stop();
    await nats?.close();
  });

  describe('calls', () => {
    test('run the default export of a module', async () => {
      expect(await pool.apply<[number], number>(MODULE, [21])).toBe(42);
    });

    test('run an export by name', async () => {
      expect(await pool.apply(tasks.add, [1, 2])).toBe(3);
    });

    test('run a closure with what it captures', async () => {
      const factor = 7;
      expect(await pool.apply((x: number) => x * factor, [6])).toBe(42);
    });

    test('reject with the error of the task, and where it was called', async () => {
      const error = await pool.apply(tasks.failAt, [3]).catch((reason: unknown) => reason as Error);
      expect(error).toBeInstanceOf(RangeError);
      expect((error as Error).stack).toMatch(/tasks\.js[\s\S]*called from[\s\S]*pool\.test\.ts/);
    });

    test('are called without a receiver', async () => {
      expect(
        await pool.apply(function (this: unknown) {
          return this === undefined;
        }),
      ).toBe(true);
    });

    test('carry any value', async () => {
      const value = { map: new Map([['a', new Date(5)]]), big: 12n, bytes: new Uint8Array([1, 2]) };
      expect(await pool.apply(tasks.self, [value])).toEqual(value);
    });

    test('carry values that are larger than a message of the broker, both ways', async () => {
      expect(await pool.apply(tasks.lengthOf, [new Uint8Array(3_000_000)])).toBe(3_000_000);
      const result = await pool.apply(tasks.bytes, [2_500_000]);
      expect(result.length).toBe(2_500_000);
      expect(result.every((byte: number) => byte === 7)).toBe(true);
    });

    test('count as they are at the call', async () => {
      const list = [1, 2, 3];
      const called = pool.apply(tasks.lengthOf, [list]);
      list.push(4);
      expect(await called).toBe(3);
    });

    test('know their key and their attempt', async () => {
      const first = await pool.apply(tasks.about);
      const second = await pool.apply(tasks.about);
      expect(first).toMatchObject({ attempt: 0, key: expect.any(String) });
      expect(second.key).not.toBe(first.key);
      const [before, after, attempt] = await pool.apply(tasks.aboutTwice);
      expect([after, attempt]).toEqual([before, 0]);
      const items = await pool.map(tasks.aboutTwice, [1, 2], { chunkSize: 2 });
      expect(items.map(([, key]) => key)).toEqual(items.map(([key]) => key));
      expect(items[0]![0]).not.toBe(items[1]![0]);
    });

    test('report their progress', async () => {
      const result = pool.applyAsync(tasks.reporting, []);
      const reports: unknown[] = [];
      result.progress.subscribe((progress) => {
        if ('report' in progress) reports.push(progress.report);
      });
      expect(await result).toBe('done');
      expect(reports).toEqual(['half']);
    });

    test('are cancelled where they run', async () => {
      const controller = new AbortController();
      const call = pool.apply(tasks.untilAborted, [], { signal: controller.signal });
      await until(() => agent.info().held > 0, 'the task to be held');
      controller.abort(new Error('enough'));
      await expect(call).rejects.toThrow('enough');
      await until(() => agent.info().held === 0, 'the agent to let go');
    });

    test('end when their time is over', async () => {
      await expect(pool.apply(tasks.untilAborted, [], { timeout: 50 })).rejects.toBeInstanceOf(TimeoutError);
    });

    test('that kill their workers are tried again, then fail and become dead letters', async () => {
      const error = await pool.apply(tasks.killAt5, [5], { retries: 1 }).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(WorkerCrashError);
      const letters: DeadLetter[] = [];
      for await (const letter of pool.deadLetters()) letters.push(letter);
      expect(letters.at(-1)).toMatchObject({ attempts: 2, host: agent.id, error: { code: 'MP_WORKER_CRASH' } });
    });

    test('that are brief go together, and each settles by itself', async () => {
      await Promise.all(Array.from({ length: 20 }, (_, i) => pool.apply(tasks.failAt, [i + 10])));
      const outcomes = await Promise.allSettled(
        Array.from({ length: 300 }, (_, i) => pool.apply(tasks.failAt, [i % 100])),
      );
      outcomes.forEach((outcome, i) => {
        expect(outcome).toMatchObject(i % 100 === 3 ? { status: 'rejected' } : { status: 'fulfilled', value: i % 100 });
      });
      const keys = await Promise.all(Array.from({ length: 50 }, () => pool.apply(tasks.about)));
      expect(new Set(keys.map(({ key }) => key)).size).toBe(50);
    });

    test('that go together lose only the one that kills its worker', async () => {
      await Promise.all(Array.from({ length: 20 }, () => pool.apply(tasks.killAt5, [1])));
      const outcomes = await Promise.allSettled(
        Array.from({ length: 20 }, (_, i) => pool.apply(tasks.killAt5, [i], { retries: 0 })),
      );
      expect(outcomes.flatMap(({ status }, i) => (status === 'rejected' ? [i] : []))).toEqual([5]);
    });

    test('made in the turn in which the pool is closed are done', async () => {
      const other = await DistributedPool.connect({ servers: nats.servers, name: 'all' });
      const result = other.apply(tasks.add, [1, 2]);
      other.close();
      expect(await result).toBe(3);
      await other.join();
    });

    test('refuse what other hosts cannot reach', async () => {
      using memory = SharedMemory.create(64);
      memory.unlink();
      const passed = pool.apply(tasks.self, [memory]);
      await expect(passed).rejects.toBeInstanceOf(SerializationError);
      await expect(passed).rejects.toMatchObject({ code: 'MP_HOST_BOUND' });
      const lock = new Lock();
      await expect(pool.apply(() => lock.tryAcquire())).rejects.toMatchObject({ code: 'MP_HOST_BOUND' });
      await expect(pool.apply(tasks.sharedMemory)).rejects.toMatchObject({ code: 'MP_HOST_BOUND' });
    });

    test('refuse misspelled options and what is no function', async () => {
      await expect(pool.apply(tasks.add, [1, 2], { timout: 5 } as object)).rejects.toThrow('did you mean `timeout`');
      await expect(pool.apply('./tasks.js' as never)).rejects.toBeInstanceOf(ArgumentError);
    });
  });

  describe('maps and streams', () => {
    test('give values in order', async () => {
      expect(await pool.map(tasks.default, [1, 2, 3])).toEqual([2, 4, 6]);
      expect(await pool.starmap(tasks.add, [[1, 2] as [number, number], [3, 4]])).toEqual([3, 7]);
      expect(await pool.mapAsync(tasks.default, [5])).toEqual([10]);
      expect(await pool.starmapAsync(tasks.add, [[5, 6] as [number, number]])).toEqual([11]);
      expect(await pool.map(tasks.default, [])).toEqual([]);
    });

    test('deliver ten thousand items once each, in order', async () => {
      const source = Array.from({ length: 10_000 }, (_, i) => i);
      expect(await pool.imap(tasks.self, source).toArray()).toEqual(source);
      const unordered = await pool.imapUnordered(tasks.self, source).toArray();
      expect(unordered.sort((a, b) => a - b)).toEqual(source);
    });

    test('settle each item by itself', async () => {
      const results = await pool.imap(tasks.failAt, [1, 2, 3, 4], { errors: 'settle', chunkSize: 4 }).toArray();
      expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
      expect(results[2]).toMatchObject({ reason: { message: 'three', itemIndex: 2 } });
    });

    test('lose only the item that kills its worker', async () => {
      const results = await pool
        .imap(tasks.killAt5, [3, 4, 5, 6, 7], { errors: 'settle', chunkSize: 5, retries: 0 })
        .toArray();
      expect(results.map(({ status }) => status)).toEqual([
        'fulfilled',
        'fulfilled',
        'rejected',
        'fulfilled',
        'fulfilled',
      ]);
    });

    test('fail alone for an item that cannot be sent', async () => {
      const items = [1, Promise.resolve(2), 3];
      const results = await pool.imap(tasks.self, items, { errors: 'settle', chunkSize: 3 }).toArray();
      expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    });

    test('read an endless source no further than the window', async () => {
      let pulled = 0;
      function* endless() {
        for (;;) yield pulled++;
      }
      let taken = 0;
      for await (const value of pool.imap(tasks.self, endless(), { window: 8 })) {
        expect(value).toBe(taken++);
        expect(pulled - taken).toBeLessThanOrEqual(9);
        if (taken === 100) break;
      }
    });

    test('that are left withdraw their items from the broker and the hosts', async () => {
      const stream = pool.imap(
        tasks.untilAborted as (x: number) => Promise<number>,
        Array.from({ length: 50 }, (_, i) => i),
        {
          window: 50,
          chunkSize: 1,
        },
      );
      const reading = stream[Symbol.asyncIterator]();
      const next = reading.next();
      await until(() => agent.info().held >= 2, 'items to be held');
      await reading.return();
      expect(await next).toMatchObject({ done: true });
      await stream.closed;
      await until(() => agent.info().held === 0, 'the agent to let go');
      expect(pool.stats().active).toBe(0);
    });

    test('say how far they are', async () => {
      const stream = pool.imap(tasks.self, [1, 2, 3]);
      let last: { delivered: number } | undefined;
      const done = new Promise<void>((resolve) =>
        stream.progress.subscribe({ next: (progress) => (last = progress), complete: resolve }),
      );
      await stream.toArray();
      await done;
      expect(last).toMatchObject({ pulled: 3, delivered: 3, total: 3 });
    });

    test('items count as they were when they were read', async () => {
      const shared = { n: 0, map: new Map() };
      function* source() {
        for (let i = 0; i < 3; i++) {
          shared.n = i;
          shared.map.set('n', i);
          yield shared;
        }
      }
      const results = await pool
        .imap((x: { n: number; map: Map<string, number> }) => [x.n, x.map.get('n')], source())
        .toArray();
      expect(results).toEqual([
        [0, 0],
        [1, 1],
        [2, 2],
      ]);
    });
  });

  describe('retries', () => {
    const numbers = [1, 2, 3, 4, 5, 6];
    const twice = numbers.map((x) => [x, 2]);

    test('after errors: each item by itself, in its place', async () => {
      const retries = { errors: 2 };
      expect(await pool.apply(tasks.failTwice, [7], { retries })).toEqual([7, 2]);
      expect(await pool.applyAsync(tasks.failTwice, [7], { retries })).toEqual([7, 2]);
      expect(await pool.map(tasks.failTwice, numbers, { retries, chunkSize: 6 })).toEqual(twice);
      expect(await pool.imap(tasks.failTwice, numbers, { retries, chunkSize: 3 }).toArray()).toEqual(twice);
      const unordered = await pool.imapUnordered(tasks.failTwice, numbers, { retries }).toArray();
      expect(unordered.sort(([a = 0], [b = 0]) => a - b)).toEqual(twice);
      expect(pool.stats().active).toBe(0);
    });

    test('end with the last error', async () => {
      await expect(pool.apply(tasks.failTwice, [7], { retries: { errors: 1 } })).rejects.toThrow('7: run 1');
      const settled = await pool
        .imap(tasks.failTwice, [1, 2], { retries: { errors: 1 }, errors: 'settle', chunkSize: 2 })
        .toArray();
      expect(settled).toMatchObject([
        { status: 'rejected', reason: { message: '1: run 1', itemIndex: 0 } },
        { status: 'rejected', reason: { message: '2: run 1', itemIndex: 1 } },
      ]);
    });

    test('ask `when`, and wait for `backoff`', async () => {
      const asked: [string, number][] = [];
      const waits: number[] = [];
      const retries = {
        errors: 5,
        when: (error: unknown, attempt: number) => asked.push([(error as Error).message, attempt]) > 0,
        backoff: (attempt: number) => {
          waits.push(attempt);
          return 20;
        },
      };
      const began = performance.now();
      expect(await pool.apply(tasks.failTwice, [7], { retries })).toEqual([7, 2]);
      expect(performance.now() - began).toBeGreaterThanOrEqual(nearly(40));
      expect(asked).toEqual([
        ['7: run 0', 1],
        ['7: run 1', 2],
      ]);
      expect(waits).toEqual([1, 2]);
      const never = { errors: 5, when: () => false };
      await expect(pool.apply(tasks.failTwice, [7], { retries: never })).rejects.toThrow('7: run 0');
    });

    test('send again what is larger than a message', async () => {
      const large = new Uint8Array(2_000_000);
      const failing = (x: Uint8Array) => {
        const attempt = tasks.attemptOf();
        if (attempt < 1) throw new Error('again');
        return [x.length, attempt];
      };
      expect(await pool.map(failing, [large, large], { retries: { errors: 1 }, chunkSize: 2 })).toEqual([
        [2_000_000, 1],
        [2_000_000, 1],
      ]);
    });

    test('after an overdue run', async () => {
      const error = await pool
        .apply(tasks.untilAborted, [], { timeout: 50, retries: { errors: 1 } })
        .catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(TimeoutError);
    });

    test('are given up with their call', async () => {
      const controller = new AbortController();
      const call = pool.apply(tasks.failTwice, [7], {
        signal: controller.signal,
        retries: { errors: 5, backoff: 60_000 },
      });
      await until(() => agent.info().failed > 0 && agent.info().held === 0, 'the first run to fail');
      controller.abort(new Error('enough'));
      await expect(call).rejects.toThrow('enough');
      expect(pool.stats().active).toBe(0);
    });

    test('of crashes leave those of errors alone', async () => {
      const error = await pool
        .apply(tasks.killAt5, [5], { retries: { errors: 3, when: () => true } })
        .catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(WorkerCrashError);
    });

    test('are refused for durable runs', async () => {
      await using durable = await DistributedPool.connect({ servers: nats.servers, name: 'all', durable: true });
      const options = { retries: { errors: 1, when: () => true } };
      const calls = [
        () => durable.apply(tasks.failTwice, [1], options),
        () => durable.applyAsync(tasks.failTwice, [1], options),
        () => durable.map(tasks.failTwice, [1], options),
        () => durable.mapAsync(tasks.failTwice, [1], options),
        () => durable.starmap(tasks.failTwice, [[1]], options),
        () => durable.starmapAsync(tasks.failTwice, [[1]], options),
        () => durable.imap(tasks.failTwice, [1], options).toArray(),
        () => durable.imapUnordered(tasks.failTwice, [1], options).toArray(),
      ];
      for (const call of calls) {
        const error = await (async () => await call())().catch((reason: unknown) => reason);
        expect(error).toMatchObject({ name: 'ArgumentError', code: 'MP_INVALID_ARGUMENT' });
        expect((error as Error).message).toMatch(/^DistributedPool\.\w+: .*catch the error in the task/);
      }
      // Nothing of them is left, and deaths are retried as ever.
      expect(await durable.runs()).toEqual([]);
      expect(await durable.apply(tasks.add, [1, 2], { retries: { crashes: 2 } })).toBe(3);
    });
  });

  describe('hosts', () => {
    test('say what they are', async () => {
      expect(await pool.hosts()).toMatchObject([
        { id: agent.id, processes: 2, state: 'ready', allowFunctions: true, pid: process.pid },
      ]);
      expect(pool.stats()).toMatchObject({ connected: true, processes: 2, runs: 0, active: 0 });
    });

    test('come and go with events', async () => {
      const seen: DistributedPoolEvent[] = [];
      const watching = pool.events.subscribe((event) => seen.push(event));
      const second = await Agent.start({ servers: nats.servers, name: 'all', processes: 1 });
      await until(() => seen.some(({ type }) => type === 'host-join'), 'the host to join');
      await second.drain();
      await until(() => seen.some(({ type }) => type === 'host-leave'), 'the host to leave');
      watching.unsubscribe();
      expect(seen.map(({ type }) => type)).toEqual(['host-join', 'host-drain', 'host-leave']);
    });
  });

  describe('priorities', () => {
    test('an urgent call overtakes what waits', async () => {
      const order: string[] = [];
      const controller = new AbortController();
      const { signal } = controller;
      const blocking = [1, 2].map(() => pool.apply(tasks.untilAborted, [], { signal }).catch(() => {}));
      await until(() => agent.info().held === 2, 'the workers to be busy');
      const queued = async (priority: number, names: readonly string[]): Promise<() => Promise<unknown>> => {
        const calls = names.map((name) => pool.apply(tasks.wait, [1], { priority }).then(() => order.push(name)));
        await until(() => pool.stats().unsent === 0, 'the calls to be queued');
        return () => Promise.all(calls);
      };
      const low = await queued(
        -1,
        Array.from({ length: 12 }, (_, i) => `low ${i}`),
      );
      const { held } = agent.info();
      const high = await queued(1, ['high']);
      await until(() => agent.info().held > held, 'the urgent call to be taken');
      controller.abort();
      await Promise.all([...blocking, low(), high()]);
      expect(order.indexOf('high')).toBeLessThan(8);
    });
  });

  describe('life', () => {
    test('a closed pool finishes what it accepted', async () => {
      const other = await DistributedPool.connect({ servers: nats.servers, name: 'all' });
      const result = other.apply(tasks.wait, [50]);
      await expect(other.join()).rejects.toMatchObject({ code: 'MP_POOL_RUNNING' });
      other.close();
      await expect(other.apply(tasks.add, [1, 2])).rejects.toMatchObject({ code: 'MP_POOL_CLOSED' });
      expect(await result).toBe(50);
      await other.join();
    });

    test('a terminated pool rejects what has not settled, and the hosts let go', async () => {
      const other = await DistributedPool.connect({ servers: nats.servers, name: 'all' });
      const result = other.apply(tasks.untilAborted);
      await until(() => agent.info().held > 0, 'the task to be held');
      const rejected = expect(result).rejects.toMatchObject({ code: 'MP_POOL_TERMINATED' });
      await other.terminate();
      await rejected;
      await until(() => agent.info().held === 0, 'the agent to let go');
      await expect(other.apply(tasks.add, [1, 2])).rejects.toBeInstanceOf(ClosedError);
    });
  });

  describe('plain data', () => {
    test('goes as MessagePack, and what is more is refused', async () => {
      await using plain = await DistributedPool.connect({ servers: nats.servers, name: 'all', serializer: 'msgpackr' });
      expect(await plain.apply(tasks.self, [{ a: [1, 'x', null] }])).toEqual({ a: [1, 'x', null] });
      expect(await plain.map(tasks.default, [1, 2])).toEqual([2, 4]);
      await expect(plain.apply(tasks.self, [new Map()] as never)).rejects.toMatchObject({ code: 'MP_NOT_PLAIN' });
      await expect(plain.apply(tasks.failAt, [3])).rejects.toThrow('RangeError: three');
      await expect(plain.apply(tasks.bytes as never, [-1])).rejects.toBeInstanceOf(RemoteError);
    });
  });
});

describe.skipIf(!hasNats)('bad input', () => {
  let nats: Nats;

  beforeAll(async () => {
    nats = await startNats('authorization { users = [ { user: "u", password: "p" } ] }');
  });
  afterAll(() => nats?.close());

  const credentials = { user: 'u', password: 'p' };

  test('wrong credentials', async () => {
    const attempt = DistributedPool.connect({
      servers: nats.servers,
      name: 'x',
      credentials: { user: 'u', password: 'wrong' },
    });
    await expect(attempt).rejects.toBeInstanceOf(AuthenticationError);
    await expect(Agent.start({ servers: nats.servers, name: 'x' })).rejects.toMatchObject({
      code: 'MP_BROKER_CREDENTIALS',
    });
  });

  test('a broker that is not there', async () => {
    const attempt = DistributedPool.connect({ servers: 'nats://127.0.0.1:1', name: 'x' });
    await expect(attempt).rejects.toMatchObject({ code: 'MP_BROKER_UNREACHABLE' });
    await expect(attempt).rejects.toBeInstanceOf(ConnectionError);
  });

  test('names and options', async () => {
    await expect(DistributedPool.connect({ servers: nats.servers, name: 'a.b' })).rejects.toBeInstanceOf(ArgumentError);
    await expect(DistributedPool.connect({ server: nats.servers, name: 'a' } as never)).rejects.toThrow(
      'did you mean `servers`',
    );
    await expect(Agent.start({ servers: nats.servers, name: 'a', preload: ['no-such-module'] })).rejects.toThrow(
      'no-such-module',
    );
  });

  test('a pool that no agent serves', async () => {
    await using pool = await DistributedPool.connect({
      servers: nats.servers,
      name: 'nobody',
      credentials,
      poolTimeout: 300,
    });
    await expect(pool.apply(tasks.add, [1, 2])).rejects.toMatchObject({ code: 'MP_UNKNOWN_POOL' });
    await expect(pool.map(tasks.default, [1, 2])).rejects.toMatchObject({ code: 'MP_UNKNOWN_POOL' });
  });

  test('a call waits for a pool whose first agent comes later', async () => {
    await using pool = await DistributedPool.connect({ servers: nats.servers, name: 'later', credentials });
    const result = pool.apply(tasks.add, [1, 2]);
    await using _agent = await Agent.start({ servers: nats.servers, name: 'later', processes: 1, credentials });
    expect(await result).toBe(3);
  });

  test('no host takes a call in time', async () => {
    const agent = await Agent.start({ servers: nats.servers, name: 'gone', processes: 1, credentials });
    await agent.stop();
    await using pool = await DistributedPool.connect({ servers: nats.servers, name: 'gone', credentials });
    await expect(pool.apply(tasks.add, [1, 2], { queueTimeout: 100 })).rejects.toMatchObject({
      code: 'MP_QUEUE_TIMEOUT',
    });
  });

  test('an agent that runs modules only', async () => {
    await using _agent = await Agent.start({ servers: nats.servers, name: 'strict', processes: 1, credentials });
    await using pool = await DistributedPool.connect({ servers: nats.servers, name: 'strict', credentials });
    expect(await pool.apply(tasks.add, [1, 2])).toBe(3);
    const error = await pool.apply((x: number) => x, [1]).catch((reason: unknown) => reason as Error);
    expect(error).toMatchObject({ code: 'MP_FUNCTIONS_NOT_ALLOWED' });
    expect((error as Error).message).toContain('--allow-functions');
    await expect(pool.apply(tasks.self, [() => 1] as never)).rejects.toMatchObject({
      code: 'MP_FUNCTIONS_NOT_ALLOWED',
    });
    expect(await pool.apply(tasks.self, [new Map([[1, new Date(3)]])])).toEqual(new Map([[1, new Date(3)]]));
  });

  test('an agent whose workers cannot start', async () => {
    const preload = ['./test/fixtures/tasks/exits-on-import.js'];
    await expect(
      Agent.start({ servers: nats.servers, name: 'broken', processes: 1, credentials, preload }),
    ).rejects.toBeInstanceOf(Error);
  });

  test('a task that is larger than the whole queue', async () => {
    const options = { servers: nats.servers, name: 'tiny', credentials };
    await using _agent = await Agent.start({ ...options, processes: 1, maxQueueBytes: 2_000 });
    await using pool = await DistributedPool.connect(options);
    // Its arguments do not lie in the queue.
    expect(await pool.apply(tasks.lengthOf, [new Uint8Array(100_000)])).toBe(100_000);
    const items = Array.from({ length: 300 }, (_, i) => i);
    expect(await pool.map(tasks.default, items, { chunkSize: 300 })).toEqual(items.map((x) => 2 * x));
    const none = { servers: nats.servers, name: 'none', credentials };
    await using _none = await Agent.start({ ...none, processes: 1, maxQueueBytes: 100 });
    await using other = await DistributedPool.connect(none);
    const error = await other.apply(tasks.add, [1, 2]).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'MP_TOO_LARGE' });
    expect((error as Error).message).toMatch(/queue of pool none.*MP_T_none may have 100 .*`maxQueueBytes`/);
    await expect(other.map(tasks.default, items)).rejects.toMatchObject({ code: 'MP_TOO_LARGE' });
    expect(other.stats()).toMatchObject({ active: 0, unsent: 0 });
  });

  test('a payload that is larger than any may be', async () => {
    const options = { servers: nats.servers, name: 'huge', credentials };
    await using agent = await Agent.start({ ...options, processes: 1 });
    await using pool = await DistributedPool.connect(options);
    const bytes = 256 * 1024 * 1024 + 1;
    await expect(pool.apply(tasks.bytes, [bytes])).rejects.toMatchObject({ code: 'MP_TOO_LARGE' });
    await expect(pool.apply(tasks.lengthOf, [new Uint8Array(bytes)])).rejects.toMatchObject({ code: 'MP_TOO_LARGE' });
    expect(await pool.apply(tasks.add, [1, 2])).toBe(3);
    await until(() => agent.info().held === 0, 'the agent to be done');
    expect(agent.info().failed).toBe(1);
  });

  test('a host without the module, and one with another version of it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'multiprocess-hosts-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const install = (host: string, version: string): string => {
      const at = join(folder, host, 'node_modules', 'jobs');
      mkdirSync(at, { recursive: true });
      writeFileSync(join(folder, host, 'package.json'), '{ "name": "host", "type": "module" }');
      writeFileSync(join(at, 'package.json'), JSON.stringify({ name: 'jobs', version, type: 'module' }));
      writeFileSync(join(at, 'jobs.js'), 'export default (x) => x + 1;\n');
      return at;
    };
    const mine = install('driver', '1.2.3');
    const url = pathToFileURL(join(mine, 'jobs.js'));
    install('other', '2.0.0');
    mkdirSync(join(folder, 'bare'));
    const call = async (host: string): Promise<unknown> => {
      const name = `host-${host}`;
      const agent = await startAgent(nats.servers, name, ['--user', 'u', '--password', 'p'], join(folder, host));
      await using pool = await DistributedPool.connect({ servers: nats.servers, name, credentials });
      try {
        return await pool.apply<[number], number>(url, [1]);
      } catch (error) {
        return error;
      } finally {
        agent.child.kill('SIGTERM');
        await agent.ended;
      }
    };
    expect(await call('driver')).toBe(2);
    const skew = await call('other');
    expect(skew).toMatchObject({ code: 'MP_VERSION_SKEW' });
    expect((skew as Error).message).toMatch(/has jobs 2\.0\.0.*the driver has 1\.2\.3/);
    // Nor does it have the driver's files, where it is another machine.
    renameSync(join(folder, 'driver'), join(folder, 'gone'));
    const missing = await call('bare');
    expect(missing).toMatchObject({ code: 'MP_MODULE_MISSING' });
    expect((missing as Error).message).toMatch(/does not have .*; install it where the agent runs/);
  });

  test('a full pool makes its sources wait', async () => {
    const agent = await Agent.start({ servers: nats.servers, name: 'small', processes: 1, credentials, maxQueue: 4 });
    await using pool = await DistributedPool.connect({ servers: nats.servers, name: 'small', credentials });
    let pulled = 0;
    function* source() {
      for (; pulled < 40; pulled++) yield pulled;
    }
    await agent.stop();
    const results = pool.imapUnordered(tasks.self, source(), { window: 40, chunkSize: 1 }).toArray();
    await until(() => pool.stats().unsent > 0, 'the queue to be full');
    await delay(50);
    expect(pool.stats().active - pool.stats().unsent).toBeLessThanOrEqual(4);
    await using _second = await Agent.start({ servers: nats.servers, name: 'small', processes: 1, credentials });
    expect((await results).length).toBe(40);
  });
});
