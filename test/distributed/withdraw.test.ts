/** What is withdrawn leaves the broker, and takes nothing of others with it. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { Agent, DistributedPool } from 'multiprocess/distributed';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasNats, type Nats, startNats } from '../support/nats.js';
import { until } from '../support/until.js';

const MODULE = new URL('../fixtures/distributed/tasks.js', import.meta.url);
const tasks = createRequire(import.meta.url)(
  fileURLToPath(MODULE),
) as typeof import('../fixtures/distributed/tasks.js');

describe.skipIf(!hasNats)('what is withdrawn', () => {
  let nats: Nats;
  beforeAll(async () => {
    nats = await startNats();
  });
  afterAll(() => nats?.close());

  const stored = async (name: string): Promise<number> => {
    const connection = await connect({ servers: nats.servers });
    const streams = await jetstreamManager(connection);
    const { state } = await streams.streams.info(`MP_T_${name}`);
    await connection.close();
    return state.messages;
  };

  test('leaves what others have in the queue', async () => {
    const options = { servers: nats.servers, name: 'others' };
    await using agent = await Agent.start({ ...options, processes: 1, lease: 500 });
    await using one = await DistributedPool.connect(options);
    await using other = await DistributedPool.connect(options);
    const controller = new AbortController();
    const { signal } = controller;
    const mine = Array.from({ length: 20 }, () =>
      one.apply(tasks.untilAborted, [], { signal }).catch((reason: unknown) => reason),
    );
    await until(() => agent.info().held > 0 && one.stats().unsent === 0, 'the calls to be queued');
    const theirs = Array.from({ length: 20 }, (_, i) => other.apply(tasks.add, [i, 1], { queueTimeout: 20_000 }));
    await until(() => other.stats().unsent === 0, 'the others to be queued');
    controller.abort(new Error('enough'));
    expect(await Promise.all(theirs)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    for (const reason of await Promise.all(mine)) expect(reason).toMatchObject({ message: 'enough' });
    await until(() => agent.info().held === 0, 'the tasks to end');
    await expect.poll(() => stored('others'), { timeout: 15_000 }).toBe(0);
  });

  test('is gone, as a map of many tasks', async () => {
    const options = { servers: nats.servers, name: 'map' };
    await using agent = await Agent.start({ ...options, processes: 1 });
    await using pool = await DistributedPool.connect(options);
    const controller = new AbortController();
    const items = Array.from({ length: 300 }, () => 60_000);
    const map = pool.map(tasks.wait, items, { chunkSize: 1, signal: controller.signal });
    await until(
      () => agent.info().held > 0 && pool.stats().active > 1 && pool.stats().unsent === 0,
      'the map to be queued',
    );
    controller.abort(new Error('enough'));
    await expect(map).rejects.toThrow('enough');
    pool.close();
    await pool.join();
    await expect.poll(() => stored('map'), { timeout: 15_000 }).toBe(0);
  });

  test('is not run after an agent gave it back', async () => {
    const options = { servers: nats.servers, name: 'back' };
    const agent = await Agent.start({ ...options, processes: 1 });
    await using pool = await DistributedPool.connect(options);
    const controller = new AbortController();
    const call = pool.apply(tasks.wait, [60_000], { signal: controller.signal });
    await until(() => agent.info().held === 1, 'the task to be held');
    await agent.stop();
    await expect.poll(() => stored('back'), { timeout: 15_000 }).toBe(1);
    controller.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
    await using second = await Agent.start({ ...options, processes: 1 });
    expect(await pool.apply(tasks.add, [1, 2])).toBe(3);
    await until(() => second.info().held === 0, 'both to end');
    expect(second.info().done).toBe(1);
    await expect.poll(() => stored('back'), { timeout: 15_000 }).toBe(0);
  });
});
