/** The broker goes away and comes back; connections are cut. */
import { createRequire } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { TimeoutError } from 'multiprocess';
import { Agent, DistributedPool, type DistributedPoolEvent } from 'multiprocess/distributed';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasNats, type Nats, startNats } from '../support/nats.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';

const MODULE = new URL('../fixtures/distributed/tasks.js', import.meta.url);
const tasks = createRequire(import.meta.url)(
  fileURLToPath(MODULE),
) as typeof import('../fixtures/distributed/tasks.js');

describe.skipIf(!hasNats)('a broker that goes and comes back', () => {
  let nats: Nats;
  let agent: Agent;
  let pool: DistributedPool;

  beforeAll(async () => {
    nats = await startNats();
    agent = await Agent.start({ servers: nats.servers, name: 'back', processes: 2, lease: 1_000 });
    pool = await DistributedPool.connect({ servers: nats.servers, name: 'back' });
  });
  afterAll(async () => {
    await pool?.terminate();
    await agent?.stop();
    await nats?.close();
  });

  test('what was accepted goes on, in a stream and in calls', async () => {
    const events: DistributedPoolEvent[] = [];
    const watching = pool.events.subscribe((event) => events.push(event));
    const source = Array.from({ length: 400 }, (_, i) => i);
    const results: number[] = [];
    const reading = pool
      .imap(tasks.briefly, source, { window: 32, chunkSize: 2 })
      .forEachAsync((value) => void results.push(value as number));
    const calls = Array.from({ length: 20 }, (_, i) => pool.apply(tasks.briefly, [i]));
    await until(() => results.length > 20, 'some results');
    await nats.kill();
    await until(() => events.some(({ type }) => type === 'broker-lost'), 'the loss to be seen');
    const during = pool.apply(tasks.add, [1, 2]);
    await delay(300);
    await nats.restart();
    await reading;
    expect(results).toEqual(source);
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(await during).toBe(3);
    expect(events.map(({ type }) => type)).toContain('broker-back');
    watching.unsubscribe();
  });

  test('callers with a time limit get it meanwhile', async () => {
    await nats.kill();
    await until(() => !pool.stats().connected, 'the loss to be seen');
    try {
      await expect(pool.apply(tasks.add, [1, 2], { timeout: 100 })).rejects.toBeInstanceOf(TimeoutError);
      await expect(pool.apply(tasks.add, [1, 2], { queueTimeout: 100 })).rejects.toMatchObject({
        code: 'MP_QUEUE_TIMEOUT',
      });
      const reason = new Error('enough');
      const aborted = pool.apply(tasks.add, [1, 2], { signal: AbortSignal.any([AbortSignal.timeout(50)]) });
      await expect(aborted).rejects.toMatchObject({ name: 'TimeoutError' });
      const cancelled = pool.applyAsync(tasks.add, [1, 2]);
      cancelled.cancel(reason);
      await expect(cancelled.get()).rejects.toBe(reason);
      expect(await pool.hosts()).toHaveLength(1);
    } finally {
      await nats.restart();
    }
    expect(await pool.apply(tasks.add, [1, 2])).toBe(3);
  });

  test('a pool is terminated and an agent stopped while it is away', async () => {
    const other = await Agent.start({ servers: nats.servers, name: 'away', processes: 1 });
    const driver = await DistributedPool.connect({ servers: nats.servers, name: 'away' });
    const waiting = driver.apply(tasks.untilAborted);
    await until(() => other.info().held === 1, 'the task to be held');
    await nats.kill();
    await until(() => !driver.stats().connected, 'the loss to be seen');
    const rejected = expect(waiting).rejects.toMatchObject({ code: 'MP_POOL_TERMINATED' });
    await driver.terminate();
    await rejected;
    await other.stop();
    await nats.restart();
    await until(() => pool.stats().connected, 'the broker to be back');
  });

  test('tasks that the broker has lost are published again', async () => {
    const { jetstreamManager } = await import('@nats-io/jetstream');
    const { connect } = await import('@nats-io/transport-node');
    await using idle = await DistributedPool.connect({ servers: nats.servers, name: 'lost', lease: 500 });
    const first = await Agent.start({ servers: nats.servers, name: 'lost', processes: 1, lease: 500 });
    await first.stop();
    const result = idle.apply(tasks.add, [1, 2]);
    await until(() => idle.stats().unsent === 0, 'the task to be stored');
    const connection = await connect({ servers: nats.servers });
    await (await jetstreamManager(connection)).streams.purge('MP_T_lost');
    await connection.close();
    await using _second = await Agent.start({ servers: nats.servers, name: 'lost', processes: 1 });
    expect(await result).toBe(3);
  });

  test('streams that the broker has lost are made again', async () => {
    const { jetstreamManager } = await import('@nats-io/jetstream');
    const { connect } = await import('@nats-io/transport-node');
    const connection = await connect({ servers: nats.servers });
    const manager = await jetstreamManager(connection);
    for (const stream of ['MP_T_back', 'MP_B_back', 'MP_D_back']) await manager.streams.delete(stream);
    await connection.close();
    expect(await pool.apply(tasks.add, [1, 2])).toBe(3);
  });
});

describe.skipIf(!hasNats)('connections that are cut', () => {
  test('each item is delivered once, whatever becomes of them', async () => {
    const seed = Number(process.env['MP_SEED'] ?? Date.now() % 1_000_000);
    const rounds = Number(process.env['MP_ROUNDS'] ?? 12);
    console.log(`seed ${seed}`);
    const nats = await startNats();
    const proxies = [await TcpProxy.start(nats.port), await TcpProxy.start(nats.port)];
    const [driverSide, agentSide] = proxies as [TcpProxy, TcpProxy];
    const agent = await Agent.start({
      servers: `nats://127.0.0.1:${agentSide.port}`,
      name: 'cut',
      processes: 2,
      lease: 1_000,
    });
    const pool = await DistributedPool.connect({
      servers: `nats://127.0.0.1:${driverSide.port}`,
      name: 'cut',
      maxAttempts: 1_000,
    });
    try {
      let next = 0;
      let over = false;
      function* source() {
        while (!over) yield next++;
      }
      const seen: number[] = [];
      const reading = pool
        .imapUnordered(tasks.briefly, source(), { window: 64, chunkSize: 4 })
        .forEachAsync((value) => void seen.push(value as number));
      let state = seed;
      const random = (bound: number): number => {
        state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
        return Math.floor((state / 2 ** 31) * bound);
      };
      for (let round = 0; round < rounds; round++) {
        const before = seen.length;
        const proxy = proxies[random(2)]!;
        const what = random(4);
        if (what === 0) proxy.cut();
        else if (what === 1) proxy.halfClose();
        else if (what === 2) proxy.delay = random(30);
        else {
          proxy.hold();
          await delay(random(800));
          proxy.release();
        }
        await until(
          () => seen.length > before + 40,
          `results after ${['cut', 'half-close', 'delay', 'hold'][what]} in round ${round}`,
          25_000,
        );
        proxy.delay = 0;
      }
      over = true;
      await reading;
      expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: next }, (_, i) => i));
      await until(() => agent.info().held === 0, 'the agent to be done');
    } finally {
      await pool.terminate();
      await agent.stop();
      for (const proxy of proxies) await proxy.close();
      await nats.close();
    }
  }, 240_000);
});
