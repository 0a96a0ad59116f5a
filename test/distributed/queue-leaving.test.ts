/** DistributedQueue: what a consumer gives back when it leaves. The lease is longer than any test. */
import { QueueEmptyError } from 'multiprocess';
import { DistributedQueue } from 'multiprocess/distributed';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasNats, type Nats, startNats } from '../support/nats.js';
import { until } from '../support/until.js';

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe.skipIf(!hasNats)('a consumer that leaves a queue of many hosts', () => {
  let nats: Nats;
  beforeAll(async () => {
    nats = await startNats();
  });
  afterAll(() => nats?.close());

  /** A queue with the numbers below `count`. */
  const filled = async (name: string, count: number): Promise<DistributedQueue<number>> => {
    const queue = await DistributedQueue.connect<number>({ servers: nats.servers, name, lease: 600_000 });
    for (const item of range(0, count)) await queue.put(item);
    return queue;
  };
  const again = (name: string): Promise<DistributedQueue<number>> =>
    DistributedQueue.connect<number>({ servers: nats.servers, name });
  const take = async (queue: DistributedQueue<number>, count: number): Promise<number[]> => {
    const items: number[] = [];
    while (items.length < count) items.push(await queue.get());
    return items;
  };

  test.each(range(0, 5))('gives back at once what it had not read, in its order (%i)', async (round) => {
    await using queue = await filled(`break-${round}`, 8);
    const seen: number[] = [];
    for await (const item of queue) {
      seen.push(item);
      if (seen.length === 2) break;
    }
    expect([...seen, ...(await take(queue, 6))]).toEqual(range(0, 8));
  });

  test('gives back before all that nobody has taken', async () => {
    await using queue = await filled('before', 20);
    // Someone who gets has been here before.
    expect(await queue.get()).toBe(0);
    for await (const item of queue.consume({ prefetch: 4 })) {
      expect(item).toBe(1);
      break;
    }
    expect(await take(queue, 8)).toEqual(range(2, 10));
    for await (const item of queue.consume({ prefetch: 4 })) {
      expect(item).toBe(10);
      break;
    }
    expect(await queue.tryGet()).toBe(11);
    expect(await take(queue, 8)).toEqual(range(12, 20));
  });

  test('gives back to a second loop, and when the first one throws', async () => {
    await using queue = await filled('throws', 9);
    const seen: number[] = [];
    const failing = async (): Promise<void> => {
      for await (const item of queue) {
        seen.push(item);
        if (item % 3 === 2) throw new Error(`no ${item}`);
      }
    };
    await expect(failing()).rejects.toThrow('no 2');
    await expect(failing()).rejects.toThrow('no 5');
    await expect(failing()).rejects.toThrow('no 8');
    expect(seen).toEqual(range(0, 9));
  });

  test('gives back to those who wait, here and elsewhere', async () => {
    await using queue = await filled('elsewhere', 12);
    await using other = await again('elsewhere');
    const leaving = queue.consume({ prefetch: 12 })[Symbol.asyncIterator]();
    expect((await leaving.next()).value).toBe(0);
    await expect.poll(() => other.qsize()).toBe(0);
    const seen: number[] = [];
    const reading = [queue, other].map((each) => each.forEach((item) => void seen.push(item)));
    await leaving.return?.();
    await until(() => seen.length === 11, 'the items that were given back');
    expect(seen.sort((a, b) => a - b)).toEqual(range(1, 12));
    queue.complete();
    await Promise.all(reading);
  });

  test('gives back when a wait ends by its signal or its time', async () => {
    await using queue = await filled('waits', 0);
    const seen: number[] = [];
    for (const item of range(0, 20)) {
      const abort = new AbortController();
      const waiting = queue.get(item % 2 === 0 ? { signal: abort.signal } : { timeout: 1 });
      const put = queue.put(item);
      if (item % 4 === 0) await put;
      abort.abort(new QueueEmptyError('aborted'));
      const got = await waiting.catch((error: unknown) => {
        expect(error).toBeInstanceOf(QueueEmptyError);
        return undefined;
      });
      await put;
      seen.push(got ?? (await queue.get()));
    }
    expect(seen).toEqual(range(0, 20));
  });

  test('keeps nothing of what others give back, once it waits no more', async () => {
    await using queue = await filled('nacks', 3);
    await using other = await again('nacks');
    const held = [await queue.get({ ack: 'manual' }), await queue.get({ ack: 'manual' })];
    const last = await other.get({ ack: 'manual' });
    for (const each of [queue, other, queue, other]) {
      await expect(each.get({ timeout: 1 })).rejects.toBeInstanceOf(QueueEmptyError);
      for (const item of held) await queue.nack(item);
      expect(await other.get({ ack: 'manual' })).toBe(0);
      expect(await queue.get({ ack: 'manual' })).toBe(1);
      await other.nack(0);
      expect(await queue.get({ ack: 'manual' })).toBe(0);
    }
    await other.nack(last);
    expect(await queue.get()).toBe(2);
  });

  test('gives back what it was handed and no longer waited for, when many ask at once', async () => {
    await using queue = await filled('asked', 3);
    await using other = await again('asked');
    expect(await queue.tryGet()).toBe(0);
    expect(await queue.get({ timeout: 0, ack: 'manual' })).toBe(1);
    const asked = await Promise.all([queue.tryGet(), other.tryGet(), queue.tryGet()]);
    expect(asked.filter((item) => item !== undefined)).toEqual([2]);
    await queue.nack(1);
    expect(await other.tryGet()).toBe(1);
    expect(await queue.tryGet()).toBeUndefined();
  });

  test('gives back in order what it had and had not acknowledged, when it closes', async () => {
    await using queue = await filled('closes', 9);
    const other = await again('closes');
    const iterator = other.consume({ ack: 'manual', prefetch: 6 })[Symbol.asyncIterator]();
    for (const item of range(0, 3)) expect((await iterator.next()).value).toBe(item);
    await other.ack(1);
    await other[Symbol.asyncDispose]();
    expect(await take(queue, 8)).toEqual([0, 2, 3, 4, 5, 6, 7, 8]);
  });
});
