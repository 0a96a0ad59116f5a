/**
 * watch(): the present state and then each change, for every client, and what a watcher that does
 * not keep up is told.
 */

import { manager, Pool, type SyncManager } from 'multiprocess';
import type { DictChange, ListChange, SetChange, WatchOptions } from 'multiprocess/managers';
import {
  distinctUntilChanged,
  firstValueFrom,
  lastValueFrom,
  map,
  Observable,
  scan,
  take,
  takeWhile,
  tap,
  toArray,
} from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
let m: SyncManager;
beforeAll(async () => {
  m = await manager();
});
afterAll(() => m.shutdown());

/** What a dict's changes add up to. */
function replica<K, V>(): (state: Map<K, V>, change: DictChange<K, V>) => Map<K, V> {
  return (state, change) => {
    if (change.type === 'state') return new Map(change.entries);
    const next = new Map(state);
    if (change.type === 'set') next.set(change.key, change.value);
    else if (change.type === 'delete') next.delete(change.key);
    else if (change.type === 'clear') next.clear();
    return next;
  };
}

/** The first `n` items of a stream, and when the first of them is there. */
function first<T>(stream: Observable<T>, n: number): { items: Promise<T[]>; begun: Promise<void> } {
  let begin: () => void;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  return { items: lastValueFrom(stream.pipe(tap(() => begin()), take(n), toArray())), begun }; // biome-ignore format: one line
}

describe('watch of', () => {
  it('a dict tells its state, then every kind of change, in order', async () => {
    const d = await m.dict<string, unknown>({ a: 1 });
    const watch = d.watch();
    expect(watch).toBeInstanceOf(Observable);
    const { items, begun } = first(watch, 8);
    await begun;
    await d.set('b', [2]);
    await d.update({ c: 3, d: 4 });
    await d.delete('a');
    await d.delete('none');
    await d.pop('b');
    await d.popitem();
    await d.clear();
    await d.clear();
    expect(await items).toEqual([
      { type: 'state', entries: [['a', 1]], missed: 0 },
      { type: 'set', key: 'b', value: [2] },
      { type: 'set', key: 'c', value: 3 },
      { type: 'set', key: 'd', value: 4 },
      { type: 'delete', key: 'a' },
      { type: 'delete', key: 'b' },
      { type: 'delete', key: 'd' },
      { type: 'clear' },
    ] satisfies DictChange<string, unknown>[]);
  });

  it('a list tells its state, then every kind of change, in order', async () => {
    const a = await m.list([1]);
    const { items, begun } = first(a.watch(), 7);
    await begun;
    await a.append(2);
    await a.set(0, 5);
    await a.insert(1, 9);
    await a.pop(0);
    await a.sort();
    await a.clear();
    expect(await items).toEqual([
      { type: 'state', items: [1], missed: 0 },
      { type: 'splice', index: 1, removed: 0, items: [2] },
      { type: 'set', index: 0, value: 5 },
      { type: 'splice', index: 1, removed: 0, items: [9] },
      { type: 'splice', index: 0, removed: 1, items: [] },
      { type: 'state', items: [2, 9], missed: 0 },
      { type: 'splice', index: 0, removed: 2, items: [] },
    ] satisfies ListChange<number>[]);
  });

  it('a set, a Namespace, a Value and an Event tell their states and changes', async () => {
    const s = await m.set([1]);
    const inSet = first(s.watch(), 4);
    await inSet.begun;
    await s.add(1);
    await s.add(2);
    await s.delete(1);
    await s.clear();
    expect(await inSet.items).toEqual([
      { type: 'state', values: [1], missed: 0 },
      { type: 'add', value: 2 },
      { type: 'delete', value: 1 },
      { type: 'clear' },
    ] satisfies SetChange<number>[]);

    const ns = await m.Namespace({ x: 1 });
    const inNamespace = first(ns.watch(), 3);
    await inNamespace.begun;
    await ns.set('y', 2);
    await ns.delete('x');
    expect(await inNamespace.items).toEqual([
      { type: 'state', values: { x: 1 }, missed: 0 },
      { type: 'set', name: 'y', value: 2 },
      { type: 'delete', name: 'x' },
    ]);

    const v = await m.Value('i', 0);
    const values = first(v.watch(), 3);
    await values.begun;
    await v.set(1);
    await v.update((n) => n + 1);
    expect(await values.items).toEqual([0, 1, 2]);

    const event = await m.Event();
    const flags = first(event.asObservable(), 3);
    await flags.begun;
    await event.set();
    await event.set();
    await event.clear();
    expect(await flags.items).toEqual([false, true, false]);
  });

  it('nested objects gives them as proxies', async () => {
    const d = await m.dict<string, unknown>();
    const inner = await m.list([1]);
    const { items, begun } = first(d.watch(), 2);
    await begun;
    await d.set('inner', inner);
    const [, change] = (await items) as [unknown, { value: unknown }];
    expect(change.value).toBe(inner);
  });
});

describe('a watcher', () => {
  it('gets proxies among the changes, and each process has references of its own', async () => {
    const d = await m.dict<string, unknown>();
    const inner = await m.list<number>([]);
    const ready = await m.Semaphore(0);
    const pool = new Pool({ processes: 2 });
    const seen = upTo(2).map((i) =>
      pool.apply(
        async (number: number) => {
          let met = 0;
          for await (const change of d.watch()) {
            if (change.type === 'state') await ready.release();
            if (change.type !== 'set') continue;
            if (change.key === 'end') break;
            if (typeof change.value === 'number') continue;
            await (change.value as typeof inner).append(number);
            met++;
          }
          return met;
        },
        [i],
      ),
    );
    for (const _ of seen) await ready.acquire();
    await Promise.all(upTo(100).map((i) => d.set(`k${i}`, i % 10 === 0 ? inner : i)));
    await d.set('end', 0);
    expect(await Promise.all(seen)).toEqual([10, 10]);
    expect((await inner.copy()).sort()).toEqual([...upTo(10).map(() => 0), ...upTo(10).map(() => 1)]);
    pool.close();
    await pool.join();
  });

  it('in each process sees each change once, in one order', async () => {
    const d = await m.dict<string, number>();
    const ready = await m.Semaphore(0);
    const pool = new Pool({ processes: 3 });
    const seen = upTo(3).map(() =>
      pool.apply(async () => {
        const keys: string[] = [];
        for await (const change of d.watch()) {
          if (change.type === 'state') await ready.release();
          else if (change.type === 'set') keys.push(change.key);
          if (keys.at(-1) === 'end') break;
        }
        return keys;
      }),
    );
    for (const _ of seen) await ready.acquire();
    const keys = [...upTo(500).map(String), 'end'];
    await Promise.all(keys.map((key, i) => d.set(key, i)));
    for (const each of seen) expect(await each).toEqual(keys);
    pool.close();
    await pool.join();
  });

  it('renders a view of shared state in a few lines', async () => {
    const stock = await m.dict<string, number>({ apples: 3 });
    const rows: string[][] = [];
    const table = stock.watch().pipe(
      scan(replica<string, number>(), new Map<string, number>()),
      map((state) => [...state].map(([name, count]) => `${name}: ${count}`)),
      distinctUntilChanged((a, b) => a.join() === b.join()),
    );
    const drawn = lastValueFrom(table.pipe(takeWhile((lines) => !lines.includes('pears: 2'), true), map((lines) => rows.push(lines)), toArray())); // biome-ignore format: one line
    const pool = new Pool({ processes: 1 });
    await firstValueFrom(table);
    await pool.apply(async () => {
      await stock.set('pears', 1);
      await stock.delete('apples');
      await stock.set('pears', 2);
    });
    await drawn;
    expect(rows).toEqual([['apples: 3'], ['apples: 3', 'pears: 1'], ['pears: 1'], ['pears: 2']]);
    pool.close();
    await pool.join();
  });

  it('that leaves is removed from the server', async () => {
    const d = await m.dict<string, number>();
    const subscription = d.watch({ lag: 'block', maxSize: 1 }).subscribe();
    await d.set('a', 1);
    subscription.unsubscribe();
    // It would hold up its writers if it was still there.
    for (const i of upTo(3_000)) void d.set('b', i);
    await d.set('b', -1);
    expect(await d.get('b')).toBe(-1);
  });

  it.each([{ lag: 'newest' }, { maxSize: 0 }, { max: 1 }])('refuses %o', async (options) => {
    const d = await m.dict();
    await expect(d.watch(options as WatchOptions).toArray()).rejects.toMatchObject({ name: 'ArgumentError' });
  });
});

describe('a watcher that does not keep up', () => {
  // The client takes 256 items ahead; what is beyond them waits in the server.
  const AHEAD = 256;
  const COUNT = 2_000;

  /** Reads the state, lets `COUNT` changes come, and then reads all. */
  async function slow(options: WatchOptions): Promise<{ changes: DictChange<string, number>[]; error: unknown }> {
    const d = await m.dict<string, number>();
    const changes: DictChange<string, number>[] = [];
    const iterator = d.watch(options)[Symbol.asyncIterator]();
    changes.push((await iterator.next()).value as DictChange<string, number>);
    await Promise.all(upTo(COUNT).map((i) => d.set(`k${i}`, i)));
    await d.set('end', 0);
    try {
      for (let last = changes[0]!; !isEnd(last); changes.push(last))
        last = (await iterator.next()).value as DictChange<string, number>;
      await iterator.return?.();
      return { changes, error: undefined };
    } catch (error) {
      return { changes, error };
    }
  }
  const isEnd = (change: DictChange<string, number>): boolean =>
    (change.type === 'set' && change.key === 'end') ||
    (change.type === 'state' && change.entries.some(([key]) => key === 'end'));

  it("gets the present state with 'latest', and ends up with the last one", async () => {
    const { changes, error } = await slow({ maxSize: 10 });
    expect(error).toBeUndefined();
    const states = changes.filter((change) => change.type === 'state');
    expect(states.length).toBeGreaterThanOrEqual(2);
    expect(states.at(-1)!.missed).toBeGreaterThan(10);
    expect(changes.reduce(replica<string, number>(), new Map()).size).toBe(COUNT + 1);
    expect(changes.length).toBeLessThan(AHEAD + 3 * 10 + 10);
  });

  it("is told how many changes it missed with 'drop-oldest'", async () => {
    const { changes } = await slow({ maxSize: 10, lag: 'drop-oldest' });
    const missed = changes.reduce((sum, change) => sum + (change.type === 'gap' ? change.missed : 0), 0);
    const sets = changes.filter((change) => change.type === 'set').length;
    expect(missed).toBeGreaterThan(1_000);
    expect(missed + sets).toBe(COUNT + 1);
  });

  it("ends with a StreamOverflowError with 'error'", async () => {
    const { error } = await slow({ maxSize: 10, lag: 'error' });
    expect(error).toMatchObject({ name: 'StreamOverflowError', code: 'MP_WATCH_LAG' });
  });

  it("holds up writers with 'block', and misses nothing", async () => {
    const d = await m.dict<string, number>();
    const iterator = d.watch({ lag: 'block', maxSize: 10 })[Symbol.asyncIterator]();
    await iterator.next();
    let answered = 0;
    const writing = (async () => {
      for (const i of upTo(1_000)) {
        await d.set(`k${i}`, i);
        answered++;
      }
    })();
    // The state and 255 changes are with the client, 10 wait, and the one after them is not
    // answered.
    while ((await d.size) < AHEAD + 10);
    const before = answered;
    await new Promise((done) => setTimeout(done, 50));
    expect(answered).toBe(before);
    expect(answered).toBe(AHEAD + 9);
    for (const i of upTo(1_000)) expect((await iterator.next()).value).toEqual({ type: 'set', key: `k${i}`, value: i });
    await writing;
    await iterator.return?.();
  });
});
