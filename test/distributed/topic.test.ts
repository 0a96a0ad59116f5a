/** DistributedTopic: each item to everybody, on whatever host. */
import { ClosedError, type Gap } from 'multiprocess';
import { DistributedTopic } from 'multiprocess/distributed';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasNats, type Nats, startNats } from '../support/nats.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';

describe.skipIf(!hasNats)('a topic of many hosts', () => {
  let nats: Nats;
  beforeAll(async () => {
    nats = await startNats();
  });
  afterAll(() => nats?.close());

  test('gives each item to each subscriber, and ends for all', async () => {
    const options = { servers: nats.servers, name: 'all' };
    await using one = await DistributedTopic.connect<number>(options);
    await using other = await DistributedTopic.connect<number>(options);
    await one.publish(0);
    const seen: number[][] = [[], [], []];
    const readings = [
      one.forEach((item) => void seen[0]!.push(item)),
      other.forEach((item) => void seen[1]!.push(item)),
      (async () => {
        for await (const item of other) seen[2]!.push(item);
      })(),
    ];
    await other.subscribed();
    expect(await one.subscribers()).toBe(3);
    for (let i = 1; i <= 200; i++) one.next(i);
    one.complete();
    await Promise.all(readings);
    const all = Array.from({ length: 200 }, (_, i) => i + 1);
    expect(seen).toEqual([all, all, all]);
    await expect.poll(() => one.subscribers()).toBe(0);
    await expect(one.publish(1)).rejects.toMatchObject({ code: 'MP_QUEUE_COMPLETED' });
  });

  test('gives what this process publishes after it subscribed', async () => {
    await using topic = await DistributedTopic.connect<number>({ servers: nats.servers, name: 'own' });
    const seen: number[] = [];
    const reading = topic.subscribe((item) => seen.push(item));
    expect(await topic.tryPublish(1)).toBe(true);
    await topic.publish(2);
    await until(() => seen.length === 2, 'both');
    expect(seen).toEqual([1, 2]);
    reading.unsubscribe();
  });

  test('replays the last items, or those since a time', async () => {
    const options = { servers: nats.servers, name: 'replay' };
    await using topic = await DistributedTopic.connect<number>(options);
    for (let i = 0; i < 5; i++) await topic.publish(i);
    // Later than the broker's time of the fifth, earlier than that of the next: both clocks are this machine's.
    await new Promise((done) => setTimeout(done, 20));
    const since = new Date();
    await new Promise((done) => setTimeout(done, 20));
    for (let i = 5; i < 8; i++) await topic.publish(i);
    topic.complete();
    await using late = await DistributedTopic.connect<number>({ ...options, replay: 2 });
    expect(await late.stream().toArray()).toEqual([6, 7]);
    expect(await late.stream({ replay: 100 }).toArray()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(await late.stream({ since }).toArray()).toEqual([5, 6, 7]);
    expect(await late.stream({}).toArray()).toEqual([]);
  });

  test('says what a slow subscriber has missed', async () => {
    const options = { servers: nats.servers, name: 'lag', maxSize: 10 };
    await using topic = await DistributedTopic.connect<number>(options);
    await using strict = await DistributedTopic.connect<number>({ ...options, lag: 'error' });
    await using newest = await DistributedTopic.connect<number>({ ...options, lag: 'latest' });
    const gaps: Gap[] = [];
    topic.gaps.subscribe((gap) => gaps.push(gap));
    const slow = topic[Symbol.asyncIterator]();
    const failing = strict[Symbol.asyncIterator]();
    const latest = newest[Symbol.asyncIterator]();
    const firsts = [slow.next(), failing.next(), latest.next()];
    await Promise.all([topic.subscribed(), strict.subscribed(), newest.subscribed()]);
    await topic.publish(0);
    for (const first of firsts) expect(await first).toEqual({ done: false, value: 0 });
    for (let i = 1; i <= 300; i++) topic.next(i);
    await topic.joinThread();
    const read = async (iterator: AsyncIterator<number>): Promise<number[]> => {
      const items: number[] = [];
      for (;;) {
        const { value, done } = await iterator.next();
        if (done === true) return items;
        items.push(value as number);
        if (value === 300) return items;
      }
    };
    const items = await read(slow);
    expect(items.at(-1)).toBe(300);
    expect([...items].sort((a, b) => a - b)).toEqual(items);
    const missed = gaps.reduce((sum, { count }) => sum + count, 0);
    expect(missed).toBeGreaterThan(0);
    expect(items.length + missed).toBe(300);
    await expect(read(failing)).rejects.toMatchObject({ code: 'MP_TOPIC_LAG' });
    expect((await read(latest)).at(-1)).toBe(300);
    for (const iterator of [slow, latest]) await iterator.return?.();
  });

  test('passes an error on, and is closed', async () => {
    const options = { servers: nats.servers, name: 'error' };
    await using one = await DistributedTopic.connect<number>(options);
    const other = await DistributedTopic.connect<number>(options);
    const failing = one.stream().toArray();
    await one.subscribed();
    other.error(new RangeError('no more'));
    await expect(failing).rejects.toThrow(RangeError);
    expect(await DistributedTopic.delete(options)).toBe(true);
    await using anew = await DistributedTopic.connect<number>(options);
    const closing = anew.stream().toArray();
    await anew.subscribed();
    anew.close();
    await expect(closing).rejects.toBeInstanceOf(ClosedError);
    await expect(anew.publish(1)).rejects.toBeInstanceOf(ClosedError);
    await other[Symbol.asyncDispose]();
  });

  test('refuses what it cannot do, by name', async () => {
    const connecting = (options: Record<string, unknown>) =>
      DistributedTopic.connect({ servers: nats.servers, name: 'bad', ...options } as never);
    await expect(connecting({ lag: 'block' })).rejects.toThrow(/`lag` must be one of.*slow host would stop/);
    await expect(connecting({ replay: -1 })).rejects.toThrow(/`replay` must be an integer/);
    await expect(connecting({ since: 5 })).rejects.toThrow(/`since` must be a valid Date/);
    await expect(connecting({ replay: 1, since: new Date() })).rejects.toThrow(/give one of them/);
    await using topic = await DistributedTopic.connect<unknown>({ servers: nats.servers, name: 'bad' });
    await expect(topic.publish(new Uint8Array(2_000_000))).rejects.toMatchObject({ code: 'MP_TOO_LARGE' });
    await topic.publish(1);
  });

  test('loses and repeats nothing while its broker and connections go and come back', async () => {
    const own = await startNats();
    const proxy = await TcpProxy.start(own.port);
    try {
      const name = 'back';
      await using publisher = await DistributedTopic.connect<number>({ servers: own.servers, name });
      const through = `nats://127.0.0.1:${proxy.port}`;
      await using subscriber = await DistributedTopic.connect<number>({ servers: through, name });
      const seen: number[] = [];
      const reading = subscriber.forEach((item) => void seen.push(item));
      await subscriber.subscribed();
      const publishing = (async () => {
        for (let i = 0; i < 600; i++) await publisher.publish(i);
        publisher.complete();
      })();
      await until(() => seen.length > 50, 'some items');
      proxy.cut();
      await until(() => seen.length > 150, 'more items');
      await own.kill('SIGTERM');
      await own.restart();
      await until(() => seen.length > 250, 'items after the restart');
      proxy.cut();
      await publishing;
      await reading;
      expect(seen).toEqual(Array.from({ length: 600 }, (_, i) => i));
    } finally {
      await proxy.close();
      await own.close();
    }
  });
});
