import { statSync } from 'node:fs';
import { Queue, Topic } from 'multiprocess';
import { expect, it } from 'vitest';
import { toShared } from '../../dist/memory/index.js';
import { startFixture } from '../support/fixture-process.js';
import { pass } from '../support/pass.js';
import { until } from '../support/until.js';

const MIB = 1 << 20;

/** Bytes that the system has given for the memory file of a queue or topic. */
function allocated(object: object): number {
  const { block } = toShared(object)!.data.handle;
  return 512 * statSync(`/proc/self/fd/${block!.fd}`).blocks;
}

it('memory of large items goes back when none came for a while, and is taken again', async () => {
  const queue = new Queue<Uint8Array>({ capacity: 4096 });
  const before = allocated(queue);
  for (let round = 1; round <= 2; round++) {
    for (let i = 0; i < 4; i++) await queue.put(new Uint8Array(4 * MIB).fill(i));
    expect(allocated(queue) - before).toBeGreaterThan(15 * MIB);
    for (let i = 0; i < 4; i++) expect((await queue.get())[4 * MIB - 1]).toBe(i);
    await until(() => allocated(queue) - before < MIB / 8, 'the memory that was used');
  }
  queue.close();
});

it('what is not read yet stays, though what lies before it goes back', async () => {
  const queue = new Queue<Uint8Array>({ capacity: 4096 });
  const before = allocated(queue);
  for (let i = 0; i < 4; i++) await queue.put(new Uint8Array(4 * MIB).fill(i + 1));
  for (let i = 0; i < 3; i++) await queue.get();
  await until(() => allocated(queue) - before < 5 * MIB, 'the memory of three items');
  const last = await queue.get();
  expect(last.every((byte) => byte === 4)).toBe(true);
  queue.close();
});

it('of a topic, items that nobody will read go back, but not those that are replayed', async () => {
  const topic = new Topic<Uint8Array>({ capacity: 4096, replay: 1 });
  const before = allocated(topic);
  const seen: number[] = [];
  const first = topic.subscribe((item) => seen.push(item[0]!));
  for (let i = 0; i < 4; i++) await topic.publish(new Uint8Array(4 * MIB).fill(i + 1));
  await until(() => seen.length === 4, 'all items');
  await until(() => allocated(topic) - before < 5 * MIB, 'the memory of three items');
  const late: number[] = [];
  const subscription = topic.subscribe((item) => late.push(item.reduce((sum, byte) => sum + byte, 0)));
  await until(() => late.length === 1, 'the item that is replayed');
  expect([seen, late]).toEqual([[1, 2, 3, 4], [16 * MIB]]);
  for (const one of [subscription, first]) one.unsubscribe();
  topic.close();
});

it('a process that ends gives back what it alone knew of', async () => {
  const queue = new Queue<Uint8Array>({ capacity: 4096 });
  const before = allocated(queue);
  const producer = startFixture('queues/actor.mjs', { args: [pass({ queue, sizes: [4 * MIB, 4 * MIB] }), 'putSizes'] });
  expect(await producer.line()).toBe('"put"');
  const consumer = startFixture('queues/actor.mjs', { args: [pass({ queue, count: 2 }), 'getSome'] });
  expect(await consumer.line()).toBe('"got"');
  for (const one of [producer, consumer]) expect(await one.ended).toBe(0);
  expect(allocated(queue) - before).toBeLessThan(MIB / 8);
  queue.close();
});
