/** DistributedQueue: each item to one consumer, on whatever host. */
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { ClosedError, Lock, QueueEmptyError, QueueFullError, SerializationError } from 'multiprocess';
import { DistributedQueue } from 'multiprocess/distributed';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runProgram } from '../support/agents.js';
import { hasNats, type Nats, startNats } from '../support/nats.js';
import { until } from '../support/until.js';

/** `{ state }` as MessagePack. */
function messagePack({ state }: { readonly state: string }): Uint8Array {
  return Buffer.concat([
    Buffer.from([0x81, 0xa5]),
    Buffer.from('state'),
    Buffer.from([0xa0 + state.length]),
    Buffer.from(state),
  ]);
}

describe.skipIf(!hasNats)('a queue of many hosts', () => {
  let nats: Nats;
  beforeAll(async () => {
    nats = await startNats();
  });
  afterAll(() => nats?.close());

  const messagesIn = async (stream: string, filter: string): Promise<number> => {
    const connection = await connect({ servers: nats.servers });
    const { state } = await (await jetstreamManager(connection)).streams.info(stream, { subjects_filter: filter });
    await connection.close();
    return Object.keys(state.subjects ?? {}).length;
  };

  test('carries any value, in the order of the puts', async () => {
    const options = { servers: nats.servers, name: 'order' };
    await using one = await DistributedQueue.connect<unknown>(options);
    await using other = await DistributedQueue.connect<unknown>(options);
    const values = [1, 'two', { three: [3n] }, new Map([['four', 4]]), new Uint8Array([5]), null, undefined];
    for (const value of values) await one.put(value);
    expect(await other.qsize()).toBe(values.length);
    for (const value of values) expect(await other.get()).toEqual(value);
    await expect.poll(() => other.empty()).toBe(true);
    const increment = 2;
    await one.put((x: number) => x + increment);
    expect(((await other.get()) as (x: number) => number)(1)).toBe(3);
  });

  test('waits for room, and says when there is none', async () => {
    const options = { servers: nats.servers, name: 'room', maxSize: 2 };
    await using one = await DistributedQueue.connect<number>(options);
    await using other = await DistributedQueue.connect<number>({ servers: nats.servers, name: 'room' });
    await one.put(1);
    expect(await one.tryPut(2)).toBe(true);
    expect(await one.full()).toBe(true);
    expect(await one.tryPut(3)).toBe(false);
    await expect(one.put(3, { timeout: 50 })).rejects.toBeInstanceOf(QueueFullError);
    await expect(one.put(3, { timeout: 50 })).rejects.toThrow(/queue `room` was full for 50 ms.*`maxSize`/);
    const reason = new Error('enough');
    await expect(one.put(3, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const late = one.put(4);
    expect(await other.get()).toBe(1);
    await late;
    expect(await other.get()).toBe(2);
    expect(await other.get()).toBe(4);
    expect(await other.tryGet()).toBeUndefined();
    await expect(other.get({ timeout: 30 })).rejects.toBeInstanceOf(QueueEmptyError);
    await expect(other.get({ timeout: 0 })).rejects.toThrow(/is empty now/);
  });

  test('ends for all when it is empty and all writers have completed', async () => {
    const options = { servers: nats.servers, name: 'end' };
    await using one = await DistributedQueue.connect<number>(options);
    await using two = await DistributedQueue.connect<number>(options);
    await using reader = await DistributedQueue.connect<number>(options);
    await one.put(1);
    await two.put(2);
    const seen: number[] = [];
    const reading = (async () => {
      for await (const item of reader) {
        seen.push(item);
        if (item === 2) one.complete();
        if (item === 3) two.complete();
      }
    })();
    await expect.poll(() => seen.length).toBe(2);
    await expect(one.put(9)).rejects.toMatchObject({ code: 'MP_QUEUE_COMPLETED' });
    await two.put(3);
    await reading;
    expect(seen).toEqual([1, 2, 3]);
    await expect(reader.get()).rejects.toMatchObject({ code: 'MP_QUEUE_COMPLETED' });
    // What is put later has an end of its own.
    await using later = await DistributedQueue.connect<number>(options);
    await later.put(4);
    expect(await reader.get()).toBe(4);
    later.complete();
    expect(await reader.consume().toArray()).toEqual([]);
  });

  test('passes an error on to all, after the items before it', async () => {
    const options = { servers: nats.servers, name: 'error' };
    await using one = await DistributedQueue.connect<number>(options);
    await using other = await DistributedQueue.connect<number>(options);
    one.next(1);
    one.error(new RangeError('no more'));
    one.error(new Error('not this one'));
    await one.joinThread();
    const seen: number[] = [];
    await expect(other.forEach((item) => void seen.push(item))).rejects.toThrow(RangeError);
    expect(seen).toEqual([1]);
    await expect(other.get()).rejects.toThrow('no more');
    expect(await DistributedQueue.delete(options)).toBe(true);
    expect(await DistributedQueue.delete(options)).toBe(false);
    await using anew = await DistributedQueue.connect<number>(options);
    await anew.put(2);
    expect(await anew.get()).toBe(2);
  });

  test('carries items that are larger than a message', async () => {
    const options = { servers: nats.servers, name: 'large' };
    await using one = await DistributedQueue.connect<Uint8Array>(options);
    await using other = await DistributedQueue.connect<Uint8Array>(options);
    const large = new Uint8Array(5_000_000).map((_, i) => i);
    await one.put(new Uint8Array([1]));
    await one.put(large);
    await one.put(new Uint8Array([2]));
    expect(await other.get()).toEqual(new Uint8Array([1]));
    expect(Buffer.compare((await other.get())!, large)).toBe(0);
    expect(await other.get()).toEqual(new Uint8Array([2]));
    await expect.poll(() => messagesIn('MP_QUEUESTATE_large', 'mp.v1.queue.large.parts.>')).toBe(0);
  });

  test('lets its process end once it is closed', async () => {
    const program = runProgram('brief.mjs', [nats.servers]);
    const { code } = await program.ended;
    expect([code, program.log()]).toEqual([0, 'closed\n']);
  });

  test('sweeps parts that nobody names, unless their writer may be about to', async () => {
    const options = { servers: nats.servers, name: 'parts' };
    await using queue = await DistributedQueue.connect<number>(options);
    const connection = await connect({ servers: nats.servers });
    const record = (writer: string, state: string): void =>
      connection.publish(`mp.v1.queue.parts.state.writers.${writer}`, messagePack({ state }));
    record('gone', 'left');
    record('here', 'open');
    for (const writer of ['gone', 'here', 'unknown'])
      for (const part of [0, 1]) connection.publish(`mp.v1.queue.parts.parts.${writer}.1.${part}`, 'bytes');
    await connection.flush();
    await connection.close();
    expect(await messagesIn('MP_QUEUESTATE_parts', 'mp.v1.queue.parts.parts.>')).toBe(6);
    await using _later = await DistributedQueue.connect<number>(options);
    await expect.poll(() => messagesIn('MP_QUEUESTATE_parts', 'mp.v1.queue.parts.parts.>')).toBe(4);
    expect(await messagesIn('MP_QUEUESTATE_parts', 'mp.v1.queue.parts.parts.gone.>')).toBe(0);
    await queue.put(1);
  });

  test('is closed in one process, and there for others', async () => {
    const options = { servers: nats.servers, name: 'close' };
    const one = await DistributedQueue.connect<number>(options);
    const waiting = one.get();
    const streaming = one.consume().toArray();
    await one.put(1);
    expect(await Promise.race([waiting, streaming.then(() => -1)])).toBe(1);
    const second = expect(one.get()).rejects.toBeInstanceOf(ClosedError);
    one.next(2);
    one.close();
    await second;
    await expect(streaming).rejects.toBeInstanceOf(ClosedError);
    await expect(one.put(3)).rejects.toBeInstanceOf(ClosedError);
    await one[Symbol.asyncDispose]();
    await using other = await DistributedQueue.connect<number>(options);
    expect(await other.get()).toBe(2);
  });
});

describe.skipIf(!hasNats)('an item that is acknowledged by hand', () => {
  let nats: Nats;
  beforeAll(async () => {
    nats = await startNats();
  });
  afterAll(() => nats?.close());

  test('comes back when its consumer dies, after the lease, and is gone when it is acknowledged', async () => {
    const options = { servers: nats.servers, name: 'dies', lease: 500 };
    await using queue = await DistributedQueue.connect<number>(options);
    for (const item of [1, 2, 3]) await queue.put(item);
    const consumer = runProgram('consumer.mjs', [nats.servers, 'dies', 'hold']);
    await until(() => consumer.log().includes('3\n'), 'the items to be taken');
    expect(await queue.qsize()).toBe(0);
    await expect(queue.get({ timeout: 1_200 })).rejects.toBeInstanceOf(QueueEmptyError);
    consumer.child.kill('SIGKILL');
    await consumer.ended;
    const back = [await queue.get({ ack: 'manual' }), await queue.get({ ack: 'manual' })].sort();
    const rest = await queue.get();
    expect([...back, rest].sort()).toEqual([1, 2, 3]);
    await queue.ack();
    await queue.ack();
    await expect(queue.ack()).rejects.toMatchObject({ code: 'MP_NOT_HELD' });
    await expect(queue.get({ timeout: 1_200 })).rejects.toBeInstanceOf(QueueEmptyError);
  });

  test('goes back at once by nack, and before all others', async () => {
    await using queue = await DistributedQueue.connect<number>({ servers: nats.servers, name: 'nack' });
    await queue.put(1);
    await queue.put(2);
    const first = await queue.get({ ack: 'manual' });
    await queue.nack(first);
    expect([await queue.get(), await queue.get()]).toEqual([1, 2]);
  });

  test('goes back at once when its process closes the queue', async () => {
    const options = { servers: nats.servers, name: 'left', lease: 600_000 };
    await using queue = await DistributedQueue.connect<number>(options);
    for (const item of [1, 2, 3, 4]) await queue.put(item);
    const other = await DistributedQueue.connect<number>(options);
    const iterator = other.consume({ ack: 'manual', prefetch: 3 })[Symbol.asyncIterator]();
    expect((await iterator.next()).value).toBe(1);
    await other.ack(1);
    expect((await iterator.next()).value).toBe(2);
    await other[Symbol.asyncDispose]();
    const seen = [await queue.get(), await queue.get(), await queue.get()];
    expect(seen.sort()).toEqual([2, 3, 4]);
  });

  test('keeps no more than prefetch here, and holds the end back', async () => {
    const options = { servers: nats.servers, name: 'prefetch' };
    await using queue = await DistributedQueue.connect<number>(options);
    await using other = await DistributedQueue.connect<number>(options);
    for (let i = 0; i < 6; i++) await queue.put(i);
    queue.complete();
    const held: number[] = [];
    const streaming = queue.consume({ ack: 'manual', prefetch: 2 }).forEachAsync((item) => void held.push(item));
    await until(() => held.length === 2, 'two items');
    const rest: number[] = [];
    let over = false;
    const others = other.forEach((item) => void rest.push(item)).then(() => (over = true));
    await until(() => rest.length === 4, 'the others');
    await queue.qsize();
    expect(held).toHaveLength(2);
    expect(over).toBe(false);
    await queue.ack();
    await queue.ack();
    await streaming;
    await others;
    expect([...held, ...rest].sort()).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe.skipIf(!hasNats)('a writer that is gone', () => {
  let nats: Nats;
  beforeAll(async () => {
    nats = await startNats();
  });
  afterAll(() => nats?.close());

  test.each([
    ['error', 'MP_PRODUCER_LOST'],
    ['complete', undefined],
  ] as const)('ends streams by %s once all it put is delivered', async (onWriterLost, code) => {
    const name = `lost-${onWriterLost}`;
    await using queue = await DistributedQueue.connect<string>({
      servers: nats.servers,
      name,
      lease: 500,
      onWriterLost,
    });
    const writer = runProgram('consumer.mjs', [nats.servers, name, 'produce', '3']);
    await until(() => writer.log().includes('done'), 'the items to be put');
    const seen: string[] = [];
    const reading = queue.consume().forEachAsync((item) => void seen.push(item));
    await until(() => seen.length === 3, 'the items');
    writer.child.kill('SIGKILL');
    await writer.ended;
    if (code === undefined) await reading;
    else await expect(reading).rejects.toMatchObject({ code });
    // Who waits for one item waits for other writers.
    const waiting = queue.get();
    await using other = await DistributedQueue.connect<string>({ servers: nats.servers, name });
    await other.put('more');
    expect(await waiting).toBe('more');
  });
});

describe.skipIf(!hasNats)('a broker that goes while a queue is used', () => {
  test('has what it had accepted when it is back, and takes what waited', async () => {
    const nats = await startNats();
    try {
      const options = { servers: nats.servers, name: 'away', lease: 2_000 };
      await using queue = await DistributedQueue.connect<number>(options);
      await using other = await DistributedQueue.connect<number>(options);
      for (let i = 0; i < 20; i++) await queue.put(i);
      const held = await other.get({ ack: 'manual' });
      expect(held).toBe(0);
      await nats.kill();
      const during = queue.put(20);
      await expect(queue.tryPut(99)).rejects.toMatchObject({ code: 'MP_BROKER_AWAY' });
      await expect(queue.put(98, { timeout: 50 })).rejects.toMatchObject({ code: 'MP_BROKER_AWAY' });
      await expect(other.tryGet()).rejects.toMatchObject({ code: 'MP_BROKER_AWAY' });
      const acknowledged = other.ack(held);
      const seen = new Set<number>();
      const reading = (async () => {
        while (seen.size < 20) seen.add(await other.get());
      })();
      await nats.restart();
      await during;
      await acknowledged;
      await reading;
      expect([...seen].filter((item) => item !== 0).sort((a, b) => a - b)).toEqual(
        Array.from({ length: 20 }, (_, i) => i + 1),
      );
    } finally {
      await nats.close();
    }
  });

  test('keeps what a consumer had when it was killed', async () => {
    const nats = await startNats();
    try {
      /** Which of two items that a consumer has are there after the broker was killed. */
      const held = async (name: string, maxSize: number): Promise<boolean[]> => {
        await using queue = await DistributedQueue.connect<number>({ servers: nats.servers, name, maxSize });
        for (let i = 0; i < 8; i++) await queue.put(i);
        for (const i of [0, 1]) expect(await queue.get({ ack: 'manual' })).toBe(i);
        for (let i = 2; i < 8; i++) {
          expect(await queue.get()).toBe(i);
          await queue.put(i + 6);
        }
        await nats.kill();
        await nats.restart();
        await queue.qsize();
        const connection = await connect({ servers: nats.servers });
        const { streams } = await jetstreamManager(connection);
        const isThere = (seq: number): Promise<boolean> =>
          streams.getMessage(`MP_QUEUE_${name}`, { seq }).then(
            (message) => message !== null,
            () => false,
          );
        const found = [await isThere(1), await isThere(2)];
        const [major = 0, minor = 0, patch = 0] = connection.info!.version.split('.').map(Number);
        dropsOldest = major * 1e6 + minor * 1e3 + patch < 2_010_006;
        await connection.close();
        return found;
      };
      let dropsOldest = true;
      expect(await held('unbounded', 0)).toEqual([true, true]);
      // Docs: an older broker may have dropped the oldest items of a queue that was full.
      if (!dropsOldest) expect(await held('bounded', 8)).toEqual([true, true]);
    } finally {
      await nats.close();
    }
  });

  test('keeps what it has when it is to hold less', async () => {
    const nats = await startNats();
    try {
      const options = { servers: nats.servers, name: 'smaller' };
      await using queue = await DistributedQueue.connect<number>({ ...options, maxSize: 20 });
      for (let i = 0; i < 10; i++) await queue.put(i);
      // The broker drops the oldest of what is more than a new limit.
      await using other = await DistributedQueue.connect<number>({ ...options, maxSize: 4 });
      expect(await other.qsize()).toBe(10);
      for (let i = 0; i < 10; i++) expect(await other.get()).toBe(i);
      await expect.poll(() => other.empty()).toBe(true);
      await using third = await DistributedQueue.connect<number>({ ...options, maxSize: 1 });
      await third.put(1);
      expect(await third.tryPut(2)).toBe(false);
    } finally {
      await nats.close();
    }
  });

  test('gives items again that it counts as acknowledged and still has', async () => {
    const nats = await startNats();
    try {
      // As a broker that was killed leaves it: its consumer is behind what is in the stream, which is full.
      const connection = await connect({ servers: nats.servers });
      const manager = await jetstreamManager(connection);
      const subjects = ['mp.v1.queue.stranded.items', 'mp.v1.queue.stranded.items.>'];
      await manager.streams.add({ name: 'MP_QUEUE_stranded', subjects, max_msgs: 2, discard: 'new' });
      for (const item of [1, 2]) connection.publish(subjects[0]!, new Uint8Array([item]));
      await connection.flush();
      await manager.consumers.add('MP_QUEUE_stranded', {
        durable_name: 'items',
        ack_policy: 'explicit',
        deliver_policy: 'new',
      });
      expect((await manager.consumers.info('MP_QUEUE_stranded', 'items')).num_pending).toBe(0);
      await using queue = await DistributedQueue.connect<number>({ servers: nats.servers, name: 'stranded' });
      expect([await queue.get(), await queue.get()].sort()).toEqual([1, 2]);
      const limitAndItems = async (): Promise<number[]> => {
        const { config, state } = await manager.streams.info('MP_QUEUE_stranded');
        return [config.max_msgs, state.messages];
      };
      // It was given room for one more, which is taken back when nothing would be lost.
      await expect.poll(limitAndItems).toEqual([3, 2]);
      await manager.streams.purge('MP_QUEUE_stranded');
      await expect.poll(limitAndItems, { timeout: 15_000 }).toEqual([2, 0]);
      await connection.close();
    } finally {
      await nats.close();
    }
  });

  test('makes a queue again that it has lost', async () => {
    const nats = await startNats();
    try {
      const options = { servers: nats.servers, name: 'lost' };
      await using queue = await DistributedQueue.connect<number>(options);
      const waiting = queue.get();
      await DistributedQueue.delete(options);
      await queue.put(7);
      expect(await waiting).toBe(7);
    } finally {
      await nats.close();
    }
  });
});

describe.skipIf(!hasNats)('a queue that cannot be used', () => {
  let nats: Nats;
  beforeAll(async () => {
    nats = await startNats('authorization { user: me, password: secret }', 'max_file_store: 300MB');
  });
  afterAll(() => nats?.close());
  const credentials = { user: 'me', password: 'secret' };

  test('says what is wrong, and what works', async () => {
    const servers = () => nats.servers;
    const connecting = (options: Record<string, unknown>) =>
      DistributedQueue.connect({ servers: servers(), credentials, name: 'bad', ...options } as never);
    await expect(connecting({ credentials: { user: 'me', password: 'no' } })).rejects.toMatchObject({
      code: 'MP_BROKER_CREDENTIALS',
    });
    await expect(connecting({ name: 'two words' })).rejects.toThrow(/`name` must have 1 to 64 letters/);
    await expect(connecting({ maxsize: 2 })).rejects.toThrow(/did you mean `maxSize`/);
    await expect(connecting({ overflow: { policy: 'drop-oldest' } })).rejects.toThrow(/what the broker has is not/);
    await expect(connecting({ lease: 10 })).rejects.toThrow(/`lease` must be an integer of at least 500/);
    await expect(connecting({ capacity: 10 ** 9 })).rejects.toMatchObject({ code: 'MP_BROKER_STORAGE' });
    await expect(DistributedQueue.connect({ servers: 'nats://127.0.0.1:1', name: 'bad' })).rejects.toMatchObject({
      code: 'MP_BROKER_UNREACHABLE',
    });
    // What the messages say works.
    await using queue = await DistributedQueue.connect<unknown>({
      servers: servers(),
      credentials,
      name: 'bad',
      capacity: 2 ** 20,
    });
    await queue.put(1);
    await expect(queue.put(new SharedArrayBuffer(1))).rejects.toBeInstanceOf(SerializationError);
    await expect(queue.put(new Lock())).rejects.toMatchObject({ code: 'MP_HOST_BOUND' });
    await expect(queue.put(2, { id: 'with space' })).rejects.toThrow(/`id` must have/);
    await expect(queue.get({ ack: 'never' as never })).rejects.toThrow(/`ack` must be 'auto' or 'manual'/);
    expect(await queue.get()).toBe(1);
  });

  test('gives back what it does not read', async () => {
    const options = { servers: nats.servers, credentials, name: 'plain', capacity: 2 ** 20 };
    await using any = await DistributedQueue.connect<unknown>(options);
    await using plain = await DistributedQueue.connect<unknown>({ ...options, serializer: 'msgpackr' });
    await any.put({ a: 1 });
    await expect(plain.get()).rejects.toMatchObject({ code: 'MP_SERIALIZER' });
    expect(await any.get()).toEqual({ a: 1 });
    await plain.put({ b: 2 });
    expect(await any.get()).toEqual({ b: 2 });
    await expect(plain.put(() => 1)).rejects.toMatchObject({ code: 'MP_NOT_PLAIN' });
  });
});
