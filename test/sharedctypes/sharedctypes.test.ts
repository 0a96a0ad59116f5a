import v8 from 'node:v8';
import vm from 'node:vm';
import { ArgumentError, ClosedError, getAllStartMethods, getContext, Pool } from 'multiprocess';
import { copy, RawArray, RawValue, SharedArray, struct, synchronized, Value } from 'multiprocess/sharedctypes';
import { Lock } from 'multiprocess/synchronize';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forkserver } from '../../dist/process/forkserver/index.js';
import { dumps, loads } from '../../dist/reduction/index.js';
import { codeOf } from '../support/code-of.js';
import { withAddon } from '../support/needs.js';

let pool: Pool;
beforeAll(() => {
  pool = new Pool({ processes: 2 });
});
afterAll(async () => {
  await pool.terminate();
  await forkserver.stop();
});

const Point = struct({ x: 'f64', y: 'f64' });
const Mixed = struct({ flag: 'bool', at: Point, id: 'u16', big: 'i64', letter: 'c' });

describe('a type', () => {
  it('wraps integers as C does, and says what it cannot hold', () => {
    const cases: [any, unknown, unknown][] = [
      ['b', 128, -128], ['B', -1, 255], ['h', 40_000, -25_536], ['H', 65_537, 1], ['i', 2 ** 31, -(2 ** 31)], ['I', -1, 2 ** 32 - 1],
      ['i', 2 ** 40 + 5, 5], ['i32', 2n ** 33n + 7n, 7], ['q', 2n ** 63n, -(2n ** 63n)], ['Q', -1n, 2n ** 64n - 1n], ['l', 5, 5n], ['u64', 3, 3n],
      ['f', 0.1, Math.fround(0.1)], ['d', 0.1, 0.1], ['f64', 3n, 3], ['bool', true, true], ['?', 2, true], ['c', 'ÿ', 'ÿ'], ['u', '😀', '😀'], ['i8', 7, 7],
    ]; // biome-ignore format: a table
    for (const [type, written, read] of cases) {
      using value = new RawValue<any>(type);
      value.value = written;
      expect([type, value.value]).toEqual([type, read]);
    }
    const refused: [any, unknown][] = [
      ['i', 1.5], ['i', '1'], ['i', Number.NaN], ['q', 0.5], ['d', '1'], ['bool', 'x'], ['c', 'ab'], ['c', 'Ā'], ['u', ''], ['i', null], [Point, 3], [Point, { z: 1 }],
    ]; // biome-ignore format: a table
    for (const [type, value] of refused)
      expect([type, value, codeOf(() => new RawValue(type, value as any))]).toEqual([type, value, 'MP_TYPE']);
    for (const type of ['x', '', undefined, {}, 'toString']) {
      for (const make of [
        () => new RawValue(type as any),
        () => new Value(type as any),
        () => new RawArray(type as any, 2),
        () => new SharedArray(type as any, 2),
      ]) {
        expect(codeOf(make)).toBe('MP_TYPE_CODE');
      }
    }
  });

  it('of records lies in memory as in C', () => {
    expect(Point).toMatchObject({ size: 16, alignment: 8, offsets: { x: 0, y: 8 } });
    expect(Mixed).toMatchObject({ size: 48, alignment: 8, offsets: { flag: 0, at: 8, id: 24, big: 32, letter: 40 } });
    expect(codeOf(() => struct({}))).toBe('MP_INVALID_ARGUMENT');
    expect(codeOf(() => struct({ a: 'nothing' as 'i' }))).toBe('MP_TYPE_CODE');
  });
});

describe('a record type that is sent', () => {
  const methods = getAllStartMethods().filter((method) => method !== 'fork');

  it.each(methods)('is one where it arrives, captured and as an argument (%s)', async (method) => {
    await using workers = new (getContext(method).Pool)({ processes: 1 });
    const captured = await workers.apply(() => {
      const value = new Value(Mixed, { at: { x: 3 } });
      const array = new SharedArray(Mixed, [{ at: { y: 4 } }, { id: 5 }]);
      const own = struct({ mixed: Mixed });
      return [value.value.at.x, array.get(0).at.y, array.get(1).id, own.size === Mixed.size, value.type === Mixed];
    });
    expect(captured).toEqual([3, 4, 5, true, true]);
    const given = await workers.apply(
      (point, mixed, types) => [
        new RawValue(point, { x: 6 }).value.x,
        new RawArray(point, [{ y: 7 }]).get(0).y,
        [mixed.fields.at, types[0], types[1]].map((type) => type === point),
        Object.isFrozen(point),
      ],
      [Point, Mixed, [Point, Mixed.fields.at]] as const,
    );
    expect(given).toEqual([6, 7, [true, true, true], true]);
  });

  it('comes back as itself, and one that a worker made is a type too', async () => {
    expect(await pool.apply((type) => type, [Mixed])).toBe(Mixed);
    const [made, same, value] = await pool.apply(() => {
      const type = struct({ a: 'u8', inner: struct({ b: 'f32' }) });
      return [type, type, new Value(type, { inner: { b: 2 } })] as const;
    });
    expect(made).toBe(same);
    expect(made).toEqual(struct({ a: 'u8', inner: struct({ b: 'f32' }) }));
    expect(value.type).toBe(made);
    expect(value.value.inner.b).toBe(2);
    expect(new RawArray(made, [{ inner: { b: 3 } }]).get(0).inner.b).toBe(3);
  });
});

describe('Value', () => {
  it('of a record is live, and takes some of its fields', async () => {
    const value = new Value(Mixed, { at: { x: 1 }, letter: 'q' });
    expect(value.value).toEqual({ flag: false, at: { x: 1, y: 0 }, id: 0, big: 0n, letter: 'q' });
    value.value.at.y = 5;
    value.value = { id: 70_000, big: 9 };
    expect(value.value).toEqual({ flag: false, at: { x: 1, y: 5 }, id: 4464, big: 9n, letter: 'q' });
    expect(
      await value.update((record) => {
        record.at.x += 10;
      }),
    ).toMatchObject({ at: { x: 11 } });
    const away = await pool.apply(
      (v: any) => {
        v.value.at.x *= 2;
        return { ...v.value };
      },
      [value],
    );
    expect(away).toEqual({ flag: false, at: { x: 22, y: 5 }, id: 4464, big: 9n, letter: 'q' });
    expect(value.value.at.x).toBe(22);
  });

  it('is updated in one step by any number of processes', async () => {
    const counter = new Value('i', 0);
    await Promise.all([
      pool.map(
        (_: number) => counter.update((n) => n + 1).then(() => 0),
        Array.from({ length: 2000 }, (_, i) => i),
      ),
      ...Array.from({ length: 500 }, () => counter.update((n) => n + 1)),
    ]);
    expect(counter.value).toBe(2500);
    counter.updateSync((n) => n * 2);
    expect(counter.value).toBe(5000);
  });

  it('stays as it was, and free, when an update throws', async () => {
    const value = new Value('i', 3);
    await expect(value.update((async () => 4) as any)).rejects.toThrow(ArgumentError);
    const failure = new Error('mine');
    await expect(
      value.update(() => {
        throw failure;
      }),
    ).rejects.toBe(failure);
    await expect(value.update(() => undefined)).rejects.toMatchObject({ code: 'MP_TYPE' });
    expect(value.value).toBe(3);
    expect(value.tryAcquire()).toBe(true);
    value.release();
  });

  it('gives up after its time or when aborted, and lets others have the lock then', async () => {
    const lock = new Lock();
    const value = new Value('i', 1, { lock });
    const array = new SharedArray('i', [1], { lock });
    const never = () => {
      throw new Error('ran without the lock');
    };
    const waits: [string, (options: any) => Promise<unknown>][] = [
      ['Value.runExclusive', (options) => value.runExclusive(never, options)],
      ['SharedArray.runExclusive', (options) => array.runExclusive(never, options)],
      ['Value.update', (options) => value.update(never, options)],
      ['Value.updateSync', async (options) => value.updateSync(never, options)],
    ];
    for (const [actor, wait] of waits) {
      lock.tryAcquire();
      await expect(wait({ timeout: 5 })).rejects.toMatchObject({
        name: 'TimeoutError',
        code: 'MP_TIMEOUT',
        message: expect.stringMatching(`^${actor}: not acquired within 5 ms`),
      });
      lock.release();
      // An abort counts before the lock does, free as it is.
      await expect(wait({ signal: AbortSignal.abort('gone') })).rejects.toBe('gone');
      await expect(wait({ timout: 5 })).rejects.toThrow(`${actor}: misspelled option \`timout\``);
      await expect(wait(5)).rejects.toThrow('Pass `{ timeout: 5 }`, in milliseconds.');
      expect(lock.locked()).toBe(false);
    }
    for (const [, wait] of waits.slice(0, 3)) {
      lock.tryAcquire();
      const abort = new AbortController();
      const aborted = wait({ signal: abort.signal });
      abort.abort('enough');
      await expect(aborted).rejects.toBe('enough');
      lock.release();
      expect(lock.locked()).toBe(false);
    }
    const bounds = { timeout: 60_000, signal: new AbortController().signal };
    expect(await value.runExclusive(() => 7, bounds)).toBe(7);
    expect(await value.update((n) => n + 1, bounds)).toBe(2);
    expect(value.updateSync((n) => n + 1, bounds)).toBe(3);
  });

  it('has the lock it was given, or an RLock, or none at all', () => {
    const lock = new Lock();
    expect(new Value('i', 0, { lock }).getLock()).toBe(lock);
    for (const given of [undefined, true, null] as const) {
      const value = new Value('i', 1, { lock: given });
      expect(value.acquireSync()).toBe(true);
      expect(value.acquireSync()).toBe(true);
      value.release();
      value.release();
      expect(value.getObj()).toBeInstanceOf(RawValue);
    }
    for (const raw of [
      new Value('i', 4, { lock: false }),
      new RawValue('i', 4),
      new SharedArray('i', 4, { lock: false }),
    ]) {
      expect('getLock' in raw || 'getObj' in raw || 'acquire' in raw).toBe(false);
    }
    for (const bad of [{}, 5, 'lock']) {
      expect(codeOf(() => new Value('i', 0, { lock: bad as never }))).toBe('MP_INVALID_ARGUMENT');
      expect(codeOf(() => new SharedArray('i', 1, { lock: bad as never }))).toBe('MP_INVALID_ARGUMENT');
    }
    expect(codeOf(() => new Value('i', 0, { lcok: true } as never))).toBe('MP_UNKNOWN_OPTION');
  });
});

describe('a shared value or array', () => {
  it('is one object in a process and comes back from workers as itself, with its lock', async () => {
    const lock = new Lock();
    const value = new Value('q', 1, { lock });
    const array = new SharedArray('d', [1, 2, 3], { lock });
    const [raw, rawArray] = [new RawValue('u8', 1), new RawArray(Point, [{ x: 1 }, { y: 2 }])];
    expect(loads(dumps([value, array, raw, rawArray, lock, value.getObj()]))).toEqual([
      value,
      array,
      raw,
      rawArray,
      lock,
      value.getObj(),
    ]);
    const same = loads<unknown[]>(dumps([value, array, raw, rawArray, lock, value.getObj()]));
    expect(same.map((item, i) => item === [value, array, raw, rawArray, lock, value.getObj()][i])).toEqual(
      Array(6).fill(true),
    );
    const back = await pool.apply(
      (v: any, a: any, r: any, p: any, l: any) => {
        if (v.getLock() !== l || a.getLock() !== l || v !== value) throw new Error('identity is lost');
        v.value += 1n;
        a.array[2] = 30;
        r.value += 255;
        p.array[1].x = 7;
        return [v, a, r, p];
      },
      [value, array, raw, rawArray, lock],
    );
    expect(back.every((item, i) => item === [value, array, raw, rawArray][i])).toBe(true);
    expect([value.value, [...array], raw.value, [...rawArray]]).toEqual([
      2n,
      [1, 2, 30],
      0,
      [
        { x: 1, y: 0 },
        { x: 7, y: 2 },
      ],
    ]);
  });

  it('that a worker makes lives on here', async () => {
    const one = new Pool({ processes: 1, maxTasksPerChild: 1 });
    const made = (await one.apply(new URL('../fixtures/sharedctypes/make.mjs', import.meta.url), [5])) as {
      value: Value<'i'>;
      array: SharedArray<'i'>;
    };
    one.close();
    await one.join();
    expect([made.value.value, [...made.array]]).toEqual([5, [0, 1, 2, 3, 4]]);
    expect(await made.value.update((n) => n + 1)).toBe(6);
  });

  it.each([() => new Value('i', 5), () => new SharedArray('i', [5, 6])])(
    'is open when it arrives again after it was closed',
    (make) => {
      const object = make();
      const bytes = dumps(object);
      const text = String(object);
      object.close();
      using again = loads(bytes) as typeof object;
      expect(again === (object as unknown)).toBe(false);
      expect(String(again)).toBe(text);
    },
  );

  it('refuses use after close, and its views are empty', () => {
    const value = new Value('i', 1);
    const array = new SharedArray('i', [1, 2]);
    const records = new RawArray(Point, 2);
    const point = new RawValue(Point, { x: 1 });
    const live = [array.array, records.array[0]!, point.value] as const;
    for (const object of [value, array, records, point]) {
      object.close();
      object.close();
    }
    // A SharedArrayBuffer cannot be unmapped.
    if (withAddon) expect(live[0].length).toBe(0);
    const uses = [
      () => value.value,
      () => Reflect.set(value, 'value', 2),
      () => dumps(value),
      () => array.array,
      () => array.get(0),
      () => array.set(0, 1),
      () => [...array],
      () => dumps(array),
      () => live[1].x,
      () => live[2].x,
      () => Reflect.set(live[2], 'x', 1),
    ];
    for (const use of uses) expect(use).toThrow(ClosedError);
  });

  it('is copied with its contents and no more in common', () => {
    const value = new Value(Point, { x: 1, y: 2 });
    const array = new RawArray('i', [1, 2]);
    const [value2, array2] = [copy(value), copy(array)];
    value2.value.x = 9;
    array2.array[0] = 9;
    expect([value.value.x, array.array[0], value2.value, [...array2]]).toEqual([1, 1, { x: 9, y: 2 }, [9, 2]]);
    expect(value2.getLock()).not.toBe(value.getLock());
    expect(codeOf(() => copy({} as never))).toBe('MP_INVALID_ARGUMENT');
  });

  it('without a lock is given one over the same memory', () => {
    const [raw, array] = [new RawValue('i', 1), new RawArray('i', 2)];
    const lock = new Lock();
    const value = synchronized(raw, lock);
    const guarded = synchronized(array);
    value.value = 5;
    guarded.array[1] = 6;
    expect([raw.value, array.array[1], value.getLock() === lock, guarded.getObj() === array]).toEqual([
      5,
      6,
      true,
      true,
    ]);
    expect(codeOf(() => synchronized(value as never))).toBe('MP_INVALID_ARGUMENT');
  });
});

describe('SharedArray', () => {
  it('says by its name which size cannot be', () => {
    for (const [name, Type] of Object.entries({ SharedArray, RawArray })) {
      const [large, half] = [() => new Type('d', 2 ** 52), () => new Type('d', 0.5)];
      expect(large).toThrow(new RegExp(`^${name}: 4503599627370496 elements of 8 bytes .* make several arrays`));
      expect(half).toThrow(`${name}: the size must be a whole number of at least 0, not 0.5.`);
    }
  });

  it('has a live typed array over its own bytes and no others', () => {
    const array = new SharedArray('i', [1, 2, 3]);
    expect(array.array).toBeInstanceOf(Int32Array);
    expect(array.array.buffer.byteLength).toBe(12);
    array.array.set([7, 8], 1);
    expect([array.get(-1), array.get(0), [...array], array.length]).toEqual([8, 1, [1, 7, 8], 3]);
    array.set(-3, 2 ** 31);
    expect(array.array[0]).toBe(-(2 ** 31));
    expect(new SharedArray('q', 2).array).toBeInstanceOf(BigInt64Array);
    expect(codeOf(() => array.get(3))).toBe('MP_INDEX');
    expect(codeOf(() => array.set(-4, 1))).toBe('MP_INDEX');
    for (const size of [-1, 1.5, Number.NaN, null, {}])
      expect(codeOf(() => new SharedArray('i', size as never))).toBe('MP_INVALID_ARGUMENT');
    expect(new SharedArray('i', 0).length).toBe(0);
  });

  it('of characters has a text', () => {
    const text = new SharedArray('c', 6);
    text.value = 'grün';
    expect([text.value, text.get(3), text.array[4]]).toEqual(['grün', 'n', 0]);
    text.value = 'sixsix';
    expect(text.value).toBe('sixsix');
    expect(codeOf(() => Reflect.set(text, 'value', 'seventh'))).toBe('MP_INVALID_ARGUMENT');
    const wide = new RawArray('u', 'a😀');
    expect([wide.length, wide.value]).toEqual([2, 'a😀']);
  });

  it('keeps its memory as long as a view of it is held, and is zero where memory was used before', async () => {
    const view = (() => new RawArray('u8', [1, 2, 3]).array.subarray(1))();
    v8.setFlagsFromString('--expose-gc');
    const collect = vm.runInNewContext('gc') as () => void;
    for (let i = 0; i < 20; i++) {
      const next = new RawArray('u8', 3);
      expect([...next]).toEqual([0, 0, 0]);
      next.array.fill(255);
      next.close();
      collect();
      await new Promise((done) => setImmediate(done));
    }
    expect([...view]).toEqual([2, 3]);
  });
});
