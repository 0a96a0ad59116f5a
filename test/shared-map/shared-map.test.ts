import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import {
  ArgumentError,
  ClosedError,
  Event,
  getContext,
  Lock,
  MapFullError,
  NotOwnerError,
  Pool,
  type Process,
  pipe,
  Queue,
  Semaphore,
  SerializationError,
  SharedArray,
  SharedMap,
  TimeoutError,
} from 'multiprocess';
import { forkserver } from 'multiprocess/forkserver';
import { dumps, loads } from 'multiprocess/reduction';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../support/code-of.js';
import { mortal } from '../support/mortal.js';
import { startable, withAddon } from '../support/needs.js';
import { seeded } from '../support/seeded.js';
import { until } from '../support/until.js';

const turn = () => new Promise((done) => setImmediate(done));

class Point {
  constructor(
    readonly x: number,
    readonly y: number,
  ) {}
}

describe('SharedMap', () => {
  it('does what a Map does', () => {
    const map = new SharedMap<string | number, unknown>({ capacity: 10 });
    expect(map.size).toBe(0);
    expect(map.get('a')).toBeUndefined();
    expect(map.set('a', 1).set('b', 2)).toBe(map);
    map.set('a', 3);
    expect([map.get('a'), map.get('b'), map.has('a'), map.has('c'), map.size]).toEqual([3, 2, true, false, 2]);
    expect([map.delete('a'), map.delete('a'), map.has('a'), map.size]).toEqual([true, false, false, 1]);
    expect([[...map], [...map.keys()], [...map.values()], [...map.entries()]]).toEqual([
      [['b', 2]],
      ['b'],
      [2],
      [['b', 2]],
    ]);
    map.set('u', undefined);
    expect([map.get('u'), map.has('u')]).toEqual([undefined, true]);
    map.clear();
    expect([[...map], map.size, map.has('b')]).toEqual([[], 0, false]);
    expect(String(map.set('x', 1))).toBe('<SharedMap(size=1, capacity=10)>');
    expect([map.capacity, map.bytes]).toEqual([10, 2 ** 20]);
  });

  it('tells keys apart as a Map does', () => {
    const keys = [
      1,
      '1',
      0,
      '0',
      '-0',
      Number.NaN,
      'NaN',
      Number.POSITIVE_INFINITY,
      5e-324,
      2 ** 53,
      '',
      'a',
      'ab',
      'a\0',
      '\0',
      'ÿ',
      'Ā',
      'ü',
      'u\u0308',
    ];
    keys.push(
      '\ud800',
      '\udc00',
      '😀',
      '\ud800\ud800',
      'x'.repeat(47),
      'x'.repeat(48),
      'x'.repeat(49),
      'x'.repeat(5_000),
      `${'x'.repeat(5_000)}日`,
    );
    const map = new SharedMap<string | number, number>({ capacity: keys.length });
    keys.forEach((key, i) => void map.set(key, i));
    expect(map.size).toBe(keys.length);
    for (const [i, key] of keys.entries()) expect([key, map.get(key)]).toEqual([key, i]);
    expect(new Set(map.keys())).toEqual(new Set(keys));
    expect(new Map(map)).toEqual(new Map(keys.map((key, i) => [key, i])));
    expect(map.get(-0)).toBe(2);
    map.set(-0, 99);
    expect([map.get(0), map.size, [...map.keys()].some((key) => Object.is(key, -0))]).toEqual([99, keys.length, false]);
    for (const key of keys) expect(map.delete(key)).toBe(true);
    expect(map.size).toBe(0);
    for (const key of [undefined, null, {}, 1n, Symbol('s'), true]) {
      for (const call of [
        () => map.get(key as never),
        () => map.set(key as never, 1),
        () => map.has(key as never),
        () => map.delete(key as never),
      ]) {
        expect(codeOf(call)).toBe('MP_TYPE');
      }
    }
  });

  it('carries what a queue carries, as copies', () => {
    const map = new SharedMap<string, any>({ capacity: 50 });
    const cycle: any = { name: 'cycle' };
    cycle.self = cycle;
    const values: Record<string, unknown> = {
      date: new Date(5),
      map: new Map([[1, new Set(['a'])]]),
      big: 12n ** 40n,
      floats: new Float64Array(10_000).fill(0.5),
      odd: new Uint8Array([1, 2, 3]),
      error: new TypeError('wrong'),
      regexp: /a+/gi,
      nested: { a: [{ b: null }, undefined, Number.NaN] },
      text: 'ü'.repeat(5_000),
      point: new Point(1, 2),
    };
    for (const [key, value] of Object.entries(values)) {
      map.set(key, value);
      expect(map.get(key)).toEqual(value);
    }
    expect(map.get('point')).toBeInstanceOf(Point);
    map.set('cycle', cycle);
    expect(map.get('cycle').self.self.name).toBe('cycle');
    const three = 3;
    map.set('fn', (x: number) => x + three);
    expect(map.get('fn')(4)).toBe(7);
    const list = map.get('nested');
    list.a.push('mine');
    expect(map.get('nested')).toEqual(values['nested']);
    const floats = map.get('floats');
    floats[0] = 9;
    expect(map.get('floats')[0]).toBe(0.5);
  });

  it('refuses what is shared, and what cannot be sent, and changes nothing', () => {
    const map = new SharedMap<string, unknown>({ capacity: 4 });
    map.set('k', 'old');
    const shared = new SharedArray('i', 4);
    for (const value of [
      new Lock(),
      { deep: [new Queue()] },
      shared,
      shared.array,
      () => shared.array,
      new SharedMap({ capacity: 1 }),
    ]) {
      expect(codeOf(() => map.set('k', value))).toBe('MP_SHARED_IN_MAP');
    }
    expect(() => map.set('k', Promise.resolve())).toThrow(SerializationError);
    expect(map.get('k')).toBe('old');
    map.set('k', shared.array.slice());
    expect(map.get('k')).toEqual(new Int32Array(4));
  });

  it('reads beside what a class does while it is decoded', () => {
    const map = new SharedMap<string, any>({ capacity: 4 });
    map.set('a', 'first').set('b', { get later() { return map.get('a'); }, end: 'end' }); // biome-ignore format: short
    expect(map.get('b')).toEqual({ later: 'first', end: 'end' });
  });

  it('says what its options must be', () => {
    for (const options of [
      undefined,
      {},
      4,
      null,
      [],
      { capacity: 0 },
      { capacity: 1.5 },
      { capacity: '3' },
      { capacity: 4, bytes: 0 },
      { capacity: 1e12 },
    ]) {
      expect(() => new SharedMap(options as never)).toThrow(ArgumentError);
    }
    expect(() => new SharedMap({ capacity: 3, size: 4 } as never)).toThrow('unknown option `size`');
    expect(() => new SharedMap({ capcity: 3 } as never)).toThrow('did you mean `capacity`');
  });

  describe('room', () => {
    it('is what was asked for: entries and bytes, and an error names which is missing', () => {
      const map = new SharedMap<number, unknown>({ capacity: 3, bytes: 1_024 });
      map.set(1, 1).set(2, 2).set(3, 3);
      expect(() => map.set(4, 4)).toThrow('it has 3 entries, its `capacity`');
      expect(() => map.set(4, 4)).toThrow(MapFullError);
      expect(codeOf(() => map.set(1, new Uint8Array(2_000)))).toBe('MP_MAP_FULL');
      expect(() => map.set(1, new Uint8Array(2_000))).toThrow(
        /the entry takes \d+ bytes, and 832 of its 1024 are free/,
      );
      expect([...map]).toEqual([[1, 1], [2, 2], [3, 3]]); // biome-ignore format: entries
      map.delete(2);
      expect(map.set(4, 4).size).toBe(3);
    });

    it('is not lost by anything that is done, nor torn into pieces', () => {
      const { random } = seeded();
      const map = new SharedMap<number, Uint8Array>({ capacity: 64, bytes: 64 * 1_024 });
      for (let i = 0; i < 5_000; i++) {
        const key = random(64);
        if (random(3) === 0) map.delete(key);
        else {
          try {
            map.set(key, new Uint8Array(random(3) === 0 ? random(8_000) : random(300)).fill(key));
          } catch (error) {
            expect(error).toBeInstanceOf(MapFullError);
          }
        }
      }
      for (const [key, value] of map) expect(value.every((byte) => byte === key)).toBe(true);
      // Half of the small ones go, so that what is free lies in pieces: a value may take all of it.
      map.clear();
      for (let i = 0; i < 64; i++) map.set(i, new Uint8Array(900));
      for (let i = 0; i < 64; i += 2) map.delete(i);
      map.set(0, new Uint8Array(31 * 960));
      expect(map.get(0)!.length).toBe(31 * 960);
      expect(map.get(1)!.length).toBe(900);
    });
  });

  it('is as a Map after any calls', () => {
    const { seed, random } = seeded();
    const map = new SharedMap<string | number, unknown>({ capacity: 40, bytes: 60_000 });
    const model = new Map<string | number, unknown>();
    const keys = Array.from({ length: 60 }, (_, i) =>
      i % 3 === 0 ? i - 20 : i % 3 === 1 ? `k${i}` : `${'日本'.repeat(i)}${i}`,
    );
    const value = () =>
      [random(1_000), 'text'.repeat(random(60)), { a: [random(9)] }, null, undefined, random(2) === 0][random(6)];
    for (let i = 0; i < 20_000; i++) {
      const key = keys[random(keys.length)]!;
      const deed = random(10);
      const at = `seed ${seed}, call ${i}`;
      if (deed < 4) {
        const next = value();
        if (!model.has(key) && model.size === 40)
          expect(
            codeOf(() => map.set(key, next)),
            at,
          ).toBe('MP_MAP_FULL');
        else {
          map.set(key, next);
          model.set(key, next);
        }
      } else if (deed < 6) expect(map.delete(key), at).toBe(model.delete(key));
      else if (deed < 9) expect([map.get(key), map.has(key)], at).toEqual([model.get(key), model.has(key)]);
      else if (random(200) === 0) {
        map.clear();
        model.clear();
      }
      if (map.size !== model.size) throw new Error(`the size is ${map.size}, not ${model.size} (${at})`);
      if (i % 1_000 === 0) expect(new Map(map), at).toEqual(model);
    }
    expect(new Map(map)).toEqual(model);
    expect(new Set(map.keys())).toEqual(new Set(model.keys()));
  });

  describe('between processes', () => {
    it('is one map for worker threads and every start method, and no update is lost', async () => {
      const map = new SharedMap<string, number>({ capacity: 10 });
      const count = async () => {
        for (let i = 0; i < 50; i++) {
          await map.update('sync', (n = 0) => n + 1);
          await map.update('async', async (n = 0) => {
            await null;
            return n + 1;
          });
        }
      };
      const thread = new Worker(new URL('../fixtures/shared-map/thread.mjs', import.meta.url), {
        workerData: dumps([map, 50]),
      });
      const ended = once(thread, 'exit');
      const methods = withAddon ? startable('spawn', 'forkserver', 'thread') : (['thread'] as const);
      const children = methods.map((method) => new (getContext(method).Process)(count) as Process);
      for (const child of children) await child.start();
      await Promise.all([count(), count()]);
      for (const child of children) {
        expect(await child.join()).toBe(true);
        expect(child.exitCode).toBe(0);
      }
      expect((await ended)[0]).toBe(0);
      if (withAddon) await forkserver.stop();
      const times = 50 * (3 + methods.length);
      expect([map.get('sync'), map.get('async')]).toEqual([times, times]);
    });

    it('arrives as itself by argument, capture, queue and connection', async () => {
      const map = new SharedMap<string, number>({ capacity: 4 });
      const pool = new Pool({ processes: 1 });
      expect(
        await pool.apply(
          (a: SharedMap<string, number>, b: unknown) => a === b && a === map && a.set('argument', 1).size,
          [map, map],
        ),
      ).toBe(1);
      expect(await pool.apply(() => map)).toBe(map);
      const queue = new Queue<SharedMap<string, number>>();
      await queue.put(map);
      expect(await queue.get()).toBe(map);
      const [a, b] = pipe<SharedMap<string, number>>();
      await a.send(map);
      expect(await b.recv()).toBe(map);
      expect([...map]).toEqual([['argument', 1]]);
      await pool.terminate();
      queue.close();
      for (const end of [a, b]) end.close();
    });

    it('gives whole values to readers while others write, and each key once to who iterates', async () => {
      const map = new SharedMap<string, { readonly n: number; readonly text: string }>({ capacity: 40, bytes: 60_000 });
      const [stop, begun] = [new Event(), new Semaphore(0)];
      for (let i = 0; i < 10; i++) map.set(`stable ${i}`, { n: i, text: '' });
      const write = async (seed: number) => {
        let writes = 0;
        for (let n = seed; !stop.isSet(); n = (n * 48_271) % 0x7fffffff) {
          const key = `key ${n % 20}`;
          const length = n % 400;
          if (n % 5 === 0) map.delete(key);
          else map.set(key, { n: length, text: String(length).padEnd(length, String(length % 10)) });
          if (writes === 0) begun.release();
          if (writes++ % 100 === 0) await new Promise((done) => setImmediate(done));
        }
        return writes;
      };
      const pool = new Pool({ processes: 2 });
      const writing = pool.map(write, [7, 11], { chunkSize: 1 });
      for (const _ of [0, 1]) await begun.acquire();
      for (let i = 0; i < 20_000; i++) {
        const value = map.get(`key ${i % 20}`);
        if (value === undefined) continue;
        const { n, text } = value;
        if (text !== String(n).padEnd(n, String(n % 10))) throw new Error(`torn: ${n} ${text}`);
        if (i % 500 === 0) {
          const seen = new Map<string, number>();
          for (const key of map.keys()) seen.set(key, (seen.get(key) ?? 0) + 1);
          for (let at = 0; at < 10; at++) expect(seen.get(`stable ${at}`)).toBe(1);
          await turn();
        }
      }
      stop.set();
      for (const writes of await writing) expect(writes).toBeGreaterThan(0);
      await pool.terminate();
    });
  });

  describe('update', () => {
    it('gives what there is and stores what comes back', async () => {
      const map = new SharedMap<string, any>({ capacity: 4 });
      expect(await map.update('a', (value, key) => [value, key])).toEqual([undefined, 'a']);
      expect(await map.update('a', async (value) => ({ value }))).toEqual({ value: [undefined, 'a'] });
      expect(map.get('a')).toEqual({ value: [undefined, 'a'] });
      expect(await map.update('a', () => undefined)).toBeUndefined();
      expect([map.has('a'), map.size]).toEqual([true, 1]);
    });

    it('leaves the old value when its function throws, or what it returns finds no place', async () => {
      const map = new SharedMap<string, unknown>({ capacity: 1, bytes: 1_024 });
      map.set('a', 'old');
      await expect(map.update('a', () => { throw new TypeError('no'); })).rejects.toThrow(TypeError); // biome-ignore format: short
      await expect(map.update('a', () => Promise.reject(new RangeError('no')))).rejects.toThrow(RangeError);
      await expect(map.update('a', () => new Uint8Array(5_000))).rejects.toThrow(
        'SharedMap.update: the map has no room',
      );
      await expect(map.update('a', () => new Lock())).rejects.toMatchObject({ code: 'MP_SHARED_IN_MAP' });
      await expect(map.update('b', () => 1)).rejects.toMatchObject({ code: 'MP_MAP_FULL' });
      expect([...map]).toEqual([['a', 'old']]);
      expect(await map.update('a', (value) => `${value}er`)).toBe('older');
    });

    it('runs one at a time for a key, in the order they were called', async () => {
      const map = new SharedMap<string, number[]>({ capacity: 4 });
      const tasks = [0, 1, 2, 3].map((i) =>
        map.update('a', async (list = []) => {
          await turn();
          return [...list, i];
        }),
      );
      await Promise.all(tasks);
      expect(map.get('a')).toEqual([0, 1, 2, 3]);
    });

    it('runs again when the key was set or deleted meanwhile', async () => {
      const map = new SharedMap<string, number>({ capacity: 4 });
      map.set('a', 1);
      const seen: (number | undefined)[] = [];
      const [began, go] = [new Event(), new Event()];
      const updating = map.update('a', async (value) => {
        seen.push(value);
        began.set();
        await go.wait();
        return (value ?? 100) + 1;
      });
      await began.wait();
      map.set('a', 10);
      map.set('b', 5); // another key does not matter
      began.clear();
      go.set();
      expect(await updating).toBe(11);
      expect([seen, map.get('a')]).toEqual([[1, 10], 11]);
      go.clear();
      const again = map.update('a', async (value) => {
        began.set();
        await go.wait();
        return (value ?? 100) + 1;
      });
      await began.wait();
      map.delete('a');
      go.set();
      expect(await again).toBe(101);
    });

    it('is bounded by a time limit and a signal', async () => {
      const map = new SharedMap<string, number>({ capacity: 4 });
      const [began, go] = [new Event(), new Event()];
      const holding = map.update('a', async () => {
        began.set();
        await go.wait();
        return 1;
      });
      await began.wait();
      await expect(map.update('a', () => 2, { timeout: 5 })).rejects.toThrow(TimeoutError);
      const abort = new AbortController();
      const waiting = map.update('a', () => 3, { signal: abort.signal });
      await turn();
      abort.abort(new Error('enough'));
      await expect(waiting).rejects.toThrow('enough');
      await expect(map.update('a', () => 2, { timout: 5 } as never)).rejects.toThrow('did you mean `timeout`');
      await expect(map.update('a', 5 as never)).rejects.toThrow(ArgumentError);
      await expect(map.update({} as never, () => 1)).rejects.toMatchObject({ code: 'MP_TYPE' });
      go.set();
      expect(await holding).toBe(1);
      expect(map.get('a')).toBe(1);
    });

    it('refuses what would wait for itself, and nothing else', async () => {
      const map = new SharedMap<string, number>({ capacity: 10 });
      await map.update('a', async () => {
        await expect(map.update('b', () => 1)).rejects.toThrow(
          'SharedMap.update: called within the function of an update',
        );
        expect(() => map.set('a', 5)).toThrow(NotOwnerError);
        expect(codeOf(() => map.delete('a'))).toBe('MP_DEADLOCK');
        expect(codeOf(() => map.clear())).toBe('MP_DEADLOCK');
        map.set('c', 7);
        expect([map.get('c'), map.delete('c'), map.has('a')]).toEqual([7, true, false]);
        return 1;
      });
      const other = new SharedMap<string, number>({ capacity: 10 });
      await map.update('a', async (value = 0) => value + (await other.update('a', () => 4)));
      expect(map.get('a')).toBe(5);
      await map.update('b', () => 1);
    });

    it('what was terminated within its function leaves the old value to others', async () => {
      const map = new SharedMap<string, number>({ capacity: 4 });
      map.set('a', 1);
      const holder = new URL('../fixtures/synchronize/rw-holder.mjs', import.meta.url);
      const worker = new Worker(holder, { workerData: dumps({ map, action: 'update' }) });
      await once(worker, 'message');
      const waiting = map.update('a', (value = 0) => value + 1);
      await worker.terminate();
      expect(await waiting).toBe(2);
    });

    it('what was killed within its function leaves the old value to others', async () => {
      const map = new SharedMap<string, number>({ capacity: 4 });
      map.set('a', 1);
      const holder = await mortal('updateMap', { map });
      const waiting = map.update('a', (value = 0) => value + 1);
      map.set('b', 2);
      expect(map.get('a')).toBe(1);
      await holder.kill();
      expect(await waiting).toBe(2);
    });
  });

  it('ends with close, and is open when it arrives again', async () => {
    const map = new SharedMap<string, number>({ capacity: 4 });
    const bytes = dumps(map);
    map.set('a', 1);
    const go = new Event();
    const updating = map.update('b', async () => {
      await go.wait();
      return 1;
    });
    await turn();
    map.close();
    map.close();
    const again = loads(bytes) as SharedMap<string, number>;
    go.set();
    await expect(updating).rejects.toThrow(ClosedError);
    for (const call of [
      () => map.get('a'),
      () => map.set('a', 1),
      () => map.has('a'),
      () => map.delete('a'),
      () => map.clear(),
      () => map.size,
      () => [...map],
    ]) {
      expect(call).toThrow(ClosedError);
    }
    await expect(map.update('a', () => 1)).rejects.toThrow(ClosedError);
    expect(String(map)).toBe('<SharedMap(closed)>');
    expect(again === map).toBe(false);
    expect(await again.update('b', (value = 5) => value)).toBe(5);
    expect(new Map(again)).toEqual(new Map([['a', 1], ['b', 5]])); // biome-ignore format: entries
    await until(() => again.size === 2, 'both are there');
    again.close();
  });
});
