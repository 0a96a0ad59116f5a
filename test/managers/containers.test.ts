/**
 * dict, list, set, Namespace, Value and Array of a SyncManager: what each client sees, errors and
 * iterations.
 */
import { ArgumentError, manager, type SyncManager } from 'multiprocess';
import { BaseManager, textOf } from 'multiprocess/managers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let m: SyncManager;
beforeAll(async () => {
  m = await manager();
});
afterAll(() => m.shutdown());

const code = (error: unknown): unknown => (error as { code?: unknown }).code;
const failure = (promise: Promise<unknown>): Promise<unknown> => promise.then(() => 'no failure', code);

describe('a shared dict', () => {
  it('is a Map, and has the methods of Python', async () => {
    const d = await m.dict<string, number>({ a: 1 });
    expect(await d.set('b', 2)).toBeUndefined();
    expect([await d.get('a'), await d.get('none'), await d.get('none', 7)]).toEqual([1, undefined, 7]);
    expect([await d.has('b'), await d.has('c'), await d.size]).toEqual([true, false, 2]);
    expect([await d.keys(), await d.values(), await d.entries()]).toEqual([['a', 'b'], [1, 2], [['a', 1], ['b', 2]]]); // biome-ignore format: one line
    expect([await d.setdefault('a', 9), await d.setdefault('c', 3)]).toEqual([1, 3]);
    expect([await d.pop('a'), await d.pop('a', 5), await d.popitem()]).toEqual([1, 5, ['c', 3]]);
    expect([await d.delete('b'), await d.delete('b'), await d.size]).toEqual([true, false, 0]);
    await d.update([['x', 1]]);
    await d.update(new Map([['y', 2]]));
    await d.update({ z: 3 });
    expect(await d.copy()).toEqual(new Map([['x', 1], ['y', 2], ['z', 3]])); // biome-ignore format: one line
    expect(await d.getValue()).toEqual(await d.copy());
    await d.clear();
    expect(await d.size).toBe(0);
  });

  it('refuses keys that could not be found again, and names a missing one', async () => {
    const d = await m.dict<unknown, unknown>();
    expect(await failure(d.pop('none'))).toBe('MP_KEY');
    expect(await failure(d.popitem())).toBe('MP_EMPTY');
    expect(await failure(d.set({}, 1))).toBe('MP_KEY_TYPE');
    expect(await failure(d.setdefault([], 1))).toBe('MP_KEY_TYPE');
    expect(await failure(d.update([['a', 1], [{}, 2]] as never))).toBe('MP_KEY_TYPE'); // biome-ignore format: one line
    expect(await failure(d.update(5 as never))).toBe('MP_TYPE');
    expect(await failure(d.update([1] as never))).toBe('MP_TYPE');
    expect(await d.size).toBe(0);
    await expect(d.pop('none')).rejects.toBeInstanceOf(ArgumentError);
  });

  it('takes names like __proto__ as keys, and exposes nothing by them', async () => {
    const d = await m.dict<string, number>();
    await d.set('__proto__', 1);
    await d.set('constructor', 2);
    expect(await d.entries()).toEqual([['__proto__', 1], ['constructor', 2]]); // biome-ignore format: one line
    await expect(
      (d as unknown as { callMethod(name: string): Promise<unknown> }).callMethod('constructor'),
    ).rejects.toThrow();
    await expect(d.callMethod('contents')).rejects.toMatchObject({ code: 'MP_NOT_EXPOSED' });
  });

  it('answers with copies: changing one changes nothing in the server', async () => {
    const d = await m.dict<string, number[]>({ a: [1] });
    (await d.get('a'))!.push(2);
    expect(await d.get('a')).toEqual([1]);
  });

  it('is iterated whole, however large, and fails when keys came or went meanwhile', async () => {
    const d = await m.dict<number, number>(Array.from({ length: 5_000 }, (_, i) => [i, -i] as const));
    const seen: [number, number][] = [];
    for await (const entry of d) seen.push(entry);
    expect(seen).toEqual(await d.entries());
    const iterator = d[Symbol.asyncIterator]();
    expect(await iterator.next()).toEqual({ done: false, value: [0, -0] });
    await d.set(1, 111); // no key came
    expect((await iterator.next()).value).toEqual([1, 111]);
    await d.clear();
    const rest = async () => {
      for await (const _ of iterator);
    };
    expect(await failure(rest())).toBe('MP_CHANGED');
  });
});

describe('a shared list', () => {
  it('is an array, and has the methods of Python', async () => {
    const a = await m.list([3, 1, 2]);
    expect([await a.get(0), await a.get(-1), await a.at(9), await a.length]).toEqual([3, 2, undefined, 3]);
    await a.append(9);
    expect(await a.push(8, 7)).toBe(6);
    await a.extend(new Set([6]));
    await a.insert(0, 100);
    await a.insert(-1, 5);
    await a.insert(99, 200);
    expect(await a.copy()).toEqual([100, 3, 1, 2, 9, 8, 7, 5, 6, 200]);
    expect([await a.pop(), await a.pop(0), await a.pop(-2)]).toEqual([200, 100, 5]);
    await a.remove(9);
    expect([await a.index(1), await a.indexOf(77), await a.count(3), await a.includes(8)]).toEqual([1, -1, 1, true]);
    await a.sort();
    expect(await a.slice()).toEqual([1, 2, 3, 6, 7, 8]);
    await a.reverse();
    expect(await a.slice(0, 2)).toEqual([8, 7]);
    await a.sort((x, y) => (x % 3) - (y % 3));
    expect(await a.copy()).toEqual([6, 3, 7, 1, 8, 2]);
    await a.sort({ key: (x) => -x, reverse: true });
    expect(await a.copy()).toEqual([1, 2, 3, 6, 7, 8]);
    expect(await a.splice(1, 2, 50, 60, 70)).toEqual([2, 3]);
    await a.set(-1, 0);
    await a.delete(0);
    expect(await a.getValue()).toEqual([50, 60, 70, 6, 7, 0]);
    await a.clear();
    await a.extend([1, 2]);
    await a.repeat(3);
    expect(await a.copy()).toEqual([1, 2, 1, 2, 1, 2]);
    await a.repeat(0);
    expect(await a.length).toBe(0);
    await a.repeat(1e9);
    expect(await a.length).toBe(0);
  });

  it('is not repeated beyond what the server could answer after', async () => {
    const a = await m.list<number>([1, 2]);
    await expect(a.repeat(1e9)).rejects.toThrow(/^list\.repeat: `n` must be at most 33554432, not 1000000000: /);
    expect(await a.copy()).toEqual([1, 2]);
  });

  it('names a missing index or item', async () => {
    const a = await m.list<number>([1]);
    expect(await failure(a.get(1))).toBe('MP_LIST_INDEX');
    expect(await failure(a.get(-2))).toBe('MP_LIST_INDEX');
    expect(await failure(a.get(0.5))).toBe('MP_LIST_INDEX');
    expect(await failure(a.set(1, 1))).toBe('MP_LIST_INDEX');
    expect(await failure(a.delete(5))).toBe('MP_LIST_INDEX');
    expect(await failure(a.remove(2))).toBe('MP_LIST_VALUE');
    expect(await failure(a.index(2))).toBe('MP_LIST_VALUE');
    expect(await failure(a.extend(5 as never))).toBe('MP_TYPE');
    await a.pop();
    expect(await failure(a.pop())).toBe('MP_EMPTY');
  });

  it('finds items by value', async () => {
    const a = await m.list<unknown>([{ x: [1] }, Number.NaN, 0]);
    expect([await a.index({ x: [1] }), await a.indexOf(Number.NaN), await a.includes(-0)]).toEqual([0, 1, true]);
    await a.remove({ x: [1] });
    expect(await a.length).toBe(2);
  });

  it('takes more items than a call has arguments', async () => {
    const items = Array.from({ length: 300_000 }, (_, i) => i);
    const a = await m.list<number>([-1]);
    await a.extend(items);
    await a.insert(1, -2);
    expect([await a.length, await a.get(-1)]).toEqual([300_002, 299_999]);
    let sum = 0;
    for await (const item of a) sum += item;
    expect(sum).toBe((300_000 * 299_999) / 2 - 3);
  });

  it('stays as it was when a comparison throws', async () => {
    const a = await m.list([2, 1]);
    const compare = () => {
      throw new RangeError('not so');
    };
    await expect(a.sort(compare)).rejects.toThrow(RangeError);
    expect(await a.copy()).toEqual([2, 1]);
  });
});

describe('a shared set', () => {
  it('has the operations of both languages', async () => {
    const s = await m.set([1, 2, 3]);
    await s.add(3);
    await s.add(4);
    expect([await s.has(4), await s.size, await s.values()]).toEqual([true, 4, [1, 2, 3, 4]]);
    expect(await s.union([9], [8])).toEqual(new Set([1, 2, 3, 4, 9, 8]));
    expect(await s.intersection([2, 3, 9], [3])).toEqual(new Set([3]));
    expect(await s.difference([1], [2])).toEqual(new Set([3, 4]));
    expect(await s.symmetricDifference([4, 5, 5])).toEqual(new Set([1, 2, 3, 5]));
    expect([
      await s.issubset([1, 2, 3, 4, 5]),
      await s.isSupersetOf([1]),
      await s.isdisjoint([7]),
      await s.equals([4, 3, 2, 1]),
    ]).toEqual(
      [true, true, true, true], // biome-ignore format: one line
    );
    expect([await s.delete(4), await s.delete(4), await s.discard(77)]).toEqual([true, false, undefined]);
    expect(await failure(s.remove(77))).toBe('MP_KEY');
    await s.update([10], new Set([11]));
    await s.intersectionUpdate([1, 2, 10]);
    await s.differenceUpdate([2]);
    await s.symmetricDifferenceUpdate([1, 5]);
    expect(await s.getValue()).toEqual(new Set([10, 5]));
    const other = await m.set([5]);
    expect([await s.intersection(other as never), await s.isSupersetOf(other as never)]).toEqual([new Set([5]), true]);
    await s.pop();
    await s.pop();
    expect(await failure(s.pop())).toBe('MP_EMPTY');
    expect(await failure(s.add([] as never))).toBe('MP_KEY_TYPE');
  });
});

describe('a Namespace', () => {
  it('is read as properties, and assigned with a way to await it', async () => {
    const ns = await m.Namespace<{ x: number; y?: number }>({ x: 1 });
    const loose = ns as unknown as Record<string, unknown>;
    loose['y'] = 2;
    expect(await ns.y).toBe(2); // what is asked after an assignment sees it
    await ns.set('x', 10);
    expect(await ns.getValue()).toEqual({ x: 10, y: 2 });
    delete loose['y'];
    await ns.settled();
    expect([await ns.has('y'), await ns.keys(), await ns.y]).toEqual([false, ['x'], undefined]);
    loose['_local'] = 5;
    expect([loose['_local'], await ns.has('_local')]).toEqual([5, false]);
    expect(() => (loose['watch'] = 1)).toThrow(ArgumentError);
    await ns.set('watch', 1);
    expect(await ns.get('watch' as never)).toBe(1);
    loose['bad'] = Symbol('not sendable');
    await expect(ns.settled()).rejects.toThrow();
    await ns.settled();
  });
});

describe('a Value and an Array', () => {
  it('hold what they are given', async () => {
    const v = await m.Value('i', 1);
    v.value = 5;
    expect([await v.value, await v.type, await v.update((n) => n * 2), await v.getValue()]).toEqual([5, 'i', 10, 10]);
    const a = await m.Array('i', [1, 2, 3]);
    await a.set(-1, 30);
    expect([await a.get(-1), await a.length, await a.slice(1), await a.at(9), await a.type]).toEqual([
      30,
      3,
      [2, 30],
      undefined,
      'i',
    ]);
    expect(await failure(a.set(3, 0))).toBe('MP_LIST_INDEX');
    expect(await failure(a.set(0, 'x' as never))).toBe('MP_TYPE');
    await expect(m.Array('i', -1)).rejects.toMatchObject({ code: 'MP_REMOTE' });
    const items: number[] = [];
    for await (const item of a) items.push(item);
    expect(items).toEqual([1, 2, 30]);
    await a.fill([7, 8], 1);
    expect(await a.getValue()).toEqual([1, 7, 8]);
  });
});

describe('values of every size', () => {
  it('arrive whole, alone and many at once', async () => {
    const d = await m.dict<number, string>();
    const sizes = [0, 1, 16_300, 16_384, 16_385, 40_000, 65_500, 65_536, 65_540, 131_072, 1 << 20, 3_000_001];
    for (const size of sizes) {
      await d.set(size, 'x'.repeat(size));
      expect((await d.get(size))!.length).toBe(size);
    }
    const all = [...sizes, ...[...sizes].reverse(), ...sizes];
    const seen = await Promise.all(all.map(async (size) => (await d.get(size))!.length));
    expect(seen).toEqual(all);
    await Promise.all(all.map((size, i) => d.set(-i - 1, `${i}`.repeat(size % 70_000))));
    const lengths = await Promise.all(all.map(async (_, i) => (await d.get(-i - 1))!.length));
    expect(lengths).toEqual(all.map((size, i) => `${i}`.length * (size % 70_000)));
  });
});

describe('with a serializer of plain data', () => {
  it('containers, values, locks and watchers work, and proxies are passed by themselves', async () => {
    await using plain = await manager({ serializer: 'msgpackr' });
    const d = await plain.dict<string, unknown>({ a: 1 });
    await d.set('b', { x: [2] });
    expect(await d.copy()).toEqual(new Map<string, unknown>([['a', 1], ['b', { x: [2] }]])); // biome-ignore format: one line
    expect(await d.getValue()).toEqual(await d.copy());
    expect(await failure(d.pop('none'))).toBe('MP_KEY');
    const s = await plain.set([1, 2]);
    expect([await s.union(new Set([3])), await s.copy(), await s.issubset(new Set([1, 2, 3]))]).toEqual([
      new Set([1, 2, 3]),
      new Set([1, 2]),
      true,
    ]);
    const a = await plain.list<number>([3, 1]);
    await d.set('list', a);
    expect(await d.get('list')).toBe(a);
    await a.sort();
    expect(await a.copy()).toEqual([1, 3]);
    const ns = await plain.Namespace({ x: 1 });
    expect([await ns.x, await ns.getValue()]).toEqual([1, { x: 1 }]);
    const lock = await plain.RLock();
    expect(await lock.runExclusive(() => lock.locked())).toBe(true);
    const queue = await plain.Queue<number>(1);
    await queue.put(7);
    expect([await queue.get(), await failure(queue.get({ timeout: 1 }))]).toEqual([7, 'MP_QUEUE_EMPTY']);
    const v = await plain.Value('i', 0);
    const seen: number[] = [];
    for await (const value of v.watch()) {
      if (seen.push(value) === 3) break;
      await v.set(value + 1);
    }
    expect(seen).toEqual([0, 1, 2]);
  });

  it('a Pool says that functions for its workers are not carried', async () => {
    await using plain = await manager({ serializer: 'msgpackr' });
    const pool = await plain.Pool(1);
    const refused = { code: 'MP_NOT_PLAIN', message: expect.stringContaining('give the manager the serializer') };
    await expect(pool.map((n: number) => n + 1, [1, 2])).rejects.toMatchObject(refused);
    await expect(pool.imap((n: number) => n + 1, [1, 2]).toArray()).rejects.toMatchObject(refused);
  });
});

it('textOf gives what each holds', async () => {
  class Point {
    x = 1;
  }
  const own = new (BaseManager.with({ Point }))();
  await own.start();
  const jobs = await m.JoinableQueue();
  await jobs.put('a');
  const long = await m.Array('i', 1000);
  const texts = {
    list: await textOf(await m.list([1, { a: 'b' }])),
    dict: await textOf(await m.dict({ a: 1 })),
    set: await textOf(await m.set([1, 'a'])),
    array: await textOf(await m.Array('d', [1.5, 2])),
    long: (await textOf(long)).replaceAll(/(0,\s+)+/g, '0, '),
    queue: await textOf(await m.Queue()),
    jobs: await textOf(jobs),
    pool: await textOf(await m.Pool(1)),
    // Of a class without a text of its own.
    point: await textOf(await own.Point()),
  };
  expect(texts).toEqual({
    list: "[ 1, { a: 'b' } ]",
    dict: "Map(1) { 'a' => 1 }",
    set: "Set(2) { 1, 'a' }",
    array: "Array('d', [ 1.5, 2 ])",
    long: expect.stringMatching(/^Array\('i', \[\s+0, 0\s+\] and 900 more\)$/),
    queue: '<Queue(size=0)>',
    jobs: '<JoinableQueue(size=1, unfinished=1)>',
    pool: expect.stringMatching(/^<Pool /),
    point: 'Point { x: 1 }',
  });
  await own.shutdown();
});
