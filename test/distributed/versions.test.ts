/** Versions of the package that speak otherwise do not mistake each other's messages. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { Agent, DistributedPool, DistributedQueue, DistributedTopic } from 'multiprocess/distributed';
import { describe, expect, test } from 'vitest';
import { hasNats, startNats } from '../support/nats.js';

const MODULE = new URL('../fixtures/distributed/tasks.js', import.meta.url);
const tasks = createRequire(import.meta.url)(
  fileURLToPath(MODULE),
) as typeof import('../fixtures/distributed/tasks.js');

describe.skipIf(!hasNats)('what another program has made', () => {
  test('is refused by name, also by what deletes', async () => {
    const nats = await startNats();
    const options = { servers: nats.servers, name: 'foreign' };
    const connection = await connect({ servers: nats.servers });
    const manager = await jetstreamManager(connection);
    try {
      // Of a queue that has none yet.
      await manager.streams.add({ name: 'MP_QUEUESTATE_foreign', subjects: ['orders.>'] });
      await manager.streams.add({ name: 'MP_TOPIC_foreign', subjects: ['prices.>'] });
      connection.publish('orders.1', 'theirs');
      connection.publish('prices.1', 'theirs');
      await connection.flush();
      const refused = { code: 'MP_WIRE_VERSION', message: expect.stringContaining('was not made by this package') };
      for (const Class of [DistributedQueue, DistributedTopic]) {
        await expect(Class.connect(options)).rejects.toMatchObject(refused);
        await expect(Class.delete(options)).rejects.toMatchObject(refused);
      }
      for (const name of ['MP_QUEUESTATE_foreign', 'MP_TOPIC_foreign'])
        expect((await manager.streams.info(name)).state.messages).toBe(1);
    } finally {
      await connection.close();
      await nats.close();
    }
  });
});

describe.skipIf(!hasNats)('what a later wire version has made', () => {
  test('is refused by name, and left as it is', async () => {
    const nats = await startNats();
    const options = { servers: nats.servers, name: 'later' };
    // It is there before the streams are.
    const early = await DistributedPool.connect(options);
    try {
      const connection = await connect({ servers: nats.servers });
      const manager = await jetstreamManager(connection);
      const made: readonly (readonly [string, string])[] = [
        ['MP_T_later', 'mp.v2.t.later.normal.x'],
        ['MP_QUEUE_later', 'mp.v2.queue.later.items'],
        ['MP_TOPIC_later', 'mp.v2.topic.later.items'],
      ];
      for (const [name, subject] of made) {
        await manager.streams.add({ name, subjects: [subject] });
        connection.publish(subject, 'of another version');
      }
      await connection.flush();
      const refused = {
        code: 'MP_WIRE_VERSION',
        message: expect.stringMatching(/speaks wire version 2.*speaks wire version 1/),
      };
      await expect(early.apply(tasks.add, [1, 2])).rejects.toMatchObject(refused);
      await expect(DistributedPool.connect(options)).rejects.toMatchObject(refused);
      await expect(Agent.start({ ...options, processes: 1 })).rejects.toMatchObject(refused);
      await expect(DistributedQueue.connect({ ...options, capacity: 4_096 })).rejects.toMatchObject(refused);
      await expect(DistributedTopic.connect({ ...options, capacity: 4_096 })).rejects.toMatchObject(refused);
      await expect(DistributedQueue.delete(options)).rejects.toMatchObject(refused);
      await expect(DistributedTopic.delete(options)).rejects.toMatchObject(refused);
      for (const [name, subject] of made) {
        const { config, state } = await manager.streams.info(name);
        expect([config.subjects, config.max_bytes, state.messages]).toEqual([[subject], -1, 1]);
      }
      await connection.close();
    } finally {
      await early.terminate();
      await nats.close();
    }
  });
});
