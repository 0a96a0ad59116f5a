/** An operator names itself when what it is applied to cannot be read item by item. */
import { Pool, Queue } from 'multiprocess';
import {
  batchPull,
  bounded,
  concatMapPull,
  filterPull,
  mapPull,
  mergeMapPull,
  poolMap,
  remote,
  takePull,
  throughQueue,
  toQueue,
} from 'multiprocess/operators';
import { expect, it } from 'vitest';

const nothing = () => [];

it.each<[string, (pool: Pool, queue: Queue<any>) => unknown]>([
  ['toQueue', (_, queue) => toQueue(queue)],
  ['throughQueue', (_, queue) => throughQueue(queue)],
  ['mapPull', () => mapPull(nothing)],
  ['filterPull', () => filterPull(nothing)],
  ['takePull', () => takePull(1)],
  ['batchPull', () => batchPull(1)],
  ['concatMapPull', () => concatMapPull(nothing)],
  ['mergeMapPull', () => mergeMapPull(nothing)],
  ['bounded', () => bounded({ policy: 'error' })],
  ['poolMap', (pool) => poolMap(pool, nothing)],
])('%s', async (actor, make) => {
  await using pool = new Pool({ processes: 1 });
  const queue = new Queue<any>();
  const operator = make(pool, queue) as (source: unknown) => unknown;
  for (const source of [5, null, undefined, {}, Promise.resolve([1])])
    expect(() => operator(source)).toThrow(`${actor}: the source is `);
  queue.close();
});

it.each([5, undefined, {}])('remote, whose target returns %s, and the worker goes on', async (returned) => {
  await using pool = new Pool({ processes: 1 });
  const stream = remote(pool, (value: unknown) => value as number[], [returned]);
  await expect(stream.toArray()).rejects.toThrow('remote: the source is ');
  expect(await pool.apply((x: number) => x + 1, [1])).toBe(2);
});
