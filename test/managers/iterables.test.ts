/** What is iterated in the client: it is read there, for containers and for a shared Pool. */
import { manager, type SyncManager } from 'multiprocess';
import type { PoolProxy } from 'multiprocess/managers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let m: SyncManager;
beforeAll(async () => {
  m = await manager();
});
afterAll(() => m.shutdown());

function* some<T>(...items: T[]): Generator<T> {
  yield* items;
}

class Range implements Iterable<number> {
  readonly #end: number;
  constructor(end: number) {
    this.#end = end;
  }
  *[Symbol.iterator](): Generator<number> {
    for (let i = 0; i < this.#end; i++) yield i;
  }
}

describe.each<[string, <T>(...items: T[]) => Iterable<T>]>([
  ['a generator', some],
  ['the iterator of an array', (...items) => items.values()],
  ['the iterator of a Map', (...items) => new Map(items.map((item, i) => [i, item])).values()],
  ['a Set', (...items) => new Set(items)],
])('the items of %s', (_, items) => {
  it('are those of a new container', async () => {
    expect(await (await m.list(items(1, 2))).getValue()).toEqual([1, 2]);
    expect(await (await m.set(items(1, 2, 1))).getValue()).toEqual(new Set([1, 2]));
    expect(await (await m.Array('i', items(1, 2))).getValue()).toEqual([1, 2]);
    const pair: [string, number] = ['a', 1];
    expect(await (await m.dict(items(pair))).getValue()).toEqual(new Map([pair]));
  });

  it('are added to a container', async () => {
    const list = await m.list([0]);
    await list.extend(items(1, 2));
    expect(await list.getValue()).toEqual([0, 1, 2]);
    const set = await m.set([0]);
    await set.update(items(1), items(2));
    expect(await set.getValue()).toEqual(new Set([0, 1, 2]));
    expect(await set.isSupersetOf(items(1, 2))).toBe(true);
    const dict = await m.dict<string, number>({ a: 1 });
    await dict.update(items<[string, number]>(['b', 2]));
    expect(await dict.getValue()).toEqual(new Map([['a', 1], ['b', 2]])); // biome-ignore format: one line
    const array = await m.Array('i', 3);
    await array.fill(items(7, 8), 1);
    expect(await array.getValue()).toEqual([0, 7, 8]);
  });
});

it('an object that can be iterated and not sent gives its items', async () => {
  expect(await (await m.list(new Range(3))).getValue()).toEqual([0, 1, 2]);
});

it('what other containers hold is read in the server', async () => {
  const list = await m.list([1, 2]);
  expect(await (await m.list(list)).getValue()).toEqual([1, 2]);
  await list.extend(list);
  expect(await list.getValue()).toEqual([1, 2, 1, 2]);
  const dict = await m.dict({ a: 1 });
  const other = await m.dict(dict);
  await other.update(dict);
  expect(await other.getValue()).toEqual(new Map([['a', 1]]));
});

it('an error of the iterator rejects, and nothing was changed', async () => {
  function* fails(): Generator<number> {
    yield 1;
    throw new RangeError('no more');
  }
  const list = await m.list([0]);
  await expect(list.extend(fails())).rejects.toThrow(new RangeError('no more'));
  await expect(m.list(fails())).rejects.toThrow(new RangeError('no more'));
  const set = await m.set([0]);
  await expect(set.update(fails())).rejects.toThrow(new RangeError('no more'));
  expect([await list.length, await set.size]).toEqual([1, 1]);
});

describe('a source of a shared Pool with an item that cannot be sent', () => {
  const refused = { code: 'MP_PROMISE' };
  let pool: PoolProxy;
  beforeAll(async () => {
    pool = await m.Pool(1);
  });

  it('fails the map, which would wait for it for ever', async () => {
    await expect(pool.map((n: unknown) => n, some<unknown>(1, Promise.resolve(2)))).rejects.toMatchObject(refused);
    expect(await pool.map((n: number) => n + 1, some(1, 2))).toEqual([2, 3]);
  });

  it('fails the stream, and the source is left', async () => {
    let left = false;
    function* source(): Generator<unknown> {
      try {
        yield Promise.resolve(1);
        for (let i = 0; ; i++) yield i;
      } finally {
        left = true;
      }
    }
    await expect(pool.imap((n: unknown) => n, source()).toArray()).rejects.toMatchObject(refused);
    expect(left).toBe(true);
  });
});
