/** What a pool takes of the broker's storage. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { ConnectionError } from 'multiprocess';
import { Agent, DistributedPool } from 'multiprocess/distributed';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasNats, type Nats, startNats } from '../support/nats.js';

const MODULE = new URL('../fixtures/distributed/tasks.js', import.meta.url);
const tasks = createRequire(import.meta.url)(
  fileURLToPath(MODULE),
) as typeof import('../fixtures/distributed/tasks.js');

describe.skipIf(!hasNats)('a broker with little storage', () => {
  let nats: Nats;
  beforeAll(async () => {
    nats = await startNats('', 'max_file_store: 1GB');
  });
  afterAll(() => nats?.close());

  test('takes some pools, and then says what to change', async () => {
    const { servers } = nats;
    await using _one = await Agent.start({ servers, name: 'one', processes: 1 });
    await using _two = await Agent.start({ servers, name: 'two', processes: 1 });
    const refused = await Agent.start({ servers, name: 'three', processes: 1 }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ConnectionError);
    expect(refused).toMatchObject({ code: 'MP_BROKER_STORAGE' });
    expect((refused as Error).message).toMatch(/pool three, which reserves 402653184 bytes.*smaller `maxQueueBytes`/);
    const connection = await connect({ servers });
    const streams = await jetstreamManager(connection);
    const names: string[] = [];
    for await (const name of streams.streams.names()) names.push(name);
    await connection.close();
    expect(names.filter((name) => name.endsWith('_three'))).toEqual([]);
    // What it says works.
    await using _three = await Agent.start({ servers, name: 'three', processes: 1, maxQueueBytes: 2 ** 20 });
    await using pool = await DistributedPool.connect({ servers, name: 'three' });
    expect(await pool.apply(tasks.add, [1, 2])).toBe(3);
    // Arguments that are larger than the queue do not lie in it.
    expect(await pool.apply(tasks.lengthOf, [new Uint8Array(4 * 2 ** 20)])).toBe(4 * 2 ** 20);
  });
});
